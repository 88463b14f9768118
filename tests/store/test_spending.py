"""What calls use is counted, from question to consensus, whatever comes of them."""

import threading
from typing import Any

import pytest

from folkmoot import submission
from folkmoot.asks import Ask
from folkmoot.errors import BudgetSpent, LimitReached
from folkmoot.models import Interaction
from folkmoot.resources import ConsensusResource, CostResource, QueryResource, ResponseResource
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import queries, usage
from folkmoot.store.usage import Standing
from tests.scripted_model import ScriptedModel
from tests.stack import eventually
from tests.store import rows
from tests.store.pool import MakeRuntime, work

QUESTION = Ask("Should voting be compulsory?", question_type="Yes/No")


def accepted(runtime: Runtime, user_id: int, key: str = "k", ask: Ask = QUESTION) -> QueryResource:
    """Send a question."""
    query, _ = submission.submit(runtime, user_id, ask, idempotency_key=key)
    return query


def concluded(runtime: Runtime, user_id: int, key: str = "k", ask: Ask = QUESTION) -> QueryResource:
    """Ask, and have the pools do all the work."""
    job_id = accepted(runtime, user_id, key, ask).job_id
    work(runtime)
    return queries.find(runtime.db, job_id)


def cost_of(query: QueryResource) -> CostResource:
    """The account of a query."""
    assert query.cost is not None
    return query.cost


def today(runtime: Runtime) -> Standing:
    """How the day stands."""
    with runtime.db.read() as connection:
        return usage.standing(connection, utcnow().date())


@pytest.fixture
def priced(make_runtime: MakeRuntime, tmp_path: Any) -> Runtime:
    """A runtime that knows what two of its models cost."""
    table = tmp_path / "prices.yaml"
    table.write_text("models: {scripted/qwen: {prompt: 1, completion: 2}, scripted/llama3: {prompt: 3, completion: 4}}")
    return make_runtime(deadline_s=20, lease_s=0.6, prices_file=table)


def test_cost_stands_in_the_record(priced: Runtime) -> None:
    """A response whose model has a price tells its cost, others that it is unknown; so do stages and the whole."""
    query = concluded(priced, rows.user(priced.db))

    qwen, mistral, _ = query.responses
    assert qwen.prompt_tokens and qwen.completion_tokens and query.consensus is not None
    assert qwen.cost_usd == f"{(qwen.prompt_tokens + 2 * qwen.completion_tokens) / 1e6:.6f}".rstrip("0")
    assert mistral.cost_usd is None and query.consensus.cost_usd is not None
    panel, consensus = cost_of(query).stages
    assert (panel.stage, panel.calls, panel.cost_usd) == ("response", 3, None)
    assert (consensus.stage, consensus.cost_usd) == ("consensus", query.consensus.cost_usd)
    assert cost_of(query).cost_usd is None and cost_of(query).estimated_calls == 0
    texts: list[ResponseResource | ConsensusResource] = [*query.responses, query.consensus]
    assert cost_of(query).total_tokens == sum((one.prompt_tokens or 0) + (one.completion_tokens or 0) for one in texts)


def test_one_agent_alone_is_counted_once(priced: Runtime) -> None:
    """The only response of a panel stands as its consensus, and costs no more than the response."""
    query = concluded(priced, rows.user(priced.db), ask=Ask("Why?", agents=("qwen",)))

    [panel] = cost_of(query).stages
    assert panel.calls == 1 and panel.cost_usd == query.responses[0].cost_usd == cost_of(query).cost_usd


