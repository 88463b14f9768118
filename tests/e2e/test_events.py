"""A query's events: in order, live, resumable on any replica, the same whenever they are read."""

from contextlib import suppress
from itertools import islice, pairwise
from typing import Any

import pytest
import redis
import requests

from tests.client import Client, Event, folded, place
from tests.scripted_model import ScriptedModel
from tests.stack import Running, eventually

pytestmark = pytest.mark.timeout(90)

PANEL = ["qwen", "mistral", "deephermes"]
SLOW = {"token_delay_s": 0.03}


def slow(model: ScriptedModel) -> None:
    """Let every seat speak slowly enough to be listened to."""
    for seat in (*PANEL, "llama3"):
        model.script(f"scripted/{seat}", SLOW)


def first(events: list[Event], name: str) -> int:
    """The place of the first event of that name."""
    return next(number for number, event in enumerate(events) if event.event == name)


def positions(events: list[Event], name: str) -> list[int]:
    """The places of all events of that name."""
    return [number for number, event in enumerate(events) if event.event == name]


def test_events_tell_the_query_in_order(client: Client) -> None:
    """In order: asking, responses after their deltas, aggregating, consensus after its deltas, the end."""
    job_id = client.ask(roles={"qwen": "Rawlsian"})["job_id"]
    events = list(client.events(job_id))
    query = client.query(job_id)

    responses, deltas = positions(events, "response"), positions(events, "consensus.delta")
    statuses = [event.data["status"] for event in events if event.event == "status"]
    aggregating = next(n for n, event in enumerate(events) if event.data == {"status": "aggregating"})
    consensus = first(events, "consensus")
    order = ["accepted", "asking", "aggregating", "done"]
    assert statuses == sorted(statuses, key=order.index) and {"asking", "aggregating"} <= set(statuses)
    assert len(responses) == 3 and max(responses) < aggregating < min(deltas) and max(deltas) < consensus
    for number in responses:
        agent = events[number].data["agent_id"]
        spoken = [n for n in positions(events, "response.delta") if events[n].data["agent_id"] == agent]
        assert spoken and max(spoken) < number, agent
    assert events[-1].event == "end" and events[-1].data == {"status": "done"}
    assert consensus < len(events) - 1
    assert events[consensus].data == query["consensus"]
    assert sorted((events[n].data for n in responses), key=str) == sorted(query["responses"], key=str)


def test_ids_strictly_increase(client: Client) -> None:
    """Every event has an id, and each is greater than the one before."""
    events = list(client.events(client.ask()["job_id"]))

    places = [place(event) for event in events]
    assert all(places) and all(before < after for before, after in pairwise(places))


def test_deltas_add_up_to_the_texts(client: Client, model: ScriptedModel) -> None:
    """The deltas of each agent, joined, are its final text, and those of the aggregator the consensus."""
    text = 'Erstens: Grüße aus 東京!\n\n- ein Punkt\n- "noch einer" \\ und\tTabs.\r\nSchluss — 🎉 fertig.'
    model.script("scripted/qwen", {"text": text})
    job_id = client.ask()["job_id"]

    kept = folded(client.events(job_id))
    query = client.query(job_id)

    assert kept["response", "qwen"].strip() == text
    for response in query["responses"]:
        assert kept["response", response["agent_id"]].strip() == response["text"].strip()
    assert kept["consensus", "llama3"].strip() == query["consensus"]["text"]


def test_deltas_come_while_the_model_speaks(client: Client, model: ScriptedModel) -> None:
    """The first delta is with the client long before the model has said its last word, in every stage."""
    slow(model)
    for stage, seat in (("response", "qwen"), ("consensus", "llama3")):
        model.script(f"scripted/{seat}", {"token_delay_s": 0.05}, stage=stage)
    seen = set()

    for event in client.events(client.ask()["job_id"]):
        if event.event.endswith(".delta") and (event.event, event.data["agent_id"]) not in seen:
            seen.add((event.event, event.data["agent_id"]))
            [call] = model.calls(f"scripted/{event.data['agent_id']}")
            assert call.finished_at is None, f"{event} came after the whole answer"

    assert len(seen) == 4


def test_replay_is_what_was_seen_live(client: Client, model: ScriptedModel) -> None:
    """Who comes after the end reads event by event what those saw who were there, and the stream closes."""
    slow(model)
    job_id = client.ask()["job_id"]

    live = list(client.events(job_id))

    assert list(client.events(job_id)) == live


def test_two_readers_see_the_same(client: Client, model: ScriptedModel) -> None:
    """Two streams of one query, read in turn while it runs, give the same events."""
    slow(model)
    job_id = client.ask()["job_id"]

    pairs = list(zip(client.events(job_id), Client(client.url, client.token).events(job_id), strict=True))

    assert all(here == there for here, there in pairs)


