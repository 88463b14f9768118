"""The story with everything real but the models' wits: failing seats, failing aggregators, lost claims, lost hints."""

import errno
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import create_engine, text, update

from folkmoot import council, dispatch, measurement, sqlite, submission
from folkmoot import db as database
from folkmoot.asks import Ask
from folkmoot.breaker import Circuit
from folkmoot.errors import IdempotencyMismatch, InvalidRequest, NotFound, Unavailable
from folkmoot.events import Event
from folkmoot.health import Signs
from folkmoot.models import Interaction, Response
from folkmoot.resources import QueryResource
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import asking, history, queries
from folkmoot.sweep import sweep
from services.worker.analyser import Nobody
from tests.scripted_model import ScriptedModel
from tests.stack import ROOT, eventually, free_port
from tests.store import rows
from tests.store.pool import MakeRuntime, events, sweep_until_ended, taken, work
from tests.store.raw_answer import RawAnswer, chunk, stream
from tests.store.rows import at_once

QUESTION = "Should voting be compulsory? #case-c1"
LONG = "word " * 400
MARK = "zx81marker"


def submit(runtime: Runtime, user_id: int, key: str = "k", **more: Any) -> str:
    """Accept a query."""
    return submission.submit(runtime, user_id, Ask(QUESTION, **more), idempotency_key=key)[0].job_id


def asked(runtime: Runtime, user_id: int, **more: Any) -> QueryResource:
    """A query after all that its hints bring about."""
    job_id = submit(runtime, user_id, **more)
    work(runtime)
    return queries.find(runtime.db, job_id)


def deltas(told: list[Event], stage: str) -> dict[str, str]:
    """What somebody has in the end who adds deltas up and obeys resets, by agent."""
    texts: dict[tuple[str, int], str] = {}
    for event in told:
        key = (str(event.data.get("agent_id")), int(event.data.get("attempt", 0)))
        if event.type == f"{stage}.delta":
            texts[key] = texts.get(key, "") + event.data["text"]
        if event.type == "reset" and event.data["stage"] == stage:
            texts.pop(key, None)
    kept: dict[str, str] = {}
    for (agent_id, _), piece in texts.items():
        kept[agent_id] = kept.get(agent_id, "") + piece
    return kept


@contextmanager
def background(act: Callable[[], object]) -> Iterator[threading.Thread]:
    """Something that goes on in another thread, and is over by the end; its error is raised here."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield thread
    thread.join(15)
    assert not thread.is_alive(), "still going on"
    assert not errors, errors


def test_query_goes_from_question_to_analysis(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """With everybody well, each seat is asked once, the aggregator concludes once, and the events tell it in order."""
    query = asked(runtime, user_id)

    assert query.status == "done" and not query.degraded and query.notes == []
    assert [one.status for one in query.responses] == ["ok"] * 3
    assert query.consensus is not None and query.consensus.text.startswith("Taken together")
    assert query.aggregator.used == "llama3" and query.analysis.status == "skipped"
    assert len(model.calls(stage="response")) == 3 and len(model.calls(stage="consensus")) == 1
    told = events(runtime, query.job_id)
    steps = [event.data["status"] for event in told if event.type == "status"]
    assert steps == ["accepted", "asking", "aggregating", "done"]
    assert told[-1].type == "end" and [event.id for event in told] == sorted({event.id for event in told})
    assert deltas(told, "consensus") == {"llama3": query.consensus.text}
    assert deltas(told, "response") == {one.agent_id: one.text for one in query.responses}


def test_seats_are_at_it_while_the_disk_takes_the_query(
    runtime: Runtime, user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's log is waited for before the query is told of as accepted, and the hints are out by then."""
    if not runtime.db.is_sqlite:
        pytest.skip("PostgreSQL waits for its disk at the commit")
    found: list[list[tuple[str, list[str]]]] = []
    to_disk = os.fdatasync

    def waits(file: int) -> None:
        found.append(taken(runtime))
        assert Path(f"/proc/self/fd/{file}").readlink().name.endswith("-wal")
        to_disk(file)

    monkeypatch.setattr(os, "fdatasync", waits)
    job_id = submit(runtime, user_id)

    assert found == [[("folkmoot.ask", [job_id, seat]) for seat in ("qwen", "mistral", "deephermes")]]
    assert submit(runtime, user_id) == job_id
    assert len(found) == 2, "nor is it told again before the disk has it"


