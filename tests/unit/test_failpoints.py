"""A failpoint kills one process, once, where its name says; one that is not armed does nothing."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from folkmoot.errors import SettingsError
from folkmoot.failpoints import NAMES, Failpoints

POINT = "store-response.commit"
#: Comes to the point when it is told to, and says whether it is still there afterwards.
COMES = (
    "import sys; from pathlib import Path; from folkmoot.failpoints import Failpoints\n"
    "points = Failpoints(Path(sys.argv[1]))\n"
    "print('ready', flush=True); sys.stdin.readline()\n"
    f"points.reach({POINT!r}); print('alive')\n"
)


def test_unknown_point_is_refused_with_the_choices(tmp_path: Path) -> None:
    """A file that names no point stops the process at its start, with a sentence that names every point."""
    (tmp_path / POINT).touch()
    (tmp_path / "store-response").touch()

    with pytest.raises(SettingsError) as refused:
        Failpoints(tmp_path)

    assert str(refused.value) == f"There is no failpoint 'store-response'. Choose from: {', '.join(NAMES)}."


@pytest.mark.parametrize("is_file", [False, True])
def test_folder_that_is_none_is_refused(tmp_path: Path, is_file: bool) -> None:
    """A path where there is nothing, or a file, is refused with a sentence that names the variable and the path."""
    path = tmp_path / "points"
    if is_file:
        path.touch()

    with pytest.raises(SettingsError) as refused:
        Failpoints(path)

    assert str(refused.value) == f"FOLKMOOT_FAILPOINTS is {str(path)!r}: it must be a folder."


@pytest.mark.parametrize("name", NAMES)
def test_unarmed_points_do_nothing(tmp_path: Path, name: str) -> None:
    """Without a folder no point is met; with one, only those whose file lies in it, and other files stay."""
    others = set(NAMES) - {name}
    for other in others:
        (tmp_path / other).touch()

    Failpoints().reach(name)
    Failpoints(tmp_path).reach(name)

    assert {file.name for file in tmp_path.iterdir()} == others


def test_point_is_met_once_by_one_of_several_processes(tmp_path: Path) -> None:
    """Of several processes that come to an armed point at once one is killed; whoever comes later goes on."""
    (tmp_path / POINT).touch()
    several = [_comer(tmp_path) for _ in range(6)]

    ended = _come(several)

    assert sorted(ended) == [(-signal.SIGKILL, "")] + [(0, "alive\n")] * 5
    assert not list(tmp_path.iterdir())
    assert _come([_comer(tmp_path)]) == [(0, "alive\n")]


def test_point_can_be_armed_while_a_process_runs(tmp_path: Path) -> None:
    """A file that is made after the process has started kills it there, and can be made again for the next."""
    for _ in range(2):
        one = _comer(tmp_path)
        (tmp_path / POINT).touch()

        assert _come([one]) == [(-signal.SIGKILL, "")]


def _comer(folder: Path) -> subprocess.Popen[str]:
    """A process that has looked at the folder and waits before the point."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMES, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def _come(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """Let them all go on; the exit status of each and what it said after the point."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=10)[0] for process in processes]
    return [(process.returncode, words) for process, words in zip(processes, said, strict=True)]
