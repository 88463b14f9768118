"""Two gateways on one database and one Redis: API tokens and what they may do, sign-up, passwords, failed sign-ins."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from folkmoot.runtime import Runtime
from folkmoot.settings import Settings
from services.gateway.app import create_app
from services.gateway.identity import PUBLIC, SCOPES
from tests.client import PASSWORD
from tests.store.servers import Valkey, migrate

ELSEWHERE = "192.0.2.77"
#: Failures that these gateways allow of one account at one address.
ALLOWED = 3

MakeApp = Callable[..., Flask]


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A Redis that a test may kill."""
    with Valkey() as server:
        yield server


@pytest.fixture
def make_app(valkey: Valkey, tmp_path: Path) -> Iterator[MakeApp]:
    """Makes gateways on one empty database."""
    made: list[Flask] = []
    url = f"sqlite:///{tmp_path / 'folkmoot.db'}"
    migrate(url)

    def make(**settings: Any) -> Flask:
        config = Path(__file__).parents[2] / "config"
        own = {"database_url": url, "broker_url": valkey.broker_url, "config_dir": config, "sign_in_failures": ALLOWED}
        made.append(create_app(Settings(**{**own, **settings})))
        return made[-1]

    yield make
    for app in made:
        runtime: Runtime = app.extensions["folkmoot"]
        runtime.close()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """A gateway whose first account is ada."""
    app = make_app()
    assert sign_up(app, "ada").status_code == 201
    return app


def call(app: Flask, method: str, path: str, token: str = "", **more: Any) -> TestResponse:
    """Any request; `path` follows `/api/v1`, or is a whole one when it begins with two slashes."""
    headers = {"X-Real-IP": more.pop("address", "192.0.2.1")} | ({"Authorization": f"Bearer {token}"} if token else {})
    address = path[1:] if path.startswith("//") else f"/api/v1{path}"
    return app.test_client().open(address, method=method, headers=headers, **more)


def sign_up(app: Flask, name: str, **more: str) -> TestResponse:
    """Try to make an account."""
    return call(app, "POST", "/users", json={"username": name, "password": PASSWORD} | more)


def sign_in(app: Flask, name: str = "ada", password: str = PASSWORD, address: str = "192.0.2.1") -> TestResponse:
    """Try to sign in."""
    return call(app, "POST", "/sessions", json={"username": name, "password": password}, address=address)


def session(app: Flask, name: str = "ada", address: str = "192.0.2.1") -> str:
    """Sign in; returns the session's token."""
    answer = sign_in(app, name, address=address)
    assert answer.status_code == 201, answer.text
    return str(json_of(answer)["token"])


def new_token(app: Flask, *scopes: str, by: str = "") -> str:
    """Make an API token; returns its text."""
    answer = call(app, "POST", "/tokens", by or session(app), json={"name": "laptop", "scopes": scopes})
    assert answer.status_code == 201, answer.text
    return str(json_of(answer)["token"])


def json_of(answer: TestResponse) -> dict[str, Any]:
    """The answer's JSON object."""
    assert isinstance(answer.json, dict), answer.text
    return answer.json


def endpoints(app: Flask) -> set[str]:
    """Every endpoint, but those of the documents' own pages."""
    rules = {rule.endpoint for rule in app.url_map.iter_rules()}
    return {endpoint for endpoint in rules if endpoint.partition(".")[0] not in ("openapi", "swagger")}


def test_every_endpoint_says_what_it_wants_of_a_token(app: Flask) -> None:
    """Each endpoint is public or says which scope it wants; nothing is said of one that is not there."""
    assert endpoints(app) == PUBLIC | set(SCOPES)
    assert not PUBLIC & set(SCOPES)


def test_endpoint_of_which_nothing_is_said_takes_no_api_token(make_app: MakeApp) -> None:
    """A new endpoint that nobody thought of is closed to API tokens of every scope, and open to sessions."""
    app = make_app()
    app.add_url_rule("/api/v1/brand-new", "new.show", lambda: "shown")
    sign_up(app, "ada")
    own = session(app)
    token = new_token(app, "read", "ask", by=own)

    assert call(app, "GET", "/brand-new", own).status_code == 200
    assert call(app, "GET", "/brand-new", token).status_code == 403
    assert call(app, "GET", "/brand-new").status_code == 401


