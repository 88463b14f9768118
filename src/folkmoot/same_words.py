"""Phrases in which one thing can be asked, for `same_question`, and what spelling does not tell of a word.

What is only near in meaning is left out on purpose (may and should, have to and should, is it right and should), as
from the words of `same_classes`.
"""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pairs(text: str) -> dict[str, str]:
    return {pair.split()[0]: pair.split()[1] for pair in text.split(",")}


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
    (r"^(?:actually|generally|in general) ", ""),
    (r"\b(?:actually|truly)\b ?", ""),
    (r"^what(?: be your (?:opinion|view|thoughts?)| do you think) (?:on|of|about) ", "opinion on "),
    (r"^what should (?:we|people|society|the government|governments) do ", "what should be done "),
    (r"^do you agree that (?=.+ should )", ""),
    (r" (?:yes or no|or not|please)$", ""),
    (r"^be it time (?:for us )?to ", "be it a good idea to "),
    (r"\bmorally (?:acceptable|permissible|right|ok|okay|good)\b", "ethical"),
    # Who gains by a comparison stands first.
    (r"^be (.+) worse than (.+)$", r"be \2 better than \1"),
    (r"^be (.+) lower than (.+)$", r"be \2 higher than \1"),
    (r"^be (.+) smaller than (.+)$", r"be \2 larger than \1"),
    (r"^be (.+) less (\w+e) than (.+)$", r"be \3 \2r than \1"),
    (r"^be (.+) less (\w+)y than (.+)$", r"be \3 \2ier than \1"),
    (r"^be (.+) less (\w+) than (.+)$", r"be \3 more \2 than \1"),
    (r"^be (.+?) going to (?=\w+)", r"will \1 "),
    (r"^be (?!it )(?!.*\bnot\b)(.+?) (?:required|obliged) to ", r"must \1 "),
    (r"^(?:do|does) (?!.*\bnot\b)(.+?) need to ", r"must \1 "),
    (r"^be (?!it )(?!.*\bnot\b)(.+?) (?:allowed|permitted) to ", r"may \1 "),
    (
        r"^(what|how|why) should (?:people|society|the government|governments|humans|humanity) (?=do |deal )",
        r"\1 should we ",
    ),
    # A deed that is weighed: "would it be", "does it make sense", "is it worth".
    (r"^would it be (?=(?:an? )?\w+ (?:idea )?(?:for .+? )?to )", "be it "),
    (r"\b(?:a )?good idea\b", "goodidea"),
    (r"^be it (?:a )?goodidea for (.+?) to ", r"should \1 "),
    (r"\b(?:worth it|worthwhile)\b", "worthit"),
    (r"^be it worth (?=\w+ing )", "worthdoing "),
    (r"^be it (\w+) (?:if (?:i|you|we|one|people)|for me to) ", r"be it \1 to "),
    (r"^be it possible for (?!people |one |us |someone |humans )(.+?) to ", r"can \1 "),
    (r"^(be .+?) capable of being ", r"\1 able to be "),
    (r"^be (?!it |there )(.+?) able to ", r"can \1 "),
    (r"\b(?:get|gets) (?=(?!used\b)(?:\w+ed|paid|taught|caught|sent)\b)", "be "),
    (r"\bbe given access to\b", "have access to"),
    (r"\bbe made to (?=\w+)", "be forced to "),
    (r"^be it (\w+) to do (?!so\b)(.+)$", r"be \2 \1"),
    (r"\bbe cut\b", "be reduced"),
    (r"\breplaced with\b", "replaced by"),
    (r"^should we replace (.+?) (?:with|by) (.+)$", r"should \2 replace \1"),
    (r"^be (.+) (?:needed|necessary)$", r"do we need \1"),
    (r"^how be (.+?) (?:affected|influenced|impacted) by (.+)$", r"how \2 affect \1"),
    (
        r"\b(banned|prohibited|forbidden|taught|allowed|permitted) by (schools|cities|hospitals|universities)$",
        r"\1 in \2",
    ),
    (
        r"^should (schools|cities|hospitals|universities) (ban|prohibit|forbid|teach|allow|permit) "
        r"((?:(?! in | to ).)+)$",
        r"should we \2 \3 in \1",
    ),
    # What a law would say.
    (r"\bbe (?:against the law|unlawful)\b", "be illegal"),
    (r"\bbe made (?=mandatory|compulsory|obligatory|legal|free|voluntary|illegal)", "be "),
    (r"\bbe required(?=$| (?:for|in|at|by|on) )", "be mandatory"),
    (r"^should it be (?:mandatory|compulsory|obligatory) for (.+?) to ", r"should \1 must "),
    (r"^should it be (?:legal|allowed|permitted) (?:for (?=.+ to ))?to ", "should people be allowed to "),
    (r"^should it be (?:legal|allowed|permitted) for (.+?) to ", r"should \1 be allowed to "),
    (r"^(should .+?) (?:be able to|have (?:the|a) right to|be given the right to|be free to) ", r"\1 be allowed to "),
    (r"^should (?:there be|we (?:have|introduce|impose|put)) (?:a |an )?ban on ", "should we ban "),
    (r"^should (?:there be|we (?:have|introduce|impose|put|levy)) (?:a |an )?tax on ", "should we tax "),
    (r"^should (?:there be|we have) (?:an )?increase in ", "should we increase "),
    (r"^should (?:there be|we have) (?:a )?(?:reductions?|decrease|cuts?) (?:in|to) ", "should we reduce "),
    (r"^should (?:there be|we have|we introduce) an? (?=\w+)", "should we introduce "),
    (r"^(?:do you support|be you in favou?r of) (?:a )?ban on ", "should we ban "),
    (r"^(?:do you support|be you in favou?r of) (?=\w+ing )", "worthdoing goodidea "),
    # One way of asking why, how and what.
    (r"^how come ", "why "),
    (r"^why be it that ", "why "),
    (r"^what be (?:the )?reasons? (?:that |why |for which )?(?!for |of |behind |to )", "why "),
    (r"^for (?:what|which) reasons? ", "why "),
    (r"^what be (?:the )?best way to ", "how best to "),
    (r"^how (?:can|do|could) (?:i|you|one|we) best ", "how best to "),
    (r"^(?:under what circumstances|under which circumstances|in what cases|in which cases) (?=be it )", "when "),
    (r"^which (?=\w+ (?:\w+ )?(?:be|do|does|can|should|have|has) )", "what "),
    (r"^how (?:could|might) (?!i |you |one )", "how can "),
    (r"^what can (.+?) do to ", r"how can \1 "),
    (r"^in (?:what|which) ways? ", "how "),
    (r"^what be (?:some |the |some good )?ways? (?:for|in which) (.+?) (?:to|can) ", r"how can \1 "),
    (r"^what be (?:some |the |some good )?ways? to ", "how to "),
    (r"^how can (?:we|people) ", "how we to "),
    (r"^how should (?:i|you|one|we|people) best ", "how best to "),
    (r"^how (?:can|do) (?:i|you|one) ", "how to "),
    (r"^what can (?:i|you|one) do to ", "how to "),
    (r"^what makes? (.+?) so ", r"why be \1 so "),
    (r"^what makes? ", "why "),
    (r"^what (?:causes?|leads?) (.+?) to (?=\w+)", r"why \1 "),
    (r"^what be (?:the )?(?:effects?|impacts?|influence) of (.+?) on ", r"how \1 affect "),
    (r"^what (?:effects?|impacts?|influence) do(?:es)? (.+?) have on ", r"how \1 affect "),
    (r"^how (.+?) (?:impacts?|influences?|affects) ", r"how \1 affect "),
    (r"\bhave (?:an |any )?(?:effect|impact|influence) on\b", "affect"),
    (r"^what be the role of (.+?) in ", r"what role does \1 play in "),
    (r"^what be (?:the )?(?:meaning|definition) of (.+)$", r"what does \1 mean"),
    (r"^what be meant by (.+)$", r"what does \1 mean"),
    (r"^what be the best (\w+) (?=for |to )", r"what \1 be best "),
    (r"^what be (?:some of the|some) ", "what be the "),
    (r"^what (?:distinguishes|sets) (\w+) (?:apart )?from (\w+)$", r"what be the difference between \1 and \2"),
    (r"^how (?:do )?(.+?) and (.+?) differ$", r"what be the difference between \1 and \2"),
    (
        r"^how (?:be |do |does )?(.+?) (?:different|differ|differs) from (.+)$",
        r"what be the difference between \1 and \2",
    ),
    (r"^(?:what|how) (?:amount|quantity) of ", "how much "),
    (r"^(?:what number of) ", "how many "),
    (r"^what be (?:the )?causes? of ", "what cause "),
    (r"^what causes ", "what cause "),
    (r"^what (?:leads to|brings about) ", "what cause "),
    (r"\b(?:pros and cons|(?:advantages|benefits|upsides) and (?:disadvantages|drawbacks|downsides))\b", "proscons"),
    (r"^what speaks for and against ", "what be the proscons of "),
    (r"^what (\w+s|\w+ \w+s) do(?:es)? (.+?) (?:have|bring|offer|carry|pose)( on .+)?$", r"what be the \1 of \2\3"),
    # Names and set phrases.
    (r"\b(?:united states of america|united states|usa)\b", "=us"),
    (r"\bunited kingdom\b", "uk"),
    (r"\beuropean union\b", "eu"),
    (r"\bunited nations\b", "un"),
    (r"\bworld health organi[sz]ation\b", "=who"),
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
    (r"^should (.+?) must do (.+)$", r"should \2 be mandatory for \1"),
    (r"^should (.+?) must be vaccinated\b", r"should vaccination be mandatory for \1"),
    (r"\b(?:be going to)\b", "will"),
    (r"(?<=should )(.+?) be legal\b", r"\1 be legalized"),
    (r"\b(?:be outlawed|be made illegal|be illegal)\b", "be banned"),
    (r"\bbe (?:forced|compelled|obliged) to\b", "be forced to"),
    (r"\blet (\w+) ", r"allow \1 to "),
    (r"\bbe able to\b", "can"),
    (r"\blearn how to\b", "learn to"),
    (r"\buse of (\w+)", r"\1 use"),
    (r"\b(?:people|persons) with (?:a )?(?:disability|disabilities)\b", "disabled people"),
    (r"\bseniors\b", "elderly"),
    (r"\b(?:the )?(workplace|classroom)\b", r"\1s"),
    (r"\b(?:in|at) (?:the )?schools?\b", "in schools"),
    (r"\b(?:good|beneficial) (?:for|to) (?:(?:your|one|our|the|my) )?health\b", "healthy"),
    (r"\b(?:bad|harmful|detrimental) (?:for|to) (?:(?:your|one|our|the|my) )?health\b", "unhealthy"),
    (r"\b(?:harmful|detrimental|damaging|bad) (?:to|for)\b", "bad for"),
    (r"^be (.+) bad for (.+)$", r"\1 harm \2"),
    (r"\b(?:beneficial|good) (?:to|for)\b", "good for"),
    (r"\bhelp(s?) to (?=\w+)", r"help\1 "),
    (r"\b(?:leads? to|results? in|brings? about)\b", "cause"),
    (r"^be (.+?) the cause of ", r"\1 cause "),
    (r"^be (.+?) a threat to ", r"\1 threaten "),
    (r"\b(?:younger than|below)(?= (?:the age of )?\d)", "under"),
    (r"\b(?:older than|above)(?= (?:the age of )?\d)", "over"),
    (r"\b(under|over) (?:the age of|age|aged) (?=\d)", r"\1 "),
    (r"(?<=\d) (?:years? of age|years? old|year olds?)\b", " yearsold"),
    (r"\b(?:a|per|each|every) (day|week|month|year|hour)\b", r"per \1"),
    (r"\bdaily$", "per day"),
    (r"\b(?:at present|at the moment|presently|currently|nowadays|these days)\b", "now"),
    (r"\bduring (?=(?:a |an |the )?(?:pandemic|war|crisis|pregnancy|drought|emergency|epidemic))", "in "),
    (r"\b(rich|wealthy|poor) people\b", r"\1"),
    (r"\bmorally (?=wrong)", ""),
    (r"^be it wrong to\b", "be it immoral to"),
    (r"\b(be it \w+) for (?:people|one|someone|us|humans) to ", r"\1 to "),
    (r"^can (?:i|you|one|we) safely ", "be it safe to "),
    (r"^(?:would|should) there be ", "should there be "),
    (r"^be there any ", "be there "),
)

