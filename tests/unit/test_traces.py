"""Traces cost nothing where nobody collects them, and say so where they cannot be made."""

import subprocess
import sys

from folkmoot import traces

#: What the gateway and the workers load.
PROCESSES = "import services.gateway.app, services.worker.pool, services.heartbeat.loop"
#: An installation without the extra.
WITHOUT = "import sys; sys.modules['opentelemetry'] = None"


def run(*lines: str) -> subprocess.CompletedProcess[str]:
    """Run lines of Python in a process of their own."""
    return subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)


def test_nothing_is_loaded_where_traces_are_off() -> None:
    """Without a collector no process loads what makes spans, and every step is told to nobody."""
    told = run(
        PROCESSES,
        "import sys; from folkmoot import traces; traces.begin('gateway', '')",
        "with traces.span('step'), traces.resumed(None, 'ask'): traces.note(job_id='1'); traces.take(None)",
        "print(traces.is_on(), traces.carried(), traces.sent(), 'folkmoot.spans' in sys.modules)",
    )

    assert told.stdout == "False None None False\n", told.stderr


def test_steps_outside_of_a_trace_are_none() -> None:
    """Where nothing is recorded a step is the same nothing each time, which costs a look."""
    assert traces.span("step") is traces.NOTHING is traces.span("another", job_id="1")


def test_missing_extra_is_said_in_a_sentence() -> None:
    """A collector that is named where nothing can speak to it ends the start, and says what to install."""
    told = run(
        WITHOUT,
        "from folkmoot import errors, traces",
        "try: traces.begin('gateway', 'http://127.0.0.1:4318')",
        "except errors.SettingsError as error: print(error)",
    )

    assert "requirements/tracing.txt" in told.stdout, told.stderr