def test_scopes_are_held_on_every_endpoint(app: Flask) -> None:
    """With each scope every route is tried: 403 exactly where more is wanted, in words that say what."""
    own = session(app)
    tokens = {scope: new_token(app, scope, by=own) for scope in ("read", "ask")}
    enough = {"read": ("read",), "ask": ("read", "ask")}
    tried = 0
    for rule in app.url_map.iter_rules():
        if (wanted := SCOPES.get(rule.endpoint, "")) == "":
            continue
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            path = "/" + rule.rule.replace("<path:model>", "m").replace("<", "").replace(">", "")
            for scope, token in tokens.items():
                answer = call(app, method, path, token)
                tried += 1
                assert (answer.status_code == 403) == (wanted not in enough[scope]), (method, path, scope, answer.text)
                assert answer.status_code != 401, (method, path)
                if answer.status_code == 403:
                    assert ("`ask`" if wanted else "session") in answer.text
    assert tried > 40


def test_revoked_token_is_dead_on_the_other_gateway(app: Flask, make_app: MakeApp) -> None:
    """A token works on each gateway until it is revoked on one; a stranger cannot revoke it, nor learn of it."""
    other = make_app()
    own, token = session(app), new_token(app, "read")
    sign_up(app, "grace")
    [listed] = json_of(call(other, "GET", "/tokens", own))["tokens"]
    assert call(other, "GET", "/queries", token).status_code == 200
    for path in (f"/tokens/{listed['id']}", "/tokens/999", "/tokens/x", "/tokens/²"):
        assert call(app, "DELETE", path, session(app, "grace")).status_code == 404

    assert call(app, "DELETE", f"/tokens/{listed['id']}", own).status_code == 204

    for replica in (app, other):
        assert call(replica, "GET", "/queries", token).status_code == 401
    assert call(other, "DELETE", f"/tokens/{listed['id']}", own).status_code == 404
    refusal = json_of(call(other, "GET", "//v1/models", token))
    assert refusal["error"]["code"] == "invalid_api_key"


def test_list_shows_tokens_without_their_secret(app: Flask) -> None:
    """A list tells name, beginning, scopes and times, and the token itself only the answer that made it."""
    own, token = session(app), new_token(app, "read")
    call(app, "GET", "/queries", token)

    answer = call(app, "GET", "/tokens", own)

    [listed] = json_of(answer)["tokens"]
    assert (listed["name"], listed["prefix"], listed["scopes"]) == ("laptop", token[:10], ["read"])
    assert listed["last_used_at"] >= listed["created_at"] and listed["expires_at"] is None
    assert token not in answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "", "scopes": ["ask"]}, "name"),
        ({"name": "n" * 65, "scopes": ["ask"]}, "name"),
        ({"scopes": ["ask"]}, "name"),
        ({"name": "laptop"}, "scopes"),
        ({"name": "laptop", "scopes": []}, "scopes"),
        ({"name": "laptop", "scopes": ["admin"]}, "scopes.0"),
        ({"name": "laptop", "scopes": ["ask"], "expires_in_days": 0}, "expires_in_days"),
        ({"name": "laptop", "scopes": ["ask"], "expires_in_days": 1e9}, "expires_in_days"),
    ],
)
def test_bad_token_is_refused_by_its_field(app: Flask, body: dict[str, Any], field: str) -> None:
    """A token that is asked for wrongly is refused with the field that is wrong, and none is made."""
    own = session(app)

    answer = call(app, "POST", "/tokens", own, json=body)

    assert (answer.status_code, [each["field"] for each in json_of(answer)["errors"]]) == (422, [field])
    assert json_of(call(app, "GET", "/tokens", own))["tokens"] == []


def test_redis_knows_no_name_and_no_secret(app: Flask, valkey: Valkey) -> None:
    """What was typed as a name, which may be a password, is no more in Redis than passwords and tokens are."""
    token = new_token(app, "ask")
    sign_in(app, "typed-password-as-name", "a very wrong password")

    keys = counted(valkey)
    held = " ".join(f"{key!r} {valkey.client.get(key)!r}" for key in keys)
    assert len(keys) == 4
    for secret in (token, PASSWORD, "ada", "typed-password-as-name", "a very wrong password"):
        assert secret not in held


def counted(valkey: Valkey) -> list[bytes]:
    """The keys of all that is remembered of attempts."""
    return [key for key in valkey.client.scan_iter() if b":attempts:" in key or b":known:" in key]


