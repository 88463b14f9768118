"""What it costs when an aggregator fails: the time from its failure to the call of the next one, and to the consensus.

Run as `python -m bench.failover [repetitions]`; prints a table, and writes it to bench/results/failover.json.
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

from tests.client import Client
from tests.conftest import scripted_roster
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually

RESULTS = Path(__file__).with_name("results")
KINDS: dict[str, dict[str, Any]] = {
    "HTTP 500": {"status": 500},
    "HTTP 404": {"status": 404},
    "an error in the stream": {"error_after_tokens": 3},
    "cut off": {"cut_after_tokens": 5},
    "empty": {"empty": True},
    "an error as text": {"text": "Error: upstream timed out"},
    "a refusal": {"text": "I'm sorry, but I can't help with that."},
    "the prompt itself": {"echo": True},
    "three words": {"text": "Yes it is."},
    "broken JSON": {"broken_json": True},
}


def main() -> None:
    """Let the aggregator fail in each way, so often, and show the medians."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with (
        ScriptedModel(SEATS) as model,
        Stack(scripted_roster(model), {"FOLKMOOT_FAILED_AFTER_ERRORS": "1000"}) as stack,
    ):
        client = Client(stack.url)
        client.sign_up("bench")
        client.sign_in("bench")
        eventually(lambda: set(client.states().values()) == {"healthy"}, 30, "every seat is healthy")
        measured = {
            kind: [_failover_ms(client, model, step) for _ in range(repetitions)] for kind, step in KINDS.items()
        }
    rows = {
        kind: {"to_next_call_ms": _median(one, 0), "to_consensus_ms": _median(one, 1)} for kind, one in measured.items()
    }
    overall = statistics.median(ms for one in measured.values() for ms, _ in one)
    for kind, row in rows.items():
        print(f"{kind:24} {row['to_next_call_ms']:8.1f} ms {row['to_consensus_ms']:8.1f} ms")
    print(f"{'median of all':24} {overall:8.1f} ms")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "failover.json").write_text(json.dumps({"median_ms": overall, "kinds": rows}, indent=2) + "\n")


def _failover_ms(client: Client, model: ScriptedModel, step: dict[str, Any]) -> tuple[float, float]:
    """Milliseconds from the end of the failing call to the begin of the next, and to the end of that."""
    client.reset_agent("llama3")
    model.reset()
    model.script("scripted/llama3", step, stage="consensus")
    query = client.wait_done(client.ask()["job_id"])
    assert query["status"] == "done" and query["aggregator"]["failed_over"], query
    failing, following = model.calls(stage="consensus")
    # A call that is refused is over as soon as it came.
    failed_at = failing.finished_at or failing.at
    finished_at = eventually(lambda: following.finished_at, 5, "the next call is over")
    assert finished_at is not None
    return 1000 * (following.at - failed_at), 1000 * (finished_at - failed_at)


def _median(measured: list[tuple[float, float]], column: int) -> float:
    return statistics.median(one[column] for one in measured)


if __name__ == "__main__":
    main()