@pytest.mark.parametrize(
    ("step", "calls", "estimated"),
    [
        ({"status": 500}, 0, 0),
        ({"cut_after_tokens": 5}, 1, 1),
        ({"empty": True}, 1, 0),
        ({"broken_json": True}, 1, 1),
        ({"error_after_tokens": 5}, 1, 1),
    ],
    ids=["turned away", "cut off", "no answer", "unreadable", "error in the middle"],
)
def test_calls_that_fail_count_as_far_as_they_got(
    priced: Runtime, model: ScriptedModel, step: dict[str, Any], calls: int, estimated: int
) -> None:
    """What was turned away has used nothing; of what broke off the tokens are estimated."""
    model.script("scripted/qwen", step)

    query = concluded(priced, rows.user(priced.db), ask=Ask("Why?", agents=("qwen",)))

    assert query.status == "failed" and query.responses[0].cost_usd is None
    stages = cost_of(query).stages
    assert [(one.calls, one.estimated_calls) for one in stages] == ([(calls, estimated)] if calls else [])
    assert (cost_of(query).total_tokens > 0) == bool(calls)


def test_a_fallback_counts_beside_the_first(make_runtime: MakeRuntime, model: ScriptedModel) -> None:
    """A seat that was answered by its second endpoint has used both, the one that was given up by estimate."""

    def spare(roster: dict[str, Any]) -> None:
        roster["seats"]["qwen"]["fallbacks"] = [{"model": "spare/qwen", "base_url": model.url}]

    runtime = make_runtime(spare, deadline_s=6)
    model.script("scripted/qwen", {"hang": True})

    query = concluded(runtime, rows.user(runtime.db), ask=Ask("Why?", agents=("qwen",)))

    assert query.status == "done" and query.responses[0].model == "spare/qwen"
    [panel] = cost_of(query).stages
    assert (panel.calls, panel.estimated_calls) == (2, 1)


def test_what_a_cancelled_query_has_used_is_counted(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """A call that is given up in the middle, because its query was cancelled, counts by what was heard of it."""
    model.script("scripted/qwen", {"text": "word " * 500, "token_delay_s": 0.05})
    job_id = accepted(runtime, user_id, ask=Ask("Why?", agents=("qwen",))).job_id
    worker = threading.Thread(target=work, args=(runtime,))
    worker.start()
    eventually(lambda: [call for call in model.calls() if call.first_token_at], 10, "the model has begun")

    submission.cancel(runtime, user_id, job_id)
    worker.join(20)

    assert today(runtime).spent.tokens > 0 and today(runtime).estimated_calls == 1
    assert today(runtime).reserved.tokens == 0


def test_reservation_covers_what_a_query_uses(make_runtime: MakeRuntime) -> None:
    """Each stage uses no more than was reserved for it, when nothing goes wrong."""
    runtime = make_runtime(deadline_s=20, budget_user_tokens=10**9)
    ask = Ask("Should we? " * 300, instructions="Be brief. " * 50, turns=(("Before? " * 99, "Yes. " * 99),))
    query = accepted(runtime, rows.user(runtime.db), ask=ask)
    reserved = today(runtime).reserved.tokens
    work(runtime)

    used = cost_of(queries.find(runtime.db, query.job_id))
    assert [one.calls for one in used.stages] == [3, 1]
    assert 0 < used.total_tokens <= reserved
    assert today(runtime).spent.tokens == used.total_tokens and today(runtime).reserved.tokens == 0


def test_a_budget_refuses_and_stores_nothing(make_runtime: MakeRuntime) -> None:
    """A question that may need more than what is left is refused, in tokens and in money."""
    tight = make_runtime(deadline_s=20, budget_user_tokens=500)
    user_id = rows.user(tight.db)

    with pytest.raises(BudgetSpent, match="500 tokens: 0 tokens spent, 0 tokens reserved"):
        accepted(tight, user_id)

    assert rows.count(tight.db, Interaction) == 0


def test_a_user_may_send_so_many_a_minute(make_runtime: MakeRuntime) -> None:
    """The limit counts new queries of a user; a repeated request is none, and others have a limit of their own."""
    runtime = make_runtime(rate_per_minute=2)
    ada, eve = rows.user(runtime.db), rows.user(runtime.db, "eve")
    for key in ("1", "2", "2"):
        accepted(runtime, ada, key)

    with pytest.raises(LimitReached, match="2 queries a minute") as refused:
        accepted(runtime, ada, "3")
    assert 0 < refused.value.retry_after_s <= 30
    accepted(runtime, eve, "3")
