"""Hosted models as judges of conflicts: over the real protocol, bounded, never an author, never the embedded one."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import insert

from folkmoot.analysis.analyser import Analyser
from folkmoot.db import Database
from folkmoot.measurement import Measurable
from folkmoot.models import ProviderKey
from folkmoot.runtime import Runtime, build
from folkmoot.settings import Settings
from folkmoot.store import queries
from folkmoot.vault import Vault
from services.worker.judges import Judges
from services.worker.measuring import Measuring
from tests.conftest import scripted_roster
from tests.scripted_model import SEATS, ScriptedModel
from tests.store import rows
from tests.store.servers import Valkey, migrate

KEY = "sk-a-key-of-a-provider"
SECRET = base64.urlsafe_b64encode(b"1" * 32).decode()
CONFIRMED = json.dumps({"contradict": True, "reason": "One denies what the other says."})
ASKED = Measurable(
    query="What of nuclear power?",
    question_type="None",
    responses=[
        ("qwen", "Nuclear power is a safe source of electricity."),
        ("mistral", "Nuclear power is not a safe source of electricity."),
    ],
    roles={},
    consensus="They disagree about nuclear power.",
)

Make = Callable[..., Measuring]


@pytest.fixture(scope="module")
def analyser() -> Analyser:
    """The models, loaded once."""
    return Analyser()


@pytest.fixture
def make(
    analyser: Analyser, scripted_model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    """Builds what measures on a roster whose seats have a provider's key, which `change` may take away."""
    monkeypatch.setenv("PROVIDER_KEY", KEY)
    scripted_model.reset()
    made: list[Runtime] = []

    with Valkey() as valkey:

        def measuring(change: Callable[[dict[str, Any]], None] = lambda _: None, **settings: Any) -> Measuring:
            roster, path = scripted_roster(scripted_model), tmp_path / "agents.yaml"
            for seat in roster["seats"].values():
                seat["api_key_env"] = "PROVIDER_KEY"
            change(roster["seats"])
            path.write_text(yaml.safe_dump(roster), encoding="utf-8")
            own = {"database_url": f"sqlite:///{tmp_path / 'none.db'}", "broker_url": valkey.broker_url}
            made.append(build(Settings(agents_file=path, **{**own, **settings})))
            return Measuring(analyser, SEATS, Judges(made[-1]))

        yield measuring
        for runtime in made:
            runtime.close()


def conflict(measuring: Measuring) -> dict[str, Any]:
    """The one conflict of the two responses, as the report has it."""
    result = measuring.measure(ASKED)
    assert result.status == "ready" and result.report is not None
    [found] = result.report["report"]["conflicts"]
    assert isinstance(found, dict)
    return found


def test_a_hosted_model_confirms(make: Make, scripted_model: ScriptedModel) -> None:
    """One that wrote neither side is asked once, by its provider's key, for JSON; the sentences are quoted to it."""
    for seat in ("llama3", "deephermes"):
        scripted_model.script(f"scripted/{seat}", {"text": CONFIRMED})

    found = conflict(make())

    [call] = scripted_model.calls()
    assert (found["standing"], found["reason"]) == ("confirmed", "One denies what the other says.")
    assert call.model in ("scripted/llama3", "scripted/deephermes")
    assert call.headers["authorization"] == f"Bearer {KEY}"
    form = call.parameters["response_format"]
    assert form["type"] == "json_schema" and form["json_schema"]["strict"] is True
    assert all(f"> {response}" in call.messages[-1]["content"] for _, response in ASKED.responses)


