"""The answer to a yes-or-no question: what a careful reader takes a response to say, or that it does not say."""

import re

from folkmoot.analysis.cues import opposite_stems
from folkmoot.analysis.question import stems
from folkmoot.analysis.wording import main_clause, phrases, plain

YES, NO, UNCLEAR = "Yes", "No", "unclear"

_YES = r"(?:yes|yeah|yep|yup|aye|(?:in the )?affirmative)"
#: `No` answers only where it stands by itself: "no doubt" and "no one" say something else.
_NO = r"(?:nope|nay|negative|no(?!\s+(?:doubt|one|longer|matter|single|simple|easy|clear|real|good|need|reason|evidence|way to|more|less|other|right answer|definitive)\b))"
_SURE = r"(?:absolutely|definitely|certainly|clearly|surely|of course|indeed|undoubtedly|obviously|emphatically|probably|likely|mostly|generally|usually|most certainly|almost certainly|very likely|most likely|without (?:a )?(?:doubt|question)|no doubt|by all means|sure)"
#: What may stand before an answer: a courtesy, a label, a standpoint. Stripped one by one.
_LEADS = re.compile(
    r"[\s\W]*(?:"
    r"(?:well|so|hmm+|ok|okay|right|look|honestly|frankly|personally|overall|ultimately|therefore|thus|hence|still|but|and|then|again)\b|"
    r"(?:thank you|thanks|good question|great question|this is an? [\w ]{0,30}?question|that is an? [\w ]{0,30}?question|that's an? [\w ]{0,30}?question)[^.!,]*|"
    r"(?:in|to) (?:short|brief|summary|sum up|conclude|conclusion|essence|be (?:honest|clear|brief|fair)|put it simply|me)\b|"
    r"in my (?:\w+ )?(?:view|opinion|judge?ment|estimation|book)\b|(?:in (?:general|principle|most cases|theory|practice)|generally|on balance|on the whole|all things considered|all in all|after weighing [^,.]*|having weighed [^,.]*|simply put)\b|"
    r"(?:as|from|speaking as|for|under|according to|through|by|based on|given|considering|seen from|looking at|judging by)\s[^.:;!?]{2,90}?,|"
    r"i (?:think|believe|feel|would argue|would say|(?:must|have to) say|am convinced)(?: that)?(?: the answer is)?|i'd (?:say|argue)|"
    r"(?:(?:the|my|our|a|short|final|quick|direct|simple|one-word|honest|brief|overall) ){0,3}(?:answer|verdict|vote|conclusion|position|response|stance|decision)(?: here| is| would be| to (?:this|that|your) question)*\s*(?:[:,-]|(?<=is)|(?<=be))"
    r")",
    re.IGNORECASE,
)
_HEDGED = re.compile(
    r"\W*(?:maybe|perhaps|possibly|(?:it|that|this) (?:really |all |largely |very much )?depends|depends|not necessarily|undecided|neither|both|"
    r"(?:it|this|that)(?: is|'s) (?:hard|difficult|complicated|complex|impossible|not (?:clear|easy|simple))|hard to say|unclear|yes and no|no and yes|yes or no|"
    r"i(?: am|'m) (?:not sure|unsure|undecided|torn|neutral|unable)|i (?:do not|don't|cannot|can't|can not) (?:know|say|decide|answer|tell|give|take)|"
    r"there (?:is|are) (?:no (?:simple|easy|clear|single|definitive|right|universal)|(?:good )?arguments|strong arguments|valid points))",
    re.IGNORECASE,
)
_OPENS = re.compile(
    rf"\W*(?:(?P<no>(?:{_SURE},?\s+|an? (?:[\w-]+,? ){{0,3}})?(?:{_NO}\b(?!-|\s*\?)|not\b(?!\s+(?:only|just|merely|necessarily|always|everyone|everybody|all|every|quite|sure|an? ))|never\b|by no means|"
    rf"under no circumstances|i(?: am|'m) afraid not|in the negative|hell no|no way|in no way|hardly)|i (?:\w+ly )?(?:disagree|oppose|object)\b|i(?: am|'m) (?:\w+ly )?(?:against|opposed))|"
    rf"(?P<yes>(?:{_SURE},?\s+|an? (?:[\w-]+,? ){{0,3}})?{_YES}\b(?!\s*\?)|{_SURE}(?=\s*(?:[,.;:!-]|$|it (?:is|should|does|can)|they (?:are|should|do)))|(?:i (?:\w+ly )?(?:agree|support)\b|i(?: am|'m) (?:\w+ly )?in favou?r)))",
    re.IGNORECASE,
)
#: Somebody states a conclusion of their own, and in the next few words the answer.
_CONCLUDES = re.compile(
    rf"(?P<by>\bi(?:'d|'m|'ll|'ve)?\b[\w' ]{{0,40}}?\b(?:lean\w*|say|answer|vote|voting|go(?:ing)? (?:with|for)|conclude|come down|fall|side|tend|opt|settle|land|incline\w*|argue)|"
    rf"\b(?:answer|verdict|vote|conclusion|position|response|decision|judge?ment|bottom line|inclination|stance|recommendation|advice|suggestion|opinion|view|call)\b(?: [\w']+){{0,6}}?(?: is| remains| would be| must be| has to be| should be|:)|"
    rf"\b(?:it is|it's|that is|that's|this is|makes it|count me as)|"
    rf"\b(?:on balance|overall|in short|in the end|ultimately|all things considered|on the whole|in conclusion|to conclude|therefore|hence|thus|so|conclusion)\b)"
    rf"(?P<between>[\w'\", :-]{{0,40}}?)[\s\"':(-]+(?:(?P<yes>{_YES})|(?P<no>{_NO}))\b(?!['-]\w)(?P<after>(?:\s+(?:and|or|nor)\s+(?:yes|no)\b)?)",
    re.IGNORECASE,
)
_FROM_ME = re.compile(r"\b(?P<word>yes|no) from me\b", re.IGNORECASE)
_OTHERS = re.compile(
    r"\b(?:some|others|many|most|critics|opponents|supporters|proponents|advocates|they|people|one|you|someone|(?:a|the) \w+|\w+s) "
    r"(?:\w+ )?(?:would |might |may |could |will |can )?(?:say|says|argue|argues|answer|answers|vote|lean|claim|claims|think|believe|respond|object)\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|never|no|nobody|neither|cannot|without|nor|hardly)\b|n't\b", re.IGNORECASE)
