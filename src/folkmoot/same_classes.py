"""Words of one meaning, for `same_question`: one class a line, its name first, each in its base form.

A class holds what can stand for one another in a question whose answer is wanted, in every sense they have there. What
is only near in meaning is left out on purpose (limit and ban, doctor and nurse, immigrant and migrant), and so is what
has the meaning only sometimes ("fast" for "fasting"): a wrong suggestion costs more than none.
"""

CLASSES = """
    ban, prohibit, forbid, outlaw
    hire, recruit
    stricter, tougher, tighter
    dismiss, sack
    strike, go on strike
    own, possess
    earn enough, earn enough money, make enough money
    organ donation, donat+g organ
    blood donation, donat+g blood
    eat meat, consume meat
    exercize, physical exercize, work+g out
    at least, minimum of
    foreign aid, development aid
    sex education, sexual education
    assist+d suicide, assist+d dy+g, physician assist+d suicide, doctor assist+d suicide
    abortion, termination of pregnancy
    plastic surgery, cosmetic surgery
    nuclear weapon, atomic weapon, nuclear arms, nuke
    allow, permit
    abolish, scrap, eliminate
    reduce, decrease, lower, cut
    increase, raise, hike
    limit, restrict
    require, oblige
    begin, start, commence
    stop, quit, cease, give up
    buy, purchase
    help, assist
    help, aid
    tell, inform
    reveal, disclose
    choose, select, pick
    happen, occur
    try, attempt
    get, obtain, receive
    show, demonstrate
    protect, safeguard
    replace, supplant
    fund, finance
    improve, enhance
    prevent, avert
    build, construct
    use, utilize, utilise
    speak, talk
    vaccinate, immunize, inoculate
    vaccination, immunization, inoculation
    flu shot, flu jab, flu vaccine, flu vaccination, influenza vaccine
    measles shot, measles jab, measles vaccine
    covid vaccine, covid jab, covid shot
    mandatory, compulsory, obligatory
    voluntary, optional
    immoral, unethical
    ethical, moral
    ok, okay, alright, acceptable, permissible, all right
    rich, wealthy, affluent
    dangerous, hazardous
    harmful, detrimental, damaging
    smart, clever, intelligent
    quick, rapid
    large, big
    huge, enormous, gigantic
    difficult, hard
    easy, simple
    important, significant
    crucial, essential, vital
    cheap, inexpensive
    expensive, costly
    enough, sufficient
    sick, ill
    effective, efficacious
    illegal, unlawful, against law
    legal, lawful
    free, at no cost, without charge
    self driv+g, autonomous, driverless
    everyone, everybody, all human, every human
    nobody, no one, no human
    someone, somebody
    anyone, anybody
    human, person, individual, human being
    humanity, humankind, mankind, human race
    elderly, elderly human, old human, older human, senior citizen, old age human, older adult
    child, kid
    teenager, teen, adolescent
    young human, youngster, youth
    baby, infant
    doctor, physician
    teacher, educator
    lawyer, attorney
    police, police officer, policeman, cop
    politician, elected official
    prisoner, inmate
    student, pupil, schoolchild, school child
    employee, worker
    company, firm, business, corporation
    homeless, homeless human
    government, state
    parent, mum and dad, mother and father
    father, dad
    mother, mum, mom
    car, automobile
    electric car, electric vehicle, ev, evs
    smartphone, cellphone, cell phone, mobile phone, mobile
    phone, telephone
    film, movie
    tv, television
    photo, photograph
    bike, bicycle
    plane, aeroplane, airplane
    truck, lorry
    subway, underground railway
    public transport, public transportation, public transit, mass transit
    rubbish, garbage, trash
    petrol, gasoline
    house price, housing price, hous+g price, home price
    flat, apartment
    advertisement, ad, ads, advert
    mistake, error
    benefit, advantage, upside, pro
    drawback, disadvantage, downside, con
    disease, illness, sickness
    flu, influenza
    covid, coronavirus, covid 19
    heart attack, myocardial infarction
    high blood pressure, hypertension
    painkiller, pain killer, analgesic
    medicine, medication
    medical treatment, medical care
    health care, healthcare, health service
    mental health, psychological health
    childcare, daycare, child care, day care
    high school, secondary school
    primary school, elementary school, grade school
    homeschooling, home schooling, homeschool+g, home school+g, home education
    university, college
    tuition, tuition fee
    exam, examination
    purpose, aim
    effect, consequence, impact
    way, method
    duty, obligation
    risk, danger
    job, employment
    gun, firearm
    tax, taxation
    proof, evidence
    internet, web
    online, on internet
    social media, social network, social media platform, social media site, social networking site
    ai, artificial intelligence
    facial recognition, face recognition, facial recognition technology
    global warming, climate change
    greenhouse gas, greenhouse gas emission
    carbon emission, co2 emission, carbon dioxide emission, emission of carbon dioxide
    gay marriage, same sex marriage, homosexual marriage
    gm, genetically modified
    gm food, gmo, gmo food, genetically engineered food
    death penalty, capital punishment
    universal basic income, ubi, unconditional basic income, basic income for everyone
    remotework, remote work, work remotely, work+g remotely, remote work+g, telework, work from home, work+g from home,
        teleworking, telework+g, telecommut+g
    four day work week, 4 day work week, 4 day week
    vegetarian, veggie
    cannabis, marijuana
    cigarette, tobacco cigarette
    e cigarette, electronic cigarette, vape
    animal testing, animal experiment, animal experimentation, experiment on animal, animal test+g, test+g on animal
    kg, kilogram, kilogramme, kilo
    g, gram, gramme
    km, kilometre, kilometer
    mg, milligram
    cm, centimetre, centimeter
    hour, hr
    minute, min
    programme, program
    paediatric, pediatric
    anaemia, anemia
    oestrogen, estrogen
    fibre, fiber
    defence, defense
    licence, license
    tumour, tumor
    diarrhoea, diarrhea
    grey, gray
    skeptical, sceptical
    ageing, aging
    truthful, honest
    tell truth, be truthful, be honest
    many, lot of, lots of, great many, numerous
    frequently, often
    twice, two times
    nearly, almost
    classroom, class room
"""
