"""The answer that a response opens with, after whatever comes before it: "Well, in my view: probably not."."""

# ruff: noqa: E501

import re

from folkmoot.analysis.set_phrases import opened

YES, NO, UNCLEAR = "Yes", "No", "unclear"

#: Every way of saying yes.
ANY_YES = r"(?:yes|yea|yeah|yep|yup|aye|(?:in the )?affirmative)"
#: `No` answers only where it stands by itself: "no doubt" and "no one" say something else.
ANY_NO = r"(?:nope|nay|negative(?!\s+\w)|no(?!\s+(?:(?:strong|firm|particular|real|clear|personal|special|fixed) (?:opinion|view|preference|position|feelings)s?|comment|answer|clue|thoughts|time for|experience|opinion|conclusion|position|preference|verdict|idea|doubt|one|longer|matter|single|simple|easy|clear|real|good|need|questions?|wonder|surprise|exceptions?|ifs|two ways|reason|evidence|way to|more|less|other|right answer|definitive)\b))"
SURE = r"(?:(?:9\d|1\d\d+|a hundred|one hundred) ?(?:%|per ?cent)|absolutely|definitely|certainly|clearly|surely|of course|indeed|undoubtedly|obviously|emphatically|probably|likely|mostly|generally|usually|(?:most|very|quite) (?:probably|likely)|most certainly|almost certainly|very likely|most likely|without (?:a )?(?:doubt|question)|no doubt(?: about (?:it|that))?|by all means|sure|somewhat|soft|hell|oh|rather)"
#: "Tentatively yes", "Generally speaking, no"; "hardly" and "unlikely" answer by themselves.
_ADVERB = r"(?!hardly|unlikely|reply|apply)\w{3,}ly(?: speaking)?,?\s+"
#: What may stand before an answer: a courtesy, a label, a standpoint. Stripped one by one.
_LEADS = re.compile(
    r"[\s\W]*(?:"
    r"(?:well|so|hm+|ok|okay|right|look|listen|lol|haha+|omg|ugh|meh|dude|bro|man|imo|imho|tbh|ngl|eh|u[hm]+|erm|gosh|ah|oh|aw|yikes|wow|honestly|frankly|personally|overall|ultimately|therefore|thus|hence|still|but|and|then|again)\b|"
    r"(?:thank you|thanks|good question|great question|this is an? [\w ]{0,30}?question|that is an? [\w ]{0,30}?question|that's an? [\w ]{0,30}?question)[^.!,]*|"
    r"(?:in|to) (?:short|brief|summary|sum up|conclude|conclusion|essence|be (?:honest|clear|brief|fair)|put it simply|me)\b|"
    r"(?:for|in|with|at|on) [^.:;!?,]{2,40}(?=\s(?:yes|no)\W*$)|(?:with|without|despite|after|not without|albeit with) [^.:;!?,]{2,60},|in my (?:\w+ )?(?:view|opinion|judge?ment|estimation|book)\b|(?:in (?:general|principle|most cases|theory|practice)|generally|on balance|on the whole|all things considered|all in all|after weighing [^,.]*|on (?:second thoughts?|(?:further |closer )?reflection|closer inspection)|tl;?dr|having weighed [^,.]*|simply put)\b|"
    r"(?:as|from|speaking as|for|under|according to|through|by|based on|given|considering|seen from|looking at|judging by)\s[^.:;!?]{2,90}?,|"
    r"i (?:think|believe|feel|would argue|would say|(?:must|have to) say|am convinced)(?: that)?(?: the answer is)?|i'd (?:say|argue)|"
    r"(?:(?:the|my|our|a|short|final|quick|direct|simple|one-word|honest|brief|overall) ){0,3}(?:answer|verdict|vote|conclusion|position|response|stance|decision)(?: here| is| would be| to (?:this|that|your) question)*\s*(?:[:,-]|(?<=is)|(?<=be))"
    r")",
    re.IGNORECASE,
)
_HEDGED = re.compile(
    r"\W*(?:(?:maybe|perhaps|possibly)(?! not\W*$)|(?:impossible|difficult) to (?:say|tell)|not enough (?:information|data|evidence)|i(?: would|'d) (?:have to|need to) (?:think|know)|(?:i am |i'm )?sorry,? but i can|(?:it|that|this) (?:really |all |largely |very much )?depends|depends|not necessarily|undecided|neither|both|yes ?/ ?no\b|"
    r"(?:it|this|that)(?: is|'s) (?:complicated|complex|not (?:clear|easy|simple)|(?:an? )?(?:hard|difficult|tough|impossible)(?! (?:to (?:defend|justify|see|accept|support|imagine|believe|deny|argue|find|condone)|no|yes)))|hard to say|unclear|yes and no|no and yes|yes or no|part(?:ly|ially)\b[^.]*\bpart(?:ly|ially)|yes\b.*\b(?:no (?:otherwise|elsewhere)|(?:otherwise|elsewhere),? no)\b|no\b.*\b(?:yes (?:otherwise|elsewhere)|(?:otherwise|elsewhere),? yes)\b|(?:for|in|if|when|on|with)\b.*\byes\b.*\bno\b|(?:for|in|if|when|on|with)\b.*\bno\b.*\byes\b|yes (?:for|in|if|when|on|with) .*\bno (?:for|in|if|when|on|with)\b|no (?:for|in|if|when|on|with) .*\byes (?:for|in|if|when|on|with)\b|"
    r"i(?: am|'m) (?:not sure|unsure|undecided|torn|neutral|unable)|i (?:\w+ly |really |just )?(?:could not|would not) (?:\w+ly )?(?:know|tell|say(?=\W*$))|i (?:\w+ly |really |just )?(?:do not|don't|cannot|can't|can not) (?:know|say|decide|answer|tell|give|take)|"
    r"there (?:is|are) (?:no (?:simple|easy|clear|single|definitive|right|universal)|(?:good )?arguments|strong arguments|valid points))",
    re.IGNORECASE,
)
_OPENS = re.compile(
    rf"\W*(?:(?P<no>(?:{SURE},?\s+|{_ADVERB}|an? (?:[\w-]+,? ){{0,3}})?(?:{ANY_NO}\b(?!-|\s*\?)|not\b(?!\s+(?:only|just|merely|necessarily|always|everyone|everybody|all|every|quite|sure|an? |\w+ing\b[^,;.]* (?:is|was|would be|seems)\b))|never\b(?! (?:touch|thought|tried|had|been|heard|used|done|really|eat|drink|drank|seen|met|cared|looked|mind)\b)|by no means|"
    rf"under no circumstances|i(?: am|'m) afraid (?:not|no)|(?:better|rather|best) not\b(?=\W*$)|(?:unfortunately|sadly|regrettably|alas),? (?:not|no)|i (?:do not|don't) (?:see it (?:that|this) way|agree|think so|believe so)|in the negative|hell no|no way|in no way|hardly|(?:highly |very |most )?unlikely|doubtful|i doubt (?:it|that)|nah|quite the (?:opposite|contrary)|on the contrary|out of the question|count me out|far from it|nonsense|rubbish|(?:quite |just )?the (?:exact )?(?:reverse|opposite|contrary)|not an? (?:chance|hope|bit)|hard no)|i (?:\w+ly )?(?:disagree|oppose|object)\b|i(?: am|'m) (?:\w+ly )?(?:against|opposed)|(?:strongly |firmly )?(?:against|opposed|disagree|oppose)(?=\W*$|[.,:;]))|"
    rf"(?P<yes>(?:i (?:can )?(?:see|know|find) )?no reason (?:why )?not\b(?=\W*$)|why not\b|(?:{SURE},?\s+|{_ADVERB}|an? (?:[\w-]+,? ){{0,3}})?{ANY_YES}\b(?!\s*\?)|{SURE}(?=\s*(?:[,.;:!-]|$|it (?:is|should|does|can)|they (?:are|should|do)))|(?:strongly |firmly )?(?:in favou?r|agreed?|support(?:ive)?)(?=\W*$|[.,:;])|(?:i (?:\w+ly )?(?:agree|support)\b(?! (?:with )?(?:parts?|some|aspects|elements|both)\b)|i(?: am|'m) (?:\w+ly )?in favou?r)))",
    re.IGNORECASE,
)
#: "…, but not in national ones": no answer, but where it does not hold.
_NARROWS = re.compile(r"\W*(?:$|(?:not|never)(?: [\w']+){3,})", re.IGNORECASE)
#: A whole answer in two words: "It does.", "They are not."
_ELLIPTIC = re.compile(
    r"\W*(?:it|this|that|they|we|you) (?:is|are|does|do|will|would|should|must|has|have)(?P<not> not|n't)?(?: be)?\s*(?:[.,;!:-]|$)",
    re.IGNORECASE,
)


def opening(lines: list[str]) -> str | None:
    """The answer that the first words give, after whatever comes before it; the second sentence, if the first is courtesy."""
    for line in lines:
        rest = line
        while True:
            if _HEDGED.match(rest):
                after = rest.partition(" but ")[2]
                return UNCLEAR if _NARROWS.match(after) else opening([after]) or UNCLEAR
            if sign := opened(rest):
                return YES if sign > 0 else NO
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
