"""A Redis that hangs is waited for once, not by every command; what is asked together is answered together."""

import time
from pathlib import Path

import pytest
from redis import Redis, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import RedisError, ResponseError

from folkmoot import redis_client
from tests.stack import eventually
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


def test_commands_that_are_asked_together_are_answered_in_order(redis: Redis, valkey_socket: Path) -> None:
    """A refusal is raised once all have been answered, so the next answers are those of what is asked next."""
    client = redis_client.connect(f"unix://{valkey_socket}")
    assert redis_client.ask(client, [("SET", "one", "ä"), ("GET", "one"), ("GET", "two")]) == ["OK", "ä", None]
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        redis_client.ask(client, [("LPUSH", "one", 1), ("INCR", "two")])

    assert redis_client.ask(client, [("GET", "two")]) == ["1"]
    client.close()


def test_a_connection_that_broke_while_idle_is_made_anew(redis: Redis, valkey_socket: Path) -> None:
    """Commands that are asked together reach a Redis that was started again."""
    client = redis_client.connect(f"unix://{valkey_socket}")
    redis_client.ask(client, [("SET", "one", 1)])
    redis.client_kill_filter(_type="normal", skipme=True)

    assert redis_client.ask(client, [("INCR", "one"), ("INCR", "one")]) == [2, 3]
    client.close()


def test_what_was_asked_is_not_asked_again_when_its_answer_is_lost(
    redis: Redis, valkey_socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis may have done it: a piece of a text would stand in a stream twice."""
    client = redis_client.connect(f"unix://{valkey_socket}")
    client.ping()

    def is_lost(connection: UnixDomainSocketConnection, *_: object, **__: object) -> None:
        monkeypatch.undo()
        eventually(lambda: redis.llen("told"), 5, "it is done")
        connection.disconnect()  # type: ignore[no-untyped-call]
        raise NoConnection

    monkeypatch.setattr(UnixDomainSocketConnection, "read_response", is_lost)
    with pytest.raises(NoConnection):
        redis_client.ask(client, [("RPUSH", "told", "once")])

    assert redis_client.ask(client, [("LRANGE", "told", 0, -1)]) == [["once"]]
    client.close()


@pytest.mark.parametrize("breaks_at", ["pack_commands", "read_response"])
def test_an_exchange_that_breaks_off_leaves_no_answer_behind(
    breaks_at: str, redis: Redis, valkey_socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the connection next is told what they asked for."""
    client = redis_client.connect(f"unix://{valkey_socket}")
    client.set("one", 1)
    with monkeypatch.context() as broken:
        broken.setattr(UnixDomainSocketConnection, breaks_at, _stopped)
        with pytest.raises(KeyboardInterrupt):
            redis_client.ask(client, [("GET", "one"), ("GET", "one")])

    assert redis_client.ask(client, [("GET", "two"), ("GET", "one")]) == [None, "1"]
    client.close()


def _stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
