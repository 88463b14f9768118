"""A job's events for whoever watches: live from Redis while its stream is whole, else told from the database."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

from redis.exceptions import RedisError

from folkmoot.errors import NotFound
from folkmoot.events import APART, PER_MS, Event, id_at
from folkmoot.resources import ENDED, QueryResource
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import queries
from folkmoot.tail import Tail

#: How long one wait for a live event lasts.
LOOK_S = 1.0
#: After so many silent ones the database is asked whether the query has ended.
PATIENT_LOOKS = 1
#: A comment line keeps proxies open when nothing happens for 15 s; it comes after a look, which may take two of them.
KEEP_ALIVE_S = 15.0 - LOOK_S
#: A retelling repeats what may have been told this shortly before the last event that was seen.
OVERLAP_IDS = 5000 * PER_MS

#: The number within its millisecond by which an end that was told from the database is known again.
TOLD_END = PER_MS - 1
#: A type of event and what it is about, such as ("response", "qwen").
State = tuple[str, str]
#: What deltas have said of a response or a consensus: the number of the attempt, and its words so far.
Spoken = Mapping[State, tuple[int, str]]
#: What a query that ends as done has been.
DONE: set[State] = {("status", status) for status in ("accepted", "asking", "aggregating", "done")}

log = logging.getLogger(__name__)


def follow(
    runtime: Runtime, job_id: str, *, after: int, is_wanted: Callable[[], bool] = lambda: True
) -> Iterator[Event | None]:
    """The events of `batches`, one by one; None now and then when nothing happens."""
    found = batches(runtime, job_id, after=after, is_wanted=is_wanted)
    yield from next(found, [])
    for events in found:
        if events:
            yield from events
        else:
            yield None


def batches(
    runtime: Runtime, job_id: str, *, after: int, is_wanted: Callable[[], bool] = lambda: True
) -> Iterator[list[Event]]:
    """The events of a job after this id, up to its end, those together that are there together.

    The first batch comes at once, and is empty when nothing is there; later ones are when nothing happens for a while.

    It stops before the end when nothing has happened for a look and `is_wanted` says that nobody listens any more.

    While the live stream is whole, resuming gives what was missed and nothing twice; a state that never reached the
    stream, because a worker died before it could tell it, is told from the database before the end. When the stream has
    expired or was lost, all states are told from the database, with deltas folded into whole texts.
    """
    last, active_at, silent_looks, is_open = after, time.monotonic(), 0, False
    seen = _states_in(_before(runtime, job_id, after))
    with closing(Tail(runtime.redis, job_id)) as tail:
        while True:
            for events in _look(runtime, tail, job_id, last, seen, is_patient=silent_looks < PATIENT_LOOKS):
                if events:
                    last, active_at, silent_looks = events[-1].id, time.monotonic(), -1
                    seen |= _states_in(events)
                if events or not is_open:
                    is_open = True
                    yield events
                if events and events[-1].type == "end":
                    return
            silent_looks += 1
            if not is_wanted():
                return
            if time.monotonic() - active_at >= KEEP_ALIVE_S:
                active_at = time.monotonic()
                yield []


def _before(runtime: Runtime, job_id: str, after: int) -> list[Event]:
    """What whoever resumes after this id has seen."""
    try:
        return runtime.events.until(job_id, after) if after else []
    except (RedisError, OSError):
        return []


def _look(
    runtime: Runtime, tail: Tail, job_id: str, last: int, seen: set[State], *, is_patient: bool
) -> Iterator[list[Event]]:
    """One look for events: live ones for as long as they come, or the states that the stream has lost.

    What is there comes first, perhaps nothing. A whole stream that stays silent about a query's end has lost it too;
    only a later such look (`is_patient` is false then) says so, because the end is told a moment after it is stored.
    """
    responses, events = _begun(tail, last)
    is_whole = responses is not None
    if responses is not None:
        try:
            yield from _to_the_end(runtime, job_id, events, last=last, seen=seen, responses=responses)
            last = events[-1].id if events else last
            while events := tail.read(after=last, block_ms=int(LOOK_S * 1000)):
                yield from _to_the_end(runtime, job_id, events, last=last, seen=seen, responses=responses)
                last = events[-1].id
        except (RedisError, OSError) as error:
            log.warning("events of job %s are told from the database: %s", job_id, error)
            is_whole = False
    if is_whole and is_patient:
        return
    before = _before(runtime, job_id, last) if is_whole else []
    # A stream that was whole a moment ago may have expired since: what it had said by then is not known any more.
    spoken = _spoken(before) if before or last == 0 else None
    states = list(told(runtime, job_id, after=last, seen=seen, spoken=spoken))
    if is_whole and not any(event.type == "end" for event in states):
        return
    yield states
    if not states and not is_whole:
        time.sleep(LOOK_S / 4)


def _begun(tail: Tail, last: int) -> tuple[int | None, list[Event]]:
    try:
        return tail.begin(after=last)
    except (RedisError, OSError):
        return None, []


def _to_the_end(
    runtime: Runtime, job_id: str, events: list[Event], *, last: int, seen: set[State], responses: int
) -> Iterator[list[Event]]:
    """Events of a whole stream, up to the job's end; before that come the states that it lacks.

    Raises:
        RedisError: Redis does not answer.
    """
    place = next((place for place, event in enumerate(events) if event.type == "end"), None)
    if place is None:
        yield events
        return
    before, end = events[:place], events[place]
    if _is_told(seen | _states_in(before), responses):
        yield [*before, end]
        return
    yield before
    last = before[-1].id if before else last
    yield [*(one for one in _untold(runtime, job_id, end=end.id) if one.id > last), end]


def _untold(runtime: Runtime, job_id: str, *, end: int) -> Iterator[Event]:
    """The states of an ended job that its whole stream lacks; each has, before the end, the id that it always has.

    Raises:
        RedisError: Redis does not answer.
    """
    stream = runtime.events.until(job_id, end)
    seen = _states_in(stream)
    states = told(runtime, job_id, after=0, seen=seen, spoken=_spoken(stream))
    missing = [event for event in states if event.type != "end"]
    first = max([end - APART, *(event.id for event in stream[:-1])]) + 1
    for place, event in enumerate(missing[: end - first]):
        yield Event(first + place, event.type, event.data)


def _is_told(seen: set[State], responses: int) -> bool:
    """Whether these are all the states of a query that ends as done, so that the database need not be asked."""
    types = [type_ for type_, _ in seen]
    is_measured = "consensus" in types and "analysis" in types
    return is_measured and types.count("response") == responses and seen >= DONE


def is_over(runtime: Runtime, job_id: str, *, after: int) -> bool:
    """Whether whoever saw this id has seen the job's end, so that there is nothing to wait for."""
    if any(event.type == "end" for event in _before(runtime, job_id, after)):
        return True
    *_, last = told(runtime, job_id, after=0, seen=set())
    return last.type == "end" and after % PER_MS == TOLD_END


