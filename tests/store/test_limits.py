"""Limits in the accepting transaction: places and budgets hold however many come at once, and free themselves."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from folkmoot.db import Database
from folkmoot.errors import BudgetSpent, LimitReached
from folkmoot.models import Interaction, Usage
from folkmoot.resources import Stage
from folkmoot.store import asking, deletions, limits, queries, usage
from folkmoot.store.limits import Budget, Limits
from folkmoot.store.usage import Amount, Spent, Standing
from tests.store import rows
from tests.store.rows import NOW, after, at_once, caught, count, new_query, seats

HUNDRED: dict[Stage, Amount] = {"response": Amount(70, 7000), "consensus": Amount(30, 3000)}


def submit(db: Database, user_id: int, bounds: Limits, **more: Any) -> str:
    """Accept a query that may need a hundred tokens, which cost 10,000 nano-dollars."""
    new = new_query(user_id, **more)
    job_id, _ = queries.accept(db, new, seats(), hint_due_at=after(4), needed=HUNDRED, bounds=bounds)
    return job_id


def refused(made: Sequence[object]) -> list[LimitReached]:
    """Those of them that were refused."""
    return [one for one in made if isinstance(one, LimitReached)]


def today(db: Database, user_id: int | None = None) -> Standing:
    """How the day of these stories stands."""
    with db.read() as connection:
        return usage.standing(connection, NOW.date(), user_id=user_id)


def spent(tokens: int, nano_usd: int | None = 0, *, stage: Stage = "response", is_estimate: bool = False) -> Spent:
    """A call that used these."""
    return Spent(stage, tokens - 1, 1, nano_usd, is_estimate)


@pytest.mark.parametrize(
    "bounds",
    [
        Limits(concurrent_jobs=4),
        Limits(user=Budget(tokens=499)),
        Limits(user=Budget(nano_usd=40_000)),
        Limits(everybody=Budget(tokens=400)),
        Limits(everybody=Budget(nano_usd=49_999)),
    ],
)
def test_no_more_are_accepted_at_once_than_fit(db: Database, other: Database, ada: int, bounds: Limits) -> None:
    """Of twenty at the same moment, through two processes, exactly the four that fit are accepted; nothing is left."""
    made = at_once(*[caught(partial(submit, other if n % 2 else db, ada, bounds)) for n in range(20)])

    assert len(refused(made)) == 16
    assert count(db, Interaction) == 4 and count(db, Usage) == 12
    assert today(db).reserved == Amount(400, 40_000)


def test_a_user_does_not_use_up_anothers(db: Database, ada: int) -> None:
    """Places and budgets of a user are theirs alone; those of all are shared."""
    eve = rows.user(db, "eve")
    for bounds in (Limits(concurrent_jobs=1), Limits(user=Budget(tokens=150))):
        job_id = submit(db, ada, bounds)
        assert isinstance(caught(partial(submit, db, ada, bounds))(), LimitReached)
        queries.cancel(db, submit(db, eve, bounds), user_id=eve, now=NOW)
        queries.cancel(db, job_id, user_id=ada, now=NOW)

    shared = Limits(everybody=Budget(tokens=150))
    submit(db, ada, shared)
    with pytest.raises(BudgetSpent, match="all users together"):
        submit(db, eve, shared)


def test_refusal_tells_the_figures(db: Database, ada: int) -> None:
    """Spent, reserved, asked, the limit and when it begins anew stand in the sentence, and in when to try again."""
    job_id = submit(db, ada, limits.NONE)
    usage.count(db, job_id, [spent(1040, 2_500_000)])

    with pytest.raises(BudgetSpent) as tokens:
        submit(db, ada, Limits(user=Budget(tokens=1100)))
    with pytest.raises(BudgetSpent) as money:
        submit(db, ada, Limits(user=Budget(nano_usd=2_500_000)))

    assert str(tokens.value) == (
        "Your budget for today is 1,100 tokens: 1,040 tokens spent, 30 tokens reserved for queries under way, and this "
        "one may need 100 tokens. It begins anew at 2031-05-05 00:00 UTC."
    )
    assert "is $0.0025: $0.0025 spent, $0.000003 reserved" in str(money.value) and "$0.00001." in str(money.value)
    assert tokens.value.retry_after_s == pytest.approx(12 * 3600 - 0.123456)


def test_the_day_is_utc(db: Database, ada: int) -> None:
    """What was accepted before midnight in UTC does not count after it, though it is open still."""
    bounds = Limits(user=Budget(tokens=100))
    submit(db, ada, bounds, created_at=after(12 * 3600 - 1))

    assert isinstance(caught(partial(submit, db, ada, bounds, created_at=after(12 * 3600 - 0.2)))(), BudgetSpent)
    submit(db, ada, bounds, created_at=after(12 * 3600))


@pytest.mark.parametrize("ending", ["done", "failed", "cancelled", "deleted", "erased"])
def test_what_is_left_of_a_reservation_is_free_when_the_query_ends(db: Database, ada: int, ending: str) -> None:
    """However a query ends, what it has used stays spent, and only what it has not used is free again."""
    job_id = submit(db, ada, limits.NONE)
    usage.count(db, job_id, [spent(40, 5)])
    assert today(db, ada).reserved.tokens == 60 and today(db, ada).spent == Amount(40, 5)

    if ending == "done":
        for agent_id in rows.PANEL:
            rows.finish(db, rows.claimed(db, job_id, agent_id))
        rows.conclude(db, rows.conclusion(db, job_id))
    elif ending == "failed":
        for agent_id in rows.PANEL:
            rows.finish(db, rows.claimed(db, job_id, agent_id), rows.failed())
    elif ending == "cancelled":
        queries.cancel(db, job_id, user_id=ada, now=NOW)
    elif ending == "deleted":
        queries.erase(db, job_id, user_id=ada)
    else:
        deletions.hide(db, job_id, user_id=ada, due_at=NOW)
        assert today(db, ada).reserved.tokens == 60
        assert list(deletions.erase_due(db, now=NOW)) == [job_id]

    assert today(db, ada).reserved == Amount() and today(db, ada).spent == Amount(40, 5)


def test_a_call_counts_though_its_claim_is_lost(db: Database, ada: int) -> None:
    """A response that comes after its query was cancelled, or deleted, is not stored, and what it used is counted."""
    for end in (partial(queries.cancel, now=NOW), queries.erase):
        job_id = submit(db, ada, limits.NONE)
        held = rows.claimed(db, job_id, "qwen")
        end(db, job_id, user_id=ada)

        before = today(db, ada).spent.tokens
        finished = asking.finish(
            db,
            held,
            rows.said(),
            now=after(1),
            hint_due_at=after(4),
            spent=[spent(7), spent(5, None, is_estimate=True)],
        )

        assert finished is None and today(db, ada).spent.tokens == before + 12
    assert (today(db).estimated_calls, today(db).unpriced_calls) == (2, 2)


def test_same_request_is_not_weighed_twice(db: Database, ada: int) -> None:
    """A request that is repeated while it is accepted finds its query, though no second one would fit."""
    bounds = Limits(concurrent_jobs=1, user=Budget(tokens=100))

    made = at_once(*[caught(partial(submit, db, ada, bounds, idempotency_key="k")) for _ in range(8)])

    assert len({str(one) for one in made}) == 1 and not refused(made)


def test_cost_of_a_query_by_stage(db: Database, ada: int) -> None:
    """The record tells what each stage has used, and a cost only where every price in it is known."""
    job_id = submit(db, ada, limits.NONE)
    usage.count(db, job_id, [spent(10, 1500), spent(20, 500), spent(30, 1_000_000_000, stage="consensus")])

    cost = queries.find(db, job_id).cost
    assert cost is not None and (cost.total_tokens, cost.cost_usd) == (60, "1.000002")
    assert [(one.stage, one.calls, one.prompt_tokens, one.completion_tokens, one.cost_usd) for one in cost.stages] == [
        ("response", 2, 28, 2, "0.000002"),
        ("consensus", 1, 29, 1, "1"),
    ]

    usage.count(db, job_id, [spent(5, None, stage="analysis")])
    cost = queries.find(db, job_id).cost
    assert cost is not None and cost.cost_usd is None
    assert [one.cost_usd for one in cost.stages] == ["0.000002", "1", None]
