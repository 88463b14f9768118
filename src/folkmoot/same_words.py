"""Words and phrases in which one thing can be asked, for `same_question`.

What is only near in meaning is left out on purpose (limit and ban, doctor and nurse, may and should, immigrant and
migrant), and so is what has the meaning only sometimes ("fast" for "fasting"): a wrong suggestion costs more than none.
"""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pairs(text: str) -> dict[str, str]:
    return {pair.split()[0]: pair.split()[1] for pair in text.split(",")}


#: Words of one meaning, in their base forms; each is read as the first of its class.
SYNONYMS = """
    ban prohibit forbid outlaw; allow permit; legalize legalise; decriminalize decriminalise; criminalize criminalise;
    subsidize subsidise; privatize privatise; nationalize nationalise; abolish scrap; mandatory compulsory obligatory;
    voluntary optional; child kid; teenager teen adolescent; doctor physician; lawyer attorney; prisoner inmate;
    car automobile; smartphone cellphone; phone telephone; film movie; tv television; photo photograph; bike bicycle;
    plane aeroplane airplane; rubbish garbage trash; petrol gasoline; mistake error; benefit advantage upside;
    drawback disadvantage downside; immoral unethical; ethical moral; ok okay alright acceptable permissible;
    rich wealthy; buy purchase; help assist; begin start commence; stop quit cease; dangerous hazardous;
    disease illness sickness; flu influenza; quick rapid; smart clever intelligent; large big; huge enormous;
    difficult hard; easy simple; crucial essential; cheap inexpensive; expensive costly; centre center;
    programme program; behaviour behavior; colour color; labour labor; organisation organization; organise organize;
    criticise criticize; paediatric pediatric; anaemia anemia; oestrogen estrogen; fibre fiber; defence defense;
    licence license; tumour tumor; diarrhoea diarrhea; vaccinate immunize immunise inoculate;
    vaccination immunization immunisation; medicine medication; coronavirus covid; limit restrict;
    reduce decrease lower; increase raise; tell inform; reveal disclose; choose select; childcare daycare;
    humanity humankind mankind; human person; purpose aim; effect consequence; way method; happen occur; kg kilogram
    kilogramme kilo; g gram gramme; km kilometre kilometer; mg milligram; cm centimetre centimeter; hour hr;
    minute min; internet web; duty obligation; try attempt; get obtain; show demonstrate; gun firearm; sick ill;
    require oblige;
    enough sufficient; speak talk; tax taxation; company firm; employee worker
"""

