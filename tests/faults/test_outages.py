"""Redis away for half a minute, dead or merely silent: queries are accepted and end, and few requests are refused."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import NamedTuple

import pytest

from tests.client import PASSWORD, Client, parse_events
from tests.conftest import scripted_roster
from tests.faults.landscape import SLACK_S, Answer, Ledger, Load, assert_concluded, assert_told, more, timed
from tests.scripted_model import SEATS, ScriptedModel
from tests.soak.load import Visitor
from tests.stack import Stack, eventually
from tests.store.servers import Valkey

pytestmark = pytest.mark.timeout(240)

AWAY_S = 30.0
DEADLINE_S = 120
#: What the API answers at all, it answers within this, in seconds.
QUICK_S = 5.0


class Scene(NamedTuple):
    """A stack on a Redis of its own, and its first user, who is an admin."""

    stack: Stack
    redis: Valkey
    admin: Client


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """A stack whose Redis can be taken away."""
    with Valkey() as redis, ScriptedModel(SEATS) as model:
        for seat in SEATS:
            model.script(f"scripted/{seat}", {"delay_s": 1, "token_delay_s": 0.02})
        with Stack(scripted_roster(model), {"FOLKMOOT_BROKER_URL": redis.broker_url}) as stack:
            admin = Client(stack.url)
            admin.sign_up("first")
            yield Scene(stack, redis, admin.sign_in("first"))


@contextmanager
def dead(redis: Valkey) -> Iterator[None]:
    """Without Redis; what starts afterwards is empty."""
    redis.kill()
    try:
        yield
    finally:
        redis.start()


@contextmanager
def silent(redis: Valkey) -> Iterator[None]:
    """With a Redis that takes connections and commands, and answers none before it goes on."""
    redis.hang()
    try:
        yield
    finally:
        redis.go_on()


@pytest.mark.parametrize("away", [dead, silent])
def test_queries_outlive_redis(scene: Scene, away: Callable[[Valkey], AbstractContextManager[None]]) -> None:
    """Queries accepted before and while Redis is away all end as done, and only what needs Redis is refused."""
    ended = scene.admin.wait_settled(scene.admin.ask()["job_id"], 60)["job_id"]
    ledger = Ledger(scene.stack.variable("heartbeat", "FOLKMOOT_DATABASE_URL"))
    with Load(scene.admin, users=2, pause_s=1.2, body={"deadline_s": DEADLINE_S}) as load:
        eventually(lambda: len(load.answers) >= 12, 30, "queries are asked")
        with away(scene.redis):
            began = time.monotonic()
            met = look_around(scene.admin, ended, until=began + AWAY_S)
            over = time.monotonic()
        back = {"readyz": await_ready(scene.admin) - over, **await_pools(ledger, since=over)}
        eventually(lambda: load.answers[-1][0] > over + 2, 60, "queries are asked afterwards")
    ledger.await_rest(DEADLINE_S + SLACK_S)
    met["POST query"] = [answer for at, answer in load.answers if began - 1 < at < over]
    show(away.__name__, met, {**back, "all ended": time.monotonic() - over})

    assert_served(met)
    assert {answer.status for _, answer in load.answers} == {202}
    assert {job_id: late_s for job_id, late_s in ledger.overtimes().items() if late_s > SLACK_S} == {}
    for job_id in load.job_ids:
        assert_concluded(scene.admin.query(job_id))
    for job_id in random.sample(load.job_ids, 20):
        assert_told(scene.admin.events(job_id), scene.admin.query(job_id))
    assert_quick(met)


def look_around(user: Client, job_id: str, *, until: float) -> dict[str, list[Answer]]:
    """Ask for everything, again and again, each thing in a thread of its own."""
    looks: dict[str, Callable[[Client], Answer]] = {
        "healthz": partial(timed, method="GET", path="//healthz"),
        "readyz": partial(timed, method="GET", path="//readyz"),
        "GET query": partial(timed, method="GET", path=f"/queries/{job_id}"),
        "history": partial(timed, method="GET", path="/queries"),
        "catalogue": partial(timed, method="GET", path="/catalogue"),
        "sign-in": partial(timed, method="POST", path="/sessions", json={"username": "first", "password": PASSWORD}),
        "agents": partial(timed, method="GET", path="/agents"),
        "events": partial(timed, method="GET", path=f"/queries/{job_id}/events"),
        "reset": partial(timed, method="POST", path="/agents/qwen/reset"),
    }

    def look(one: Callable[[Client], Answer]) -> list[Answer]:
        met = []
        with Visitor(user.url, user.token) as visitor:
            while time.monotonic() < until:
                met.append(one(visitor))
                time.sleep(1)
        return met

    with ThreadPoolExecutor(len(looks)) as pool:
        return dict(zip(looks, pool.map(look, looks.values()), strict=True))


def await_ready(user: Client) -> float:
    """When the stack says that it can serve again."""
    eventually(lambda: timed(user, "GET", "//readyz").status == 200, 30, "the stack is ready")
    return time.monotonic()


def await_pools(ledger: Ledger, *, since: float) -> dict[str, float]:
    """When each pool that every query needs takes work again, in seconds since then."""
    idle = {f"agent.{seat}": more(partial(ledger.claims, seat)) for seat in SEATS if seat != "llama3"}
    idle |= {"aggregate": more(ledger.conclusions), "analyse": more(ledger.analyses)}
    back: dict[str, float] = {}
    while len(back) < len(idle):
        for pool in [pool for pool, takes_more in idle.items() if pool not in back and takes_more()]:
            back[pool] = time.monotonic() - since
        assert time.monotonic() - since < DEADLINE_S, f"only {sorted(back)} took work since Redis was back"
        time.sleep(0.1)
    return back


def assert_served(met: dict[str, list[Answer]]) -> None:
    """Everything was answered, and rightly."""
    statuses = {what: {answer.status for answer in answers} for what, answers in met.items()}
    assert statuses == {
        **{what: {200} for what in ("healthz", "GET query", "history", "catalogue", "agents", "events")},
        "sign-in": {201},
        "POST query": {202},
        "reset": {503},
        "readyz": {503},
    }
    assert {answer.retry_after for answer in met["reset"]} == {"2"}
    assert {answer.content["broker"] for answer in met["readyz"]} == {"does not answer"}
    assert {answer.content["database"] for answer in met["readyz"]} == {"ok"}
    for answer in met["events"]:
        told = [event.event for event in parse_events(iter([answer.content.encode()]))]
        assert "consensus" in told and told[-1] == "end", answer


def assert_quick(met: dict[str, list[Answer]]) -> None:
    """Nobody waited long for any answer."""
    slowest = {what: max(answer.took_s for answer in answers) for what, answers in met.items()}
    assert {what: took_s for what, took_s in slowest.items() if took_s > QUICK_S} == {}


def show(how: str, met: dict[str, list[Answer]], back: dict[str, float]) -> None:
    """Print how long answers took meanwhile, for docs/operations.md."""
    print(f"\n| Redis {how} for {AWAY_S:g} s | answers | slowest |\n|---|---|---|")
    for what, answers in met.items():
        statuses = sorted({answer.status for answer in answers})
        print(f"| {what} | {len(answers)} x {statuses} | {max(answer.took_s for answer in answers):.1f} s |")
    print("after its return: " + ", ".join(f"{what} {after_s:.1f} s" for what, after_s in back.items()))
