"""What the question itself says: whether yes or no can answer it."""

import re

_WORD = re.compile(r"[a-z][a-z'-]*")
#: Verbs that open a question which yes or no answers.
AUXILIARIES = frozenset(
    {
        *("is", "are", "am", "was", "were", "do", "does", "did", "can", "could", "will", "would", "shall", "should"),
        *("must", "may", "might", "has", "have", "had", "ought"),
    }
)


def is_polar(query: str) -> bool:
    """Whether yes or no can answer this: its last sentence opens with an auxiliary and offers no alternatives."""
    asked = _WORD.findall(query.lower().strip().split("\n")[-1].rsplit(". ", 1)[-1])
    return len(asked) > 2 and asked[0] in AUXILIARIES and "or" not in asked
