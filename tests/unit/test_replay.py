"""A job's events for whoever watches: exact while the stream is whole, the states from the database when it is not."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import Redis
from sqlalchemy import insert, update

from folkmoot import council, measurement, replay, submission
from folkmoot.asks import Ask
from folkmoot.events import APART, PER_MS, Event, id_at
from folkmoot.models import Base, Interaction, Response, User
from folkmoot.replay import follow, is_over, told
from folkmoot.resources import QueryResource
from folkmoot.runtime import Runtime, build, utcnow
from folkmoot.settings import Settings
from folkmoot.store import queries
from folkmoot.tail import Tail
from services.worker.analyser import Nobody
from tests.conftest import scripted_roster
from tests.scripted_model import ScriptedModel

PANEL = ["qwen", "mistral", "deephermes"]
#: What happens to a query that goes well, deltas left out.
STORY = [
    "status accepted",
    "status asking",
    "response qwen",
    "response mistral",
    "response deephermes",
    "status aggregating",
    "consensus llama3",
    "status done",
    "analysis skipped",
    "end done",
]


@pytest.fixture
def scripted(scripted_model: ScriptedModel) -> ScriptedModel:
    """The scripted models on their best behaviour."""
    scripted_model.reset()
    return scripted_model


@pytest.fixture
def runtime(
    tmp_path: Path, valkey_socket: Path, redis: Redis, scripted: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Runtime]:
    """A process' collaborators on a new SQLite file, a real valkey and the scripted models; looks are short."""
    monkeypatch.setattr(replay, "LOOK_S", 0.1)
    roster = yaml.safe_dump(scripted_roster(scripted), sort_keys=False)
    (tmp_path / "agents.yaml").write_text(roster, encoding="utf-8")
    runtime = _built(tmp_path, valkey_socket)
    Base.metadata.create_all(runtime.db.engine)
    with runtime.db.write() as connection:
        user = {"username": "ada", "folded": "ada", "password_hash": "-", "is_admin": False, "created_at": utcnow()}
        connection.execute(insert(User).values(id=1, **user))
    yield runtime
    runtime.close()


def _built(folder: Path, broker: Path, *, redis_url: str = "") -> Runtime:
    return build(
        Settings(
            database_url=f"sqlite:///{folder / 'folkmoot.db'}",
            broker_url=f"redis+socket://{broker}?virtual_host=0",
            redis_url=redis_url,
            agents_file=folder / "agents.yaml",
        )
    )


@pytest.fixture
def cut_off(runtime: Runtime, tmp_path: Path, valkey_socket: Path) -> Iterator[Runtime]:
    """Another process on the same database and broker, whose Redis for events is away."""
    other = _built(tmp_path, valkey_socket, redis_url=f"unix://{tmp_path / 'nobody.sock'}?db=0")
    yield other
    other.close()


def submitted(runtime: Runtime, **more: Any) -> str:
    """The job of a new query."""
    query, is_new = submission.submit(runtime, 1, Ask("Should we?", **more), idempotency_key=str(utcnow()))
    assert is_new
    return query.job_id


def answer(runtime: Runtime, job_id: str, *agents: str) -> None:
    """Let these agents answer, one after another."""
    for agent in agents:
        council.ask(runtime, job_id, agent)


def finish(runtime: Runtime, job_id: str) -> None:
    """Conclude and analyse."""
    council.conclude(runtime, job_id)
    measurement.analyse(runtime, job_id, Nobody().measure)


def done(runtime: Runtime) -> str:
    """A job from its beginning to its end."""
    job_id = submitted(runtime)
    answer(runtime, job_id, *PANEL)
    finish(runtime, job_id)
    return job_id


def query_of(runtime: Runtime, job_id: str) -> QueryResource:
    """The query as it is stored."""
    return queries.find(runtime.db, job_id)


def followed(runtime: Runtime, job_id: str, *, after: int = 0) -> list[Event]:
    """All events up to the end; each id above the one before, and no state twice."""
    found = [event for event in follow(runtime, job_id, after=after) if event is not None]
    assert_rising(found, after)
    assert_no_double(found)
    return found


