"""Who sits on a query's panel, with which role, and who may conclude: pure choices from roster, request and health."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from folkmoot.agents import Roster
from folkmoot.health import Entry, State

Board = Mapping[str, Entry]

#: The order in which seats are taken, by their state.
TRIED_BY_STATE: dict[State, int] = {"healthy": 0, "unhealthy": 1, "failed": 2}


@dataclass(frozen=True)
class Place:
    """A seat on the panel with its role; `skipped` is the reason when it is not asked."""

    agent_id: str
    role: str
    skipped: str | None = None


@dataclass(frozen=True)
class Loss:
    """A seat that had failed when the panel was chosen, and the spare that took its place, if there was one."""

    agent_id: str
    reason: str | None
    stand_in: str | None


@dataclass(frozen=True)
class Panel:
    """The places in order, what the user should know about the choice, and the failed seats behind it."""

    places: tuple[Place, ...]
    notes: tuple[str, ...]
    losses: tuple[Loss, ...]


def deal(seats: Sequence[str], roles: Mapping[str, str] | Sequence[str], rng: random.Random) -> dict[str, str]:
    """A role for each seat: as named, or the list dealt out at random; seats that get none reason freely."""
    if isinstance(roles, Mapping):
        return {seat: roles.get(seat, "None") for seat in seats}
    cards = [*roles, *["None"] * (len(seats) - len(roles))]
    rng.shuffle(cards)
    return dict(zip(seats, cards, strict=False))


def choose(
    roster: Roster,
    seats: Sequence[str],
    roles: Mapping[str, str],
    *,
    aggregator: str,
    quorum: int,
    board: Board,
) -> Panel:
    """Seat the panel: a failed seat is replaced by a healthy spare, else skipped at once.

    The aggregator steps in only when too few others are left for a quorum.
    """
    failed = {seat for seat in roster.seats if _state(board, seat) == "failed"}
    spares = [
        seat for seat in roster.seats if _state(board, seat) == "healthy" and seat not in seats and seat != aggregator
    ]
    left = sum(seat not in failed for seat in seats)
    if left + len(spares) < quorum and aggregator not in failed and aggregator not in seats:
        spares.append(aggregator)
    places: list[Place] = []
    notes: list[str] = []
    losses: list[Loss] = []
    for seat in seats:
        if seat not in failed:
            places.append(Place(seat, roles[seat]))
            continue
        reason, spare = board[seat].reason, spares.pop(0) if spares else None
        losses.append(Loss(seat, reason, spare))
        if spare is not None:
            places.append(Place(spare, roles[seat]))
            notes.append(f"{spare} took the place of {seat}, which has failed: {reason}")
        else:
            places.append(Place(seat, roles[seat], skipped=f"skipped, for it has failed: {reason}"))
    return Panel(tuple(places), tuple(notes), tuple(losses))


def next_aggregator(
    roster: Roster, requested: str, panel: Sequence[str], tried: Sequence[str], board: Board
) -> str | None:
    """The seat to conclude next: healthy before others; the requested, then those outside the panel, then the panel.

    Returns:
        Its agent_id; None when every seat was tried.
    """

    def rank(seat: str) -> tuple[int, bool, bool]:
        return TRIED_BY_STATE[_state(board, seat)], seat != requested, seat in panel

    return min((seat for seat in roster.seats if seat not in tried), key=rank, default=None)


def _state(board: Board, seat: str) -> State:
    """A seat's state; one that nothing is known of counts as healthy."""
    entry = board.get(seat)
    return entry.state if entry is not None else "healthy"
