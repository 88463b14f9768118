"""A query's life at the gateway: accepted once, dealt once, listed, cancelled, deleted."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from folkmoot.catalogue import ROLES
from tests.client import Client
from tests.e2e.test_bad_input import named, problem
from tests.scripted_model import ScriptedModel
from tests.stack import Running, eventually

pytestmark = pytest.mark.timeout(90)

DEALT = ["Utilitarian", "Rawlsian", "Precautionary"]


def test_query_is_accepted_with_its_address(client: Client) -> None:
    """A query is answered with 202, where it will be, and all that is known of it already."""
    answer = client.submit(query="Should voting be compulsory?", domain="Policy", question_type="Yes/No", deadline_s=20)

    job = answer.json()
    assert answer.status_code == 202 and answer.headers["Location"].endswith(f"/api/v1/queries/{job['job_id']}")
    assert job["status"] in ("accepted", "asking") and job["domain"] == "Policy" and job["question_type"] == "Yes/No"
    assert job["panel"] == ["qwen", "mistral", "deephermes"]
    assert job["aggregator"] == {"requested": "llama3", "used": None, "failed_over": False}
    assert job["consensus"] is None and job["finished_at"] is None
    path = urlsplit(answer.headers["Location"]).path
    assert client.call("GET", f"/{path}").json()["job_id"] == job["job_id"]


def test_query_ends_as_the_contract_says(client: Client, model: ScriptedModel) -> None:
    """A query that goes well ends done, with every field filled from what really happened."""
    job = client.ask("Should voting be compulsory? #case-whole", roles={"qwen": "Utilitarian"})

    ended = client.wait_done(job["job_id"])

    assert ended["status"] == "done" and not ended["degraded"] and ended["notes"] == []
    for response in ended["responses"]:
        [call] = model.calls(f"scripted/{response['agent_id']}")
        assert response["status"] == "ok" and response["text"] == call.answer and response["error"] is None
        assert response["model"] == call.model and response["attempts"] == 1 and response["cached"] is False
        assert response["latency_ms"] >= 0 and response["completion_tokens"] > 20 < response["prompt_tokens"]
    [call] = model.calls("scripted/llama3")
    assert ended["consensus"]["text"] == call.answer and ended["consensus"]["model"] == "scripted/llama3"
    assert ended["created_at"].endswith("Z") and ended["created_at"] < ended["finished_at"] < ended["deadline_at"]


def test_same_key_and_body_make_one_job(client: Client) -> None:
    """The same Idempotency-Key with the same body gives the same job, also after it has ended."""
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    first = client.submit(headers, query="Once?").json()
    client.wait_done(first["job_id"])

    again = client.submit(headers, query="Once?")

    assert again.status_code == 202 and again.json()["job_id"] == first["job_id"]
    assert len(client.history()["queries"]) == 1


def test_same_key_in_parallel_makes_one_job(client: Client, model: ScriptedModel) -> None:
    """Twenty tries of one request at the same time, over all replicas, are one job, asked once."""
    headers = {"Idempotency-Key": uuid.uuid4().hex}

    def submit(_: int) -> Any:
        return Client(client.url, client.token).submit(headers, query="Once at most?")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(submit, range(20)))

    assert {answer.status_code for answer in answers} == {202}, [answer.text for answer in answers]
    [job_id] = {answer.json()["job_id"] for answer in answers}
    client.wait_done(job_id)
    assert len(client.history()["queries"]) == 1
    assert Counter(call.model for call in model.calls()) == dict.fromkeys(
        ("scripted/qwen", "scripted/mistral", "scripted/deephermes", "scripted/llama3"), 1
    )


def test_same_key_with_another_body_is_refused(client: Client) -> None:
    """The same key with another body is a mistake of the client's, and is told so with 422."""
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    client.submit(headers, query="This?")

    problem(client.submit(headers, query="That?"), 422)

    assert [query["query"] for query in client.history()["queries"]] == ["This?"]


def test_key_is_its_owners(client: Client, stranger: Client) -> None:
    """Two users with the same key have a job each."""
    headers = {"Idempotency-Key": uuid.uuid4().hex}

    jobs = [user.submit(headers, query="Whose?").json()["job_id"] for user in (client, stranger)]

    assert jobs[0] != jobs[1]


def test_without_a_key_every_request_is_a_job(client: Client) -> None:
    """Two requests without a key are two jobs, also when the client sends one X-Request-ID with both."""
    headers = {"X-Request-ID": "0123456789abcdef0123456789abcdef"}

    jobs = {client.submit(headers, query="Again?").json()["job_id"] for _ in range(3)}

    assert len(jobs) == 3


def told_roles(model: ScriptedModel, tag: str) -> dict[str, str]:
    """Which role each seat was really given for the question with this tag: agent_id to role."""
    calls = [call for call in model.calls(stage="response") if tag in call.prompt]
    return {
        call.model.removeprefix("scripted/"): next(
            (role for role, principle in ROLES.items() if principle and principle in call.prompt), "None"
        )
        for call in calls
    }