#: What a law does: "should the state ban it" and "should it be banned" are one question; its buying a thing is not.
BY_LAW = _set(
    """ban allow decriminalize criminalize abolish subsidize regulate privatize nationalize legalize censor tax
    increase reduce introduce impose reintroduce reinstate limit fund"""
)
LAW_MAKERS = frozenset({"government", "state", "lawmaker"})

#: What can be said of a deed: "is it ___ to lie" and "is lying ___".
VERDICTS = _set(
    """goodidea worthit safe unsafe ethical immoral right wrong fair unfair ok unacceptable legal illegal
    dangerous harmful harmless
    healthy unhealthy good bad justified unjustified necessary unnecessary possible impossible wise rational"""
)

#: Past forms that no rule of spelling makes.
IRREGULAR = _pairs(
    """taught teach,told tell,kept keep,held hold,made make,paid pay,sold sell,bought buy,built build,
    given give,taken take,eaten eat,written write,driven drive,known know,shown show,seen see,forbidden forbid,
    chosen choose,broken break,spoken speak,stolen steal,worn wear,brought bring,caught catch,fought fight,sent send,
    spent spend,hidden hide,used use,worn wear,won win,lost lose,found find,felt feel,met meet,led lead,grown grow,
    drawn draw,thrown throw,blown blow,torn tear,sworn swear,begun begin,drunk drink,sung sing,rung ring,
    shot shoot,hung hang,dug dig,understood understand,lent lend,bent bend,dealt deal,meant mean,heard hear,said say,
    laid lay,bred breed,fed feed,bitten bite,forgiven forgive,forgotten forget,frozen freeze,gotten get,ridden ride,
    withdrawn withdraw,overthrown overthrow,undone undo,done do,left leave"""
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

#: Gerunds that no rule of spelling makes.
GERUNDS = _pairs("lying lie,being be,using use,dying die")
#: Where "the" one and all of them are the same.
PLACES = _set("classroom classrooms workplace workplaces internet")
#: What begins a part of the sentence that says where, when or with what.
PREPOSITIONS = _set("in on at with without for from during after before under over against to of by about who")