def test_resume_in_the_middle_loses_and_doubles_nothing(client: Client, model: ScriptedModel) -> None:
    """A reader who is cut off every few events, and resumes by Last-Event-ID, has read each event once."""
    slow(model)
    job_id = client.ask()["job_id"]
    read: list[Event] = []

    while not read or read[-1].event != "end":
        last = read[-1].id if read else None
        read += islice(Client(client.url, client.token).events(job_id, last), 15)

    assert read == list(client.events(job_id))


def test_resume_after_the_end_gives_exactly_the_rest(client: Client) -> None:
    """Whatever event was the last one read, what follows is the rest and nothing else."""
    job_id = client.ask()["job_id"]
    events = list(client.events(job_id))

    # After the very last there is nothing to stream; that answer is looked at below.
    for number in range(0, len(events) - 1, 11):
        assert list(client.events(job_id, events[number].id)) == events[number + 1 :]
    assert client.call("GET", f"/queries/{job_id}/events", headers={"Last-Event-ID": events[-1].id}).status_code == 204


def test_stream_goes_on_at_another_replica(client: Client, stack: Running, model: ScriptedModel) -> None:
    """When a stream's replica is killed, another goes on from Last-Event-ID; no event is lost or doubled."""
    slow(model)
    job_id = client.ask()["job_id"]
    replica = client.call("GET", f"/queries/{job_id}").headers["X-Served-By"]
    read = list(islice(client.events(job_id), 10))

    stream = client.events(job_id, read[-1].id)
    read.append(next(stream))
    stack.kill(replica)
    with suppress(requests.RequestException):
        read += stream
    assert read[-1].event != "end", "the stream outlived its replica"
    read += Client(client.url, client.token).events(job_id, read[-1].id)

    assert read == list(client.events(job_id)) and read[-1].event == "end"
    eventually(lambda: stack.processes(replica), 20, f"{replica} runs again")


def test_events_are_replayed_when_the_live_stream_is_lost(client: Client, stack: Running) -> None:
    """When Redis has lost everything, the replay comes from the database, each text whole."""
    job_id = client.ask()["job_id"]
    live = list(client.events(job_id))
    query = client.query(job_id)

    forget(stack)
    replay = list(client.events(job_id))

    assert summary(replay) == summary(live)
    assert folded(replay) == {key: whole_text(query, key) for key in folded(live)}
    assert [event.event for event in client.events(job_id, live[-2].id)][-1:] == ["end"]


def summary(events: list[Event]) -> list[Any]:
    """What has to be told whatever the source: responses in any order, the consensus, the end."""
    told = [event.data for event in events if event.event == "response"]
    return [sorted(told, key=str), *(event.data for event in events if event.event in ("consensus", "end"))]


def whole_text(query: dict[str, Any], key: tuple[str, str]) -> str:
    """The stored text of one agent's response, or the consensus."""
    if key[0] == "consensus":
        return str(query["consensus"]["text"])
    return next(str(response["text"]) for response in query["responses"] if response["agent_id"] == key[1])


def forget(stack: Running) -> None:
    """Empty the stack's Redis."""
    with redis.Redis.from_url(stack.redis_url()) as server:
        server.flushall()


def test_silence_is_kept_alive(client: Client, model: ScriptedModel) -> None:
    """While nothing happens a comment line comes within 15 s, so that no proxy hangs up."""
    # Where Redis was emptied a moment ago, no pool has been heard, and no slow seat would be asked.
    eventually(lambda: set(client.states().values()) == {"healthy"}, 30, "every seat is healthy")
    model.script("scripted/qwen", {"delay_s": 19})
    comments: list[str] = []

    events = list(client.events(client.ask(deadline_s=40)["job_id"], comments=comments))

    assert "keep-alive" in [comment.strip() for comment in comments]
    assert events[-1].data == {"status": "done"}


def test_readers_who_leave_give_their_places_back(client: Client, model: ScriptedModel) -> None:
    """Twice as many readers as there are threads come and go while nothing happens, and each is served soon."""
    for seat in ("qwen", "mistral", "deephermes"):
        model.script(f"scripted/{seat}", {"hang": True})
    job_id = client.ask()["job_id"]

    def is_served() -> bool:
        with client.call("GET", f"/queries/{job_id}/events", stream=True) as stream:
            return stream.status_code == 200

    for number in range(120):
        eventually(is_served, 6, f"reader {number} is served")
    assert client.cancel(job_id).status_code == 202