def test_chosen_roles_are_kept(client: Client, model: ScriptedModel) -> None:
    """Roles chosen by seat are stored and are what each model is told; so are those not chosen."""
    job = client.ask("Chosen? #case-chosen", roles={"qwen": "Libertarian", "deephermes": "Virtue Ethicist"})

    ended = client.wait_done(job["job_id"])

    stored = {response["agent_id"]: response["role"] for response in ended["responses"]}
    assert stored["qwen"] == "Libertarian" and stored["deephermes"] == "Virtue Ethicist"
    assert told_roles(model, "#case-chosen") == stored


def test_roles_are_dealt_once_and_stored(client: Client, model: ScriptedModel) -> None:
    """A list of roles is dealt out when the query is accepted; what is told later is what was dealt then."""
    accepted = client.ask("Dealt? #case-dealt", roles=DEALT)
    dealt = {response["agent_id"]: response["role"] for response in accepted["responses"]}

    ended = client.wait_done(accepted["job_id"])

    assert sorted(dealt.values()) == sorted(DEALT)
    assert {response["agent_id"]: response["role"] for response in ended["responses"]} == dealt
    assert told_roles(model, "#case-dealt") == dealt


def test_dealing_is_random(client: Client) -> None:
    """The same list does not always fall the same way: twelve deals of three roles are not all alike."""
    deals = {
        tuple(response["role"] for response in client.ask(f"Deal {n}?", roles=DEALT)["responses"]) for n in range(12)
    }

    assert len(deals) > 1


def test_ten_queries_at_once_keep_their_own(client: Client, model: ScriptedModel) -> None:
    """Of ten queries at once, each with own roles and aggregator, none gets another's in prompt or record."""
    seats, roles = ["qwen", "llama3", "mistral", "deephermes"], [role for role in ROLES if role != "None"]
    for seat in seats:
        model.script(f"scripted/{seat}", {"delay_s": 0.2})
    wanted: dict[str, dict[str, Any]] = {}
    for number in range(10):
        aggregator = seats[number % 4]
        panel = [seat for seat in seats if seat != aggregator]
        own = {seat: roles[(number + place) % len(roles)] for place, seat in enumerate(panel)}
        wanted[f"#case-ten{number}x"] = {"aggregator": aggregator, "roles": own}

    with ThreadPoolExecutor(10) as pool:
        jobs = dict(
            zip(
                wanted,
                pool.map(
                    lambda tag: Client(client.url, client.token).ask(f"Should it be? {tag}", **wanted[tag])["job_id"],
                    wanted,
                ),
                strict=True,
            )
        )

    for tag, job_id in jobs.items():
        ended = client.wait_done(job_id)
        assert ended["status"] == "done" and tag in ended["query"]
        assert {each["agent_id"]: each["role"] for each in ended["responses"]} == wanted[tag]["roles"]
        assert told_roles(model, tag) == wanted[tag]["roles"]
        assert ended["aggregator"] == {
            "requested": wanted[tag]["aggregator"],
            "used": wanted[tag]["aggregator"],
            "failed_over": False,
        }
        assert all(tag in text for text in [ended["consensus"]["text"], *(r["text"] for r in ended["responses"])])
    for call in model.calls():
        assert len([tag for tag in wanted if tag in call.prompt]) == 1, call.prompt


def test_history_is_paged_newest_first(client: Client) -> None:
    """Page after page the history holds every query once, newest first, also while new ones come in."""
    jobs = [client.ask(f"Question {number}?")["job_id"] for number in range(7)]

    page = client.history(limit=3)
    client.ask("Asked while somebody reads?")
    seen = [query["job_id"] for query in page["queries"]]
    while page["next_cursor"]:
        page = client.history(limit=3, cursor=page["next_cursor"])
        assert len(page["queries"]) <= 3
        seen += [query["job_id"] for query in page["queries"]]

    assert seen == jobs[::-1]


def test_history_is_searched(client: Client) -> None:
    """`q` finds queries by their text, in any case, and takes its signs for what they are."""
    for text in (
        "Is 100% turnout good?",
        "Is 1000 voters enough?",
        "Is it a snake_case?",
        "Is it a snakeXcase?",
    ):
        client.ask(text)

    def found(q: str) -> list[str]:
        return [query["query"] for query in client.history(q=q)["queries"]]

    assert found("TURNOUT") == ["Is 100% turnout good?"]
    assert found("100%") == ["Is 100% turnout good?"]
    assert found("snake_case") == ["Is it a snake_case?"]
    assert found("nothing like it") == []