def assert_rising(events: list[Event], after: int = 0) -> None:
    """Ids strictly increase, from above what was seen last."""
    ids = [after, *(event.id for event in events)]
    assert all(earlier < later for earlier, later in pairwise(ids)), ids


def assert_no_double(events: list[Event]) -> None:
    """No state comes twice over one connection."""
    names = states(events)
    assert len(set(names)) == len(names), names


def states(events: list[Event]) -> list[str]:
    """What the events say, in short, deltas left out."""
    return [_name(event) for event in events if not event.type.endswith(".delta")]


def _name(event: Event) -> str:
    return f"{event.type} {event.data.get('agent_id') or event.data.get('status')}"


def lose_stream(runtime: Runtime) -> None:
    """Redis loses all that it holds."""
    runtime.redis.flushall()


def test_a_whole_stream_tells_the_whole_story(runtime: Runtime) -> None:
    """From the beginning every step comes in order, and the deltas of each agent make up its text."""
    job_id = done(runtime)
    found = followed(runtime, job_id)

    assert states(found) == STORY
    for response in query_of(runtime, job_id).responses:
        pieces = [
            event.data["text"]
            for event in found
            if event.type == "response.delta" and event.data["agent_id"] == response.agent_id
        ]
        assert "".join(pieces).strip() == response.text
        assert len(pieces) >= 1


def test_a_whole_story_is_told_without_the_database(runtime: Runtime) -> None:
    """Where the stream tells every state of a query that is done, nobody looks for more."""
    job_id = done(runtime)
    Base.metadata.drop_all(runtime.db.engine)

    assert states(followed(runtime, job_id)) == STORY


def test_a_state_that_never_reached_the_stream_is_told_before_the_end(runtime: Runtime) -> None:
    """Whichever of them a worker died over, each state of a query comes once, also for whoever resumes."""
    for lost in STORY[1:-1]:
        job_id = done(runtime)
        place = next(event.id for event in followed(runtime, job_id) if _name(event) == lost)
        key, milliseconds = f"folkmoot:events:{job_id}", place // PER_MS
        assert runtime.redis.xdel(key, f"{milliseconds}-{place % PER_MS // APART}") == 1

        found = followed(runtime, job_id)
        assert sorted(states(found)) == sorted(STORY) and states(found)[-2:] == [lost, "end done"]
        assert followed(runtime, job_id, after=found[-2].id) == found[-1:]


def test_a_whole_stream_resumes_exactly_anywhere(runtime: Runtime) -> None:
    """Whatever event was seen last, what follows is exactly the rest, deltas included."""
    job_id = done(runtime)
    whole = followed(runtime, job_id)

    for place, event in enumerate(whole[:-1]):
        assert followed(runtime, job_id, after=event.id) == whole[place + 1 :]


def test_a_lost_stream_is_told_from_the_database(runtime: Runtime) -> None:
    """When the stream is gone, every state comes in order, as the API shows it, and before it its text as one delta."""
    job_id = done(runtime)
    live = followed(runtime, job_id)
    lose_stream(runtime)
    found = followed(runtime, job_id)

    assert states(found) == STORY
    told = [event.data for event in found if not event.type.endswith(".delta")]
    assert told == [event.data for event in live if not event.type.endswith(".delta")]
    deltas = [(place, event) for place, event in enumerate(found) if event.type.endswith(".delta")]
    assert [event.type for _, event in deltas] == ["response.delta"] * len(PANEL) + ["consensus.delta"]
    for place, event in deltas:
        whole = found[place + 1]
        assert whole.type == event.type.removesuffix(".delta")
        assert (whole.data["agent_id"], whole.data["text"]) == (event.data["agent_id"], event.data["text"])


def test_without_redis_the_story_is_told_all_the_same(runtime: Runtime, cut_off: Runtime) -> None:
    """A replica whose Redis is away tells an ended query from the database."""
    assert states(followed(cut_off, done(runtime))) == STORY


def test_a_query_that_ran_without_redis_is_told(cut_off: Runtime) -> None:
    """A query that no event of was ever streamed can be watched to its end."""
    job_id = submitted(cut_off)
    answer(cut_off, job_id, *PANEL)
    finish(cut_off, job_id)

    assert states(followed(cut_off, job_id)) == STORY


