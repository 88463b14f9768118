"""Everything at once: writers never lock each other out, transactions never wait in a circle, and invariants hold."""

import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from folkmoot import sqlite
from folkmoot.db import Database
from folkmoot.errors import NotFound, Unavailable
from folkmoot.models import Interaction, Outbox, User
from folkmoot.resources import QueryResource
from folkmoot.statements import Statement
from folkmoot.store import concluding, outbox, overdue, queries
from tests.stack import eventually
from tests.store import rows
from tests.store.rows import ATTEMPTS, accepted, after, aggregating, at_once, claim, claimed, conclude, finish, job


def test_writers_that_read_first_never_fail(db: Database, other: Database, ada: int) -> None:
    """Transactions that read and then write, eight at a time on two processes, all succeed and lose no update."""
    job_id = accepted(db, ada)

    def count_up(base: Database) -> None:
        for _ in range(10):
            with base.write() as connection:
                row = connection.execute(base.locked(select(Interaction).where(Interaction.job_id == job_id))).one()
                connection.execute(update(Interaction).where(Interaction.id == row.id).values(fence=row.fence + 1))

    at_once(*[lambda base=base: count_up(base) for base in (db, other) * 4])

    assert job(db, job_id).fence == 80


def test_readers_see_on_while_somebody_writes(db: Database, other: Database, ada: int) -> None:
    """A transaction that is writing keeps nobody from reading, and what it has not committed is not seen."""
    job_id = accepted(db, ada)

    with db.write() as connection:
        connection.execute(update(Interaction).values(status="asking"))
        assert queries.find(other, job_id).status == "accepted"

    assert queries.find(other, job_id).status == "asking"


def test_error_inside_a_transaction_takes_everything_back(db: Database, ada: int) -> None:
    """A transaction that fails leaves nothing behind, and the next one on the same pool works."""
    job_id = accepted(db, ada)

    with pytest.raises(ZeroDivisionError), db.write() as connection:
        connection.execute(update(Interaction).values(status="asking"))
        raise ZeroDivisionError

    assert job(db, job_id).status == "accepted"
    assert finish(db, claimed(db, job_id, "qwen")) == (True, None)


def test_a_commit_that_fails_keeps_nobody_out(db: Database, other: Database, ada: int) -> None:
    """What SQLite does not end by itself is ended: its lock would outlast the writer."""
    if not db.is_sqlite:
        pytest.skip("PostgreSQL ends a transaction whose commit fails")
    with pytest.raises(IntegrityError), db.write() as connection:
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(insert(Outbox).values(job_id="none", task="ask", due_at=after(0)))

    for one in (other, db):
        accepted(one, ada)


def test_sqlite_writer_is_alone_from_its_first_statement(db: Database, ada: int) -> None:
    """Whoever may write keeps out others from when it begins to read, also those who do not know of our turns."""
    if not db.is_sqlite:
        pytest.skip("PostgreSQL locks rows")
    with closing(sqlite3.connect(str(db.engine.url.database), timeout=0, isolation_level=None)) as stranger:
        with db.write() as connection:
            assert connection.scalar(select(func.count()).select_from(User)) == 1
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                stranger.execute("BEGIN IMMEDIATE")
        stranger.execute("BEGIN IMMEDIATE")


