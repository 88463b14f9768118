"""Equal queries on the real stack: one call a seat for all of them, and none after a restart."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.client import Client
from tests.conftest import scripted_roster
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack

AT_ONCE = 50

pytestmark = pytest.mark.timeout(180)


def test_fifty_equal_queries_cost_one_call_a_seat(scripted_model: ScriptedModel) -> None:
    """All of them end with the same words, and those of a second round too, without any call."""
    scripted_model.reset()
    with Stack(scripted_roster(scripted_model), {"FOLKMOOT_CACHE_HOURS": "1"}) as stack:
        client = Client(stack.url)
        client.sign_up("fifty")
        client.sign_in("fifty")
        texts = _ask_at_once(client)
        assert [len(scripted_model.calls(f"scripted/{seat}")) for seat in SEATS] == [1, 1, 1, 1]

        stack.stop()
        stack.start()
        assert _ask_at_once(client) == texts and len(texts) == 1
        assert [len(scripted_model.calls(f"scripted/{seat}")) for seat in SEATS] == [1, 1, 1, 1]

        assert _completed(client) == _completed(client)
        assert [len(scripted_model.calls(f"scripted/{seat}")) for seat in SEATS] == [2, 2, 2, 2]
        _completed(client, use_cache=False)
        assert [len(scripted_model.calls(f"scripted/{seat}")) for seat in SEATS] == [3, 3, 3, 3]


def _completed(client: Client, **options: Any) -> str:
    """What a completion of always the same messages says."""
    body = {"model": "folkmoot", "messages": [{"role": "user", "content": "Should voting be a duty?"}], **options}
    answer = client.call("POST", "//v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


def _ask_at_once(client: Client) -> set[str]:
    def ask(_: int) -> str:
        return str(
            Client(client.url, client.token).ask("Should voting be compulsory? #case-fifty", deadline_s=60)["job_id"]
        )

    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = list(pool.map(ask, range(AT_ONCE)))
    ended = [client.wait_done(job) for job in jobs]
    assert {query["status"] for query in ended} == {"done"} and not any(query["degraded"] for query in ended)
    return {query["consensus"]["text"] for query in ended}
