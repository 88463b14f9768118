"""The story of `make up`: prepare, start, wait until all is well, watch, and end at a signal."""

import os
import signal
import sys
import time
from itertools import cycle
from pathlib import Path
from types import FrameType
from typing import NoReturn

from folkmoot.agents import Roster, load_roster
from folkmoot.errors import SettingsError
from folkmoot.settings import Settings, load
from infra.local import checks, environment, folder, parts, processes
from infra.local.checks import Check
from infra.local.settings import StackSettings, StartError, read
from infra.local.supervision import Supervision

ROOT = Path(__file__).resolve().parents[2]
#: A start takes ten seconds; a machine that needs ten times as long has something else the matter.
READY_WITHIN_S = 120.0
#: How often what is not there yet, or no longer, is looked for.
LOOK_S = 0.25
WATCH_S = 0.5
#: Looks at orphans for each one at what supervisord has given up on, which costs both of us more.
LOOKS_A_RESTART = 4


class Ended(BaseException):
    """SIGINT or SIGTERM came: the stack is to end."""


def main() -> int:
    """Run the stack until a signal; 0 after a stop that was asked for, 1 when something is wrong."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        up()
    except Ended:
        say("Folkmoot has ended.")
        return 0
    except (StartError, SettingsError) as error:
        print(error, file=sys.stderr, flush=True)
        return 1


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    # Once is enough: ending must not be cut short by a second Ctrl-C.
    processes.ignore_signals()
    raise Ended


def say(line: str) -> None:
    """Tell the person in front of the terminal, at once."""
    print(line, flush=True)


def up() -> NoReturn:
    """Prepare, start, wait until all is well, and watch until a signal.

    Raises:
        Ended: a signal came.
        StartError: something is wrong; the text says what.
        SettingsError: a setting or the roster is.
    """
    variables = environment.with_file(ROOT / ".env", os.environ)
    own = read(variables)
    with folder.opened(own.data_dir) as data:
        own = environment.on_a_free_port(own)
        variables = environment.of_the_stack(own, data, variables)
        os.environ.update(variables)
        settings = load()
        roster = load_roster(settings)
        stack = parts.of_the_stack(own, data, settings, roster)
        _announce(own, settings, roster)
        with Supervision(data, stack) as supervisor:
            looks = checks.of_the_stack(own, settings, stack)
            supervisor.migrate()
            _told("database")
            for stage in parts.STAGES:
                supervisor.start(stage)
                _wait(supervisor, {part.name: looks.pop(part.name) for part in stack if part.stage == stage})
            _wait(supervisor, looks)
            say(f"Folkmoot is ready at http://localhost:{own.port}  (Ctrl-C ends it)")
            _watch(supervisor)


def _announce(own: StackSettings, settings: Settings, roster: Roster) -> None:
    models = ", ".join(sorted({seat.model for seat in roster.seats.values()}))
    say(f"Starting Folkmoot with its data in {own.data_dir}")
    say(f"  {'roster':<17} {settings.roster_path}: {', '.join(roster.seats)} ({models})")


def _wait(supervisor: Supervision, looks: dict[str, Check]) -> None:
    """Look at each part until all are there, telling of each as it comes.

    Raises:
        StartError: a part failed, or is not there in time.
    """
    ends = time.monotonic() + READY_WITHIN_S
    while looks:
        for name in [name for name, look in looks.items() if look()]:
            del looks[name]
            _told(name)
        supervisor.end_orphans()
        supervisor.refuse_failed()
        if looks and time.monotonic() > ends:
            supervisor.refuse(f"Not ready after {READY_WITHIN_S:.0f} s: {', '.join(looks)}.", list(looks))
        time.sleep(LOOK_S if looks else 0)


def _told(name: str) -> None:
    say(f"  {name:<17} ready")


def _watch(supervisor: Supervision) -> NoReturn:
    """Keep the stack whole for as long as the supervisor lives.

    Raises:
        StartError: the supervisor itself has died.
    """
    looks = cycle(range(LOOKS_A_RESTART))
    while True:
        supervisor.end_orphans()
        for name in supervisor.restart_failed() if next(looks) == 0 else ():
            say(f"{name} keeps failing and is started again; see {' and '.join(map(str, supervisor.logs(name)))}")
        time.sleep(WATCH_S)
