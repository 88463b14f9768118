"""What each response claims, and which claim of another response speaks of the same thing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from folkmoot.analysis.cues import Reading
from folkmoot.analysis.embedding import Vectors
from folkmoot.analysis.sentences import Passage

#: A sentence of fewer words holds no claim of its own.
LEAST_WORDS = 3
#: No more claims of one response are compared; four times what 150 words hold.
MOST_CLAIMS = 40


@dataclass(frozen=True)
class Quote:
    """What an agent said, in its words."""

    agent_id: str
    text: str


@dataclass(frozen=True)
class Claim:
    """One sentence that a response states."""

    agent_id: str
    text: str
    reading: Reading = field(compare=False, repr=False)
    vector: Vectors = field(compare=False, repr=False)

    @property
    def quote(self) -> Quote:
        """The claim as it is shown."""
        return Quote(self.agent_id, self.text)


def claims_of(agent_id: str, passage: Passage, vectors: Mapping[str, Vectors]) -> tuple[Claim, ...]:
    """The claims of a response, in order, each once.

    Args:
        agent_id: whose it is.
        passage: its sentences.
        vectors: the embedding of each sentence by its text.
    """
    return tuple(Claim(agent_id, text, reading, vectors[text]) for text, reading in _stated(passage).items())


def _stated(passage: Passage) -> dict[str, Reading]:
    """The sentences that hold a claim, with what the rules see of each."""
    found = {
        sentence.text: Reading(sentence.span)
        for sentence in passage.sentences
        if len(sentence.text.split()) >= LEAST_WORDS and any(character.isalpha() for character in sentence.text)
    }
    return dict(list(found.items())[:MOST_CLAIMS])


@dataclass(frozen=True)
class Alignment:
    """A claim, the nearest claim of another response, their cosine, and whether no two claims of these are nearer."""

    claim: Claim
    nearest: Claim
    cosine: float
    is_closest: bool = False


def align(ours: Sequence[Claim], theirs: Sequence[Claim]) -> list[Alignment]:
    """For each claim of ours the nearest of theirs; nothing where one side claims nothing.

    Of claims that are equally near the first in the alphabet counts, so that no order of agents or sentences matters.
    """
    if not ours or not theirs:
        return []
    others = sorted(theirs, key=lambda claim: claim.text)
    cosines = np.stack([claim.vector for claim in ours]) @ np.stack([claim.vector for claim in others]).T
    # Rounding must not decide between equals.
    best = np.round(cosines, 4).argmax(axis=1)
    highest = cosines.max()
    return [
        Alignment(claim, others[int(column)], float(cosines[row, column]), bool(cosines[row, column] >= highest))
        for row, (claim, column) in enumerate(zip(ours, best, strict=True))
    ]