_OPEN = re.compile(
    r"\b(?:if|whether|unless|may|might|could|perhaps|although|though|while|even if|depends?|arguments?)\b|\?",
    re.IGNORECASE,
)
#: "It should not be": what the question speaks of is not named again.
_REFERS = re.compile(
    r"(?:^\W*(?:no,? |yes,? )?|\b(?:think|believe|say|hold|argue|maintain|conclude)(?: that)? )(?:it|this|that|they) (?:should|must|ought|is|are|does|do|can|will|would)(?:n't)?\b",
    re.IGNORECASE,
)
_OUGHT = re.compile(r"\W*(?:should|must|ought|shall|may)\b", re.IGNORECASE)
_JUDGES = re.compile(
    r"\b(?:should(?:n't)?|must(?:n't)?|ought|right|wrong|good|bad|mistake|duty|owe\w*|deserves?|justified|acceptable)\b",
    re.IGNORECASE,
)
_BLAMES = re.compile(
    r"\b(?:wrong|bad (?:idea|policy)|mistake|unacceptable|unjustified|unfair|immoral|folly)\b", re.IGNORECASE
)
_FORBIDS = re.compile(
    r"\b(?:forbidden|prohibited|banned|outlawed|abolished|rejected|illegal|ban|stopped)\b", re.IGNORECASE
)
_PERMITS = re.compile(r"\b(?:allowed|permitted|legal|introduced|adopted)\b", re.IGNORECASE)
#: A whole answer in two words: "It does.", "They are not."
_ELLIPTIC = re.compile(
    r"\W*(?:it|this|that|they|we|you) (?:is|are|does|do|can|will|would|should|must|has|have)(?P<not> not|n't)?(?: be)?\s*(?:[.,;!:-]|$)",
    re.IGNORECASE,
)
_FAVOURS = re.compile(
    r"\b(?:i|we)(?: am| are|'m|'d| would| do)?(?P<not> not| don't| cannot| can't| wouldn't)?(?: \w+ly| also| still)*(?: be)? "
    r"(?:(?P<yes>support|favou?r|endorse|agree|back|(?:come (?:out|down) )?in favou?r|approve|for it|vote (?:for|in favou?r))|(?P<no>oppose|reject|disagree|object|(?:come (?:out|down) |vote )?against|opposed|disapprove))\b",
    re.IGNORECASE,
)


