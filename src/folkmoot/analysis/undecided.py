"""What takes no side, whatever was asked: "it depends", "I'm torn", "there are good arguments on both sides"."""

# ruff: noqa: E501

import re

#: Takes no side, wherever it is said.
OPEN = re.compile(
    r"\b(?:(?:it|that|this|much|everything|all|a lot|answer|so much|morality|which) (?:(?:really|all|largely|very much|entirely|heavily|always|truly|ultimately) )*depends|(?:depends|hinges|turns) (?:up)?on|pulls? in (?:different|opposite) directions|"
    r"(?:i|we)(?: am| are)? (?:\w+ )?(?:undecided|torn|neutral|not sure|unsure|on the fence|of two minds|in two minds|uncertain|agnostic)|"
    r"as an? (?:ai|artificial|language|large)|(?:i|we|it|this|that|one)(?: \w+){0,2} (?:can not|cannot|unable to|not able to|not going to|will not|would rather not|decline to|refuse to|prefer not to|do not want to|not for me to|not my place to) (?:\w+ )?(?:settle|take(?= (?:an? |any |either )?(?:\w+ )?(?:sides?|positions?|stance|view)\b)|choose|decide|say|answer|give|pick|judge|commit|tell|know|predict|pick|offer|provide|side|weigh)|"
    r"no (?:personal |strong |firm |real |clear |single |simple |easy |one |definitive )?(?:opinion|opinions|view|views|position|stance|preference|answer|consensus|way (?:to know|of knowing|to tell))|do not (?:have|hold|take) (?:an? |any )?(?:\w+ )?(?:opinion|opinions|view|views|position|stance|side)|"
    r"do not know|hard to (?:say|tell|judge|call)|(?:arguments|merits?|points|case|valid|strong) (?:\w+ ){0,3}both sides|both sides have|arguments for and against|pros and cons|neither (?:agree|support|for|in favou?r)\b|leave (?:that|this|the|such) (?:judge?ments?|decisions?|questions?|calls?|choices?) (?:up )?to|in (?:one|some|a) (?:sense|way|respect|regard)s?\b[^.]*\b(?:an)?other|(?:for|to) some\b[^.]*\bothers|for many\b[^.]*\bothers|(?:parts|some|aspects|elements) of it\b[^.]*\b(?:others|the rest|not)|varies|either way|two sides|remains (?:open|to be seen|unclear|contested|debated)|open question|jury is (?:still )?out|"
    r"both (?:\w+ ){0,2}(?:good|positive|benefits?|advantages?|pros|right|harms?|risks?)\b|back and forth|mixed|case by case|case-by-case|yes and no|some\b[^.]{1,40}\band\b[^.]{2,40}\bothers|yes or no|yes-or-no|neither yes nor no|too early|too soon to|otherwise (?:yes|no)|in (?:some|certain|many) (?:respects|ways|cases|situations|contexts|circumstances)\b.*\bother\w*|(?:the|this) question (?:is|can not)|(?:situations|cases|circumstances|contexts)\b.*\bothers|(?:nobody|no one|no-one|who) (?:can |could |really )?(?:predict|know|knows|say|tell)|up to a point\b.*\bbeyond|sometimes\b.*\bsometimes|fifty-fifty|partly|(?:advantages|benefits|strengths|upsides|merits|virtues) (?:and|as well as|but also) (?:\w+ )?(?:disadvantages|drawbacks|risks|harms|costs|weaknesses|downsides|flaws)|contradict each other|go either way|(?:comes|boils) down to (?:how|what|whether|which)\b|leave (?:this|that|the|it)(?: \w+){0,3} open|(?:evenly|equally) (?:balanced|matched|split|weighty|strong)|could not (?:tell|say)(?! that\b)|(?:complex|complicated|contested|controversial|nuanced|multifaceted) (?:\w+ )?(?:topic|question|issue|matter|subject|debate)|differ(?:ent|ing)\b[^.]*\bdifferently)\b",
    re.IGNORECASE,
)
