"""Two hundred queries in flight, and every process killed in turn: each query ends once, and as if nothing had been."""

import json
import random
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from redis import Redis
from redis.exceptions import RedisError

from folkmoot.health import BOARD
from tests.client import Client, new_user
from tests.conftest import scripted_roster
from tests.faults.landscape import (
    QUESTION,
    SLACK_S,
    Answer,
    Ledger,
    ask_many,
    assert_concluded,
    assert_told,
    more,
    timed,
)
from tests.replicas.conftest import REPLICAS, serves
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually
from tests.store.servers import Postgres, postgres_binaries

pytestmark = pytest.mark.timeout(420)

QUERIES = 200
#: How long every call of a model takes: a pool of 16 threads is busy with 200 of them for longer than the kills last.
CALL_S = 5.0
#: Short of the longest that a query may have, and enough for all of them to be asked again after every kill.
DEADLINE_S = 240
#: A part serves again within this; the supervisor waits a moment longer after each quick death.
BACK_S = 30.0
#: How long the database is away.
DATABASE_AWAY_S = 20.0
ASKED = {"agents": [*SEATS], "deadline_s": DEADLINE_S}


class Blow(NamedTuple):
    """What is done to a part; `watch` is called right after that, and what it returns holds once the part serves."""

    part: str
    strike: Callable[[], object]
    watch: Callable[[], Callable[[], bool]]


class Recovery(NamedTuple):
    """A line of the table: seconds until a part served again, and until a query that came right after was accepted."""

    part: str
    serves_after_s: float
    accepted_after_s: float


class Scene:
    """A stack under load, whose parts are struck one after the other."""

    def __init__(self, stack: Stack, user: Client, postgres: Postgres | None) -> None:
        self.stack = stack
        self.user = user
        self.ledger = Ledger(stack.variable("heartbeat", "FOLKMOOT_DATABASE_URL"))
        self.job_ids: list[str] = []
        self.refusals: dict[str, list[Answer]] = {}
        self.table: list[Recovery] = []
        self._postgres = postgres
        self._redis = Redis.from_url(stack.variable("heartbeat", "FOLKMOOT_REDIS_URL"), decode_responses=True)

    def close(self) -> None:
        """Hang up."""
        self._redis.close()

    def blows(self) -> Iterator[Blow]:
        """All blows, in the order in which they fall."""
        for pool, count in self._counts().items():
            yield Blow(pool, partial(self.stack.kill, pool), partial(more, count))
        for name in REPLICAS:
            yield Blow(name, partial(self.stack.kill, name), partial(partial, serves, self.stack, name))
        yield Blow("heartbeat", partial(self.stack.kill, "heartbeat"), partial(more, self._board_at))
        yield Blow("broker", self._lose_broker, lambda: self._pings)
        if self._postgres is not None:
            yield Blow("database", partial(self._restart, self._postgres), lambda: self._is_ready)

    def _counts(self) -> dict[str, Callable[[], int]]:
        """What each pool has taken so far."""
        seats: dict[str, Callable[[], int]] = {f"agent.{seat}": partial(self.ledger.claims, seat) for seat in SEATS}
        return {**seats, "aggregate": self.ledger.conclusions, "analyse": self.ledger.analyses}

    def suffer(self, blow: Blow) -> None:
        """Strike, ask a query at once, and measure until the part serves again."""
        blow.strike()
        since, is_back = time.monotonic(), blow.watch()
        accepted_after_s = self._ask(blow.part)
        eventually(is_back, BACK_S, f"{blow.part} serves again")
        self.table.append(Recovery(blow.part, time.monotonic() - since, accepted_after_s))
        if blow.part in ("broker", "database"):
            self._await_pools(blow.part, since)

    def _ask(self, struck: str) -> float:
        """Ask as a client does who was told to come again: with the same key; seconds until it was accepted."""
        began, key = time.monotonic(), {"Idempotency-Key": uuid.uuid4().hex}
        while (answer := self._post(key)).status != 202:
            self.refusals.setdefault(struck, []).append(answer)
            assert time.monotonic() - began < BACK_S, f"{struck}: {answer}"
            time.sleep(0.2)
        self.job_ids.append(answer.content["job_id"])
        return time.monotonic() - began

    def _post(self, headers: dict[str, str]) -> Answer:
        return timed(self.user, "POST", "/queries", json={"query": QUESTION, **ASKED}, headers=headers)

    def _await_pools(self, struck: str, since: float) -> None:
        """Every pool takes work again after a part that all of them need was away."""
        idle = {pool: more(count) for pool, count in self._counts().items()}
        while idle:
            for pool in [pool for pool, takes_more in idle.items() if takes_more()]:
                del idle[pool]
                self.table.append(Recovery(f"{pool} after {struck}", time.monotonic() - since, 0))
            assert time.monotonic() - since < 2 * BACK_S, f"{sorted(idle)} took no work since {struck} was away"
            time.sleep(0.1)

    def _lose_broker(self) -> None:
        """Kill the broker so that what starts in its place is empty."""
        for kept in (self.stack.data / "broker").iterdir():
            shutil.rmtree(kept) if kept.is_dir() else kept.unlink()
        self.stack.kill("broker")

    def _restart(self, postgres: Postgres) -> None:
        """Have no database for a while; who asks meanwhile is told to come again."""
        postgres.stop()
        ends = time.monotonic() + DATABASE_AWAY_S
        while time.monotonic() < ends:
            answer = self._post({})
            assert (answer.status, answer.retry_after) == (503, "2"), answer
            time.sleep(1)
        postgres.start()

    def _board_at(self) -> int:
        return int(json.loads(str(self._redis.get(BOARD)))["at"] * 1000)

    def _pings(self) -> bool:
        with suppress(RedisError, OSError):
            return bool(self._redis.ping())
        return False

    def _is_ready(self) -> bool:
        return timed(self.user, "GET", "//readyz").status == 200


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """A stack with three gateways, on SQLite and on a PostgreSQL that can be stopped."""
    if request.param == "sqlite":
        yield from _scene(f"sqlite:///{tmp_path / 'folkmoot.db'}", None)
        return
    with Postgres(postgres_binaries()) as server, server.database() as url:
        yield from _scene(url, server)