def test_sqlite_turn_outlives_a_writer_that_is_killed(db: Database, ada: int) -> None:
    """The turn of a process that dies while it writes goes to the next, and what it had written is gone."""
    if not db.is_sqlite:
        pytest.skip("PostgreSQL's server notices by itself")
    dies = (
        "import os, sys; from sqlalchemy import text; from folkmoot.db import Database\n"
        "with Database(sys.argv[1]).write() as connection:\n"
        "    connection.execute(text('DELETE FROM users')); print('writes', flush=True); sys.stdin.read()"
    )
    url = db.engine.url.render_as_string(hide_password=False)
    with subprocess.Popen([sys.executable, "-c", dies, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"writes\n"
        waiting = threading.Thread(target=lambda: accepted(db, ada), daemon=True)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive(), "two wrote at once"
        writer.kill()
        waiting.join(5)

    assert not waiting.is_alive()
    with db.read() as connection:
        assert connection.scalar(select(func.count()).select_from(User)) == 1
        assert connection.scalar(select(func.count()).select_from(Interaction)) == 1


def test_sqlite_goes_on_when_a_full_disk_has_room_again(db: Database, ada: int) -> None:
    """While no file may grow each write is refused and leaves nothing; afterwards the same process writes again."""
    if not db.is_sqlite:
        pytest.skip("PostgreSQL has a disk of its own")
    fills = (
        "import resource, signal, sys; from sqlalchemy import text\n"
        "from folkmoot.db import Database; from folkmoot.errors import Unavailable\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "db, refused, (soft, hard) = Database(sys.argv[1]), 0, resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "def name(words, synced):\n"
        "    with db.write(synced=synced) as connection:\n"
        "        connection.execute(text('UPDATE users SET username = :words'), {'words': words})\n"
        "for synced in (True, False):\n"
        "    name('before', synced)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))\n"
        "    for _ in range(3):\n"
        "        try:\n"
        "            name('y' * 300_000, synced)\n"
        "        except Unavailable:\n"
        "            refused += 1\n"
        "    with db.read() as connection:\n"
        "        assert connection.scalar(text('SELECT username FROM users')) == 'before'\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))\n"
        "    name('after', synced)\n"
        "print(refused)"
    )
    url = db.engine.url.render_as_string(hide_password=False)
    ended = subprocess.run([sys.executable, "-c", fills, url], capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stdout.strip()) == (0, "6"), ended.stderr
    with db.read() as connection:
        assert connection.scalar(select(User.username)) == "after"


def test_sqlite_writer_that_waits_too_long_is_told(db: Database, ada: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a writer of the same process that does not end, others give up with an error instead of piling up."""
    if not db.is_sqlite:
        pytest.skip("PostgreSQL has no turns")
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 200)
    busy = pytest.raises(Unavailable, match="busy")

    with db.write(), ThreadPoolExecutor(1) as pool, busy:
        pool.submit(lambda: accepted(db, ada)).result(5)


def test_sqlite_turn_that_cannot_be_taken_is_told(tmp_path: Path) -> None:
    """Where the file of the turns cannot be opened, writers are told each time, and none holds the turn."""
    turn = sqlite.Turn(tmp_path)

    for _ in range(2):
        with pytest.raises(Unavailable, match="cannot be written"):
            turn.take()


def test_sqlite_keeps_its_promises(db: Database) -> None:
    """Every SQLite connection writes ahead, syncs fully, keeps foreign keys and waits for its turn."""
    if not db.is_sqlite:
        pytest.skip("only SQLite has pragmas")
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")

    with db.read() as first, db.read() as second:
        for connection in (first, second):
            pragmas = [connection.scalar(text(f"PRAGMA {name}")) for name in names]
            assert pragmas == ["wal", 2, 1, 10_000]


def test_a_commit_waits_for_the_disk_unless_it_may_be_lost_with_the_machine(db: Database) -> None:
    """A level that a pooled connection had for one transaction does not hold for the next."""
    asked = "PRAGMA synchronous" if db.is_sqlite else "SHOW synchronous_commit"
    waits, waits_not = (2, 1) if db.is_sqlite else ("on", "off")

    for synced in (True, False, True, False):
        with db.write(synced=synced) as connection:
            assert connection.scalar(text(asked)) == (waits if synced else waits_not)
    with db.write() as connection:
        assert connection.scalar(text(asked)) == waits


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("taken_back", [True, False])
@pytest.mark.parametrize("synced", [True, False])
def test_a_transaction_that_is_taken_back_changes_no_later_ones_promise(
    db: Database, before: bool, taken_back: bool, synced: bool
) -> None:
    """Whatever levels a connection had, a transaction that waits for the disk does, and another does not."""
    asked = "PRAGMA synchronous" if db.is_sqlite else "SHOW synchronous_commit"
    waits, waits_not = (2, 1) if db.is_sqlite else ("on", "off")
    with db.write(synced=before) as connection:
        connection.execute(text("SELECT 1"))
    with pytest.raises(NotFound), db.write(synced=taken_back) as connection:
        connection.execute(text("SELECT 1"))
        raise NotFound("nothing")

    with db.write(synced=synced) as connection:
        assert connection.scalar(text(asked)) == (waits if synced else waits_not)


@pytest.mark.parametrize("way", ["read", "write", "look", "looks"])
@pytest.mark.parametrize("count", [1, 5])
def test_connections_that_were_cut_a_moment_ago_are_not_met(
    db: Database, other: Database, way: str, count: int
) -> None:
    """Whoever begins something after the server has cut what lay idle gets a connection that works."""
    if db.is_sqlite:
        pytest.skip("a SQLite file does not break off")
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY(:pids)")
    together = threading.Barrier(count)

    def pid() -> int:
        with db.read() as connection:
            together.wait(10)
            return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)

    pids = at_once(*[pid] * count)
    with other.read() as connection:
        connection.execute(cut, {"pids": pids})

    def are_gone() -> bool:
        with other.read() as connection:
            left = text("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(:pids)")
            return bool(connection.scalar(left, {"pids": pids}) == 0)

    eventually(are_gone, 5, "they are gone")

    for _ in range(count + 1):
        with getattr(db, way)() as connection:
            assert Statement(select(func.count(User.id))).scalar(connection) == 0


def test_releases_and_ends_at_once_never_wait_in_a_circle(db: Database, other: Database, ada: int) -> None:
    """Relays that give rows back meet queries that end and clear theirs: nobody is killed to break a deadlock."""
    panel = [f"seat{number:02}" for number in range(24)]
    for number in range(12):
        job_id = accepted(db, ada, panel)
        taken = [row[0] for row in outbox.claim_due(db, now=after(4), resend_s=4)]
        # Rows that were written again lie elsewhere in the table than their ids say.
        random.Random(number).shuffle(taken)
        for id_ in taken[::2]:
            outbox.release(db, [id_], now=after(5))

        at_once(
            lambda: outbox.release(db, taken, now=after(6)),  # noqa: B023
            lambda: queries.cancel(other, job_id, user_id=ada, now=after(6)) and None,  # noqa: B023
            lambda: outbox.claim_due(other, now=after(6), resend_s=4) and None,
            lambda: outbox.release(other, taken[::-1], now=after(6)),  # noqa: B023
        )

        assert rows.hints(db, job_id) == []


def test_release_leaves_a_row_that_another_changes_to_it(db: Database, other: Database, ada: int) -> None:
    """Rows are given back without a wait for whoever holds one of them, who might wait for the others."""
    if db.is_sqlite:
        pytest.skip("a SQLite writer is alone")
    accepted(db, ada)
    (first, *_), *rest = outbox.claim_due(db, now=after(4), resend_s=4)
    with other.write() as connection:
        connection.execute(delete(Outbox).where(Outbox.id == first))
        giving_back = threading.Thread(target=outbox.release, args=(db, [first, rest[0][0]]), kwargs={"now": after(5)})
        giving_back.start()
        giving_back.join(10)
        assert not giving_back.is_alive()

    assert [row[0] for row in outbox.claim_due(db, now=after(5), resend_s=4)] == [rest[0][0]]


def test_everything_at_once_keeps_every_invariant(db: Database, other: Database, ada: int) -> None:
    """Workers, sweepers, relays and owners at the same few queries: no error but ours, and each query ends once."""
    jobs = [accepted(db, ada) for _ in range(6)] + [aggregating(db, ada) for _ in range(2)]
    erased, lock = set[str](), threading.Lock()

    def worker(base: Database, rng: random.Random) -> None:
        for _ in range(25):
            job_id, seat = rng.choice(jobs), rng.choice(rows.PANEL)
            if held := claim(base, job_id, seat, at=rng.uniform(0, 30)):
                finish(base, held, at=30)
            if concluding_ := rows.take_conclusion(base, job_id, at=rng.uniform(0, 30)):
                conclude(base, concluding_)

    def sweeper(base: Database, rng: random.Random) -> None:
        for _ in range(10):
            at = rng.uniform(0, 35)
            list(overdue.settle_late(base, now=after(at), hint_due_at=after(at)))
            list(overdue.free_responses(base, now=after(at), attempts=ATTEMPTS, hint_due_at=after(at)))
            list(overdue.free_conclusions(base, now=after(at), attempts=ATTEMPTS))
            outbox.release(base, [row[0] for row in outbox.claim_due(base, now=after(at), resend_s=4)], now=after(at))

    def owner(base: Database, rng: random.Random) -> None:
        for _ in range(12):
            job_id = rng.choice(jobs)
            try:
                assert_whole(queries.find(base, job_id))
                if rng.random() < 0.2:
                    queries.cancel(base, job_id, user_id=ada, now=after(30))
                if rng.random() < 0.15:
                    queries.erase(base, job_id, user_id=ada)
                    with lock:
                        erased.add(job_id)
            except NotFound:
                assert job_id in erased or job_id in jobs

    parts: list[Callable[[Database, random.Random], None]] = [worker, worker, sweeper, owner] * 2
    at_once(*[lambda part=part, n=n: part(other if n % 2 else db, random.Random(n)) for n, part in enumerate(parts)])
    list(overdue.settle_late(db, now=after(99), hint_due_at=after(99)))
    list(overdue.free_conclusions(db, now=after(99), attempts=ATTEMPTS))

    for job_id in set(jobs) - erased:
        query = queries.find(db, job_id)
        assert query.status in ("done", "failed", "cancelled")
        assert query.finished_at is not None
        assert (query.consensus is not None) == (query.status == "done")
        assert {one.status for one in query.responses}.isdisjoint({"pending"})
        assert all(task == "analyse" for task, _ in rows.hints(db, job_id))
    with db.read() as connection:
        left = set(connection.scalars(select(Outbox.job_id)))
    assert left.isdisjoint(erased)
    assert concluding.to_analyse(db, next(iter(erased), "none")) is None


def assert_whole(query: QueryResource) -> None:
    """A query as anybody may see it at any time."""
    assert query.panel == list(rows.PANEL)
    assert (query.finished_at is not None) == (query.status in ("done", "failed", "cancelled"))
