"""The limit of an address: before anything else is looked at, in the words of each protocol."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from folkmoot.runtime import Runtime
from folkmoot.settings import Settings
from services.gateway.app import create_app
from tests.store.servers import Valkey, migrate

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """A gateway that lets an address ask three times a minute."""
    url = f"sqlite:///{tmp_path}/folkmoot.db"
    migrate(url)
    with Valkey() as valkey:
        app = create_app(
            Settings(
                database_url=url,
                broker_url=valkey.broker_url,
                config_dir=CONFIG,
                rate_address_per_minute=3,
            )
        )
        yield app
        runtime: Runtime = app.extensions["folkmoot"]
        runtime.close()


def ask(app: Flask, address: str, path: str = "/api/v1/catalogue") -> TestResponse:
    """A request as nginx passes it on from this address."""
    return app.test_client().get(path, headers={"X-Real-IP": address})


def test_an_address_may_ask_so_often(app: Flask) -> None:
    """The fourth request is refused with the figures, whoever asks for whatever; other addresses go on."""
    assert [ask(app, "192.0.2.1").status_code for _ in range(3)] == [200] * 3

    refused = ask(app, "192.0.2.1", "/api/v1/queries")

    assert refused.status_code == 429 and refused.content_type == "application/problem+json"
    assert "may send 3 requests a minute, and that is reached" in refused.get_json()["detail"]
    assert 1 <= int(refused.headers["Retry-After"]) <= 20
    assert ask(app, "192.0.2.2").status_code == 200


def test_openais_clients_are_told_in_their_words(app: Flask) -> None:
    """At /v1 the refusal has OpenAI's shape and code."""
    for _ in range(3):
        ask(app, "192.0.2.1")

    refused = ask(app, "192.0.2.1", "/v1/models")

    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) >= 1
    assert refused.get_json()["error"]["code"] == "rate_limit_exceeded"
    assert refused.get_json()["error"]["type"] == "requests"


def test_a_site_with_many_addresses_is_one(app: Flask) -> None:
    """Of IPv6 the first 64 bits count; the rest anybody may choose."""
    answers = [ask(app, f"2001:db8:0:1::{number}").status_code for number in range(1, 5)]

    assert answers == [200, 200, 200, 429]
    assert ask(app, "2001:db8:0:2::1").status_code == 200


def test_whoever_watches_is_always_answered(app: Flask) -> None:
    """Health and metrics are not counted, and not refused."""
    assert {ask(app, "192.0.2.1", path).status_code for path in ("/healthz", "/metrics") for _ in range(9)} == {200}
    assert ask(app, "192.0.2.1").status_code == 200