def test_a_query_that_the_disk_does_not_take_is_not_told_as_accepted(
    runtime: Runtime, user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says so, nothing is lost, and the same request is told of once the disk has it."""
    if not runtime.db.is_sqlite:
        pytest.skip("PostgreSQL waits for its disk at the commit")

    def breaks(file: int) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO), file)

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", breaks)
        for _ in range(2):
            with pytest.raises(Unavailable, match="disk"):
                submit(runtime, user_id)
    work(runtime)

    query = queries.find(runtime.db, submit(runtime, user_id))
    assert query.status == "done"
    assert len(list(history.all_of(runtime.db, user_id))) == 1


def test_a_database_without_a_log_has_nothing_to_wait_for(tmp_path: Path) -> None:
    """SQLite's last connection takes the log along when it closes."""
    database.Database(f"sqlite:///{tmp_path}/closed.db").sync()


def test_the_log_that_is_waited_for_is_the_real_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's log lies beside the database, also where a link leads there; one that cannot be opened is told of."""
    (tmp_path / "volume").mkdir()
    real, link = tmp_path / "volume" / "real.db", tmp_path / "link.db"
    link.symlink_to(real)
    db = database.Database(f"sqlite:///{link}")
    with db.write(synced=False) as connection:
        connection.execute(text("CREATE TABLE kept (id INTEGER)"))
    synced = list[str]()
    monkeypatch.setattr(os, "fdatasync", lambda file: synced.append(str(Path(f"/proc/self/fd/{file}").readlink())))
    db.sync()

    assert synced == [f"{real}-wal"]

    def has_no_more(*_: object) -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as used_up:
        used_up.setattr(os, "open", has_no_more)
        with pytest.raises(Unavailable, match="disk"):
            db.sync()
    db.close()


def test_an_analysis_that_breaks_down_costs_no_query(runtime: Runtime, user_id: int) -> None:
    """An analyser that raises leaves a failed analysis with a reason; the consensus stands and the events end."""
    job_id = submit(runtime, user_id)
    for seat in ("qwen", "mistral", "deephermes"):
        council.ask(runtime, job_id, seat)
    council.conclude(runtime, job_id)

    def break_down(asked: measurement.Measurable) -> NoReturn:
        raise ZeroDivisionError(asked.query)

    measurement.analyse(runtime, job_id, break_down)

    query = queries.find(runtime.db, job_id)
    assert query.status == "done" and query.consensus is not None
    assert query.analysis.status == "failed" and "broke down" in str(query.analysis.reason)
    assert [event.type for event in events(runtime, job_id)][-2:] == ["analysis", "end"]


def test_hints_that_come_twice_change_nothing(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """Each step performed three times, also at the same moment, asks each model once and ends the same."""
    job_id = submit(runtime, user_id)
    for seat in ("qwen", "mistral", "deephermes"):
        at_once(*[lambda seat=seat: council.ask(runtime, job_id, seat)] * 3)
    at_once(*[lambda: council.conclude(runtime, job_id)] * 3)
    at_once(*[lambda: measurement.analyse(runtime, job_id, Nobody().measure)] * 3)
    work(runtime)

    assert queries.find(runtime.db, job_id).status == "done"
    assert len(model.calls()) == 4
    assert [event.type for event in events(runtime, job_id)].count("end") == 1


def test_same_request_is_hinted_once(runtime: Runtime, user_id: int) -> None:
    """Eight gateways that get one request at the same moment make one query with one hint a seat."""
    made = at_once(*[lambda: submit(runtime, user_id)] * 8)

    assert len(set(made)) == 1 and len(taken(runtime)) == 3
    with pytest.raises(IdempotencyMismatch):
        submit(runtime, user_id, domain="Policy")


FAILURES: dict[str, tuple[dict[str, Any], str, str]] = {
    "500": ({"status": 500, "error": MARK}, "failed", "HTTP 500"),
    "429": ({"status": 429, "error": MARK}, "failed", "HTTP 429"),
    "hang": ({"hang": True}, "timed_out", "no whole answer"),
    "hang in mid-stream": ({"text": f"{MARK} {LONG}", "hang_after_tokens": 3}, "timed_out", "no whole answer"),
    "cut": ({"text": f"{MARK} {LONG}", "cut_after_tokens": 3}, "failed", "cut off"),
    "empty": ({"empty": True}, "failed", "nothing"),
    "error as text": ({"text": f"Error: rate limit exceeded {MARK}"}, "failed", "error as text"),
    "error object as text": ({"text": f'{{"error": {{"message": "{MARK}"}}}}'}, "failed", "error as text"),
    "error in mid-stream": ({"text": f"{MARK} {LONG}", "error_after_tokens": 3}, "failed", "mid-stream"),
    "page": ({"content_type_html": True}, "failed", "could not be read"),
    "broken json": ({"broken_json": True}, "failed", "could not be read"),
}


@pytest.mark.parametrize("kind", [*FAILURES, "refused"])
def test_failing_seat_is_told_and_left_out(make_runtime: MakeRuntime, model: ScriptedModel, kind: str) -> None:
    """Whatever a seat's failure, its reason is stored as one, the others conclude, and no prompt holds it."""
    runtime = make_runtime(lambda roster: roster["seats"]["mistral"].update(timeout_s=0.5), lease_s=5)
    user_id = _user(runtime)
    step, status, reason = FAILURES.get(kind, ({}, "failed", "no connection"))
    if kind == "refused":
        model.refuse("mistral")
    else:
        model.script("scripted/mistral", step)

    query = asked(runtime, user_id)

    assert query.status == "done" and query.degraded and query.consensus is not None
    row = next(one for one in query.responses if one.agent_id == "mistral")
    assert (row.status, row.text, row.attempts) == (status, None, 1)
    assert row.error and reason in row.error and any(reason in note for note in query.notes)
    [synthesis] = model.calls(stage="consensus")
    assert MARK not in synthesis.prompt and row.error not in synthesis.prompt
    assert MARK not in query.consensus.text
    assert sorted(deltas(events(runtime, query.job_id), "response")) == ["deephermes", "qwen"]


def _user(runtime: Runtime) -> int:
    return rows.user(runtime.db, "hopper")


def test_below_quorum_the_query_fails_with_each_reason(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """When too few answer the query fails at once, with every seat's own reason, and nobody has to conclude."""
    model.script("scripted/qwen", {"status": 500, "error": "qwen broke"})
    model.script("scripted/mistral", {"status": 503, "error": "mistral broke"})

    query = asked(runtime, user_id)

    assert query.status == "failed" and query.consensus is None
    assert [note for note in query.notes if "qwen broke" in note] and [n for n in query.notes if "mistral broke" in n]
    assert "No consensus: 1 of the panel answered, and 2 are needed." in query.notes
    assert model.calls(stage="consensus") == [] and events(runtime, query.job_id)[-1].type == "end"


def test_one_response_stands_by_itself(make_runtime: MakeRuntime, model: ScriptedModel) -> None:
    """With one answer and a quorum of one, that answer stands, said to be one agent's, and nothing is synthesised."""
    runtime = make_runtime(quorum=1)
    model.script("scripted/qwen", {"status": 500})
    model.script("scripted/mistral", {"status": 500})

    query = asked(runtime, _user(runtime))

    assert query.status == "done" and query.consensus is not None
    assert (query.consensus.agent_id, query.aggregator.used) == ("deephermes", None)
    assert query.consensus.text == query.responses[2].text
    assert any("one agent's answer" in note for note in query.notes)
    assert len(model.calls()) == 3


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "500": ({"status": 500, "error": MARK}, "HTTP 500"),
    "hang": ({"hang": True}, "no whole answer"),
    "cut": ({"text": f"{MARK} {LONG}", "cut_after_tokens": 3}, "cut off"),
    "empty": ({"empty": True}, "nothing"),
    "error as text": ({"text": f"Internal server error: {MARK}"}, "error as text"),
    "echo": ({"echo": True}, "repeated its prompt"),
    "refusal": ({"text": f"I'm sorry, but I can't help with that. {MARK}"}, "refused"),
    "stub": ({"text": "Yes."}, "stub"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_failing_aggregator_is_replaced(make_runtime: MakeRuntime, model: ScriptedModel, kind: str) -> None:
    """Whatever the aggregator's failure, the next seat concludes, the note says why, and its words are void."""
    runtime = make_runtime(lambda roster: roster["seats"]["llama3"].update(timeout_s=0.5), lease_s=5)
    step, reason = REFUSALS[kind]
    model.script("scripted/llama3", step, stage="consensus")

    query = asked(runtime, _user(runtime), agents=("qwen", "mistral"))

    assert query.status == "done" and query.degraded and query.consensus is not None
    assert (query.aggregator.used, query.aggregator.failed_over) == ("deephermes", True)
    assert any(note.startswith("llama3 could not conclude") and reason in note for note in query.notes), query.notes
    second = [call for call in model.calls() if call.model == "scripted/deephermes"]
    assert len(second) == 1 and MARK not in second[0].prompt and reason not in second[0].prompt
    assert deltas(events(runtime, query.job_id), "consensus") == {"deephermes": query.consensus.text}


def tried(model: ScriptedModel) -> list[str]:
    """The seats that were asked to conclude, in order."""
    return [call.model.removeprefix("scripted/") for call in model.calls(stage="consensus")]


def all_refuse(model: ScriptedModel) -> None:
    """Let nobody conclude."""
    for seat in ("qwen", "mistral", "deephermes", "llama3"):
        model.script(f"scripted/{seat}", {"status": 500, "error": f"{seat} broke"}, stage="consensus")


def test_aggregators_are_tried_outside_the_panel_first(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """The one asked for, then seats outside the panel, then the panel; when all fail, the query does, with reasons."""
    all_refuse(model)

    query = asked(runtime, user_id, agents=("qwen", "mistral"), aggregator="mistral")

    assert tried(model) == ["mistral", "llama3", "deephermes", "qwen"]
    assert query.status == "failed" and query.consensus is None
    for seat in ("mistral", "llama3", "deephermes", "qwen"):
        assert any(note.startswith(f"{seat} could not conclude") and f"{seat} broke" in note for note in query.notes)
    assert deltas(events(runtime, query.job_id), "consensus") == {}


def test_failed_and_unhealthy_seats_are_tried_last(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """Health goes before place: a healthy seat of the panel concludes rather than a failed one outside it."""
    all_refuse(model)
    now = utcnow().timestamp()
    bad = {"llama3": Circuit(errors=2), "deephermes": Circuit(errors=3, open_until=now)}
    signs = {seat: Signs({"w": now}, [bad.get(seat, Circuit())]) for seat in runtime.roster.seats}
    runtime.health.refresh(signs, now=now, started_at=now)

    asked(runtime, user_id, agents=("qwen", "mistral"))

    assert tried(model) == ["qwen", "mistral", "llama3", "deephermes"]


def test_draft_gives_way_to_a_whole_text_of_another_model(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """A consensus that ran out of length gives way to a whole one, and nobody who watches keeps both."""
    cut_short = {"text": "A first whole sentence of it. And then it", "finish_reason": "length"}
    model.script("scripted/llama3", cut_short, stage="consensus")

    query = asked(runtime, user_id)

    assert query.consensus is not None and query.aggregator.used == query.consensus.agent_id == "qwen"
    assert query.consensus.text.startswith("Taken together")
    assert deltas(events(runtime, query.job_id), "consensus") == {"qwen": query.consensus.text}


def test_draft_stands_when_nobody_writes_a_whole_text(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """When nobody else can, the first draft stands, up to its last whole sentence, with a note."""
    all_refuse(model)
    cut_short = {"text": "A first whole sentence of it. And then it", "finish_reason": "length"}
    model.script("scripted/llama3", cut_short, stage="consensus")

    query = asked(runtime, user_id)

    assert query.status == "done" and query.consensus is not None
    assert query.consensus.text == "A first whole sentence of it." and query.aggregator.used == "llama3"
    assert any("ran out of length" in note for note in query.notes)


def test_draft_is_not_asked_again_of_the_same_model(make_runtime: MakeRuntime, model: ScriptedModel) -> None:
    """Where all seats share one model, which would run out of length again, its draft stands at once."""

    def one_model(roster: dict[str, Any]) -> None:
        for seat in roster["seats"].values():
            seat.update(model="scripted/one", base_url=model.url)

    runtime = make_runtime(one_model)
    cut_short = {"text": "A first whole sentence of it. And then it", "finish_reason": "length"}
    model.script("scripted/one", cut_short, stage="consensus")

    query = asked(runtime, _user(runtime))

    assert query.status == "done" and len(model.calls(stage="consensus")) == 1


ENDINGS: dict[str, Callable[[Runtime, int, str], object]] = {
    "cancelled": submission.cancel,
    "deleted": submission.delete,
    "deadline": lambda runtime, _, job_id: expire(runtime, job_id),
}


def expire(runtime: Runtime, job_id: str) -> None:
    """Let the sweeper find the query past both its deadlines."""
    past = utcnow().replace(year=2020)
    with runtime.db.write() as connection:
        connection.execute(
            update(Interaction).where(Interaction.job_id == job_id).values(ask_deadline_at=past, deadline_at=past)
        )
    sweep(runtime)


def hanging(model: ScriptedModel, seat: str, stage: str) -> None:
    """Let a seat speak a little and then hang."""
    model.script(f"scripted/{seat}", {"text": f"{MARK} {LONG}", "hang_after_tokens": 3}, stage=stage)


def speaking(model: ScriptedModel, stage: str, seat: str) -> None:
    """Wait until this seat's model has begun to speak in this stage."""
    name = f"scripted/{seat}"
    eventually(lambda: [one for one in model.calls(name, stage) if one.answer.count(" ") >= 2], 20, f"a {stage} begins")


def left(model: ScriptedModel, stage: str) -> None:
    """Wait until the server has seen that nobody wants the call any more."""
    eventually(lambda: all(one.disconnected_at for one in model.calls(stage=stage)), 2, "the call is closed")


@pytest.mark.parametrize("ending", ENDINGS)
def test_lost_claim_on_a_response_closes_the_call(
    runtime: Runtime, user_id: int, model: ScriptedModel, ending: str
) -> None:
    """When the query ends while a seat is asked, its call is closed within a lease, and nothing is kept."""
    hanging(model, "qwen", "response")
    job_id = submit(runtime, user_id, agents=("qwen",))

    with background(lambda: council.ask(runtime, job_id, "qwen")):
        speaking(model, "response", "qwen")
        ENDINGS[ending](runtime, user_id, job_id)
        left(model, "response")

    if ending == "deleted":
        with pytest.raises(NotFound):
            queries.find(runtime.db, job_id)
        return
    query = queries.find(runtime.db, job_id)
    assert query.responses[0].text is None and query.responses[0].status in ("cancelled", "timed_out")
    assert deltas(events(runtime, job_id), "response") == {}


@pytest.mark.parametrize("ending", ENDINGS)
def test_lost_claim_on_a_conclusion_closes_the_call(
    runtime: Runtime, user_id: int, model: ScriptedModel, ending: str
) -> None:
    """When the query ends while it is concluded, the aggregator's call is closed and nothing of it is kept."""
    hanging(model, "llama3", "consensus")
    job_id = submit(runtime, user_id)
    for seat in ("qwen", "mistral", "deephermes"):
        council.ask(runtime, job_id, seat)

    with background(lambda: council.conclude(runtime, job_id)):
        speaking(model, "consensus", "llama3")
        ENDINGS[ending](runtime, user_id, job_id)
        left(model, "consensus")

    if ending != "deleted":
        query = queries.find(runtime.db, job_id)
        assert query.consensus is None and query.status in ("cancelled", "failed")
        assert deltas(events(runtime, job_id), "consensus") == {}
    assert len(model.calls(stage="consensus")) == 1, "somebody else was asked for a query that had ended"


@pytest.mark.parametrize("stage", ["response", "consensus"])
def test_process_that_ends_gives_its_work_back(
    runtime: Runtime, make_runtime: MakeRuntime, user_id: int, model: ScriptedModel, stage: str
) -> None:
    """A call that is interrupted because its process ends is no failure: another takes it up."""
    seat = "qwen" if stage == "response" else "llama3"
    model.script(f"scripted/{seat}", {"text": f"{MARK} {LONG}", "hang_after_tokens": 3}, {}, stage=stage)
    ending = make_runtime(lease_s=60)
    job_id = submit(runtime, user_id)
    if stage == "consensus":
        for agent_id in ("qwen", "mistral", "deephermes"):
            council.ask(runtime, job_id, agent_id)

    def work_until_interrupted() -> None:
        if stage == "response":
            council.ask(ending, job_id, "qwen")
        else:
            council.conclude(ending, job_id)

    with background(work_until_interrupted):
        speaking(model, stage, seat)
        ending.provider.interrupt()
    eventually(lambda: model.calls(f"scripted/{seat}", stage)[0].disconnected_at, 2, "the call is closed")
    work_until_interrupted()
    sweep(runtime)
    work(runtime)

    query = queries.find(runtime.db, job_id)
    assert query.status == "done" and not query.degraded and query.notes == []
    assert len(model.calls(f"scripted/{seat}", stage)) == 2, "an ending process began a call"
    told = events(runtime, job_id)
    assert query.consensus is not None and deltas(told, "consensus") == {"llama3": query.consensus.text}
    assert deltas(told, "response") == {one.agent_id: one.text for one in query.responses}


def run_out(runtime: Runtime, job_id: str) -> None:
    """Let every lease of a job have run out, as if its holders had been silent for long."""
    past = utcnow().replace(year=2020)
    with runtime.db.write() as connection:
        connection.execute(update(Interaction).where(Interaction.job_id == job_id).values(lease_until=past))
        connection.execute(update(Response).where(Response.job_id == job_id).values(lease_until=past))


def test_claim_that_somebody_else_took_over_closes_the_call(
    runtime: Runtime, user_id: int, model: ScriptedModel
) -> None:
    """A worker that stalled and lost its claim closes its call; the other's answer is the one that is kept."""
    good = {"text": "The second attempt's good and whole answer."}
    model.script("scripted/qwen", {"text": f"{MARK} {LONG}", "hang_after_tokens": 3}, good)
    job_id = submit(runtime, user_id, agents=("qwen", "mistral"))
    council.ask(runtime, job_id, "mistral")

    with background(lambda: council.ask(runtime, job_id, "qwen")):
        speaking(model, "response", "qwen")
        run_out(runtime, job_id)
        council.ask(runtime, job_id, "qwen")
        eventually(lambda: model.calls("scripted/qwen")[0].disconnected_at, 2, "the first call is closed")

    response = queries.find(runtime.db, job_id).responses[0]
    assert (response.text, response.attempts) == (good["text"], 2)
    assert deltas(events(runtime, job_id), "response")["qwen"] == good["text"]


def test_conclusion_that_somebody_else_took_over_is_told_once(
    runtime: Runtime, user_id: int, model: ScriptedModel
) -> None:
    """An aggregation taken over from a stalled worker is concluded once, and watchers keep the second's words only."""
    model.script("scripted/llama3", {"text": f"{MARK} {LONG}", "hang_after_tokens": 3}, {}, stage="consensus")
    job_id = submit(runtime, user_id)
    for seat in ("qwen", "mistral", "deephermes"):
        council.ask(runtime, job_id, seat)

    with background(lambda: council.conclude(runtime, job_id)):
        speaking(model, "consensus", "llama3")
        run_out(runtime, job_id)
        council.conclude(runtime, job_id)
        eventually(lambda: model.calls(stage="consensus")[0].disconnected_at, 2, "the first call is closed")

    query = queries.find(runtime.db, job_id)
    assert query.status == "done" and query.consensus is not None and MARK not in query.consensus.text
    told = events(runtime, job_id)
    assert [event.type for event in told].count("consensus") == 1
    assert deltas(told, "consensus") == {"llama3": query.consensus.text}


DYING = """
import os, sys
from pathlib import Path
from folkmoot import council, dispatch, measurement, sqlite, submission
from folkmoot import db as database
from folkmoot.runtime import build
from folkmoot.settings import Settings
database_url, broker_url, agents_file, step, *ids = sys.argv[1:]
settings = Settings(database_url=database_url, broker_url=broker_url, agents_file=Path(agents_file), lease_s=0.6)
getattr(council, step)(build(settings), *ids)
"""


@pytest.mark.parametrize(("step", "stage"), [("ask", "response"), ("conclude", "consensus")])
def test_killed_worker_is_replaced(runtime: Runtime, user_id: int, model: ScriptedModel, step: str, stage: str) -> None:
    """A worker killed while its model speaks is replaced within a lease; what it had said counts for nobody."""
    seat = "qwen" if step == "ask" else "llama3"
    model.script(f"scripted/{seat}", {"text": f"{MARK} {LONG}", "hang_after_tokens": 3}, {}, stage=stage)
    job_id = submit(runtime, user_id)
    ids = [job_id, "qwen"] if step == "ask" else [job_id]
    if step == "conclude":
        for other in ("qwen", "mistral", "deephermes"):
            council.ask(runtime, job_id, other)
    settings = runtime.settings
    where = [settings.database_url, settings.broker_url, str(settings.agents_file)]
    with subprocess.Popen([sys.executable, "-c", DYING, *where, step, *ids], cwd=ROOT) as worker:
        try:
            speaking(model, stage, seat)
        finally:
            worker.kill()

    query = sweep_until_ended(runtime, job_id, within_s=5)

    assert query.status == "done" and not query.degraded and query.consensus is not None
    assert query.responses[0].attempts == (2 if step == "ask" else 1)
    assert MARK not in query.model_dump_json()
    kept = deltas(events(runtime, job_id), stage)
    assert kept[seat] == (query.consensus.text if step == "conclude" else query.responses[0].text)


def resent(runtime: Runtime, queue: str) -> None:
    """Sweep until a hint is in the queue again."""

    def is_there() -> bool:
        sweep(runtime)
        return bool(runtime.redis.llen(queue))

    eventually(is_there, 5, f"a hint is in {queue} again")


def test_every_hint_lost_at_every_step(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """With the broker wiped after each step the sweeper finishes the job, and each model is asked once."""
    job_id = submit(runtime, user_id)
    runtime.redis.flushall()
    assert work(runtime) == 0
    resent(runtime, "agent.qwen")
    for task, ids in taken(runtime):
        assert task.endswith("ask")
        council.ask(runtime, *ids)
    runtime.redis.flushall()
    resent(runtime, "aggregate")
    runtime.redis.flushall()
    council.conclude(runtime, job_id)
    runtime.redis.flushall()

    query = sweep_until_ended(runtime, job_id, within_s=5)

    assert query.status == "done" and query.analysis.status == "skipped"
    assert len(model.calls()) == 4


def test_broker_that_is_away_costs_no_query(
    make_runtime: MakeRuntime, runtime: Runtime, user_id: int, model: ScriptedModel
) -> None:
    """A query accepted and partly answered without any broker or Redis ends as soon as a sweeper reaches one."""
    alone = make_runtime(broker_url=f"redis://127.0.0.1:{free_port()}/0", resend_s=0.2)
    started = time.monotonic()

    job_id = submit(alone, user_id)
    took_s = time.monotonic() - started
    council.ask(alone, job_id, "qwen")

    assert queries.find(alone.db, job_id).responses[0].status == "ok"
    assert sweep_until_ended(runtime, job_id, within_s=5).status == "done"
    assert len(model.calls()) == 4
    assert took_s < dispatch.CONNECT_TIMEOUT_S + 0.5, f"accepting took {took_s:.1f} s"


def test_query_that_no_worker_takes_ends_at_its_deadline(make_runtime: MakeRuntime) -> None:
    """With no worker at all the sweeper ends a query at its deadline for asking, with each seat's reason."""
    runtime = make_runtime(deadline_s=1, ask_share=0.5)
    job_id = submit(runtime, _user(runtime))
    sweep(runtime)
    assert queries.find(runtime.db, job_id).status == "accepted"

    def ended() -> bool:
        sweep(runtime)
        return queries.find(runtime.db, job_id).status == "failed"

    eventually(ended, 3, "the query has failed")

    query = queries.find(runtime.db, job_id)
    assert {one.status for one in query.responses} == {"timed_out"}
    assert query.finished_at is not None and query.finished_at >= query.ask_deadline_at
    assert [event.type for event in events(runtime, job_id)][-4:] == ["response", "response", "status", "end"]


def test_worker_that_always_dies_is_given_up(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """A seat whose worker dies at each attempt is asked as often as may be, then failed; the others conclude."""
    job_id = submit(runtime, user_id)
    for seat in ("mistral", "deephermes"):
        council.ask(runtime, job_id, seat)
    for _ in range(runtime.settings.attempts):
        now = utcnow()
        past = now.replace(year=2020)
        assert asking.claim(runtime.db, job_id, "qwen", now=now, lease_until=past, attempts=3)
        sweep(runtime)

    query = sweep_until_ended(runtime, job_id, within_s=5)

    assert query.status == "done" and query.responses[0].status == "failed"
    assert "its worker died" in str(query.responses[0].error) and query.responses[0].attempts == 3
    assert model.calls("scripted/qwen") == []


KEY = "sk-or-v1-4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c"


@pytest.mark.parametrize(
    "step",
    [
        {"status": 401, "error": f"Incorrect API key provided: {KEY}."},
        {"text": f"Error: invalid api key {KEY}"},
        {"text": f'{{"error": "bad key {KEY}"}}'},
    ],
)
def test_key_gets_nowhere(
    make_runtime: MakeRuntime, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, step: dict[str, Any]
) -> None:
    """A provider that repeats the key it was sent gets it neither into the query, nor its events, nor the health."""
    monkeypatch.setenv("SCRIPTED_KEY", KEY)
    runtime = make_runtime(lambda roster: roster["seats"]["qwen"].update(api_key_env="SCRIPTED_KEY"))
    model.script("scripted/qwen", step)

    query = asked(runtime, _user(runtime))

    assert model.calls("scripted/qwen")[0].headers["authorization"] == f"Bearer {KEY}"
    assert query.responses[0].status == "failed"
    signs = runtime.health.signs("qwen", ["qwen"], now=0, probe_error=None)
    told = f"{query.model_dump_json()} {events(runtime, query.job_id)} {signs}"
    assert KEY not in told and KEY[:20] not in told


def test_missing_key_is_told_without_a_call(make_runtime: MakeRuntime, model: ScriptedModel) -> None:
    """A seat whose key is not set fails with that reason, and nobody is called in vain."""
    runtime = make_runtime(lambda roster: roster["seats"]["qwen"].update(api_key_env="SCRIPTED_KEY"))

    query = asked(runtime, _user(runtime))

    assert query.status == "done" and "SCRIPTED_KEY" in str(query.responses[0].error)
    assert model.calls("scripted/qwen") == []


@pytest.mark.parametrize("character", ["\x00", "\ud83d", "\x1b\u2028\ufffe"])
@pytest.mark.parametrize("place", ["response", "error", "consensus"])
def test_characters_that_no_database_takes_do_no_harm(
    runtime: Runtime, user_id: int, model: ScriptedModel, character: str, place: str
) -> None:
    """Whatever characters a model or an endpoint sends, the step is stored at its first attempt and the query ends."""
    said = f"Yes, {character} and that is all there is to be said about it."
    if place == "error":
        model.script("scripted/qwen", {"status": 500, "error": said})
    else:
        model.script("scripted/qwen" if place == "response" else "scripted/llama3", {"text": said}, stage=place)

    query = asked(runtime, user_id)

    assert query.status == "done" and [one.attempts for one in query.responses] == [1, 1, 1]
    assert query.consensus is not None
    assert query.model_dump_json()


@pytest.mark.parametrize(
    "odd",
    [
        {"model": "m" * 300},
        {"model": 5},
        {"model": "nul\x00"},
        {"usage": {"prompt_tokens": 2**40, "completion_tokens": 2**70}},
        {"usage": {"prompt_tokens": True, "completion_tokens": -1}},
    ],
)
def test_odd_names_and_counts_of_an_endpoint_do_no_harm(
    make_runtime: MakeRuntime, odd: dict[str, Any], model: ScriptedModel
) -> None:
    """Whatever an endpoint calls its model or counts its tokens, the answer is stored at its first attempt."""
    with RawAnswer(stream(chunk("Yes, and that is all there is to be said.", **odd))) as server:
        runtime = make_runtime(lambda roster: roster["seats"]["qwen"].update(base_url=server.url))
        query = asked(runtime, _user(runtime))

    assert query.status == "done" and query.responses[0].status in ("ok", "failed")
    assert query.responses[0].attempts == 1


@pytest.mark.parametrize("parent", ["nothing", "\x00", "x" * 300])
def test_follow_up_of_nothing_is_refused(runtime: Runtime, user_id: int, parent: str) -> None:
    """A follow-up of a query that does not exist is refused by name, and nothing is stored."""
    with pytest.raises(InvalidRequest, match="parent_job_id"):
        submit(runtime, user_id, parent_job_id=parent)

    assert history.page(runtime.db, user_id, limit=1, before=None, search="").queries == []


def test_follow_up_carries_question_and_consensus(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """Who follows up has the earlier question and consensus before the models, and no failed seat's words."""
    model.script("scripted/mistral", {"status": 500, "error": MARK}, {})
    first = asked(runtime, user_id)
    assert first.consensus is not None

    asked(runtime, user_id, key="k2", parent_job_id=first.job_id)

    prompt = model.calls("scripted/qwen")[-1].prompt
    assert first.consensus.text in prompt and MARK not in prompt


def test_database_that_breaks_off_costs_no_answer(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """When the database breaks all connections while a seat is asked, the call goes on, and its answer is stored."""
    if runtime.db.is_sqlite:
        pytest.skip("a SQLite file does not break off")
    model.script("scripted/qwen", {"text": "word " * 30, "token_delay_s": 0.1})
    job_id = submit(runtime, user_id, agents=("qwen",))

    with background(lambda: council.ask(runtime, job_id, "qwen")):
        speaking(model, "response", "qwen")
        with runtime.db.engine.connect() as connection, pytest.raises(Exception, match="terminat"):
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()")
            )

    [response] = queries.find(runtime.db, job_id).responses
    assert (response.status, response.attempts) == ("ok", 1)


def test_words_of_a_superseded_response_do_not_count(make_runtime: MakeRuntime, model: ScriptedModel) -> None:
    """A claim is lost between two renewals, and the answer is whole before the next: its words are voided."""
    runtime = make_runtime(lease_s=6, deadline_s=20)
    model.script("scripted/qwen", {"delay_s": 0.7}, {})
    job_id = submit(runtime, rows.user(runtime.db))
    with background(lambda: council.ask(runtime, job_id, "qwen")):
        eventually(lambda: model.calls("scripted/qwen"), 5, "the model is asked")
        run_out(runtime, job_id)
        sweep(runtime)
        council.ask(runtime, job_id, "qwen")

    assert runtime.events.unvoided(job_id, "response") == [("qwen", 2)]


def test_words_of_a_superseded_conclusion_do_not_count(make_runtime: MakeRuntime, model: ScriptedModel) -> None:
    """Likewise for a consensus that somebody else has written meanwhile."""
    runtime = make_runtime(lease_s=6, deadline_s=20)
    model.script("scripted/llama3", {"delay_s": 0.7}, {}, stage="consensus")
    job_id = submit(runtime, rows.user(runtime.db))
    for seat in ("qwen", "mistral", "deephermes"):
        council.ask(runtime, job_id, seat)
    with background(lambda: council.conclude(runtime, job_id)):
        eventually(lambda: model.calls("scripted/llama3"), 5, "the model is asked")
        run_out(runtime, job_id)
        sweep(runtime)
        council.conclude(runtime, job_id)

    assert runtime.events.unvoided(job_id, "consensus") == [("llama3", 5)]


@contextmanager
def away(runtime: Runtime) -> Iterator[None]:
    """Let the database serve nobody for a while: the SQLite file is held, PostgreSQL takes no connections."""
    if runtime.db.is_sqlite:
        with closing(sqlite3.connect(str(runtime.db.engine.url.database), isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        return
    name = runtime.db.engine.url.database
    admin = create_engine(runtime.db.engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
        )
        yield
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
    admin.dispose()


@pytest.mark.parametrize("stage", ["response", "consensus"])
def test_answer_outlives_a_database_that_is_away(
    make_runtime: MakeRuntime, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """What a model has answered is stored when the database is back, and the model is not asked again."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 300)
    runtime = make_runtime(lease_s=60)
    user_id = rows.user(runtime.db)
    seat = "qwen" if stage == "response" else "llama3"
    model.script(
        f"scripted/{seat}",
        {"text": "Some may and some may not, and I would let them. " * 3, "token_delay_s": 0.05},
        stage=stage,
    )
    job_id = submit(runtime, user_id)
    others = ["mistral", "deephermes", *([] if stage == "response" else ["qwen"])]
    for agent_id in others:
        council.ask(runtime, job_id, agent_id)

    def work_on() -> None:
        if stage == "response":
            council.ask(runtime, job_id, "qwen")
        else:
            council.conclude(runtime, job_id)

    with background(work_on) as thread:
        speaking(model, stage, seat)
        with away(runtime):
            eventually(lambda: model.calls(f"scripted/{seat}", stage)[0].finished_at, 10, "the model has answered")
            thread.join(1.5)
            assert thread.is_alive(), "stored while the database was away, or given up"

    work(runtime)
    assert queries.find(runtime.db, job_id).status == "done"
    assert len(model.calls(f"scripted/{seat}", stage)) == 1