def _scene(url: str, postgres: Postgres | None) -> Iterator[Scene]:
    settings = {"FOLKMOOT_DATABASE_URL": url, "FOLKMOOT_GATEWAYS": str(len(REPLICAS))}
    with ScriptedModel(SEATS) as model, Stack(scripted_roster(model), settings) as stack:
        for seat in SEATS:
            model.script(f"scripted/{seat}", {"delay_s": CALL_S}, stage="response")
            model.script(f"scripted/{seat}", {"delay_s": CALL_S / 4}, stage="consensus")
        scene = Scene(stack, new_user(stack.url), postgres)
        yield scene
        scene.close()


def test_every_query_ends_once_whoever_is_killed(scene: Scene) -> None:
    """Whichever process dies under 200 queries, none is lost, none is answered twice, and every part comes back."""
    blows = list(scene.blows())
    scene.job_ids += ask_many(scene.user, QUERIES - len(blows), at_once=8, **ASKED)
    assert scene.ledger.unfinished()["queries"] > QUERIES / 2
    for blow in blows:
        scene.suffer(blow)
    left = scene.ledger.unfinished()["queries"]
    scene.ledger.await_rest(DEADLINE_S)
    show(scene.table)

    assert left > 0, "the last blow fell when all was over"
    assert all(scene.ledger.claims(seat) > QUERIES for seat in SEATS), "no kill hit a call that was under way"
    assert set(scene.refusals) <= {"database"}, scene.refusals
    assert len(set(scene.job_ids)) == scene.ledger.stored() == QUERIES
    assert {job_id: late_s for job_id, late_s in scene.ledger.overtimes().items() if late_s > SLACK_S} == {}
    assert_each_once(scene)
    for job_id in random.sample(scene.job_ids, 20):
        assert_told(scene.user.events(job_id), scene.user.query(job_id))


def assert_each_once(scene: Scene) -> None:
    """Each query is done, with one row of each of its seats and one consensus."""
    rows = scene.ledger.rows()
    for job_id in scene.job_ids:
        query = scene.user.query(job_id)
        assert_concluded(query)
        seats = [*((seat, False) for seat in query["panel"]), (query["consensus"]["agent_id"], True)]
        assert sorted(query["panel"]) == sorted(SEATS) and rows[job_id] == Counter(seats)


def show(table: list[Recovery]) -> None:
    """Print how long each part was away, for docs/operations.md."""
    print("\n| killed | serves again after | a query was accepted within |\n|---|---|---|")
    for line in table:
        accepted = f"{line.accepted_after_s:.1f} s" if line.accepted_after_s else ""
        print(f"| {line.part} | {line.serves_after_s:.1f} s | {accepted} |")
