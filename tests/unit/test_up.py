"""What `make up` decides before it starts anything: settings, folder, addresses, parts; and that it leaves nothing."""

import configparser
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot import logs
from folkmoot.agents import Roster
from folkmoot.settings import Settings
from infra.local import environment, folder, parts
from infra.local.configuration import rendered
from infra.local.folder import Folder
from infra.local.parts import Part
from infra.local.settings import StackSettings, StartError, read
from infra.local.supervision import Supervision
from tests.stack import ROOT, eventually

MODEL = "http://127.0.0.1:20001/v1"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Folder]:
    """A data folder of this test's own."""
    with folder.opened(tmp_path / "data") as found:
        yield found


def stack_of(opened: Folder, *, base_url: str = MODEL, gateways: int = 2, redis: str | None = None) -> list[Part]:
    """The parts for a roster of two seats at this address."""
    seats = {"qwen": {"model": "m", "base_url": base_url}, "llama3": {"model": "m", "base_url": base_url}}
    roster = Roster.model_validate({"aggregator": "llama3", "seats": seats})
    settings = Settings(model_url=MODEL, redis_url=redis or f"unix://{opened.socket('broker')}?db=0")
    return parts.of_the_stack(StackSettings("127.0.0.1", 8080, gateways, opened.data), opened, settings, roster)


def test_defaults_need_nothing() -> None:
    """With no setting at all the stack has its port, two gateways and ./data."""
    own = read({})

    assert own == StackSettings("127.0.0.1", 8080, 2, ROOT.cwd() / "data")
    assert own.url == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("name", "value"), [("FOLKMOOT_PORT", "http"), ("FOLKMOOT_PORT", "65536"), ("FOLKMOOT_GATEWAYS", "0")]
)
def test_wrong_value_is_named(name: str, value: str) -> None:
    """A setting out of bounds is refused with its name, its value and the bounds."""
    with pytest.raises(StartError, match=rf"{name} is '{value}': .* from \d to \d+"):
        read({name: value})


def test_public_address_is_reached_on_this_machine() -> None:
    """A stack that listens everywhere reaches itself on the loopback."""
    assert read({"FOLKMOOT_HOST": "0.0.0.0"}).url == "http://127.0.0.1:8080"
    assert read({"FOLKMOOT_HOST": "::"}).url == "http://[::1]:8080"


def test_file_fills_in_what_is_not_set(tmp_path: Path) -> None:
    """A `.env` file gives what the environment does not; quotes and remarks are left out."""
    (tmp_path / ".env").write_text("# remark\n\nA=1\nexport B='two words'\nC=3 # three\nD=\"#4\"\n")

    found = environment.with_file(tmp_path / ".env", {"A": "mine"})

    assert found == {"A": "mine", "B": "two words", "C": "3", "D": "#4"}
    assert environment.with_file(tmp_path / "none", {"A": "mine"}) == {"A": "mine"}


def test_line_that_is_no_setting_is_named(tmp_path: Path) -> None:
    """A line of another shape is refused by its number."""
    (tmp_path / ".env").write_text("A=1\nnonsense\n")

    with pytest.raises(StartError, match=r"\.env, line 2 is 'nonsense'"):
        environment.with_file(tmp_path / ".env", {})


