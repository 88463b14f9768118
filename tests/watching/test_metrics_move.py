"""Every metric moves when what it names happens."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client import Client
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import ROOT, Stack, eventually
from tests.watching.conftest import PRICE
from tests.watching.gateway import Samples, families, scrape, total

pytestmark = pytest.mark.timeout(120)

PANEL = ("qwen", "mistral", "deephermes")


def moved(stack: Stack, before: Samples, name: str, by: float = 1, **labels: str) -> Samples:
    """The samples once a metric is so much higher than before; figures are added up once a second."""
    eventually(
        lambda: total(scrape(stack), name, **labels) - total(before, name, **labels) >= by,
        20,
        f"{name} {labels} has grown by {by}",
    )
    return scrape(stack)


def test_requests(stack: Stack, client: Client) -> None:
    """A request counts by its route, and so does the time that it took."""
    before = scrape(stack)

    client.catalogue()

    moved(stack, before, "folkmoot_requests_total", route="/api/v1/catalogue", status="200")
    moved(stack, before, "folkmoot_request_seconds_count", route="/api/v1/catalogue")


def test_a_query_that_is_done(stack: Stack, client: Client) -> None:
    """Its end, its responses, the time of each stage and each wait, its overhead, tokens and cost are counted."""
    before = scrape(stack)

    query = client.wait_settled(client.ask("Should every figure move?")["job_id"])

    after = moved(stack, before, "folkmoot_stage_seconds_count", stage="analysis")
    for name, labels in (
        ("folkmoot_queries_ended_total", {"status": "done"}),
        *[("folkmoot_responses_total", {"agent_id": agent_id, "status": "ok"}) for agent_id in PANEL],
        ("folkmoot_stage_seconds_count", {"stage": "consensus"}),
        ("folkmoot_stage_seconds_count", {"stage": "consensus_wait"}),
        ("folkmoot_stage_seconds_count", {"stage": "analysis_wait"}),
        ("folkmoot_overhead_seconds_count", {}),
    ):
        assert total(after, name, **labels) - total(before, name, **labels) == 1, (name, labels)
    for stage in ("response", "response_wait"):
        counted = [total(each, "folkmoot_stage_seconds_count", stage=stage) for each in (before, after)]
        assert counted[1] - counted[0] == len(PANEL)
    for stage in ("response", "consensus"):
        cost = next(one for one in query["cost"]["stages"] if one["stage"] == stage)
        for kind in ("prompt", "completion"):
            used = [total(each, "folkmoot_tokens_total", stage=stage, kind=kind) for each in (before, after)]
            assert used[1] - used[0] == cost[f"{kind}_tokens"] > 0
        usd = [total(each, "folkmoot_cost_usd_total", stage=stage) for each in (before, after)]
        assert usd[1] - usd[0] == pytest.approx((cost["prompt_tokens"] + cost["completion_tokens"]) * PRICE / 1e6)
    took_s = [total(each, "folkmoot_overhead_seconds_sum") for each in (before, after)]
    assert 0 < took_s[1] - took_s[0] < 20


def test_queries_that_end_otherwise(stack: Stack, client: Client, model: ScriptedModel) -> None:
    """One that is cancelled and one that fails count as that, and so do failed responses."""
    before = scrape(stack)
    for seat in SEATS:
        model.script(f"scripted/{seat}", {"token_delay_s": 1.0})
    client.cancel(client.ask("Should this be broken off?")["job_id"])
    for seat in SEATS:
        model.script(f"scripted/{seat}", {"status": 400})
    client.wait_done(client.ask("Should this fail?")["job_id"])

    after = moved(stack, before, "folkmoot_queries_ended_total", status="failed")

    assert total(after, "folkmoot_queries_ended_total", status="cancelled") > total(
        before, "folkmoot_queries_ended_total", status="cancelled"
    )
    moved(stack, before, "folkmoot_responses_total", agent_id="qwen", status="failed")


def test_cache(stack: Stack, client: Client) -> None:
    """The first of two equal queries misses, the second is answered."""
    before = scrape(stack)

    for _ in range(2):
        client.wait_done(client.ask("Should the same be asked twice?")["job_id"])

    after = moved(stack, before, "folkmoot_cache_lookups_total", stage="consensus", outcome="hit")
    for stage, calls in (("response", len(PANEL)), ("consensus", 1)):
        for outcome in ("hit", "miss"):
            counted = [
                total(each, "folkmoot_cache_lookups_total", stage=stage, outcome=outcome) for each in (before, after)
            ]
            assert counted[1] - counted[0] == calls, (stage, outcome)


def test_failover_of_the_aggregator(stack: Stack, client: Client, model: ScriptedModel) -> None:
    """Another seat concludes in place of one that cannot."""
    before = scrape(stack)
    model.script("scripted/llama3", {"status": 500}, stage="consensus")

    assert client.wait_done(client.ask("Should another one conclude?")["job_id"])["consensus"]["agent_id"] != "llama3"

    moved(stack, before, "folkmoot_failovers_total", agent_id="llama3", stage="consensus")


def test_seat_that_fails(stack: Stack, client: Client, model: ScriptedModel) -> None:
    """Its circuit opens, its state changes, and the next panel without it counts as a failover."""
    assert total(scrape(stack), "folkmoot_agent_state", agent_id="qwen", state="healthy") == 1
    model.refuse("qwen")
    for number in range(4):
        client.wait_done(client.ask(f"Is it away, number {number}?")["job_id"])

    eventually(
        lambda: total(scrape(stack), "folkmoot_agent_state", agent_id="qwen", state="failed"), 30, "it has failed"
    )
    # Between a pause and the next, which the trial that fails begins, it is not open.
    eventually(lambda: total(scrape(stack), "folkmoot_circuit_open", agent_id="qwen"), 30, "its circuit is open")
    before = scrape(stack)
    assert total(before, "folkmoot_circuit_open", agent_id="mistral") == 0
    client.wait_done(client.ask("Who stands in?")["job_id"])
    moved(stack, before, "folkmoot_failovers_total", agent_id="qwen", stage="response")


def test_latency_and_workers_of_a_seat(stack: Stack, client: Client, model: ScriptedModel) -> None:
    """A slow answer is a longer latency; a pool that is stopped loses its worker."""
    assert total(scrape(stack), "folkmoot_agent_workers", agent_id="mistral") == 1
    model.script("scripted/mistral", {"delay_s": 1.0})
    client.wait_done(client.ask("Is it slow?")["job_id"])
    eventually(
        lambda: total(scrape(stack), "folkmoot_agent_latency_seconds", agent_id="mistral", quantile="0.95") >= 1,
        20,
        "the latency is told",
    )

    stack.signal("agent.mistral", signal.SIGSTOP)
    try:
        eventually(lambda: total(scrape(stack), "folkmoot_agent_workers", agent_id="mistral") == 0, 30, "it is gone")
    finally:
        stack.signal("agent.mistral", signal.SIGCONT)


def test_work_that_waits(stack: Stack, client: Client) -> None:
    """While a pool stands still, its queue, the untaken work and the open queries grow; afterwards they are gone."""

    def waits(samples: Samples) -> list[float]:
        return [
            total(samples, "folkmoot_queue_messages", queue="agent.deephermes"),
            total(samples, "folkmoot_work_untaken"),
            total(samples, "folkmoot_queries_open"),
        ]

    stack.signal("agent.deephermes", signal.SIGSTOP)
    try:
        jobs = [client.ask(f"Does it wait, number {number}?")["job_id"] for number in range(4)]
        eventually(lambda: all(waits(scrape(stack))), 20, "work waits")
    finally:
        stack.signal("agent.deephermes", signal.SIGCONT)
    for job_id in jobs:
        client.wait_done(job_id)
    eventually(lambda: not any(waits(scrape(stack))), 30, "nothing waits")


def test_analyses_that_wait(stack: Stack, client: Client) -> None:
    """A concluded query is to be measured until it is."""
    stack.signal("analyse", signal.SIGSTOP)
    try:
        job_id = client.ask("Is it measured later?")["job_id"]
        client.wait_done(job_id)
        eventually(lambda: total(scrape(stack), "folkmoot_analyses_pending"), 10, "an analysis waits")
    finally:
        stack.signal("analyse", signal.SIGCONT)
    client.wait_settled(job_id)
    eventually(lambda: not total(scrape(stack), "folkmoot_analyses_pending"), 10, "none waits")


def test_streams(stack: Stack, client: Client, model: ScriptedModel) -> None:
    """A stream is open while it is read, and not when its reader has gone."""
    for seat in SEATS:
        model.script(f"scripted/{seat}", {"token_delay_s": 0.5})
    job_id = client.ask("Is somebody listening?")["job_id"]

    with client.call("GET", f"/queries/{job_id}/events", stream=True):
        eventually(lambda: total(scrape(stack), "folkmoot_streams_open") == 1, 10, "it is open")

    eventually(lambda: total(scrape(stack), "folkmoot_streams_open") == 0, 10, "it is not")
    client.cancel(job_id)


def test_parts(stack: Stack, client: Client) -> None:
    """A broker that does not answer is down, and up again when it does; the database is up all the while."""
    assert total(scrape(stack), "folkmoot_part_up", part="broker") == 1
    stack.signal("broker", signal.SIGSTOP)
    try:
        meanwhile = scrape(stack)
    finally:
        stack.signal("broker", signal.SIGCONT)

    assert total(meanwhile, "folkmoot_part_up", part="broker") == 0
    assert total(meanwhile, "folkmoot_part_up", part="database") == 1
    eventually(lambda: total(scrape(stack), "folkmoot_part_up", part="broker") == 1, 30, "it is back")


def test_no_metric_is_forgotten(stack: Stack, client: Client) -> None:
    """Each metric that a gateway tells is named by a test of this file, and the dashboard asks for no other."""
    names = {strip(family.name) for family in families(stack) if family.name.startswith("folkmoot_")}
    here = Path(__file__).read_text(encoding="utf-8")
    boards = json.loads((ROOT / "infra/monitoring/grafana/folkmoot.json").read_text(encoding="utf-8"))["panels"]
    asked = {word for panel in boards for target in panel.get("targets", []) for word in words(target["expr"])}

    assert {name for name in names if name not in here} == set()
    assert {name for name in asked if strip(name) not in names} == set()


def strip(name: str) -> str:
    """The name of a sample's family."""
    for end in ("_total", "_bucket", "_count", "_sum", "_created"):
        name = name.removesuffix(end)
    return name


def words(expression: str) -> set[str]:
    """The metrics of ours in an expression."""
    is_part: Callable[[str], bool] = lambda letter: letter.isalnum() or letter == "_"  # noqa: E731
    text = "".join(letter if is_part(letter) else " " for letter in expression)
    return {word for word in text.split() if word.startswith("folkmoot_")}
