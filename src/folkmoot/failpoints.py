"""Named points at which a process ends at once, as if it were killed there: for tests of what must survive that."""

import os
import signal
from pathlib import Path

from folkmoot.errors import SettingsError

#: The steps that are stored: at `<step>.commit` all is written and nothing committed, at `<step>.committed` it is
#: committed and nobody was told. Numbers are those of the steps in docs/durability.md.
STEPS = (
    "accept",  # 1
    "relay",  # 2
    "claim-response",  # 3
    "store-response",  # 3, 4
    "claim-conclusion",  # 5
    "store-consensus",  # 5
    "fail-conclusion",  # 5
    "store-analysis",
    "settle-late",  # 6
    "free-responses",  # 6
    "free-conclusions",  # 6
)
#: Points between the steps.
BETWEEN = (
    "hint.sent",  # 2: a hint is with the broker
    "response.answered",  # 3: a model has answered, and nothing of it is stored
    "consensus.answered",  # 5: an aggregator has answered, and nothing of it is stored
    "trial.begun",  # 7: an endpoint's trial is held, and it was not called
)
NAMES = (*(f"{step}.{when}" for step in STEPS for when in ("commit", "committed")), *BETWEEN)


class Failpoints:
    """Points armed by files: whoever comes to one whose name is a file in the folder removes it, and dies.

    So each point is met once, by one process, and the process that is started in its place goes on.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Use this folder; without one no point is ever met.

        Raises:
            SettingsError: there is no such folder, or a file in it names no point.
        """
        if folder is not None:
            if not folder.is_dir():
                raise SettingsError(f"FOLKMOOT_FAILPOINTS is {str(folder)!r}: it must be a folder.")
            unknown = sorted({file.name for file in folder.iterdir()} - set(NAMES))
            if unknown:
                raise SettingsError(f"There is no failpoint {unknown[0]!r}. Choose from: {', '.join(NAMES)}.")
        self._folder = folder

    def reach(self, name: str) -> None:
        """Die here, if the point is armed."""
        if self._folder is None:
            return
        try:
            (self._folder / name).unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
