"""The pool that analyses: it alone loads the models, and says so where there are none."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from folkmoot.analysis import charts
from folkmoot.measurement import Measurable
from services.worker.measuring import Measuring, load
from tests.stack import ROOT

SEATS = ("qwen", "llama3", "mistral")
ASKED = Measurable(
    query="Should voting be compulsory?",
    question_type="Yes/No",
    responses=[
        ("qwen", "Yes. Compulsory voting makes parliaments speak for everybody. It is wrong to stay at home."),
        ("mistral", "No. Compulsory voting takes away the freedom to abstain. I wonder who would be punished."),
    ],
    roles={"qwen": "Utilitarian", "mistral": "Libertarian"},
    consensus="The two disagree about compulsory voting.",
)


@pytest.fixture(scope="module")
def measuring() -> Iterator[Measuring]:
    """The models, loaded once."""
    yield load(SEATS)


def test_an_analysis_is_whole(measuring: Measuring) -> None:
    """What the pool stores has the score, every list of the contract, and each chart in both formats with its words."""
    result = measuring.measure(ASKED)

    assert result.status == "ready" and result.report is not None
    pictures = measuring.draw([agent_id for agent_id, _ in ASKED.responses], result.report)
    assert result.consensus_score == result.report["score"]["agreed"]
    for name in ("similarity", "sentiment", "tones", "emotions", "features"):
        assert len(result.report[name]) == 2, name
    assert result.report["votes"]["by_agent"] == {"qwen": "Yes", "mistral": "No"}
    assert {(one.name, one.format) for one in pictures} == {
        (name, format_) for name in charts.DRAWINGS for format_ in ("png", "svg")
    }
    assert [one.name for one in result.charts] == list(charts.DRAWINGS) and all(one.alt for one in result.charts)


#: Nothing, next to nothing, no letters, code, from right to left, and far too much.
ODD = ["", " ", "Yes", "🙂🙂🙂", "```python\nprint(1)\n```", "لا ينبغي ذلك أبدا.", "a" * 100_000]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_whatever_was_answered_is_measured(measuring: Measuring, text: str) -> None:
    """No response is too short, too long or too strange to be measured and drawn beside another."""
    responses = [("qwen", text), ("mistral", "It depends on many things, and nobody knows them all.")]

    result = measuring.measure(Measurable("Should we?", "None", responses, {}, "Perhaps."))

    assert result.status == "ready" and result.report is not None
    assert len(measuring.draw(["qwen", "mistral"], result.report)) == 10
    for shares in (*result.report["tones"], *result.report["emotions"]):
        assert abs(sum(shares.values()) - 1) < 1e-6 and all(share >= 0 for share in shares.values())


def test_without_the_extra_it_is_skipped() -> None:
    """Where spaCy is not installed the pool starts all the same, and gives the reason."""
    program = """
import sys
from pathlib import Path
from folkmoot.agents import load_roster
from folkmoot.measurement import Measurable
from folkmoot.settings import Settings
from services.worker.analyser import load
sys.modules["spacy"] = None
settings = Settings(config_dir=Path("config"))
result = load(settings, load_roster(settings)).measure(Measurable("?", "None", [], {}, ""))
print(result.status, result.reason)
"""

    assert run(program).strip() == (
        "skipped this Folkmoot was installed without what measures responses, the extra `analysis`"
    )


def test_what_is_switched_off_is_skipped() -> None:
    """With the setting at false nothing is loaded or measured, and each analysis says why."""
    program = """
import sys
from pathlib import Path
from folkmoot.agents import load_roster
from folkmoot.measurement import Measurable
from folkmoot.settings import Settings
from services.worker.analyser import load
settings = Settings(config_dir=Path("config"), analysis=False)
result = load(settings, load_roster(settings)).measure(Measurable("?", "None", [], {}, ""))
print(result.status, result.reason, "spacy" in sys.modules)
"""

    assert run(program).strip() == "skipped this Folkmoot measures nothing (FOLKMOOT_ANALYSIS is false) False"


def test_other_pools_load_nothing_of_it() -> None:
    """A worker's program imports neither the analysis nor what it computes with, until it is the one that analyses."""
    program = """
import sys
import services.worker.__main__
print([name for name in sys.modules if name.startswith(("folkmoot.analysis", "spacy", "onnxruntime", "matplotlib"))])
"""

    assert run(program).strip() == "[]"


def run(program: str) -> str:
    """What a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, cwd=ROOT, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


#: What the pool's process does, with four sets of four responses of 150 words; the last line is what it held at most.
WORKS = """
from bench.analysis_speed import four_responses, most_memory_mb
from folkmoot.measurement import Measurable
from services.worker import pool
from services.worker.heap import give_back_what_is_large
from services.worker.measuring import load

give_back_what_is_large()
measuring = load(("agent0", "agent1", "agent2", "agent3"))
for number in range(4):
    query, responses = four_responses(number)
    asked = Measurable(query=query, question_type="Yes/No", responses=responses, roles={}, consensus="Nobody agrees.")
    report = measuring.measure(asked).report
    assert measuring.draw([agent_id for agent_id, _ in responses], report)
print(most_memory_mb())
"""


def test_its_process_stays_under_700_megabytes() -> None:
    """With all that a pool loads beside the networks, and the charts drawn; whoever starts it does not count."""
    command = [sys.executable, "-c", WORKS]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)

    assert ended.returncode == 0, ended.stderr
    assert 200 < int(ended.stdout.split()[-1]) < 700
