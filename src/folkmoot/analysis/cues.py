"""What in two sentences, read word by word, speaks for a contradiction: a negation, opposites, other numbers."""

from dataclasses import dataclass
from functools import cached_property

from spacy.tokens import Span, Token

from folkmoot.analysis.clause import Clause, clause

#: Words that negate what they stand with; spaCy marks `not`, `n't` and some others by itself.
NEGATIONS = frozenset(
    {
        *("not", "n't", "no", "never", "nobody", "none", "nothing", "neither", "nor", "nowhere", "without", "cannot"),
        *("hardly", "barely", "rarely", "seldom", "scarcely", "fail", "lack", "false", "myth", "untrue", "unable"),
        *("impossible", "refuse", "deny"),
    }
)
#: Pairs of which one contradicts the other where the rest agrees; each word in the form that spaCy's lemmatiser gives.
OPPOSITES = """
    increase decrease, rise fall, raise lower, improve worsen, safe unsafe, safe dangerous, safe harmful, safe risky,
    effective ineffective, true false, always never, all none, everyone nobody, possible impossible, legal illegal,
    good bad, better worse, best worst, high low, more less, fast slow, open closed, before after, win lose,
    accept reject, allow forbid, allow prohibit, allow ban, permit ban, support oppose, agree disagree, likely unlikely,
    common rare, cheap expensive, strong weak, hot cold, large small, big small, long short, early late, first last,
    inside outside, include exclude, present absent, healthy unhealthy, beneficial harmful, benefit harm, help harm,
    prevent cause, proven unproven, necessary unnecessary, required optional, mandatory optional, mandatory voluntary,
    compulsory voluntary, success failure, succeed fail, alive dead, positive negative, reliable unreliable,
    reversible irreversible, stable unstable, sufficient insufficient, minor major, minimum maximum, public private,
    moral immoral, ethical unethical, right wrong, fair unfair, just unjust, acceptable unacceptable,
    justified unjustified,
    strengthen weaken, encourage discourage, protect endanger, protect threaten, create destroy, reduce increase,
    gain loss, profit loss, rich poor, simple complex, easy difficult, easy hard, clear unclear, certain uncertain,
    equal unequal, free expensive, useful useless, valid invalid, relevant irrelevant, responsible irresponsible,
    sustainable unsustainable, affordable unaffordable, expand shrink, grow shrink, start stop, begin end, keep abolish,
    kept abolish, sit stand, asleep awake, indoors outdoors, empty full, happy sad, young old, male female, man woman,
    boy girl, wet dry
"""
_COUNTED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBER_WORDS = {word: float(number) for number, word in enumerate(_COUNTED)}
#: Sentences that share less than this of their content words speak of different things: what differs means nothing.
LEAST_OVERLAP = 0.5
_OPPOSITES = frozenset(
    frozenset(pair.split()) for pair in " ".join(OPPOSITES.split()).split(", ") if len(pair.split()) == 2
)
#: The cue of two sentences or main clauses that are the same but for a negation, which no network needs to confirm.
DENIES = "denial"
#: What English adds or drops around a negation: "it works", "it does not work", "it does no harm to any".
_AROUND_NEGATION = frozenset({"do", "any", "some", "a", "an"})
_CONTENT = frozenset({"NOUN", "VERB", "ADJ", "PROPN", "ADV"})


@dataclass(frozen=True)
class Reading:
    """What the rules see of one sentence; made once for each, compared often."""

    span: Span

    @cached_property
    def is_negated(self) -> bool:
        """Whether it holds an odd number of negations: two of them take each other back."""
        return len(self._negations) % 2 == 1

    @cached_property
    def clause(self) -> Clause | None:
        """Its main clause, where that can be told."""
        return clause(self.span, self._negations)

    @cached_property
    def _negations(self) -> frozenset[Token]:
        return frozenset(token for token in self.span if _negates(token))

    @cached_property
    def lemmas(self) -> frozenset[str]:
        """The words in their base form."""
        return frozenset(token.lemma_.lower() for token in self.span)

    @cached_property
    def rest(self) -> tuple[str, ...]:
        """The base forms of its words without its negations and what comes with them."""
        return tuple(
            token.lemma_.lower()
            for token in self.span
            if not _negates(token) and token.is_alpha and token.lemma_.lower() not in _AROUND_NEGATION
        )

    @cached_property
    def content(self) -> frozenset[str]:
        """The base forms of the words that carry what it says."""
        return frozenset(
            token.lemma_.lower()
            for token in self.span
            if token.pos_ in _CONTENT and not token.is_stop and not _negates(token)
        )

    @cached_property
    def numbers(self) -> dict[str, frozenset[float]]:
        """Numbers by the word that they count."""
        found: dict[str, set[float]] = {}
        for token in self.span:
            value = _number(token)
            if value is not None and token.head is not token:
                found.setdefault(token.head.lemma_.lower(), set()).add(value)
        return {counted: frozenset(values) for counted, values in found.items()}


def cues(one: Reading, other: Reading) -> frozenset[str]:
    """Which of `denial`, `negation`, `opposites` and `numbers` speak for a contradiction of these two sentences."""
    if _overlap(one, other) < LEAST_OVERLAP:
        return frozenset()
    found = set()
    if one.is_negated != other.is_negated:
        found.add("negation")
        if one.rest == other.rest or (one.clause and other.clause and one.clause.denies(other.clause)):
            found.add(DENIES)
    if _has_opposites(one.lemmas - other.lemmas, other.lemmas - one.lemmas):
        found.add("opposites")
    if any(not values & other.numbers[counted] for counted, values in one.numbers.items() if counted in other.numbers):
        found.add("numbers")
    # An opposite that is negated says the same again: "is not safe", "is dangerous".
    return frozenset() if {"negation", "opposites"} <= found else frozenset(found)


def contains(one: Reading, other: Reading) -> bool:
    """Whether every content word of one of them stands in the other too."""
    return bool(one.content and other.content) and (one.content <= other.content or other.content <= one.content)


def _negates(token: Token) -> bool:
    return token.dep_ == "neg" or token.lower_ in NEGATIONS or token.lemma_.lower() in NEGATIONS


def _number(token: Token) -> float | None:
    if not token.like_num:
        return None
    try:
        return float(token.text.replace(",", ""))
    except ValueError:
        return NUMBER_WORDS.get(token.lower_)


def _overlap(one: Reading, other: Reading) -> float:
    """The share of the shorter one's content words that the other has too, opposites counting as shared."""
    least = min(len(one.content), len(other.content))
    shared = len(one.content & other.content)
    only = sum(any(frozenset({a, b}) in _OPPOSITES for b in other.content) for a in one.content - other.content)
    return (shared + only) / least if least else 0.0


def _has_opposites(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    return any(frozenset({a, b}) in _OPPOSITES for a in ours for b in theirs)
