"""Accounts and sessions: one name one account, and a token that is dead everywhere once it is."""

import pytest

from tests.client import PASSWORD, Client, new_user
from tests.e2e.test_bad_input import problem
from tests.stack import Running, eventually

pytestmark = pytest.mark.timeout(60)


def statuses_by_replica(client: Client, gateways: set[str]) -> dict[str, set[int]]:
    """Ask until every replica has answered several times; what each answered."""
    seen: dict[str, list[int]] = {}

    def all_answered() -> bool:
        answer = client.call("GET", "/queries")
        seen.setdefault(answer.headers["X-Served-By"], []).append(answer.status_code)
        return set(seen) == gateways and min(map(len, seen.values())) >= 3

    eventually(all_answered, 20, "every replica answers")
    return {replica: set(statuses) for replica, statuses in seen.items()}


def test_token_is_dead_at_logout_on_every_replica(client: Client, stack: Running) -> None:
    """A token works on every replica, and on none from the moment its session is ended."""
    gateways = stack.gateways()
    assert statuses_by_replica(client, gateways) == {replica: {200} for replica in gateways}

    client.sign_out()

    assert statuses_by_replica(client, gateways) == {replica: {401} for replica in gateways}


def test_logout_ends_one_session_only(client: Client, stack: Running) -> None:
    """Signing out here leaves a session of the same user elsewhere as it is."""
    name = "two-sessions"
    client.sign_up(name)
    here, there = Client(stack.url).sign_in(name), Client(stack.url).sign_in(name)

    here.sign_out()

    assert here.call("GET", "/queries").status_code == 401
    assert there.call("GET", "/queries").status_code == 200


def test_name_is_taken_once(stack: Running, client: Client) -> None:
    """A second account of the same name, in whatever case, answers 409 and changes nothing."""
    anybody = Client(stack.url)
    anybody.sign_up("taken-name")

    for name in ("taken-name", "Taken-Name"):
        body = {"username": name, "password": "another password altogether"}
        problem(anybody.call("POST", "/users", json=body), 409)

    assert anybody.sign_in("taken-name").token


def test_wrong_password_and_unknown_user_are_told_alike(stack: Running, client: Client) -> None:
    """Who signs in wrongly cannot learn whether the account exists."""
    client.sign_up("known-name")
    anybody = Client(stack.url)

    wrong, unknown = (
        problem(anybody.call("POST", "/sessions", json=body), 401)
        for body in (
            {"username": "known-name", "password": PASSWORD + "!"},
            {"username": "unknown-name", "password": PASSWORD},
        )
    )

    assert {**wrong, "instance": None} == {**unknown, "instance": None}


def test_only_an_admin_may_reset_an_agent(admin: Client, client: Client) -> None:
    """The first user may reset an agent, others are told 403, and an unknown agent is 404."""
    problem(client.reset_agent("qwen"), 403)
    problem(admin.reset_agent("nobody"), 404)

    assert admin.reset_agent("qwen").status_code == 202


def test_answers_never_hold_the_password(stack: Running, client: Client) -> None:
    """Neither the account nor the session tells a password or its hash."""
    secret = "a-very-particular-secret"
    answers = [
        client.call("POST", path, json={"username": "secretive", "password": secret})
        for path in ("/users", "/sessions")
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert not [answer.text for answer in answers if secret in answer.text or "argon2" in answer.text]
    assert secret not in stack.logs(lines=100_000)


def test_every_user_has_a_history_of_their_own(stack: Running, client: Client) -> None:
    """A new account sees nothing of what others asked."""
    client.ask()

    assert new_user(stack.url).history()["queries"] == []
