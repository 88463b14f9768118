"""Whether an agent kept its role: a note that its words are nearer to another role's principle than to its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from folkmoot.analysis.embedding import Embedder, Vectors
from folkmoot.catalogue import ROLES

#: The role of an agent that has none.
NO_ROLE = "None"
#: Another role's principle must be nearer by so much, in cosine, before anything is said.
MARGIN = 0.1


@dataclass(frozen=True)
class Fidelity:
    """How near a response is to the principle of its role.

    Attributes:
        role: the role that the agent was given.
        own: the cosine of its nearest sentence to that role's principle.
        nearest: the role whose principle is nearest.
        note: a sentence for the reader, where another role is clearly nearer; else empty.
    """

    role: str
    own: float
    nearest: str
    note: str


class RoleCheck:
    """The principles of the catalogue's roles, embedded once."""

    def __init__(self, embedder: Embedder) -> None:
        self._roles = [role for role, principle in ROLES.items() if principle]
        self._principles = embedder.embed([ROLES[role] for role in self._roles])

    def fidelity(self, role: str, sentences: Sequence[Vectors]) -> Fidelity | None:
        """How a response with these sentences keeps to this role; None where there is nothing to compare.

        Words tell a role only roughly, so this is a note and never part of a score.
        """
        if role not in self._roles or not sentences:
            return None
        nearness = (np.stack(sentences) @ self._principles.T).max(axis=0)
        own, nearest = float(nearness[self._roles.index(role)]), self._roles[int(nearness.argmax())]
        is_elsewhere = float(nearness.max()) - own >= MARGIN
        note = f"It reads more like the role {nearest} than like its own, {role}." if is_elsewhere else ""
        return Fidelity(role, own, nearest, note)
