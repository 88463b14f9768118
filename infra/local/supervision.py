"""Supervision: supervisord runs the parts; whatever it leaves behind is ended here."""

import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self
from xmlrpc.client import Fault, ServerProxy  # nosec B411 # what supervisord of our own says

from infra.local import processes
from infra.local.configuration import ROOT, group_of, rendered
from infra.local.folder import Folder
from infra.local.parts import Part, Stage
from infra.local.settings import StartError
from infra.local.sockets import UnixTransport

#: All of it ends within ten seconds, the last of which is for those that have to be killed.
STOPS_WITHIN_S = 9.0
#: Supervisord is one loop; on a machine with much else to do it takes its time.
ANSWERS_WITHIN_S = 15.0
LOG_LINES = 15


class Supervision:
    """The running parts; as a context manager it starts the base, and leaves nothing behind."""

    def __init__(self, folder: Folder, stack: list[Part]) -> None:
        """Supervise these parts with sockets and logs in this folder."""
        self._folder = folder
        self._stack = stack
        self._daemon: subprocess.Popen[bytes] | None = None
        self._rpc = ServerProxy("http://supervisord", transport=UnixTransport(folder.socket("supervisord")))

    def __enter__(self) -> Self:
        """Start supervisord, and with it the base."""
        processes.adopt_orphans()
        configuration = self._folder.run / "supervisord.conf"
        configuration.write_text(rendered(self._folder, self._stack), encoding="utf-8")
        try:
            self._daemon = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)],
                cwd=ROOT,
                # Away from the terminal: Ctrl-C reaches us alone, and we end the parts in their order.
                start_new_session=True,
                # No thread of ours runs yet, so this is safe between fork and exec.
                preexec_fn=processes.end_with_parent,  # noqa: PLW1509
            )
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every part in order, and kill what is still there after that."""
        self._end()

    def _end(self) -> None:
        processes.ignore_signals()
        ends = time.monotonic() + STOPS_WITHIN_S
        if self._daemon is not None and self._daemon.poll() is None:
            self._daemon.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._daemon.wait(STOPS_WITHIN_S)
        processes.end_descendants(by=ends)

    def migrate(self) -> None:
        """Bring the database to its newest shape.

        Raises:
            StartError: that failed; the text has the end of its log.
        """
        with self._folder.log("migrate").open("wb") as log:
            command = [sys.executable, "-m", "alembic", "upgrade", "head"]
            done = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            self.refuse("The database could not be brought to its newest shape.", ["migrate"])

    def start(self, stage: Stage) -> None:
        """Start the parts of a stage; those of the base start with supervisord itself.

        Raises:
            StartError: the supervisor does not answer.
        """
        for part in self._stack:
            if part.stage == stage != "base":
                self._call("startProcess", f"{group_of(part)}:{part.name}", False)

    def _call(self, method: str, *arguments: object) -> Any:
        """Call supervisord, which has its socket a moment after its start.

        Raises:
            StartError: it has died, or does not answer.
        """
        ends = time.monotonic() + ANSWERS_WITHIN_S
        while True:
            try:
                return getattr(self._rpc.supervisor, method)(*arguments)
            except OSError as error:
                self._refuse_death()
                if time.monotonic() > ends:
                    raise StartError(f"The supervisor does not answer: {error}.") from error
                time.sleep(0.05)

    def refuse_failed(self) -> None:
        """See that no part has given up.

        Raises:
            StartError: one has; the text names it and has the end of its log.
        """
        if failed := self._failed():
            self.refuse(f"This part does not start: {', '.join(failed)}.", failed)

    def refuse(self, sentence: str, names: Iterable[str]) -> NoReturn:
        """Give up, showing the end of these parts' logs.

        Raises:
            StartError: always.
        """
        ends = [f"--- the end of {log}\n{_tail(log)}" for name in names for log in self.logs(name)]
        raise StartError("\n".join([sentence, *ends]))

    def restart_failed(self) -> list[str]:
        """Start those again that supervisord has given up on; returns their names."""
        failed = self._failed()
        for part in self._stack:
            if part.name in failed:
                with suppress(Fault):
                    self._call("startProcess", f"{group_of(part)}:{part.name}", False)
        return failed

    def _failed(self) -> list[str]:
        return [state["name"] for state in self._call("getAllProcessInfo") if state["statename"] == "FATAL"]

    def _refuse_death(self) -> None:
        if self._daemon is None or self._daemon.poll() is not None:
            self.refuse("The supervisor has died; everything is ended with it.", ["supervisord"])

    def end_orphans(self) -> None:
        """End the children that a killed part has left: its successor needs their sockets and ports.

        Raises:
            StartError: supervisord itself has died.
        """
        self._refuse_death()
        assert self._daemon is not None
        processes.end_children(but=self._daemon.pid)

    def logs(self, name: str) -> list[Path]:
        """What there is of a part's log, and of what it says beside it."""
        return [log for log in (self._folder.log(name), self._folder.output(name)) if log.exists()]


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:])
