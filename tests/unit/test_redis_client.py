"""A Redis that hangs is waited for once, not by every command."""

import time
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from folkmoot import redis_client
from tests.store.servers import Valkey


@pytest.mark.parametrize("is_warm", [True, False])
def test_redis_that_hangs_is_waited_for_once(is_warm: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """After one command in vain the next ones fail at once, for a pause; when it goes on, so do they."""
    monkeypatch.setattr(redis_client, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(redis_client, "CONNECT_TIMEOUT_S", 0.3)
    monkeypatch.setattr(redis_client, "PAUSE_S", 1.0)
    with Valkey() as valkey:
        client = redis_client.connect(valkey.broker_url.replace("redis+socket://", "unix://").partition("?")[0])
        if is_warm:
            client.ping()
        valkey.hang()
        began = time.monotonic()
        for _ in range(50):
            with pytest.raises(RedisError):
                client.ping()
        took_s = time.monotonic() - began
        valkey.go_on()
        time.sleep(1.1)

        assert client.ping() and 0.25 <= took_s <= 0.95
        client.close()


def test_redis_that_refuses_is_asked_again_at_once(tmp_path: Path) -> None:
    """One that is not there costs no wait, so nobody pauses for it."""
    client = redis_client.connect(f"unix://{tmp_path}/nobody.sock")
    for _ in range(3):
        with pytest.raises(RedisError, match=r"connecting|No such file|Error 2"):
            client.ping()
