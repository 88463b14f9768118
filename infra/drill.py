"""Kill a seat's pool and the aggregator of the stack that runs here, and show what its users see: `make drill`."""

import os
import secrets
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Run as a file, not as a module, so Python does not look for `infra` in the repository's root by itself.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from folkmoot.agents import AGGREGATE_QUEUE, queue_of  # noqa: E402
from infra.local import processes  # noqa: E402
from infra.local.settings import StackSettings, StartError, read  # noqa: E402
from services.client.rest import Gateway, GatewayError  # noqa: E402

QUESTION = "Should a city close its centre to private cars? Answer in one short paragraph."


@dataclass(frozen=True)
class Act:
    """One process to kill.

    Attributes:
        title: what is shown.
        queue: whose pool dies.
        speaks: the event at which it is killed: the victim is at work.
        answers: the event that shows that its work is done all the same.
    """

    title: str
    queue: str
    speaks: str
    answers: str


def main() -> int:
    """Play both acts; 1 when there is no stack, or a query was lost."""
    try:
        own = read(os.environ)
        stack = _pid_of_the_stack(own)
        gateway = Gateway(own.url)
        name = f"drill-{secrets.token_hex(4)}"
        password = secrets.token_urlsafe(16)
        gateway.sign_up(name, password)
        token = str(gateway.sign_in(name, password)["token"])
        seats = gateway.catalogue()["agents"]
    except (StartError, GatewayError) as error:
        print(f"drill: {error}", file=sys.stderr)
        return 1
    seat = next(one["agent_id"] for one in seats if not one["is_aggregator"])
    acts = (
        Act(f"the pool of {seat}, while it answers", queue_of(seat), "response.delta", "response"),
        Act("the aggregator's pool, while it concludes", AGGREGATE_QUEUE, "consensus.delta", "consensus"),
    )
    print(f"Folkmoot at {own.url}, as {name}.")
    done = [_played(act, gateway, token, stack, seat) for act in acts]
    return 0 if all(done) else 1


def _pid_of_the_stack(own: StackSettings) -> int:
    with suppress(OSError, ValueError):
        pid = int((own.data_dir / "lock").read_text())
        os.kill(pid, 0)
        return pid
    raise StartError(f"No stack runs in {own.data_dir}. Start one with `make up`, and run this beside it.")


def _played(act: Act, gateway: Gateway, token: str, stack: int, seat: str) -> bool:
    """Kill the process while it works, and tell when what happened; True when the query is done all the same."""
    print(f"\nSIGKILL to {act.title}:")
    job_id = gateway.ask(token, {"query": QUESTION, "deadline_s": 120}, secrets.token_hex(16))["job_id"]
    killed_at: float | None = None
    is_voided = False
    for event in gateway.follow(token, job_id, stopped=lambda: False):
        is_the_victims = act.queue == AGGREGATE_QUEUE or event.data.get("agent_id") == seat
        if killed_at is None and event.name == act.speaks and is_the_victims:
            pids = _pool(stack, act.queue)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            killed_at = time.monotonic()
            print(f"  {0:5.1f} s  process {', '.join(map(str, pids))} is dead, its answer half said")
            _await_another(stack, act.queue, pids, killed_at)
        elif killed_at is not None:
            is_voided = _told(act, event.name, is_the_victims, is_voided, killed_at)
    query = gateway.query(token, job_id)
    aggregator = query["aggregator"]["used"]
    print(f"  the query is {query['status']}, concluded by {aggregator}; notes: {query['notes'] or 'none'}")
    return bool(query["status"] == "done" and killed_at is not None)


def _await_another(stack: int, queue: str, dead: list[int], killed_at: float) -> None:
    while not set(_pool(stack, queue)) - set(dead):
        time.sleep(0.05)
    print(f"  {time.monotonic() - killed_at:5.1f} s  noticed: the supervisor has started another process")


def _told(act: Act, name: str, is_the_victims: bool, is_voided: bool, killed_at: float) -> bool:
    """Say what an event means; returns whether the half answer has been voided."""
    after_s = time.monotonic() - killed_at
    if name == "reset" and is_the_victims and not is_voided:
        print(f"  {after_s:5.1f} s  its claim ran out: the half answer is voided, and the model is asked again")
        return True
    if name == act.answers and is_the_victims:
        print(f"  {after_s:5.1f} s  recovered: the {act.answers} is there")
    return is_voided


def _pool(stack: int, queue: str) -> list[int]:
    """The worker processes of a queue that belong to this stack."""
    found = []
    for pid in processes.descendants(stack):
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
            if "services.worker" in words and queue in words:
                found.append(pid)
    return found


if __name__ == "__main__":
    sys.exit(main())
