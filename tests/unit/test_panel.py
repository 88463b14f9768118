"""Who sits on a panel, with which role, and who concludes: every combination of health and request."""

import random
from collections import Counter
from itertools import combinations, permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.agents import Roster
from folkmoot.catalogue import ROLES
from folkmoot.health import Entry, State
from folkmoot.panel import Loss, Panel, choose, deal, next_aggregator

SEATS = ("qwen", "llama3", "mistral", "deephermes")
STATES: tuple[State | None, ...] = ("healthy", "unhealthy", "failed", None)
PANEL = ("qwen", "mistral", "deephermes")


def board(**states: State | None) -> dict[str, Entry]:
    """A health board on which these seats have these states; None leaves a seat unknown."""
    return {
        seat: Entry(
            agent_id=seat,
            state=state,
            reason=f"{seat} is down",
            since=0.0,
            last_heartbeat=None,
            consecutive_errors=0,
            next_probe=None,
            workers_alive=0,
            p50_latency_ms=None,
            p95_latency_ms=None,
        )
        for seat, state in states.items()
        if state is not None
    }


def chosen(
    roster: Roster,
    seats: tuple[str, ...] = PANEL,
    *,
    aggregator: str = "llama3",
    quorum: int = 2,
    **states: State | None,
) -> Panel:
    """The panel of these seats, each with a role that is told by its place."""
    roles = dict(zip(seats, list(ROLES)[1:], strict=False))
    return choose(roster, seats, roles, aggregator=aggregator, quorum=quorum, board=board(**states))


def asked(panel: Panel) -> list[str]:
    """The seats that will be asked, in order."""
    return [place.agent_id for place in panel.places if place.skipped is None]


def skipped(panel: Panel) -> list[str]:
    """The seats that will not."""
    return [place.agent_id for place in panel.places if place.skipped is not None]


@pytest.mark.parametrize("state", [None, "healthy", "unhealthy"])
def test_a_panel_in_order_is_asked_as_it_is(state: State | None, roster: Roster) -> None:
    """Seats that have not failed, or of which nothing is known, are all asked, in order, without a note."""
    panel = chosen(roster, qwen=state, mistral=state, deephermes=state, llama3=state)

    assert asked(panel) == list(PANEL)
    assert skipped(panel) == []
    assert panel.notes == () and panel.losses == ()


def test_a_failed_seat_gives_its_place_and_role_to_a_spare(roster: Roster) -> None:
    """A spare sits in for a failed seat and reasons by the failed seat's role; the query says who sits for whom."""
    panel = chosen(roster, ("qwen", "mistral"), qwen="failed")

    assert asked(panel) == ["deephermes", "mistral"]
    assert skipped(panel) == []
    assert {place.agent_id: place.role for place in panel.places} == {
        "deephermes": "Utilitarian",
        "mistral": "Deontologist",
    }
    assert panel.notes == ("deephermes took the place of qwen, which has failed: qwen is down",)
    assert panel.losses == (Loss("qwen", "qwen is down", "deephermes"),)


def test_a_failed_seat_without_a_spare_is_skipped_with_its_reason(roster: Roster) -> None:
    """Where nobody can take the place, the query says at once why the seat is not asked."""
    panel = chosen(roster, deephermes="failed")

    assert asked(panel) == ["qwen", "mistral"]
    assert [place.skipped for place in panel.places] == [None, None, "skipped, for it has failed: deephermes is down"]
    assert panel.notes == () and panel.losses == (Loss("deephermes", "deephermes is down", None),)


def test_the_aggregator_is_the_last_resort(roster: Roster) -> None:
    """The aggregator sits on the panel only when too few others are left for a quorum."""
    assert asked(chosen(roster, qwen="failed")) == ["mistral", "deephermes"]
    assert asked(chosen(roster, qwen="failed", mistral="failed")) == ["llama3", "deephermes"]


def test_a_failed_aggregator_sits_nowhere(roster: Roster) -> None:
    """An aggregator that has failed does not step in either."""
    panel = chosen(roster, qwen="failed", mistral="failed", llama3="failed")

    assert asked(panel) == ["deephermes"]


def test_a_spare_is_taken_before_the_aggregator(roster: Roster) -> None:
    """While another seat can take the place, the aggregator keeps its own work."""
    panel = chosen(roster, ("qwen", "mistral"), qwen="failed", mistral="unhealthy")

    assert asked(panel) == ["deephermes", "mistral"]


def test_a_healthy_spare_is_taken_before_an_unhealthy_one(roster: Roster) -> None:
    """Of two spares the healthy one takes the place, whatever their order in the roster."""
    panel = chosen(roster, ("qwen",), quorum=1, qwen="failed", mistral="unhealthy", deephermes="healthy")

    assert asked(panel) == ["deephermes"]


def test_everybody_failed_leaves_only_reasons(roster: Roster) -> None:
    """With every seat failed nobody is asked, and each seat of the panel says why."""
    panel = chosen(roster, qwen="failed", llama3="failed", mistral="failed", deephermes="failed")

    assert asked(panel) == []
    assert skipped(panel) == list(PANEL)