def test_password_change_ends_sessions_on_every_gateway(app: Flask, make_app: MakeApp) -> None:
    """All other sessions are dead everywhere, this one and API tokens live, and the answer tells both counts."""
    other = make_app()
    here, there = session(app), session(other)
    token = new_token(app, "ask", by=here)

    answer = call(app, "PUT", "/users/me/password", here, json={"current": PASSWORD, "new": "a longer one yet"})

    assert (answer.status_code, answer.json) == (200, {"sessions_ended": 1, "tokens_kept": 1})
    assert [call(other, "GET", "/queries", each).status_code for each in (here, there, token)] == [200, 401, 200]
    assert sign_in(other).status_code == 401
    assert sign_in(other, password="a longer one yet").status_code == 201


def test_password_cannot_be_guessed_in_a_session(app: Flask) -> None:
    """Who holds a session may not try passwords for ever; bad new passwords do not count, and signing in goes on."""
    own = session(app)
    for _ in range(ALLOWED + 1):
        body = {"current": PASSWORD, "new": "short"}
        assert call(app, "PUT", "/users/me/password", own, json=body).status_code == 422
    body = {"current": "a wrong guess", "new": "a longer one yet"}

    statuses = [call(app, "PUT", "/users/me/password", own, json=body).status_code for _ in range(ALLOWED + 1)]

    assert statuses == [422] * ALLOWED + [429]
    assert sign_in(app).status_code == 201


def test_sign_up_by_invitation(make_app: MakeApp) -> None:
    """An admin invites, the catalogue says so, and an invitation makes one account; others cannot invite."""
    app = make_app(sign_up="invitation")
    assert json_of(call(app, "GET", "/catalogue"))["sign_up"] == "open"
    sign_up(app, "ada")
    assert json_of(call(app, "GET", "/catalogue"))["sign_up"] == "invitation"
    own = session(app)
    made = json_of(call(app, "POST", "/invitations", own, json={}))

    refused = sign_up(app, "grace")
    assert (refused.status_code, json_of(refused)["errors"][0]["field"]) == (422, "invitation")
    assert sign_up(app, "grace", invitation=made["invitation"]).status_code == 201
    assert sign_up(app, "edsger", invitation=made["invitation"]).status_code == 422

    listed = call(app, "GET", "/invitations", own)
    assert [each["used_by"] for each in json_of(listed)["invitations"]] == ["grace"]
    assert made["invitation"] not in listed.text
    graces, path = session(app, "grace"), f"/invitations/{made['id']}"
    for method, address in (("POST", "/invitations"), ("GET", "/invitations"), ("DELETE", path)):
        assert call(app, method, address, graces, json={} if method == "POST" else None).status_code == 403
    assert [call(app, "DELETE", path, own).status_code for _ in range(2)] == [204, 404]


def test_closed_sign_up_is_refused(make_app: MakeApp) -> None:
    """Closed, the first account can be made, by one of the named admins, and no other."""
    app = make_app(sign_up="closed", admins="Ada,grace")

    assert [sign_up(app, name).status_code for name in ("mallory", "ada", "grace")] == [403, 201, 403]
    assert json_of(call(app, "GET", "/catalogue"))["sign_up"] == "closed"
    assert json_of(call(app, "GET", "/sessions/current", session(app)))["is_admin"]


def fail(app: Flask, name: str = "ada", address: str = "198.51.100.1", times: int = 1) -> list[int]:
    """Sign in wrongly so often; what came of each."""
    return [sign_in(app, name, "wrong", address).status_code for _ in range(times)]


@pytest.mark.parametrize("name", ["ada", "nobody-at-all"])
def test_guessing_ends_at_one_address_and_nowhere_else(app: Flask, make_app: MakeApp, name: str) -> None:
    """After so many failures an address is refused for this account, also with the right password, on each gateway.

    It is told when to try again, and all of it is alike for a name that does not exist.
    """
    other = make_app()

    assert fail(app, name, times=ALLOWED) == [401] * ALLOWED
    refused = sign_in(other, name, PASSWORD, "198.51.100.1")

    assert refused.status_code == 429 and refused.headers["Content-Type"] == "application/problem+json"
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert f"Try again in {refused.headers['Retry-After']} seconds." in json_of(refused)["detail"]
    assert sign_in(other, name.upper(), PASSWORD, "198.51.100.1").status_code == 429
    assert sign_in(other, "ada", PASSWORD, ELSEWHERE).status_code == 201
    assert fail(app, "grace") == [401]