def test_cancel_ends_a_running_query(client: Client, model: ScriptedModel) -> None:
    """A query that is given up ends cancelled at once, concludes nothing, and lets go of its models."""
    for seat in ("qwen", "mistral", "deephermes"):
        model.script(f"scripted/{seat}", {"delay_s": 20})
    job_id = client.ask(deadline_s=40)["job_id"]
    eventually(lambda: len(model.calls()) == 3, 10, "all three models are asked")

    answer = client.cancel(job_id)

    assert answer.status_code == 202
    ended = client.wait_done(job_id, 3)
    assert ended["status"] == "cancelled" and ended["consensus"] is None
    assert {response["status"] for response in ended["responses"]} == {"cancelled"}
    eventually(lambda: all(call.disconnected_at for call in model.calls()), 8, "the models are let go of")
    events = list(client.events(job_id))
    assert events[-1].event == "end" and events[-1].data == {"status": "cancelled"}


def test_cancel_leaves_an_ended_query_as_it_ended(client: Client) -> None:
    """Giving up what has ended is accepted and changes nothing."""
    before = client.wait_done(client.ask()["job_id"])

    assert client.cancel(before["job_id"]).status_code == 202
    # The analysis follows in its own time.
    assert client.query(before["job_id"]) | {"analysis": None} == before | {"analysis": None}


def test_deleted_query_is_gone(client: Client) -> None:
    """A deleted query is gone from its address, its events and the history, and cannot be deleted twice."""
    kept, gone = client.ask("Kept?")["job_id"], client.ask("Gone?")["job_id"]
    for job_id in (kept, gone):
        client.wait_done(job_id)

    assert client.delete(gone).status_code == 204

    problem(client.call("GET", f"/queries/{gone}"), 404)
    problem(client.call("GET", f"/queries/{gone}/events"), 404)
    problem(client.delete(gone), 404)
    assert [query["job_id"] for query in client.history()["queries"]] == [kept]


def test_deletion_can_be_undone_for_a_while(client: Client, stranger: Client, stack: Running) -> None:
    """A query deleted with `undo_s` is gone at once, back by its owner's word only, and else erased by itself."""
    back, gone = client.ask("Back?")["job_id"], client.ask("Gone?")["job_id"]
    before = client.wait_done(back)
    client.wait_done(gone)

    for job_id, undo_s in {back: 60, gone: 0.5}.items():
        assert client.call("DELETE", f"/queries/{job_id}", params={"undo_s": undo_s}).status_code == 204
        problem(client.call("GET", f"/queries/{job_id}"), 404)
        problem(client.call("GET", f"/queries/{job_id}/events"), 404)
    assert client.history()["queries"] == []
    problem(stranger.call("POST", f"/queries/{back}/restore"), 404)

    restored = client.call("POST", f"/queries/{back}/restore").json()
    assert restored | {"analysis": None} == before | {"analysis": None}
    eventually(lambda: f"erased job {gone}" in stack.logs(lines=100_000), 20, "the other is erased")
    problem(client.call("POST", f"/queries/{gone}/restore"), 404)
    assert [query["job_id"] for query in client.history()["queries"]] == [back]
    problem(client.call("DELETE", f"/queries/{back}", params={"undo_s": -1}), 422)


def test_running_query_can_be_deleted(client: Client, model: ScriptedModel) -> None:
    """A query deleted while its models are thinking stays gone when they have thought."""
    for seat in ("qwen", "mistral", "deephermes"):
        model.script(f"scripted/{seat}", {"delay_s": 1})
    job_id = client.ask(deadline_s=10)["job_id"]
    eventually(lambda: len(model.calls()) == 3, 10, "all three models are asked")

    assert client.delete(job_id).status_code == 204

    eventually(lambda: all(call.finished_at or call.disconnected_at for call in model.calls()), 10, "models are done")
    problem(client.call("GET", f"/queries/{job_id}"), 404)
    assert client.history()["queries"] == [] and not model.calls(stage="consensus")


def test_follow_up_carries_the_conversation(client: Client, model: ScriptedModel) -> None:
    """A follow-up is told what was asked before and what was concluded."""
    first = client.wait_done(client.ask("Should voting be compulsory?")["job_id"])

    job = client.ask("And at sixteen?", parent_job_id=first["job_id"])
    client.wait_done(job["job_id"])

    last = model.calls("scripted/qwen")[-1]
    assert first["query"] in last.prompt and first["consensus"]["text"] in last.prompt
    assert last.messages[-1] == {"role": "user", "content": "And at sixteen?"}


def test_longest_question_goes_through(client: Client, model: ScriptedModel) -> None:
    """8,000 characters are accepted, whatever bytes they take, stored whole, and reach the models."""
    text = ("是" * 7000 + "ß" * 1000)[:8000]

    ended = client.wait_done(client.ask(text, deadline_s=15)["job_id"])

    assert ended["status"] == "done" and ended["query"] == text
    assert all("是" * 100 in call.prompt for call in model.calls(stage="response"))


def test_wrong_idempotency_key_is_named(client: Client) -> None:
    """A key that is far too long is refused with a sentence that names it, and makes no job."""
    content = problem(client.submit({"Idempotency-Key": "x" * 1000}, query="Keyed?"), 422)

    assert "Idempotency-Key" in named(content)
    assert client.history()["queries"] == []
