"""The command line on the whole stack: in a terminal, in a pipe, and when things go wrong."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client import PASSWORD, Client, new_user
from tests.scripted_model import ScriptedModel
from tests.stack import ROOT, Running, eventually, free_port
from tests.terminal import OnScreen

CLI = [sys.executable, "-m", "services.cli"]
PANEL = ("qwen", "mistral", "deephermes")
#: So that there is time to see them write, and to cancel.
SLOWLY = {"token_delay_s": 0.1}


@pytest.fixture
def environment(client: Client, tmp_path: Path) -> dict[str, str]:
    """Of a shell of somebody who is signed in by an own token, with a home of their own."""
    assert client.token
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOLKMOOT_")}
    return kept | {
        "FOLKMOOT_URL": client.url,
        "FOLKMOOT_TOKEN": client.token,
        "XDG_CONFIG_HOME": str(tmp_path),
        # What is no terminal gets no codes, whatever is asked for.
        "FORCE_COLOR": "1",
    }


def run(environment: dict[str, str], *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """A command in a pipe."""
    return subprocess.run(
        [*CLI, *words], env=environment, cwd=ROOT, input=given, capture_output=True, text=True, timeout=60, check=False
    )


def test_columns_are_live_and_the_answer_stays(model: ScriptedModel, environment: dict[str, str]) -> None:
    """At a terminal each seat of the panel has a column while it writes, and the consensus stands there at the end."""
    for seat in PANEL:
        model.script(f"scripted/{seat}", {**SLOWLY, "text": f"Yes, says {seat}, because it helps many people there."})

    with OnScreen(
        [*CLI, "ask", "--role", "mistral=Utilitarian", "Should voting be compulsory?"], environment
    ) as screen:
        seen = screen.wait_for(*(f"─ {seat}" for seat in PANEL), "mistral · Utilitarian", "writing", "s left")
        status = screen.status()
        answer = screen.text()

    assert "Ctrl-C cancels" in seen
    assert status == 0, answer
    assert "Consensus" in answer
    assert "s left" not in answer


def test_ctrl_c_cancels_on_the_server(model: ScriptedModel, client: Client, environment: dict[str, str]) -> None:
    """Ctrl-C cancels the query on the server, says so, and is told by the exit status."""
    for seat in PANEL:
        model.script(f"scripted/{seat}", {"token_delay_s": 0.5})

    with OnScreen([*CLI, "ask", "Should voting be compulsory?"], environment, columns=80) as screen:
        screen.wait_for("waiting for")
        screen.press(b"\x03")
        status = screen.status()
        said = screen.text()

    (query,) = client.history()["queries"]
    assert status == 130, said
    assert f"Cancelled {query['job_id']}" in said
    assert query["status"] == "cancelled"
    eventually(lambda: all(call.finished_at or call.disconnected_at for call in model.calls()), 10, "no call goes on")


def test_no_colour_where_none_is_wanted(model: ScriptedModel, environment: dict[str, str]) -> None:
    """NO_COLOR takes the colours away, at a terminal too."""
    with OnScreen([*CLI, "agents"], {**environment, "NO_COLOR": "1"}) as screen:
        status = screen.status()

    assert status == 0
    assert b"\x1b[3" not in screen.raw


def test_a_pipe_gets_plain_words(model: ScriptedModel, environment: dict[str, str]) -> None:
    """No control code reaches a pipe, not even one that a model wrote."""
    model.script("scripted/qwen", {"text": "Yes, since \x1b[31mred\x1b[0m is a colour that many people like to see."})

    asked = run(environment, "ask", "--type", "Yes/No", given="Is red a good colour?")
    others = [run(environment, *words) for words in (["history"], ["agents"], ["show", "last"])]

    assert asked.returncode == 0, asked.stderr
    assert "Is red a good colour?" in asked.stdout
    assert "## Consensus" in asked.stdout
    assert "colour that many people like" in asked.stdout
    for done in (asked, *others):
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr


def test_json_parses_and_reads_back(model: ScriptedModel, client: Client, environment: dict[str, str]) -> None:
    """With --json a script gets the resources of the API; the same key asks once."""
    words = ["ask", "--json", "--agents", "qwen,mistral", "--no-cache", "--key", "once", "Should voting be compulsory?"]
    asked = json.loads(run(environment, *words).stdout)
    again = json.loads(run(environment, *words).stdout)
    follow = json.loads(run(environment, "ask", "--json", "--follow-up", asked["job_id"], "And why?").stdout)
    shown = json.loads(run(environment, "show", "--json", asked["job_id"]).stdout)
    found = json.loads(run(environment, "history", "--json", "--search", "compulsory", "--status", "done").stdout)
    record = run(environment, "export", asked["job_id"], "--format", "json")

    assert asked["status"] == "done"
    assert asked["panel"] == ["qwen", "mistral"]
    assert again["job_id"] == asked["job_id"] == shown["job_id"] == json.loads(record.stdout)["job_id"]
    assert follow["parent_job_id"] == asked["job_id"]
    assert [query["job_id"] for query in found["queries"]] == [asked["job_id"]]


def test_a_degraded_answer_and_a_failed_query_have_their_status(
    model: ScriptedModel, environment: dict[str, str]
) -> None:
    """A seat that fails is told with its reason and as exit status 5; without a quorum it is 1."""
    model.script("scripted/qwen", {"status": 401, "error": "no"})
    degraded = run(environment, "ask", "Should voting be compulsory?")
    model.script("scripted/mistral", {"status": 401, "error": "no"})
    failed = run(environment, "ask", "Should voting be compulsory, then?")

    assert degraded.returncode == 5, degraded.stdout + degraded.stderr
    assert "degraded" in degraded.stdout
    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "There is no consensus." in failed.stdout


def test_every_refusal_is_a_sentence_and_a_status(environment: dict[str, str], tmp_path: Path) -> None:
    """What goes wrong is told on standard error, without a trace, and by the exit status."""
    nobody = {**environment, "FOLKMOOT_TOKEN": "fm_wrong"}
    dead = {**environment, "FOLKMOOT_URL": f"http://127.0.0.1:{free_port()}"}
    cases = [
        (run(nobody, "history"), 3, "Sign in with: folkmoot login"),
        (run(dead, "agents"), 4, "cannot be reached"),
        (run(environment, "show", "no-such-job"), 6, "There is no such query"),
        (run(environment, "ask", "--role", "qwen=Pirate", "Why?"), 2, "Choose from"),
        (run(environment, "ask", "--role", "qwen=Rawlsian", "--role", "Utilitarian", "Why?"), 2, "AGENT=ROLE"),
        (run(environment, "ask"), 2, "There is no question"),
        (run(environment, "history", "--limit", "0"), 2, "a number from 1 to 100"),
        (run(environment, "agents", "--server", "ftp://example.org"), 2, "not the address of a server"),
        (run(environment, "export", "no-such-job", "-o", str(tmp_path / "x.md")), 6, "There is no such query"),
    ]

    for done, status, sentence in cases:
        assert (done.returncode, done.stdout) == (status, ""), done
        assert sentence in done.stderr, done
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "x.md").exists()


def test_a_login_is_kept_for_its_server_alone(stack: Running, environment: dict[str, str], tmp_path: Path) -> None:
    """A token is kept where only its owner reads it, goes to its own server and to no other, and ends with logout."""
    del environment["FOLKMOOT_TOKEN"]
    name = str(Client(stack.url, new_user(stack.url).token).call("GET", "/sessions/current").json()["username"])
    other = stack.url.replace("127.0.0.1", "localhost")

    wrong = run(environment, "login", name, given="another password\n")
    signed_in = run(environment, "login", name, given=f"{PASSWORD}\n")
    kept = tmp_path / "folkmoot" / "logins.json"
    mode, token = stat.S_IMODE(kept.stat().st_mode), json.loads(kept.read_text())[stack.url]["token"]
    at_home, elsewhere = run(environment, "history"), run(environment, "history", "--server", other)
    by_variable = run({**environment, "FOLKMOOT_TOKEN": token}, "history", "--server", other)
    signed_out = run(environment, "logout")

    assert (wrong.returncode, signed_in.returncode, at_home.returncode) == (3, 0, 0), (wrong, signed_in, at_home)
    assert mode == 0o600
    assert token not in signed_in.stdout + signed_in.stderr
    assert (elsewhere.returncode, by_variable.returncode) == (3, 3)
    assert "not signed in to http://localhost" in elsewhere.stderr
    assert signed_out.returncode == 0
    assert Client(stack.url, token).call("GET", "/sessions/current").status_code == 401
    assert run(environment, "history").returncode == 3


def test_an_api_token_is_read_from_standard_input(client: Client, environment: dict[str, str]) -> None:
    """`login --token` takes a personal API token, and refuses one that the server does not know."""
    del environment["FOLKMOOT_TOKEN"]
    token = client.call("POST", "/tokens", json={"name": "shell", "scopes": ["read"]}).json()["token"]

    refused, taken = (run(environment, "login", "--token", given=given) for given in ("fm_wrong\n", f"{token}\n"))

    assert (refused.returncode, taken.returncode) == (3, 0), (refused, taken)
    assert run(environment, "history").returncode == 0
    assert run(environment, "ask", "May I?").returncode == 3
