"""API tokens through the one address: good for every replica and client, and for none once they are revoked."""

import pytest
from openai import OpenAI, PermissionDeniedError

from tests.client import PASSWORD, Client, new_user
from tests.e2e.test_bad_input import problem
from tests.e2e.test_sessions import statuses_by_replica
from tests.stack import Running

pytestmark = pytest.mark.timeout(120)


def new_token(client: Client, *scopes: str) -> tuple[str, int]:
    """Make an API token; returns its text and its id."""
    answer = client.call("POST", "/tokens", json={"name": "laptop", "scopes": scopes})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"]), int(answer.json()["id"])


def test_revoked_token_is_dead_on_every_replica(client: Client, stack: Running) -> None:
    """A token works on every replica, on none from the moment it is revoked, and is in no log."""
    token, token_id = new_token(client, "ask")
    program, gateways = Client(stack.url, token), stack.gateways()
    assert statuses_by_replica(program, gateways) == {replica: {200} for replica in gateways}

    assert client.call("DELETE", f"/tokens/{token_id}").status_code == 204

    assert statuses_by_replica(program, gateways) == {replica: {401} for replica in gateways}
    assert token not in stack.logs(lines=100_000)


def test_token_asks_for_its_owner(client: Client, stranger: Client, stack: Running) -> None:
    """What a token asks is in its owner's history and in nobody else's, and it can be cancelled and deleted by it."""
    token, token_id = new_token(client, "ask")
    program = Client(stack.url, token)

    job_id = program.ask("Who owns this question?")["job_id"]
    program.wait_done(job_id)

    assert [query["job_id"] for query in client.history()["queries"]] == [job_id]
    problem(stranger.call("GET", f"/queries/{job_id}"), 404)
    problem(stranger.call("DELETE", f"/tokens/{token_id}"), 404)
    assert program.delete(job_id).status_code == 204


def test_openai_client_takes_a_token_as_its_key(client: Client, stack: Running) -> None:
    """The token is the `api_key`; one that may only read lists models, and is told which scope a completion takes."""
    (asking, _), (reading, _) = new_token(client, "ask"), new_token(client, "read")
    messages = [{"role": "user", "content": "Should voting be compulsory?"}]

    with OpenAI(base_url=f"{stack.url}/v1", api_key=asking) as openai:
        completion = openai.chat.completions.create(model="folkmoot", messages=messages)  # type: ignore[arg-type]
    assert completion.choices[0].message.content
    with OpenAI(base_url=f"{stack.url}/v1", api_key=reading, max_retries=0) as openai:
        assert "folkmoot" in [model.id for model in openai.models.list()]
        with pytest.raises(PermissionDeniedError, match="scope `ask`; this one has `read`"):
            openai.chat.completions.create(model="folkmoot", messages=messages)  # type: ignore[arg-type]


def test_password_change_ends_other_sessions_everywhere(client: Client, stack: Running) -> None:
    """Every replica refuses the other session at once, and takes this one."""
    name = client.call("GET", "/sessions/current").json()["username"]
    there, gateways = Client(stack.url).sign_in(name), stack.gateways()

    answer = client.call("PUT", "/users/me/password", json={"current": PASSWORD, "new": "a longer one yet"})

    assert answer.json() == {"sessions_ended": 1, "tokens_kept": 0}
    assert statuses_by_replica(there, gateways) == {replica: {401} for replica in gateways}
    assert statuses_by_replica(client, gateways) == {replica: {200} for replica in gateways}


def test_guessing_is_limited_whatever_address_is_claimed(stack: Running, client: Client) -> None:
    """Through nginx a client cannot make itself many addresses; other accounts still sign in from the same one."""
    name = client.call("GET", "/sessions/current").json()["username"]
    body = {"username": name, "password": "a wrong guess"}

    answers = [
        Client(stack.url).call(
            "POST",
            "/sessions",
            json=body,
            headers={"X-Real-IP": f"192.0.2.{number}", "X-Forwarded-For": f"192.0.2.{number}"},
        )
        for number in range(11)
    ]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    problem(answers[-1], 429)
    assert new_user(stack.url).token
