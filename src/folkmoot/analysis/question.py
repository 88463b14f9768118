"""What the question itself says: its content words, and the statement that a yes would make."""

import re

from spacy.lang.en.stop_words import STOP_WORDS
from spacy.tokens import Span

_WORD = re.compile(r"[a-z][a-z'-]*")
#: Verbs that open a question which yes or no answers.
AUXILIARIES = frozenset(
    {
        *("is", "are", "am", "was", "were", "do", "does", "did", "can", "could", "will", "would", "shall", "should"),
        *("must", "may", "might", "has", "have", "had", "ought"),
    }
)
#: So much of a word's beginning tells it from others, and still matches its inflections.
STEM_CHARS = 5


def stems(text: str) -> set[str]:
    """The beginnings of the words that carry what a text says."""
    return {
        word.rstrip("s")[:STEM_CHARS]
        for word in _WORD.findall(text.lower())
        if word not in STOP_WORDS and len(word) > 2
    }


def is_polar(span: Span) -> bool:
    """Whether yes or no can answer this sentence: it opens with an auxiliary and offers no alternatives."""
    return len(span) > 2 and span[0].lower_ in AUXILIARIES and not any(token.lower_ == "or" for token in span)


def statement(span: Span) -> str:
    """The statement that a yes to this question would make: its subject stands first, then the auxiliary.

    "Should voting be compulsory?" becomes "Voting should be compulsory."
    """
    subject = next((token for token in span if token.dep_ in {"nsubj", "nsubjpass", "expl", "csubj"}), None)
    if subject is None or subject.i == span.start:
        return f"Yes, {span.text.rstrip(' ?').lower()}."
    end = min(max(token.i for token in subject.subtree) + 1, _first_verb_after(span, subject.i))
    document = span.doc
    parts = [document[span.start + 1 : end].text, span[0].lower_, document[end : span.end].text.rstrip(" ?")]
    joined = " ".join(part for part in parts if part)
    return f"{joined[0].upper()}{joined[1:]}."


def _first_verb_after(span: Span, start: int) -> int:
    """Where the subject must have ended, whatever the parse took into it."""
    verbs = (token.i for token in span if token.i > start and token.dep_ == "ROOT")
    return next(verbs, span.end)
