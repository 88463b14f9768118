"""What the question itself says: whether yes or no can answer it, and what of it offers no option."""

import re

_WORD = re.compile(r"[a-z][a-z'-]*")
#: Verbs that open a question which yes or no answers.
AUXILIARIES = frozenset(
    {
        *("is", "are", "am", "was", "were", "do", "does", "did", "can", "could", "will", "would", "shall", "should"),
        *("must", "may", "might", "has", "have", "had", "ought"),
    }
)
#: What follows the question and asks for no more than a manner: "Please answer with one word."
MANNER = re.compile(
    r"(?<=[?.!])\s+(?:please|explain|answer|give|justify|why|state|name|reply|respond|discuss|be|and why|briefly"
    r"|support|defend|say|argue|(?:choose|pick|select) (?:one|only|exactly|the)\b)\b[^:]*$",
    re.IGNORECASE,
)
#: A question of its own behind the list: "We can hire one: a designer or an engineer. Who?"
ASKED_LAST = re.compile(r"(?<=\.)\s+(?:so |and |now,? )?(?:which|what|who|where|how)\b[^.?:,;]*\?\s*$", re.IGNORECASE)
LEADING = re.compile(r"^(?:either|and|or|is it|whether)\s+", re.IGNORECASE)
_TRAILING = re.compile(r"[\s,;.?]+(?:or|and)?[\s,;.?]*$", re.IGNORECASE)
#: What stands for a colon that is part of a time.
OF_TIME = "\N{RATIO}"


def is_polar(query: str) -> bool:
    """Whether yes or no can answer this: its last sentence opens with an auxiliary and offers no alternatives."""
    asked = _WORD.findall(query.lower().strip().split("\n")[-1].rsplit(". ", 1)[-1])
    return len(asked) > 2 and asked[0] in AUXILIARIES and "or" not in asked


def trimmed(part: str) -> str:
    """A part of a question without the signs and joining words around it."""
    return _TRAILING.sub("", part.strip(" \n\t,;.?\"'")).replace(OF_TIME, ":")
