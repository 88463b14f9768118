"""What a passage that chooses an option adds: later places, reasons, concessions, explanations."""

# ruff: noqa: E501

import re

#: A ranking goes on after its first place.
RANKED = re.compile(
    r"(?<=\w)(?<!should)(?<!must)(?<!would)(?<!\bto)(?P<first>\s+first)\b.*?\b(?:second|then|third|last)\b.*",
    re.IGNORECASE | re.DOTALL,
)
#: "B, then A."
THEN = re.compile(r"^(?!.*\bif\b)(?P<first>.*?\w),? then\b", re.IGNORECASE | re.DOTALL)
#: A reason tells of other options as well: "Wisdom, since it tells us when to be just."
BECAUSE = re.compile(r"^(?P<first>.*?\w),? (?:because|since|as (?:it|they)|given that)\b", re.IGNORECASE | re.DOTALL)
#: What is conceded, and what comes after the first.
CONCEDED = re.compile(
    r"(?<=\w)\W*\b(?:although|though(?!,)|even if)\b[^.;]*|(?<=\w)\W*\b(?:but|and|with) [^.;,]*\b(?:close second|runner-up|next best|not far behind)\b[^.;]*|(?<=\bfirst), (?:and )?then\b[^.;]*",
    re.IGNORECASE,
)
#: What is chosen in spite of what was said before: "It won't work everywhere, though I believe B is best."
THOUGH_I = re.compile(
    r"\b(?:al)?though,? (?P<mine>(?:i|we) (?:\w+ly |would |do |still |am )*(?:believe|think|suspect|lean\w*|favou?r|prefer|choose|pick|say|vote|go|opt|recommend|support|suppose|guess|reckon)\b.*|my (?:\w+ )?(?:answer|choice|vote|pick|preference)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
#: Prefers it to what was said before.
MORE_SO = re.compile(r"\b(?:the \w+(?:er|est)|more|most|best|better)\b", re.IGNORECASE)
#: What follows a colon explains: "The heart has four: two atria and two ventricles."
EXPLAINED = re.compile(r"^(?P<first>[^:]*\w):\s+\w", re.DOTALL)