def test_attack_from_everywhere_locks_nobody_out(app: Flask) -> None:
    """However many addresses guess at an account: known ones keep all attempts, and unknown ones some."""
    assert sign_in(app, address="192.0.2.1").status_code == 201
    for number in range(6):
        fail(app, address=f"198.51.100.{number}", times=ALLOWED)

    # Unknown addresses have less now, and never nothing.
    assert fail(app, address="203.0.113.1", times=ALLOWED) == [401] + [429] * (ALLOWED - 1)
    assert sign_in(app, address="203.0.113.2").status_code == 201
    assert fail(app, address="192.0.2.1", times=ALLOWED - 1) == [401] * (ALLOWED - 1)
    assert sign_in(app, address="192.0.2.1").status_code == 201


def test_address_that_tries_many_accounts_is_refused(app: Flask) -> None:
    """One password tried on many names ends too; who signed in there before still can, others elsewhere too."""
    sign_up(app, "grace")
    sign_in(app, "grace", address="198.51.100.1")

    statuses = [fail(app, f"name{number}")[0] for number in range(ALLOWED * 10 + 1)]

    assert statuses == [401] * ALLOWED * 10 + [429]
    assert sign_in(app, "ada", address="198.51.100.1").status_code == 429
    assert sign_in(app, "grace", address="198.51.100.1").status_code == 201
    assert sign_in(app, "ada", address=ELSEWHERE).status_code == 201


def test_success_clears_the_failures_of_its_own_account_only(app: Flask) -> None:
    """Who remembers the password at last begins anew; for another account an address does not."""
    sign_up(app, "mallory")
    for _ in range(2):
        assert fail(app, times=ALLOWED - 1) == [401] * (ALLOWED - 1)
        assert sign_in(app, address="198.51.100.1").status_code == 201
    fail(app, times=ALLOWED)
    assert sign_in(app, "mallory", address="198.51.100.1").status_code == 201

    assert fail(app) == [429]


def test_addresses_of_one_holder_count_as_one(app: Flask) -> None:
    """All of one IPv6 network of 64 bits count together, and so does IPv4 in either way of writing."""
    for number in range(ALLOWED):
        fail(app, address=f"2001:db8:1:2::{number}")
        fail(app, address="198.51.100.9" if number % 2 else "::ffff:198.51.100.9")

    assert fail(app, address="2001:db8:1:2:ffff::1") == fail(app, address="198.51.100.9") == [429]
    assert fail(app, address="2001:db8:1:3::1") == [401]


def test_address_is_nginxs_word_and_nobody_elses(app: Flask) -> None:
    """Who reaches a gateway from a public address is counted by it, whatever is claimed in a header."""

    def guess(claimed: str) -> int:
        body = {"username": "ada", "password": "wrong"}
        headers, peer = {"X-Real-IP": claimed, "X-Forwarded-For": claimed}, {"REMOTE_ADDR": "8.8.8.8"}
        answer = app.test_client().post("/api/v1/sessions", json=body, headers=headers, environ_base=peer)
        return answer.status_code

    assert [guess(f"192.0.2.{number}") for number in range(ALLOWED + 1)] == [401] * ALLOWED + [429]


def test_limit_ends_with_its_window(make_app: MakeApp, valkey: Valkey) -> None:
    """Nobody is refused for longer than the window, and nothing of the counts is kept for longer."""
    app = make_app(sign_in_window_s=60)
    sign_up(app, "ada")
    fail(app, times=ALLOWED + 1)

    keys = counted(valkey)
    assert len(keys) == 3 and all(0 < valkey.client.ttl(key) <= 60 for key in keys)
    for key in keys:
        valkey.client.expire(key, 0)
    assert sign_in(app, address="198.51.100.1").status_code == 201


def test_without_redis_everybody_signs_in(app: Flask, valkey: Valkey) -> None:
    """When Redis is away nothing is counted and nobody is refused."""
    fail(app, times=ALLOWED)
    assert sign_in(app, address="198.51.100.1").status_code == 429

    valkey.kill()

    assert sign_in(app, address="198.51.100.1").status_code == 201
    assert fail(app, times=ALLOWED + 2) == [401] * (ALLOWED + 2)


def test_zero_failures_set_no_limit(make_app: MakeApp, valkey: Valkey) -> None:
    """With the limit off nothing is counted."""
    app = make_app(sign_in_failures=0)
    sign_up(app, "ada")

    assert fail(app, times=ALLOWED + 2) == [401] * (ALLOWED + 2)
    assert not counted(valkey)
