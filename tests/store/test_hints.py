"""Hints leave with the events that are told before them, where both go to one Redis."""

import base64
import json
from typing import Any

from folkmoot import announcements, submission
from folkmoot.asks import Ask
from folkmoot.events import key_of
from folkmoot.runtime import Runtime
from folkmoot.store import queries
from tests.scripted_model import ScriptedModel
from tests.store import rows
from tests.store.pool import MakeRuntime, events, sweep_until_ended, taken, work
from tests.store.servers import Valkey

QUESTION = Ask("Should voting be compulsory?")


def test_message_is_the_one_that_kombu_sends(runtime: Runtime) -> None:
    """But for ids that are made anew each time, a hint that leaves with events is the broker's own message."""
    ((_, queue, own),) = runtime.publisher.commands("some-job", "ask", ["qwen"])
    assert runtime.publisher.hint("some-job", "ask", ["qwen"])

    assert queue == "agent.qwen"
    assert _comparable(own) == _comparable(runtime.redis.rpop("agent.qwen"))


def _comparable(raw: Any) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(raw)
    message["body"] = json.loads(base64.b64decode(message["body"]))
    headers, properties = message["headers"], message["properties"]
    assert headers["id"] == headers["root_id"] == properties["correlation_id"] and properties["delivery_tag"]
    for name in ("id", "root_id"):
        del headers[name]
    for name in ("correlation_id", "delivery_tag"):
        del properties[name]
    return message


def test_events_and_hints_go_by_one_connection(make_runtime: MakeRuntime) -> None:
    """A query that is accepted needs no connection beside that of its events, of a Redis that nobody has used yet."""
    with Valkey() as unused:
        runtime = make_runtime(broker_url=unused.broker_url)
        user_id, before = rows.user(runtime.db, "grace"), _connections(runtime)

        job_id = submission.submit(runtime, user_id, QUESTION, idempotency_key="k")[0].job_id

        assert [ids for _, ids in taken(runtime)] == [[job_id, seat] for seat in ("qwen", "mistral", "deephermes")]
        assert _connections(runtime) == before


def _connections(runtime: Runtime) -> int:
    info: Any = runtime.redis.info("stats")
    return int(info["total_connections_received"])


def test_events_with_a_redis_of_their_own(make_runtime: MakeRuntime, model: ScriptedModel) -> None:
    """Where the broker is another server the hints go there, and the query is concluded as ever."""
    with Valkey() as other:
        runtime = make_runtime(redis_url=f"unix://{other.socket}?db=0")
        broker = make_runtime()
        user_id = rows.user(runtime.db, "grace")
        assert runtime.publisher.commands("some-job", "conclude") == []

        job_id = submission.submit(runtime, user_id, QUESTION, idempotency_key="k")[0].job_id
        assert [event.type for event in events(runtime, job_id)] == ["status"]
        assert taken(runtime) == []
        work(broker)

    assert queries.find(broker.db, job_id).status == "done" and len(model.calls()) == 4


def test_events_that_are_refused_cost_no_hint(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """Where Redis refuses the events and takes the hints, these come a second time, and their work is done once."""
    job_id = submission.submit(runtime, user_id, QUESTION, idempotency_key="k")[0].job_id
    taken(runtime)
    runtime.redis.delete(key_of(job_id))
    runtime.redis.set(key_of(job_id), "no stream")

    announcements.tell_begun(runtime, queries.find(runtime.db, job_id))

    assert [runtime.redis.llen(f"agent.{seat}") for seat in ("qwen", "mistral", "deephermes")] == [2, 2, 2]
    work(runtime)
    assert queries.find(runtime.db, job_id).status == "done" and len(model.calls()) == 4


def test_hint_that_is_refused_costs_no_event(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """Where Redis takes the events and refuses a hint, watchers miss nothing, and the sweeper sends it again."""
    runtime.redis.set("agent.qwen", "no list")

    job_id = submission.submit(runtime, user_id, QUESTION, idempotency_key="k")[0].job_id
    runtime.redis.delete("agent.qwen")
    work(runtime)
    assert {one.agent_id: one.status for one in queries.find(runtime.db, job_id).responses}["qwen"] == "pending"

    assert sweep_until_ended(runtime, job_id, within_s=5).status == "done" and len(model.calls()) == 4
    told = [event.type for event in events(runtime, job_id) if not event.type.endswith(".delta")]
    assert told[0] == "status" and told.count("response") == 3 and told[-1] == "end"