#: Whole phrases in small letters, "be" for each of its forms but the past, in the order in which they are read.
PHRASES: tuple[tuple[str, str], ...] = (
    # What only leads up to the question.
    (r"^(?:(?:hi|hello|please|well|so|tell (?:me|us)) )+", ""),
    (r"^(?:can|could|would|will) you (?:please )?(?:tell me|explain|say) (?=wh|how|if )", ""),
    (r"^(?:explain|say) (?=wh|how )", ""),
    (r"^i (?:would like|want|would love) to know (?:if |whether )?", ""),
    (r"^i (?:wonder|be wondering|was wondering) (?:if |whether )?", ""),
    (r"^(?:do you (?:think|believe|feel)|would you say)(?: that)? ", ""),
    (r"^in your (?:opinion|view) ", ""),
    (r" in your (?:opinion|view)$", ""),
    (r"^what do you think (?=should |be )", ""),
    (r"^be it (?:true|the case) that ", ""),
    # One way of asking why, how and what.
    (r"^how come ", "why "),
    (r"^why be it that ", "why "),
    (r"^what be (?:the )?reasons? (?:that |why |for which )?(?!for |of |behind |to )", "why "),
    (r"^for (?:what|which) reasons? ", "why "),
    (r"^what be (?:the )?best way to ", "how best to "),
    (r"^how (?:can|do|could) (?:i|you|one|we) best ", "how best to "),
    (r"^how (?:can|do) (?:i|you|one) ", "how to "),
    (r"^what can (?:i|you|one) do to ", "how to "),
    (r"^what be (?:the )?causes? of ", "what cause "),
    (r"^what causes ", "what cause "),
    (r"^what (?:leads to|brings about) ", "what cause "),
    (r"\b(?:pros and cons|(?:advantages|benefits|upsides) and (?:disadvantages|drawbacks|downsides))\b", "proscons"),
    (r"^what speaks for and against ", "what be the proscons of "),
    (r"^what (\w+s) do(?:es)? (.+) have$", r"what be the \1 of \2"),
    # Names and set phrases.
    (r"\bartificial intelligence\b", "ai"),
    (r"\b(?:united states of america|united states|usa)\b", "=us"),
    (r"\bunited kingdom\b", "uk"),
    (r"\beuropean union\b", "eu"),
    (r"\bunited nations\b", "un"),
    (r"\bworld health organi[sz]ation\b", "=who"),
    (r"\bcapital punishment\b", "death penalty"),
    (r"\b(?:mobile phone|cell phone|smart phone)(s?)\b", r"smartphone\1"),
    (r"\be mail(s?)\b", r"email\1"),
    (r"\b(?:working week|workweek)\b", "work week"),
    (r"\belementary (?=school|education)", "primary "),
    (r"\bcollege (?=education|degree)", "university "),
    (r"\b(nuclear|solar|wind|coal|renewable) energy\b", r"\1 power"),
    (r"\b(?:in order to|so as to)\b", "to"),
    (r"\b(?:free of charge|for free|at no cost)\b", "free"),
    (r"\b(?:get rid of|do away with)\b", "abolish"),
    (r"\b(?:got rid of|done away with)\b", "abolished"),
    (r"\bshare out\b", "allocate"),
    (r"^shall we\b", "should we"),
    (r"\bought (.+?) to\b", r"should \1"),
    (r"\b(?:be supposed to|ought to)\b", "should"),
    (r"\b(?:have to|be required to|be obliged to)\b", "must"),
    (r"\b(?:be going to)\b", "will"),
    (r"(?<=should )(.+?) be legal\b", r"\1 be legalized"),
    (r"\b(?:be outlawed|be made illegal|be illegal)\b", "be banned"),
    (r"\bbe (?:forced|compelled|obliged) to\b", "be forced to"),
    (r"\blet (\w+) ", r"allow \1 to "),
    (r"\bbe able to\b", "can"),
    (r"\b(?:younger than|below)(?= (?:the age of )?\d)", "under"),
    (r"\b(?:older than|above)(?= (?:the age of )?\d)", "over"),
    (r"\b(under|over) (?:the age of|age|aged) (?=\d)", r"\1 "),
    (r"(?<=\d) (?:years? of age|years? old|year olds?)\b", " yearsold"),
    (r"\b(?:a|per|each|every) (day|week|month|year|hour)\b", r"per \1"),
    (r"\bdaily$", "per day"),
    (r"\b(?:at present|at the moment|presently|currently|nowadays|these days)\b", "now"),
    (r"\bduring (?=(?:a |an |the )?(?:pandemic|war|crisis|pregnancy|drought|emergency|epidemic))", "in "),
    (r"\b(rich|wealthy|poor) people\b", r"\1"),
    (r"\bmorally (?=right|wrong|acceptable|permissible|ok)", ""),
    (r"^be it wrong to\b", "be it immoral to"),
    (r"\b(be it \w+) for (?:people|one|someone|us|humans) to ", r"\1 to "),
    (r"^can (?:i|you|one|we) safely ", "be it safe to "),
    (r"^(?:would|should) there be ", "should there be "),
    (r"^be there any ", "be there "),
)

#: What a law does: "should the state ban it" and "should it be banned" are one question; its buying a thing is not.
BY_LAW = _set(
    "ban allow decriminalize criminalize abolish subsidize regulate privatize nationalize legalize censor tax"
)
LAW_MAKERS = frozenset({"government", "state", "lawmaker"})

#: What can be said of a deed: "is it ___ to lie" and "is lying ___".
VERDICTS = _set(
    """safe unsafe ethical immoral right wrong fair unfair ok unacceptable legal illegal dangerous harmful harmless
    healthy unhealthy good bad justified unjustified necessary unnecessary possible impossible wise rational"""
)

#: Past forms that no rule of spelling makes.
IRREGULAR = _pairs(
    """taught teach,told tell,kept keep,held hold,made make,paid pay,sold sell,bought buy,built build,
    given give,taken take,eaten eat,written write,driven drive,known know,shown show,seen see,forbidden forbid,
    chosen choose,broken break,spoken speak,stolen steal,worn wear,brought bring,caught catch,fought fight,sent send,
    spent spend,hidden hide"""
)
#: Plurals that no rule of spelling makes.
PLURALS = _pairs(
    """children child,people person,men man,women woman,feet foot,teeth tooth,mice mouse,lives life,
    wives wife,wolves wolf,knives knife,viruses virus,buses bus,campuses campus"""
)
#: What ends like a plural and is none, or another word without its end.
NO_PLURALS = _set(
    """news goods means arms customs glasses times always perhaps gas has ethics politics physics measles diabetes
    species series =us us its his this yes less plus minus does"""
)
#: What ends like a participle and is none.
NO_FORMS = _set("hundred sacred naked during morning evening spring string")
#: Verbs of more than one syllable that double their last letter all the same.
DOUBLING = _set(
    """permit control refer prefer transfer admit commit submit regret compel expel cancel travel label model patrol
    repel occur equip"""
)