@pytest.mark.parametrize("seen", range(10))
def test_a_lost_stream_resumes_above_what_was_seen(seen: int, runtime: Runtime) -> None:
    """After any live event, the states that were missed come, with higher ids, and the end comes last."""
    job_id = done(runtime)
    live = [event for event in followed(runtime, job_id) if not event.type.endswith(".delta")]
    lose_stream(runtime)
    found = followed(runtime, job_id, after=live[seen].id)

    assert set(STORY[seen + 1 :]) <= set(states(found))
    assert found[-1].type == "end"


@pytest.mark.parametrize("steps", range(1, 7))
def test_a_stream_that_is_lost_on_the_way_repeats_nothing(steps: int, runtime: Runtime) -> None:
    """Whoever watches while Redis loses the stream hears every state once, in an order that makes sense."""
    job_id = submitted(runtime)
    answer(runtime, job_id, *PANEL)
    council.conclude(runtime, job_id)
    watched: list[Event] = []
    watching = follow(runtime, job_id, after=0)
    while len(states(watched)) < steps:
        watched.append(_heard(watching))
    lose_stream(runtime)
    measurement.analyse(runtime, job_id, Nobody().measure)
    watched += _rest(watching)

    assert_rising(watched)
    assert_no_double(watched)
    assert sorted(states(watched)) == sorted(STORY)
    assert watched[-1].type == "end"


