"""Set phrases that answer a yes-or-no question, whatever it asks: "count me as a no", "bad idea", "closer to yes than no"."""

# ruff: noqa: E501

import re

_ENDED = r"(?=\W*$|\s*[.,;:!]|\s-)"
_IT = r"(?:\s(?:it|this|that|(?:it|this|that)\sto\shappen|the\sidea|such\san\sidea|such\sa\s\w+))?"
_REFUSES = rf"""
    i\ beg\ to\ differ | not\ (?:really\ |exactly\ )?an?\ (?:big\ |great\ |huge\ )?(?:fan|supporter|advocate)\b(?:\ of\ (?:it|this|that))?(?:\ (?:tbh|ngl|imo|honestly))?{_ENDED} | (?:i\ would|i'd)\ (?:much\ )?rather\ (?:we|they|it|you|he|she|people)\ (?:did\ not|do\ not|were\ not|was\ not){_ENDED} | (?:i\ would|i'd)\ (?:absolutely\ |really\ )?(?:hate|detest|dread|loathe){_IT}{_ENDED} | over\ my\ dead\ body | not\ (?:in\ a\ million\ years|on\ (?:my|your)\ (?:watch|life)|in\ my\ (?:house|name|lifetime)) | when\ hell\ freezes | (?:forget|dream)\ (?:it|on){_ENDED} | fat\ chance | i\ would\ not\ dare{_ENDED}
    | i\ (?:\w+ly\ |really\ |just\ )?(?:would|do)\ not\ (?:really\ )?(?:want|like|welcome|accept|choose|recommend|advise|go\ for|vote\ for|back|endorse|allow|approve\ of|risk|trust){_IT}{_ENDED}
    | (?:very\ |only\ |extremely\ )?(?:rarely|seldom|hardly\ ever|almost\ never)(?:,?\ if\ ever)?{_ENDED} | i\ (?:would|do|can)\ not\ (?:really\ |quite\ )?(?:say|think|believe)\ (?:that|so|this){_ENDED} | no\ longer{_ENDED} | i\ would\ not\ go\ (?:that|so|quite\ (?:that|so))\ far{_ENDED} | i(?:\ would|'d)\ rather\ not{_ENDED} | (?:perhaps|maybe)\ not{_ENDED}
    | i(?:\ am|'m)\ not\ (?:really\ |quite\ |at\ all\ )?(?:for{_IT}|an?\ (?:big\ |great\ )?(?:fan|supporter|advocate)|on\ board|sold|convinced|persuaded|buying\ it|in\ favou?r){_ENDED}
    | i(?:\ am|'m)\ (?:not\ an?|no)\ (?:big\ |great\ |strong\ )?(?:fan|supporter|advocate|proponent|friend|believer)\ (?:of|in)\b
    | i\ have\ (?:my|serious|strong|grave|considerable|some|real|big)\ (?:doubts|reservations|misgivings|concerns){_ENDED}
    | i\ (?:do\ not|can\ not|fail\ to)\ (?:really\ )?see\ (?:why{_ENDED}|(?:the|any|a|much)\ (?:\w+\ )?(?:point|need|sense|benefit|case|use)\b(?=\W*$|\s*[.,;:!]|\ in\ (?:it|this|that)))
    | (?:i\ (?:can\ |would\ )?see\ |there\ is\ )?no\ (?:need|point|use)(?:\ (?:to|for\ (?:it|that|this)|in\ (?:it|that|this)|at\ all))?{_ENDED}
    | (?:(?:it|that|this)\ (?:is|would\ be|sounds\ like|seems\ like)\ )?(?:an?\ )?(?:really\ |very\ )?(?:bad|terrible|awful|poor|horrible|dreadful|lousy|stupid|foolish)\ (?:idea|plan|move){_ENDED}
    | thumbs\ down{_ENDED} | (?:i\ would\ |i'd\ )?pass\ on\ (?:it|this|that){_ENDED} | (?:that|this|it)\ (?:is|would\ be)\ (?:a\ )?(?:step|bridge)\ too\ far
    | (?:the\ (?:\w+\ )?)?(?:evidence|data|research|science|record|facts|numbers|figures|studies|findings|literature|results)\ (?:do|does|did|can)\ not\ (?:\w+ly\ )?(?:support|back|bear|confirm|show|sustain)\ (?:it|that|this|such\ a\ claim|(?:that|this|the)\ (?:claim|idea|view|statement|belief|notion|assumption))(?:\ (?:out|up))?{_ENDED}
    | (?:it|this|that|they)\ (?:do|does)\ not\ (?:seem|appear|look)\ (?:to\ be|to\ do\ so|to|so|like\ it|that\ way|to\ me\ that\ (?:it|they)\ (?:is|are|does|do)){_ENDED}
    | no\ deal{_ENDED} | no\ chance{_ENDED} | false{_ENDED} | incorrect{_ENDED} | not\ true{_ENDED} | i\ (?:do\ not|would\ not)\ (?:really\ )?think\ that\ is\ (?:a\ )?(?:good|right|wise)\b
"""
_ACCEPTS = rf"""
    thumbs\ up{_ENDED} | (?:(?:it|this|that)\ is\ )?(?:high\ time|about\ time|(?:long\ )?overdue){_ENDED} | (?:i\ would|i'd)\ (?:much\ )?rather\ (?:we|they|it|you|he|she|people)\ (?:did|do|were){_ENDED} | (?:it\ |that\ )?would\ not\ bother\ me | (?:i\ would|i'd)\ (?:absolutely\ |really\ )?(?:love|adore|be\ (?:thrilled|delighted)\ (?:by|with|about)){_IT}{_ENDED} | i\ (?:\w+ly\ )?(?:would|do)\ not\ (?:really\ )?mind(?:\ (?:it|that|this|at\ all|one\ bit|a\ bit|in\ the\ least))*{_ENDED} | go\ (?:for\ it|ahead|right\ ahead){_ENDED} | i(?:\ would|'d)\ (?:welcome|want|like|accept|recommend|endorse|back|approve\ of)\ (?:it|this|that|the\ idea){_ENDED} | i\ (?:do\ )?(?:think|believe|suppose|guess|imagine|expect|hope|would\ think|would\ say)\ so{_ENDED} | i\ (?:do\ not|can\ not)\ see\ why\ not{_ENDED} | (?:i\ have\ )?no\ (?:\w+\ )?objections?(?:\ (?:from\ me|here|to\ (?:it|that|this)))?{_ENDED}
    | i\ have\ (?:nothing\ against|no\ (?:problem|issue|quarrel|qualms)\ with){_IT}{_ENDED} | fine\ (?:by|with)\ me{_ENDED} | works\ for\ me{_ENDED} | sounds\ (?:good|right|fair|reasonable)(?:\ to\ me)?{_ENDED}
    | (?:(?:it|that|this)\ (?:is|would\ be|sounds\ like|seems\ like)\ )?(?:an?\ )?(?:really\ |very\ )?(?:good|great|excellent|fine|brilliant|sensible|splendid)\ (?:idea|plan|move){_ENDED}
    | (?:the\ (?:\w+\ )?)?(?:evidence|data|research|science|record|facts|numbers|figures|studies|findings|literature|results)\ (?:\w+ly\ )?(?:supports?|backs?|bears?|confirms?)\ (?:it|that|this|such\ a\ claim|(?:that|this|the)\ (?:claim|idea|view|statement|belief|notion|assumption))(?:\ (?:out|up))?{_ENDED}
    | (?:it|this|that|they)\ (?:certainly\ |really\ )?(?:seems?|appears?)\ (?:to\ be|to\ do\ so|to|so|that\ way){_ENDED}
    | no\ doubt\ about\ (?:it|that){_ENDED} | true{_ENDED} | correct{_ENDED} | that\ is\ (?:true|correct|right){_ENDED} | i(?:\ am|'m)\ (?:all\ )?for\ (?:it|this|that){_ENDED} | you\ bet{_ENDED} | count\ me\ in{_ENDED}
"""
_OPENS = re.compile(rf"\W*(?:(?P<no>{_REFUSES})|(?P<yes>{_ACCEPTS}))", re.IGNORECASE | re.VERBOSE)
#: The writer takes a side without saying of what: "On balance I'd come down against."
_TAKES = re.compile(
    r"\b(?P<by>(?:i|we)(?:'d|'m|'ll|'ve)?(?: (?!(?:that|if|who|was|were|had|neither|used)\b)[\w']+){0,4}? |^\W*(?:\w+ly )?(?:leaning|lean|inclined|inclining) (?:\w+ ){0,2}?)(?:(?P<no>against|opposed|(?:inclined|tend|have|tempted) to disagree|disagree|oppose)|(?P<yes>in favou?r|all for|(?:inclined|tend|have) to agree|agree))"
    rf"(?: (?:of|to|with))?{_IT}(?: (?:on balance|overall|here|in the end|myself))?{_ENDED}",
    re.IGNORECASE,
)
#: "Closer to yes than no.", "70% yes."
_RATHER = re.compile(
    r"\b(?:more(?: of)?|closer to|nearer to|rather|\d\d ?% ?(?:sure)?|leaning more towards?)(?: an?)? [\"']?(?P<word>yes|no)\b(?! (?:than|more))?|\bon the [\"']?(?P<side>yes|no)[\"']? side\b|\b(?P<first>yes|no),? (?:rather|more) than (?:yes|no)\b",
    re.IGNORECASE,
)
#: "Put me down as a no.", "I'm a yes.", "My gut says no."
_COUNTED = re.compile(
    r"(?:\b(?:put|mark|count|list|note) me (?:down )?(?:as|for|in)|^\W*(?:i am|i'm)(?= an? )|\bmy \w+(?: \w+)? (?:says?|tells me|screams|leans(?: towards?)?))(?: an?| the)?(?: (?:firm|clear|strong|soft|hard|cautious|tentative|definite|hesitant|reluctant))? [\"']?(?P<word>yes|no)\b(?! \w)",
    re.IGNORECASE,
)
#: "My view tilts toward yes", "all I have read leads me to a cautious no".
_LED = re.compile(
    r"(?:\bmy (?:\w+ ){1,6}?(?:tilts?|leans?|inclines?|tips?|edges?|veers?|comes? down|falls?|points?|tends?|lands?|drifts?|settles?)|\b(?:leads?|pushe[sd]|push|pulls?|pulled|draws?|moves?|moved|nudges?|nudged|brings?|takes?|steers?|tips?|tilts?|points?|sways?|inclines?|led|leaves?) (?:me|us))"
    r"(?: (?:\w+ly|more|just|somewhat|a (?:bit|little)))? (?:towards?|to|on|in the direction of|at|with|closer to|nearer to)(?: (?:an?|the)(?: [\w-]+){0,2}?)? [\"']?(?P<word>yes|no)\b(?!,? (?:or|nor|and) (?:yes|no)\b)(?! (?:\w+ )?(?:side|conclusion|answer|opinion|view|one|doubt|more|less|longer|such)\b)",
    re.IGNORECASE,
)
#: What is wished, and not to be had: "I'd like to say yes, but I can't."
_WISHED = re.compile(
    r"\bi(?: would|'d)?(?: really)? (?:like|love|want|wish|wanted|hope) (?:to (?:say|answer|be able to say)|i could (?:say|answer))(?: [\"']?(?P<word>yes|no)[\"']?\b)?.*\bbut\b(?P<after>.*)",
    re.IGNORECASE | re.DOTALL,
)
_NOT = re.compile(r"\b(?:not|never|no longer|hardly|cannot)\b|n't\b", re.IGNORECASE)
_SAY_NO = re.compile(
    r"\b(?:say|says|answer|think|argue|insist)(?: that)?(?: the answer is)? (?:no|not|otherwise|it (?:is|should|would|does) not)\b",
    re.IGNORECASE,
)
_DISAGREES = re.compile(
    r"^\W*(?:but |personally,? )?i (?:\w+ly )?(?:disagree|beg to differ|do not|differ|see it differently|would not)\b(?! (?:know|think|have|see|believe))",
    re.IGNORECASE,
)


def opened(line: str) -> int:
    """1 for yes, -1 for no, 0 where the line opens with none of these."""
    found = _OPENS.match(line)
    return 0 if found is None else -1 if found["no"] else 1


def taken(line: str) -> int:
    """The side that the line takes in so many words of the writer's own, wherever it stands."""
    if found := _WISHED.search(line):
        again = re.search(r"\b(yes|no)(?=\W*$|[.,;])", found["after"], re.IGNORECASE)
        return _sign(again[1]) if again else 1 if (found["word"] or "").lower() == "no" else -1
    if found := _RATHER.search(line):
        return _sign(found["word"] or found["side"] or found["first"])
    if found := _COUNTED.search(line) or _LED.search(line):
        return _sign(found["word"]) * (-1 if _NOT.search(line[: found.end()]) else 1)
    if found := _TAKES.search(line):
        return (-1 if found["no"] else 1) * (-1 if _NOT.search(found["by"]) else 1)
    return 0


def contradicted(before: str, line: str) -> int:
    """1 where the line disagrees with those who say no; else 0."""
    return 1 if _DISAGREES.match(line) and _SAY_NO.search(before) else 0


def _sign(word: str) -> int:
    return 1 if word.lower() == "yes" else -1