def yes_no(query: str, text: str) -> str:
    """`Yes`, `No` or `unclear`.

    What a response concludes outweighs how it begins ("Yes, there are benefits, but on balance I'd say no"), and both
    outweigh what follows from single sentences about the question. Where these sentences disagree it is unclear.
    """
    lines = phrases(plain(text))
    concluded = [answer for line in lines if (answer := _concluded(line))]
    if concluded:
        return concluded[-1]
    opened = _opening(lines[:2])
    if opened in {YES, NO}:
        return opened
    stood = {answer for line in lines if (answer := _favour(line) or _position(query, line))}
    if opened == UNCLEAR or len(stood) != 1:
        return UNCLEAR
    return stood.pop()


def _concluded(line: str) -> str | None:
    """What this sentence concludes in its own name; the last counts."""
    if found := _FROM_ME.search(line):
        return YES if found["word"].lower() == "yes" else NO
    answer = None
    for found in _CONCLUDES.finditer(line):
        if _OTHERS.search(line[: found.end("by")]) or found["after"]:
            continue
        negated = bool(_NOT.search(found["by"] + found["between"]))
        # "I cannot say yes" is a no; "I would not say no" commits to nothing.
        answer = NO if found["yes"] and negated else UNCLEAR if negated else YES if found["yes"] else NO
        if re.search(r"\b(?:simple|easy|clear|straightforward|clear-cut|either)\b", found["between"]) and negated:
            answer = UNCLEAR
    return answer


def _opening(lines: list[str]) -> str | None:
    """The answer that the first words give, after whatever comes before it; the second sentence, if the first is courtesy."""
    for line in lines:
        rest = line
        while True:
            if _HEDGED.match(rest):
                return UNCLEAR
            if found := _ELLIPTIC.match(rest):
                return NO if found["not"] else YES
            if found := _OPENS.match(rest):
                return NO if found["no"] else YES
            lead = _LEADS.match(rest)
            if lead is None:
                break
            rest = rest[lead.end() :]
        if len(rest.split()) > 6:
            return None
    return None


def _favour(line: str) -> str | None:
    """What a sentence such as "I would support this" comes to."""
    line = main_clause(line)
    found = _FAVOURS.search(line)
    if found is None or _OPEN.search(line):
        return None
    return YES if bool(found["yes"]) != bool(found["not"]) else NO


def _position(query: str, line: str) -> str | None:
    """What a sentence that says again what the question asks, or denies it, comes to.

    About what ought to be, half of the question's words are enough where the sentence judges too, and about what is where
    it denies; else all but a few have to come again: the one that is missing may be the one that was asked about.
    """
    line = main_clause(line)
    if _OPEN.search(line) or _OTHERS.search(line):
        return None
    asked, said = stems(query), stems(line)
    against = opposite_stems(asked - said, said - asked)
    shared = (len(asked & said) + len(against)) / max(1, len(asked))
    is_denied = bool(_NOT.search(line)) != bool(against)
    if not _OUGHT.match(query):
        is_meant = shared >= (0.5 if is_denied else 0.8) or (shared > 0 and _REFERS.search(line))
        return (NO if is_denied else YES) if is_meant else None
    forbids = bool(_FORBIDS.search(line)) and not _FORBIDS.search(query)
    refers = _REFERS.search(line) and (shared > 0 or _FORBIDS.search(line) or _PERMITS.search(line))
    if not (refers or (shared >= 0.5 and _JUDGES.search(line))):
        return None
    return NO if is_denied != (forbids or bool(_BLAMES.search(line))) else YES