@pytest.mark.parametrize("silent_looks", [0, 1])
def test_words_are_not_told_twice_when_the_stream_is_lost_in_a_look(
    silent_looks: int, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has heard words of a text is not told the whole of it as more words: its state has it whole."""
    job_id = done(runtime)
    story = followed(runtime, job_id)
    heard = next(event for event in story if event.type == "consensus.delta")
    later = [f"{event.id // PER_MS}-{event.id % PER_MS // APART}" for event in story if event.id > heard.id]
    runtime.redis.xdel(f"folkmoot:events:{job_id}", *later)
    looks: list[int] = []

    def nothing(_tail: Tail, **_: int) -> list[Event]:
        looks.append(len(looks))
        if len(looks) > silent_looks:
            lose_stream(runtime)
        return []

    monkeypatch.setattr(Tail, "read", nothing)
    found = followed(runtime, job_id, after=heard.id)

    assert looks == list(range(silent_looks + 1))
    assert [event for event in found if event.type.endswith(".delta")] == []
    assert "consensus llama3" in states(found) and found[-1].type == "end"


def _rest(watching: Iterator[Event | None]) -> list[Event]:
    return [event for event in watching if event is not None]


def test_each_step_is_heard_without_a_stream(cut_off: Runtime) -> None:
    """With Redis away, a watcher hears of each step when it has happened, not only at the end."""
    job_id = submitted(cut_off)
    watching = follow(cut_off, job_id, after=0)
    heard = [_heard(watching)]
    steps: list[Callable[[], None]] = [
        *(lambda agent=agent: answer(cut_off, job_id, agent) for agent in PANEL),
        lambda: finish(cut_off, job_id),
    ]
    for step in steps:
        step()
        heard.append(_heard(watching))
    heard += _rest(watching)

    assert states(heard[:5]) == STORY[:5]
    assert_rising(heard)
    assert_no_double(heard)
    assert sorted(states(heard)) == sorted(STORY)


def _heard(watching: Iterator[Event | None]) -> Event:
    event = next(watching)
    assert event is not None
    return event


def test_a_response_is_told_soon_after_a_long_wait(runtime: Runtime) -> None:
    """When the stream is lost while slow agents still think, the first response is told before the end, too."""
    job_id = submitted(runtime)
    answer(runtime, job_id, "qwen")
    _made_earlier(runtime, job_id, seconds=20)
    lose_stream(runtime)
    just_before = id_at(utcnow()) - 1000 * PER_MS

    assert "response qwen" in states(list(told(runtime, job_id, after=just_before, seen=set())))


def _made_earlier(runtime: Runtime, job_id: str, *, seconds: float) -> None:
    created_at = query_of(runtime, job_id).created_at - timedelta(seconds=seconds)
    with runtime.db.write() as connection:
        connection.execute(update(Interaction).where(Interaction.job_id == job_id).values(created_at=created_at))


def test_an_end_that_the_stream_has_lost_is_told(runtime: Runtime, cut_off: Runtime) -> None:
    """A stream that looks whole but was never told the end does not keep its watcher for ever."""
    job_id = submitted(runtime)
    answer(runtime, job_id, *PANEL)
    finish(cut_off, job_id)
    found = followed(runtime, job_id)

    assert states(found) == STORY


def test_a_failed_query_ends(runtime: Runtime, scripted: ScriptedModel) -> None:
    """A query without a quorum is told to its end, live and from the database alike."""
    for seat in PANEL[:2]:
        scripted.script(f"scripted/{seat}", {"status": 500, "error": "broken"})
    job_id = submitted(runtime)
    answer(runtime, job_id, *PANEL)
    live = followed(runtime, job_id)
    lose_stream(runtime)

    expected = [*STORY[:5], "status failed", "end failed"]
    assert states(live) == expected
    assert states(followed(runtime, job_id)) == expected


def test_a_cancelled_query_ends(runtime: Runtime) -> None:
    """A query that was cancelled on the way is told to its end, live and from the database alike."""
    job_id = submitted(runtime)
    answer(runtime, job_id, "qwen")
    submission.cancel(runtime, 1, job_id)
    live = followed(runtime, job_id)
    lose_stream(runtime)

    expected = [*STORY[:5], "status cancelled", "end cancelled"]
    assert states(live) == expected
    assert states(followed(runtime, job_id)) == expected
    assert [event.data["status"] for event in live if event.type == "response"] == ["ok", "cancelled", "cancelled"]


def test_a_query_that_was_deleted_ends_for_its_watcher(runtime: Runtime) -> None:
    """Whoever watches a query while it is deleted is told so, once."""
    job_id = submitted(runtime)
    answer(runtime, job_id, "qwen")
    watching = follow(runtime, job_id, after=0)
    first = _heard(watching)
    submission.delete(runtime, 1, job_id)
    rest = _rest(watching)

    assert_rising([first, *rest])
    assert _name(rest[-1]) == "end deleted"


def test_a_failed_consensus_is_voided(runtime: Runtime, scripted: ScriptedModel) -> None:
    """Half a consensus that broke off is followed by a reset, before another seat's words come."""
    scripted.script("scripted/llama3", {"cut_after_tokens": 5}, stage="consensus")
    job_id = submitted(runtime)
    answer(runtime, job_id, *PANEL)
    finish(runtime, job_id)
    told_of = [
        (event.type, event.data["agent_id"])
        for event in followed(runtime, job_id)
        if event.type in ("consensus.delta", "reset", "consensus")
    ]

    by_type = list(dict.fromkeys(told_of))
    assert by_type[:2] == [("consensus.delta", "llama3"), ("reset", "llama3")]
    assert by_type[2][0] == "consensus.delta"
    assert by_type[2][1] != "llama3"
    assert by_type[-1] == ("consensus", query_of(runtime, job_id).aggregator.used)


def test_whoever_saw_the_end_has_nothing_to_wait_for(runtime: Runtime) -> None:
    """From the id of the end on a query is over; at any event before, and while it runs, it is not."""
    job_id = submitted(runtime)
    assert not is_over(runtime, job_id, after=10**19)

    answer(runtime, job_id, *PANEL)
    finish(runtime, job_id)
    found = followed(runtime, job_id)
    assert is_over(runtime, job_id, after=found[-1].id)
    assert is_over(runtime, job_id, after=found[-1].id + 1)
    assert not is_over(runtime, job_id, after=found[-2].id)
    assert not is_over(runtime, job_id, after=0)


def test_whoever_saw_the_end_has_nothing_to_wait_for_without_a_stream(runtime: Runtime) -> None:
    """The end that was told from the database is an end too: nobody who saw it is told the story again."""
    job_id = done(runtime)
    lose_stream(runtime)
    found = followed(runtime, job_id)

    assert is_over(runtime, job_id, after=found[-1].id)
    assert not is_over(runtime, job_id, after=0)


@pytest.mark.parametrize("seen", ["consensus llama3", "status done", "analysis skipped", "end done"])
def test_an_end_after_live_events_is_an_end_without_a_stream(seen: str, runtime: Runtime) -> None:
    """Who saw live events, lost the stream and was told the end from the database is not told it for ever."""
    job_id = done(runtime)
    live = followed(runtime, job_id)
    last_seen = next(event for event in live if _name(event) == seen)
    lose_stream(runtime)
    found = followed(runtime, job_id, after=last_seen.id)

    assert is_over(runtime, job_id, after=found[-1].id)


def test_without_redis_nobody_is_sent_away(runtime: Runtime, cut_off: Runtime) -> None:
    """While a query runs and Redis is away, nobody is told that it is over."""
    assert not is_over(cut_off, submitted(runtime), after=10**19)


def test_silence_is_broken_now_and_then(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher of a query on which nothing happens gets a sign of life, so that proxies stay open."""
    monkeypatch.setattr(replay, "KEEP_ALIVE_S", 0.2)
    job_id = submitted(runtime)
    watching = follow(runtime, job_id, after=0)

    assert _name(_heard(watching)) == "status accepted"
    assert [next(watching), next(watching)] == [None, None]


def test_an_id_from_the_future_is_no_error(runtime: Runtime) -> None:
    """A Last-Event-ID that no event can have had ends with the end of the query, above that id."""
    job_id = done(runtime)
    lose_stream(runtime)
    after = 10**20 - 2

    assert states(followed(runtime, job_id, after=after)) == ["end done"]


def test_states_lie_where_the_live_ones_lay(runtime: Runtime) -> None:
    """Ids that are told from the database are on the scale of the live ones: between beginning and end, nearly."""
    job_id = done(runtime)
    live = followed(runtime, job_id)
    lose_stream(runtime)
    found = followed(runtime, job_id)
    query = query_of(runtime, job_id)

    assert found[0].id == id_at(query.created_at)
    assert query.finished_at is not None
    assert _near(found[-1].id, query.finished_at)
    assert _near(live[-1].id, query.finished_at)


def _near(event_id: int, moment: datetime) -> bool:
    return abs(event_id - id_at(moment)) < 2000 * PER_MS


def test_seen_states_are_left_out(runtime: Runtime) -> None:
    """What a connection has told already is not told again, whatever else is."""
    job_id = done(runtime)
    seen = {("status", "accepted"), ("response", "mistral"), ("consensus", "llama3")}
    found = list(told(runtime, job_id, after=0, seen=seen))

    left = [name for name in STORY if name not in ("status accepted", "response mistral", "consensus llama3")]
    assert states(found) == left
    assert_rising(found)


@pytest.mark.parametrize(
    ("said", "rest"),
    [
        ("", "whole"),
        ("Ye", "s, for it helps."),
        (" Ye", "s, for it helps."),
        ("Yes, for it helps.", None),
        ("No", None),
    ],
)
def test_what_was_said_of_a_text_is_not_said_again(runtime: Runtime, said: str, rest: str | None) -> None:
    """A state that its worker could not tell brings the rest of its text; nothing where that is not a rest of it."""
    job_id = done(runtime)
    with runtime.db.write() as connection:
        of_mistral = (Response.job_id == job_id, Response.agent_id == "mistral")
        connection.execute(update(Response).where(*of_mistral).values(text="Yes, for it helps."))
    seen = {("response", "qwen"), ("response", "deephermes"), ("consensus", "llama3")}
    spoken = {("response", "mistral"): (7, said)} if said else {}

    found = list(told(runtime, job_id, after=0, seen=seen, spoken=spoken))

    deltas = [event.data for event in found if event.type.endswith(".delta")]
    whole = {"agent_id": "mistral", "attempt": 1, "text": "Yes, for it helps."}
    rests = {"whole": [whole], None: []}
    assert deltas == rests.get(rest, [{"agent_id": "mistral", "attempt": 7, "text": rest}])
