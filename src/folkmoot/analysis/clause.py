"""The main clause of a sentence, and whether one flatly denies another: the same said of the same, once with a not."""

from dataclasses import dataclass

from spacy.tokens import Span, Token

#: Words that narrow what a negation takes back: "not always", "not only", "some do not".
_NARROWING = frozenset(
    {
        *("always", "only", "just", "all", "every", "everyone", "everybody", "necessarily", "entirely", "fully"),
        *(
            "completely",
            "alone",
            "both",
            "merely",
            "simply",
            "solely",
            "quite",
            "very",
            "really",
            "much",
            "many",
            "most",
        ),
        *("enough", "too", "often", "usually", "yet", "still", "again", "some", "few", "certain", "other", "others"),
    }
)
_SUBJECTS = frozenset({"nsubj", "nsubjpass", "expl", "csubj"})
_COMPLEMENTS = frozenset({"dobj", "attr", "acomp", "oprd", "xcomp", "ccomp", "dative", "prt", "agent"})
_QUALIFIERS = frozenset({"prep", "advmod", "npadvmod"})
_JOINED = frozenset({"conj", "parataxis"})
_CONDITIONS = frozenset({"if", "unless", "when", "where", "until", "although", "though"})
_MEANT = frozenset({"NOUN", "PROPN", "VERB", "ADJ", "NUM", "PRON", "ADV"})

Words = frozenset[str]


@dataclass(frozen=True)
class Clause:
    """What a main clause says.

    Attributes:
        said: its verb, subject and modals, in their base forms.
        of: its objects and other complements.
        qualifiers: where, when and how.
        is_negated: whether its verb is.
    """

    said: tuple[str, Words, Words]
    of: Words
    qualifiers: frozenset[Words]
    is_negated: bool

    def denies(self, other: "Clause") -> bool:
        """Whether the two cannot both hold.

        What is narrower may be denied while the wider holds: "not by the creek" says nothing against "riding".
        """
        if self.said != other.said or self.is_negated == other.is_negated:
            return False
        denied, held = (self, other) if self.is_negated else (other, self)
        return denied.of <= held.of and bool(denied.of) == bool(held.of) and denied.qualifiers <= held.qualifiers


def clause(span: Span, negations: frozenset[Token]) -> Clause | None:
    """The main clause; None where it is joined with another, hangs on a condition, or is not read for certain.

    Args:
        span: one sentence.
        negations: the words in it that negate.
    """
    root = span.root
    parts = list(root.children)
    subjects = [part for part in parts if part.dep_ in _SUBJECTS]
    not_its_own = any(word.dep_ != "neg" or word.head != root for word in negations)
    if root.pos_ not in ("VERB", "AUX") or len(subjects) != 1 or len(negations) > 1 or not_its_own:
        return None
    if any(word.lower_ in _NARROWING or word.lower_ in _CONDITIONS for word in span):
        return None
    if any(part.dep_ in _JOINED for part in parts):
        return None
    modals = frozenset(part.lemma_.lower() for part in parts if part.tag_ == "MD")
    return Clause(
        said=(root.lemma_.lower(), _meant(subjects[0]), modals),
        of=frozenset().union(*(_meant(part) for part in parts if part.dep_ in _COMPLEMENTS)),
        qualifiers=frozenset(_meant(part) for part in parts if part.dep_ in _QUALIFIERS),
        is_negated=bool(negations),
    )


def _meant(part: Token) -> Words:
    return frozenset(word.lemma_.lower() for word in part.subtree if word.pos_ in _MEANT)