def told(
    runtime: Runtime, job_id: str, *, after: int, seen: set[State], spoken: Spoken | None = None
) -> Iterator[Event]:
    """The events that a query's record stands for, oldest first, with ids above `after`, without those `seen`.

    States that came more than a few seconds before `after` are left out too: whoever saw `after` saw them.

    Args:
        spoken: what deltas have said so far; what is left of each text comes as one more. None leaves deltas out.
    """
    try:
        query = queries.find(runtime.db, job_id)
    except NotFound:
        yield Event(after + 1, "end", {"status": "deleted"})
        return
    horizon = after - OVERLAP_IDS
    for moment, type_, whole in _states(query):
        is_delta = type_.endswith(".delta")
        data = whole if not is_delta else None if spoken is None else _rest(type_, whole, seen, spoken)
        if data is None:
            continue
        if _state_of(type_, data) not in seen and (moment > horizon or type_ == "end"):
            after = max(after + 1, moment)
            if type_ == "end":
                after += TOLD_END - after % PER_MS
            yield Event(after, type_, data)


def _spoken(events: Iterable[Event]) -> Spoken:
    """What the deltas among these events add up to, where no reset has taken it back."""
    found: dict[State, tuple[int, str]] = {}
    for event in events:
        stage, _, delta = event.type.partition(".")
        if event.type == "reset":
            stage = event.data["stage"]
        elif delta != "delta":
            continue
        whose, number = (stage, event.data["agent_id"]), event.data["attempt"]
        before = found.get(whose, (number, ""))
        if event.type != "reset":
            found[whose] = (number, (before[1] if before[0] == number else "") + event.data["text"])
        elif before[0] == number:
            found.pop(whose, None)
    return found


def _rest(type_: str, data: dict[str, Any], seen: set[State], spoken: Spoken) -> dict[str, Any] | None:
    """The delta that makes what was said of a text whole; None where nothing is missing, or nothing could be added."""
    whose = (type_.partition(".")[0], data["agent_id"])
    if whose in seen:
        return None
    if whose not in spoken:
        return data
    number, said = spoken[whose]
    said, text = said.lstrip(), data["text"]
    if not text.startswith(said) or text == said:
        return None
    return {**data, "attempt": number, "text": text[len(said) :]}


def _states_in(events: Iterable[Event]) -> set[State]:
    return {_state_of(event.type, event.data) for event in events if not event.type.endswith(".delta")}


def _state_of(type_: str, data: dict[str, Any]) -> State:
    """What tells one state of a job from another: its type, and whose or which it is."""
    return type_, str(data.get("agent_id") or data.get("status"))


def _states(query: QueryResource) -> Iterator[tuple[int, str, dict[str, Any]]]:
    begun = id_at(query.created_at)
    ended = id_at(query.finished_at or utcnow())
    yield begun, "status", {"status": "accepted"}
    if any(response.attempts for response in query.responses):
        yield begun, "status", {"status": "asking"}
    for response in query.responses:
        if response.status != "pending":
            yield from _folded(ended, "response", response.agent_id, response.attempts, response.text)
            yield ended, "response", response.as_json()
    if query.status == "aggregating" or query.consensus is not None:
        yield ended, "status", {"status": "aggregating"}
    if query.consensus is not None:
        yield from _folded(ended, "consensus", query.consensus.agent_id, 1, query.consensus.text)
        yield ended, "consensus", query.consensus.as_json()
    if query.status not in ENDED:
        return
    yield ended, "status", {"status": query.status}
    if query.analysis.status == "pending":
        return
    if query.status == "done":
        yield ended, "analysis", query.analysis.as_json()
    yield ended, "end", {"status": query.status}


def _folded(
    moment: int, stage: str, agent_id: str, attempt: int, text: str | None
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    if text:
        yield moment, f"{stage}.delta", {"agent_id": agent_id, "attempt": attempt, "text": text}
