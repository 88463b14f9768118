"""Whether an account exists cannot be told by how long a wrong sign-in takes."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from folkmoot.runtime import Runtime
from folkmoot.settings import Settings
from services.gateway.app import create_app
from tests.client import PASSWORD
from tests.store.servers import Valkey, migrate

#: Sign-ins of each kind.
EACH = 200


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """A gateway that counts failures, and allows more of them than this test makes."""
    url = f"sqlite:///{tmp_path / 'folkmoot.db'}"
    migrate(url)
    with Valkey() as valkey:
        config = Path(__file__).parents[2] / "config"
        settings = Settings(database_url=url, broker_url=valkey.broker_url, config_dir=config, sign_in_failures=10_000)
        app = create_app(settings)
        yield app
        runtime: Runtime = app.extensions["folkmoot"]
        runtime.close()


@pytest.mark.timeout(300)
def test_existing_and_missing_names_take_the_same_time(app: Flask) -> None:
    """Of 200 pairs of sign-ins, one for each kind of name, the median difference is no more than chance makes it.

    The two of a pair follow each other at once, in turns the one or the other first, so that whatever else the
    machine does slows both alike, and it is their difference that is looked at. Its median leaves out what happened to
    a few. How far the median of 200 strays by chance follows from their spread: 1.253 standard deviations / √200, with
    the deviation taken from the median distance to the median (times 1.4826), which outliers do not move. The kinds may
    differ by four times that, or by 1 % of a sign-in, which is below what a network adds. It has to be less than half
    of a sign-in, or a hash that was left out would not be seen.
    """
    client = app.test_client()
    assert client.post("/api/v1/users", json={"username": "ada", "password": PASSWORD}).status_code == 201

    def seconds(name: str) -> float:
        began = time.perf_counter()
        answer = client.post("/api/v1/sessions", json={"username": name, "password": "a wrong password"})
        took = time.perf_counter() - began
        assert answer.status_code == 401
        return took

    # The first few find nothing warm.
    for name in ("ada", "eve") * 3:
        seconds(name)
    existing, missing = list[float](), list[float]()
    for turn in range(EACH):
        pair = [(existing, "ada"), (missing, "eve")]
        for times, name in pair if turn % 2 else pair[::-1]:
            times.append(seconds(name))

    typical = statistics.median(existing)
    differences = [one - other for one, other in zip(existing, missing, strict=True)]
    apart, tolerance = abs(statistics.median(differences)), max(4 * strays(differences), 0.01 * typical)
    told = f"{typical:.6f} s and {statistics.median(missing):.6f} s, {apart:.6f} s apart, chance {tolerance:.6f} s"
    assert tolerance < typical / 2, f"too noisy to tell: {told}"
    assert apart <= tolerance, told


def strays(values: list[float]) -> float:
    """The standard error of the median of these values."""
    middle = statistics.median(values)
    deviation = 1.4826 * statistics.median(abs(each - middle) for each in values)
    return float(1.253 * deviation / len(values) ** 0.5)