def test_every_combination_seats_the_panel_by_the_rules(roster: Roster) -> None:
    """Whatever the states, panel, aggregator and quorum: nobody twice, nobody failed, no gap that could be filled."""
    panels = [seats for size in (1, 2, 3, 4) for seats in combinations(SEATS, size)]
    # An unknown state counts as healthy, which the test above shows; leaving it out here saves two thirds.
    for states, seats, aggregator in product(product(STATES[:3], repeat=4), panels, SEATS):
        known = dict(zip(SEATS, states, strict=True))
        for quorum in range(1, min(3, len(seats)) + 1):
            panel = chosen(roster, seats, aggregator=aggregator, quorum=quorum, **known)
            _assert_seated(panel, seats, aggregator, quorum, known)


def _assert_seated(
    panel: Panel, seats: tuple[str, ...], aggregator: str, quorum: int, states: dict[str, State | None]
) -> None:
    failed = {seat for seat in SEATS if states[seat] == "failed"}
    able, out = asked(panel), skipped(panel)
    spares = {seat for seat in SEATS if states[seat] == "healthy"} - set(seats) - {aggregator}
    others = len(set(seats) - failed) + len(spares)

    assert len(set(able + out)) == len(able + out) == len(seats)
    assert set(out) <= failed & set(seats)
    assert not failed & set(able)
    assert set(seats) - failed <= set(able)
    # A place stays empty only when no spare is left; a spare is never asked beyond the places there are.
    assert len(able) <= len(seats)
    assert len(able) == len(seats) or spares <= set(able)
    steps_in = aggregator in able and aggregator not in seats
    assert steps_in == (others < quorum and aggregator not in failed and aggregator not in seats)
    assert len(panel.notes) == len(set(able) - set(seats))


def test_roles_by_name_go_to_whom_they_were_given() -> None:
    """A user who names roles gets exactly those; a seat without one reasons freely."""
    dealt = deal(PANEL, {"mistral": "Rawlsian"}, random.Random(1))

    assert dealt == {"qwen": "None", "mistral": "Rawlsian", "deephermes": "None"}


def test_a_list_of_roles_is_dealt_out_evenly() -> None:
    """Every way of dealing three roles to three seats comes about equally often."""
    rng = random.Random(7)
    roles = ("Utilitarian", "Deontologist", "Rawlsian")
    hands = Counter(tuple(deal(PANEL, roles, rng).values()) for _ in range(6000))

    assert set(hands) == set(permutations(roles))
    assert all(850 <= count <= 1150 for count in hands.values())


def test_fewer_roles_than_seats_leave_a_random_seat_free() -> None:
    """With one role for three seats each seat gets it equally often, and the others reason freely."""
    rng = random.Random(11)
    holders = Counter(
        seat for _ in range(3000) for seat, role in deal(PANEL, ("Libertarian",), rng).items() if role != "None"
    )

    assert sum(holders.values()) == 3000
    assert all(850 <= holders[seat] <= 1150 for seat in PANEL)


@given(st.lists(st.sampled_from(sorted(ROLES)), max_size=8), st.integers(0, 8), st.integers())
def test_dealing_is_complete(roles: list[str], more: int, seed: int) -> None:
    """Each seat gets one role, each role on the list is dealt once, a role listed twice is dealt twice."""
    seats = [f"seat-{number}" for number in range(len(roles) + more)]
    dealt = deal(seats, roles, random.Random(seed))

    assert list(dealt) == seats
    assert Counter(dealt.values()) == Counter([*roles, *["None"] * more])


def order(roster: Roster, requested: str, panel: tuple[str, ...], known: dict[str, Entry]) -> list[str]:
    """The seats as they are tried, one after another, until none is left."""
    tried: list[str] = []
    while (seat := next_aggregator(roster, requested, panel, tried, known)) is not None:
        tried.append(seat)
    return tried


def test_every_combination_is_concluded_in_order(roster: Roster) -> None:
    """For all states, panels and requests: healthy first; then the requested, those outside the panel, the panel."""
    panels = [seats for size in range(5) for seats in combinations(SEATS, size)]
    for states in product(STATES, repeat=4):
        state_of = dict(zip(SEATS, states, strict=True))
        known = board(**state_of)
        for panel, requested in product(panels, SEATS):
            expected = [
                seat
                for level in (("healthy", None), ("unhealthy",), ("failed",))
                for group in (
                    [requested],
                    [seat for seat in SEATS if seat != requested and seat not in panel],
                    [seat for seat in SEATS if seat != requested and seat in panel],
                )
                for seat in group
                if state_of[seat] in level
            ]
            assert order(roster, requested, panel, known) == expected


def test_no_seat_concludes_twice(roster: Roster) -> None:
    """Once every seat was tried there is nobody left, even when all are healthy."""
    assert next_aggregator(roster, "llama3", PANEL, SEATS, {}) is None


def test_an_aggregator_that_left_the_roster_is_passed_over(roster: Roster) -> None:
    """A query whose aggregator is not in the roster any more is concluded by a seat that is."""
    assert order(roster, "gone", PANEL, {}) == ["llama3", "qwen", "mistral", "deephermes"]


def test_health_is_read_anew_for_each_attempt(roster: Roster) -> None:
    """A seat that fails between two attempts moves to the end."""
    first = next_aggregator(roster, "llama3", ("qwen",), [], board())
    second = next_aggregator(roster, "llama3", ("qwen",), ["llama3"], board(mistral="failed"))

    assert (first, second) == ("llama3", "deephermes")