def test_a_judge_works_for_the_one_who_asks(make: Make, scripted_model: ScriptedModel, tmp_path: Path) -> None:
    """It is called with that user's own key, and counted on the query's account, as its analysis."""
    for seat in ("llama3", "deephermes"):
        scripted_model.script(f"scripted/{seat}", {"text": CONFIRMED})
    measuring = make(secret_key=SECRET)
    migrate(f"sqlite:///{tmp_path / 'none.db'}")
    db = Database(f"sqlite:///{tmp_path / 'none.db'}")
    user_id = rows.user(db)
    job_id = rows.done(db, user_id)
    closed = Vault(Settings.model_validate({"secret_key": SECRET})).close("sk-of-the-one-who-asks")
    with db.write() as connection:
        own = {"user_id": user_id, "provider": "provider", "encrypted": closed, "created_at": rows.NOW}
        connection.execute(insert(ProviderKey).values(**own))

    measuring.measure(replace(ASKED, job_id=job_id, user_id=user_id))

    [call] = scripted_model.calls()
    assert call.headers["authorization"] == "Bearer sk-of-the-one-who-asks"
    cost = queries.find(db, job_id).cost
    db.close()
    assert cost is not None
    [stage] = cost.stages
    assert (stage.stage, stage.calls, stage.estimated_calls, stage.cost_usd) == ("analysis", 1, 0, None)
    assert stage.completion_tokens == len(CONFIRMED.split())


def test_a_dismissed_conflict_is_told(make: Make, scripted_model: ScriptedModel) -> None:
    """What a judge dismisses says so, and a note says that the shares still count it."""
    scripted_model.script("scripted/llama3", {"text": json.dumps({"contradict": False, "reason": "Both hold."})})

    result = make(lambda seats: seats.pop("deephermes")).measure(ASKED)

    assert result.report is not None
    assert result.report["report"]["conflicts"][0]["standing"] == "dismissed"
    assert result.report["score"]["contested"] > 0
    assert [note for note in result.report["notes"] if "dismissed 1" in note]


@pytest.mark.parametrize(
    "step",
    [
        {"hang": True},
        {"status": 500},
        {"text": "They do contradict each other."},
        {"cut_after_tokens": 1},
        {"broken_json": True},
        {"empty": True},
    ],
    ids=["silent", "broken", "prose", "cut off", "no answer", "empty"],
)
def test_a_failing_judge_leaves_it_possible(make: Make, scripted_model: ScriptedModel, step: dict[str, Any]) -> None:
    """Whatever a judge does, and however long it takes, the analysis is there and the conflict stays possible."""
    for seat in SEATS:
        scripted_model.script(f"scripted/{seat}", step)

    found = conflict(make(judge_s=1))

    assert len(scripted_model.calls()) == 1
    assert found["standing"] == "possible"


def test_without_a_key_nobody_is_asked(make: Make, scripted_model: ScriptedModel) -> None:
    """Neither seats without a provider's key, nor the embedded model, nor seats whose key is not set."""

    def no_keys(seats: dict[str, Any]) -> None:
        for seat in seats.values():
            del seat["api_key_env"]

    def embedded(seats: dict[str, Any]) -> None:
        for seat in seats.values():
            seat["base_url"] = "${FOLKMOOT_MODEL_URL}"

    def unset(seats: dict[str, Any]) -> None:
        for seat in seats.values():
            seat["api_key_env"] = "NO_SUCH_KEY"

    for measuring in (make(no_keys), make(embedded, model_url=scripted_model.url), make(unset)):
        assert conflict(measuring)["standing"] == "possible"
    assert scripted_model.calls() == []


@pytest.mark.parametrize("most", [0, 1])
def test_no_more_are_judged_than_the_setting_says(make: Make, scripted_model: ScriptedModel, most: int) -> None:
    """Of three conflicts as many are judged as the setting allows, the likeliest first."""
    for seat in SEATS:
        scripted_model.script(f"scripted/{seat}", {"text": CONFIRMED})
    one, other = (text for _, text in ASKED.responses)
    several = Measurable(
        ASKED.query,
        "None",
        [
            ("qwen", f"{one} Cats are good company. Trains should be free for everybody."),
            ("mistral", f"{other} Cats are not good company. Trains should not be free for everybody."),
        ],
        {},
        "",
    )

    result = make(judge_conflicts=most).measure(several)

    assert result.report is not None
    standings = [found["standing"] for found in result.report["report"]["conflicts"]]
    assert len(standings) >= 3
    assert standings == ["confirmed"] * most + ["possible"] * (len(standings) - most)
    assert len(scripted_model.calls()) == most