def test_taken_port_is_said(opened: Folder) -> None:
    """A public port that is taken is named, with the variable that moves it; 0 takes any free one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"127.0.0.1:{port} .* FOLKMOOT_PORT"):
            environment.on_a_free_port(StackSettings("127.0.0.1", port, 2, opened.data))

    assert environment.on_a_free_port(StackSettings("127.0.0.1", 0, 2, opened.data)).port > 0


def test_own_addresses_lie_in_the_folder(opened: Folder) -> None:
    """Unless the user says otherwise, database and broker lie in the data folder, and the model on the loopback."""
    own = StackSettings("127.0.0.1", 8123, 2, opened.data)

    found = environment.of_the_stack(own, opened, {"FOLKMOOT_QUORUM": "3", "FOLKMOOT_BROKER_URL": ""})

    assert found["FOLKMOOT_DATABASE_URL"] == f"sqlite:///{opened.data}/folkmoot.db"
    assert found["FOLKMOOT_BROKER_URL"] == f"redis+socket://{opened.socket('broker')}?virtual_host=0"
    assert found["FOLKMOOT_REDIS_URL"] == f"unix://{opened.socket('broker')}?db=0"
    assert Settings(broker_url=found["FOLKMOOT_BROKER_URL"], redis_url=found["FOLKMOOT_REDIS_URL"]).has_one_redis
    assert found["FOLKMOOT_MODEL_URL"].startswith("http://127.0.0.1:")
    assert found["FOLKMOOT_GATEWAY_URL"] == "http://127.0.0.1:8123"
    assert found["FOLKMOOT_QUORUM"] == "3"


@pytest.mark.parametrize(
    ("chosen", "broker", "redis", "own"),
    [
        ({"FOLKMOOT_BROKER_URL": "redis://b/1"}, "redis://b/1", None, False),
        ({"FOLKMOOT_REDIS_URL": "redis://b/1"}, "redis://b/1", "redis://b/1", False),
        ({"FOLKMOOT_REDIS_URL": "unix:///b?db=1"}, "redis+socket:///b?virtual_host=1", "unix:///b?db=1", False),
        ({"FOLKMOOT_BROKER_URL": "amqp://b", "FOLKMOOT_REDIS_URL": "redis://b"}, "amqp://b", "redis://b", False),
        ({"FOLKMOOT_BROKER_URL": "amqp://b"}, "amqp://b", "unix://{own}?db=0", True),
    ],
)
def test_a_broker_of_the_users_own_is_respected(
    opened: Folder, chosen: dict[str, str], broker: str, redis: str | None, own: bool
) -> None:
    """A broker or a Redis that is set is used, and the stack starts one only for what is left."""
    stack = StackSettings("127.0.0.1", 8080, 2, opened.data)

    found = environment.of_the_stack(stack, opened, chosen)

    assert found["FOLKMOOT_BROKER_URL"] == broker
    assert found.get("FOLKMOOT_REDIS_URL") == (redis and redis.format(own=opened.socket("broker")))
    assert environment.needs_own_broker(chosen) is own


def test_one_stack_a_folder(opened: Folder) -> None:
    """A data folder in use is refused, by name and with the process that has it."""
    with pytest.raises(StartError, match=rf"{opened.data} \(process {os.getpid()}\)"), folder.opened(opened.data):
        pass


def test_folder_is_private_and_free_again(tmp_path: Path) -> None:
    """Nobody else may look into the data folder; when a stack has ended, the next may have it, and nothing is lost."""
    data = tmp_path / "deep" / "data"
    with folder.opened(data) as first:
        assert data.stat().st_mode & 0o777 == 0o700
        (first.data / "kept").touch()
    with folder.opened(data) as second:
        assert (second.data / "kept").exists()

    assert not second.run.exists()


@pytest.mark.parametrize("name", ["d" * 90, "with space", "with%percent"])
def test_sockets_have_short_plain_paths(tmp_path: Path, name: str) -> None:
    """Where the data folder's path is long or odd, the sockets lie in a temporary folder, which goes at the end."""
    with folder.opened(tmp_path / name) as found:
        path = str(found.socket("gateway-64"))
        assert len(path) < 100 and path.replace("/", "").replace("-", "").replace("_", "").replace(".", "").isalnum()
        assert not found.run.is_relative_to(found.data) and found.run.is_dir()

    assert not found.run.exists()


def test_every_seat_has_its_pool(opened: Folder) -> None:
    """The parts follow from roster and settings, and tell by their command lines who they are."""
    stack = {part.name: part for part in stack_of(opened, gateways=3)}

    assert list(stack) == [
        *("broker", "model", "gateway-1", "gateway-2", "gateway-3", "nginx"),
        *("agent.qwen", "agent.llama3", "aggregate", "analyse", "heartbeat", "ui"),
    ]
    for queue in ("agent.qwen", "agent.llama3", "aggregate", "analyse"):
        assert shlex.join(stack[queue].command).endswith(f"-m services.worker -Q {queue}")
    for number in (1, 2, 3):
        part = stack[f"gateway-{number}"]
        assert "gunicorn" in part.command and part.variables["FOLKMOOT_SERVED_BY"] == part.name
        assert part.variables["FOLKMOOT_BIND"] == f"unix:{opened.socket(part.name)}"


def test_only_what_is_needed_runs(opened: Folder) -> None:
    """A roster of other endpoints starts no embedded model, and a Redis of the user's own no broker."""
    names = [part.name for part in stack_of(opened, base_url="http://127.0.0.1:1/v1", redis="redis://127.0.0.1:1/0")]

    assert not {"broker", "model"} & set(names)


def test_supervisor_is_told_of_every_part(opened: Folder) -> None:
    """Each part is in supervisord's configuration, restarted when it dies, with what it needs in its environment."""
    stack = stack_of(opened)
    read_back = configparser.RawConfigParser()
    read_back.read_string(rendered(opened, stack))

    assert read_back["group:base"]["programs"] == "broker,model"
    for part in stack:
        program = read_back[f"program:{part.name}"]
        assert shlex.split(program["command"]) == part.command
        assert program["autorestart"] == "true" and program["killasgroup"] == "true"
        assert all(f'{name}="{value}"' in program["environment"] for name, value in part.variables.items())


def test_every_log_has_one_writer(opened: Folder) -> None:
    """What writes many lines writes its own log, and supervisord another of what it says beside it; all are alike."""
    stack = stack_of(opened)
    read_back = configparser.RawConfigParser()
    read_back.read_string(rendered(opened, stack))

    written = {part.name: part.variables["FOLKMOOT_LOG_FILE"] for part in stack if part.writes_log}
    supervised = {part.name: read_back[f"program:{part.name}"]["stdout_logfile"] for part in stack}
    assert set(supervised) - set(written) == {"broker", "model", "nginx", "ui"}
    assert len({*written.values(), *supervised.values()}) == len(written) + len(supervised)
    for part in stack:
        log = f"{opened.data}/logs/{part.name}.log"
        assert (written if part.writes_log else supervised)[part.name] == log
        assert ("FOLKMOOT_LOG_FILE" in part.variables) == part.writes_log
        program = read_back[f"program:{part.name}"]
        assert int(program["stdout_logfile_maxbytes"]) == logs.FILE_BYTES == 5 * 1024**2
        assert int(program["stdout_logfile_backups"]) == logs.OLD_FILES == 2


def test_a_part_that_fails_is_heard(opened: Folder) -> None:
    """Who is told that a part has failed sees what it logged, and what it said when it could not log."""
    opened.log("analyse").write_text("logged\n")
    opened.output("analyse").write_text("Traceback: said\n")
    opened.log("ui").write_text("supervised\n")

    with pytest.raises(StartError, match=r"(?s)^It fails\..*logged.*Traceback: said.*supervised$"):
        Supervision(opened, stack_of(opened)).refuse("It fails.", ["analyse", "ui"])


def test_supervisor_has_no_empty_group(opened: Folder) -> None:
    """Without a part in the base there is no such group: supervisord refuses an empty one."""
    stack = stack_of(opened, base_url="http://127.0.0.1:1/v1", redis="redis://127.0.0.1:1/0")

    assert "group:base" not in rendered(opened, stack)


#: A parent that takes over what its dying child leaves; prints the grandchild, and ends when nothing is left.
ADOPTION = """
import os, subprocess, sys, time
from infra.local import processes
processes.adopt_orphans()
child = subprocess.Popen(["bash", "-c", "trap '' TERM; sleep 60 & echo $!; wait"], stdout=subprocess.PIPE)
print(child.stdout.readline().decode().strip(), flush=True)
child.kill()
child.wait()
{ending}
"""


@pytest.mark.parametrize(
    "ending",
    [
        "processes.end_descendants(by=time.monotonic() + 0.2)",
        "processes.end_children(but=0)",
    ],
)
def test_no_orphan_is_left(ending: str) -> None:
    """What a killed process leaves behind is found and ended, also when it does not listen to SIGTERM."""
    code = ADOPTION.format(ending=ending)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )

    eventually(lambda: not _lives(int(done.stdout)), 5, "the orphan is gone")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "value"),
    [("FOLKMOOT_PORT", "x"), ("FOLKMOOT_QUORUM", "many"), ("FOLKMOOT_AGENTS_FILE", "/none.yaml")],
)
def test_wrong_setting_ends_the_start_in_a_sentence(tmp_path: Path, name: str, value: str) -> None:
    """A start with a wrong setting or roster says which, leaves no run folder and fails."""
    done = subprocess.run(
        [sys.executable, "infra/up.py"],
        cwd=ROOT,
        env={**os.environ, "FOLKMOOT_PORT": "0", "FOLKMOOT_DATA_DIR": str(tmp_path / "data"), name: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert name in done.stderr and value in done.stderr
    assert not (tmp_path / "data" / "run").exists()
