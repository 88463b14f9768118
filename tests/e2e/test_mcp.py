"""The MCP server on the whole stack, asked by the official SDK's client over both transports."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
import requests
from mcp import Client as McpClient
from mcp import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from tests.client import Client
from tests.scripted_model import ScriptedModel
from tests.stack import ROOT, Running, eventually, free_port

SERVER = ["-m", "services.mcp"]
QUESTION = {"question": "Should voting be compulsory?", "question_type": "Yes/No", "roles": ["Utilitarian"]}


@pytest.fixture
def environment(client: Client, tmp_path: Path) -> dict[str, str]:
    """Of a program that starts the server on stdio, with a token of its user's."""
    assert client.token
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOLKMOOT_")}
    return kept | {"FOLKMOOT_URL": client.url, "FOLKMOOT_TOKEN": client.token, "XDG_CONFIG_HOME": str(tmp_path)}


@pytest.fixture
def over_http(environment: dict[str, str]) -> Iterator[str]:
    """The address of a server over HTTP, which has a login of its own that it must not lend."""
    port = free_port()
    words = [sys.executable, *SERVER, "--transport", "http", "--port", str(port)]
    with subprocess.Popen(words, cwd=ROOT, env=environment) as server:
        try:
            eventually(lambda: _listens(port), 30, "the MCP server listens")
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            server.terminate()


def _listens(port: int) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"http://127.0.0.1:{port}/", timeout=2).status_code == 404
    return False


async def _conversation(client: McpClient) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Ask and read the result; returns both, and what was told meanwhile."""
    told: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(f"{progress:g}/{total:g} {message}")

    async with client:
        asked = await client.call_tool("ask_council", QUESTION, progress_callback=hear)
        assert not asked.is_error, asked.content
        read = await client.call_tool("read_result", {"job_id": asked.structured_content["job_id"]})
        assert not read.is_error, read.content
    return asked.structured_content, read.structured_content, told


def _words(answer: CallToolResult) -> str:
    (content,) = answer.content
    assert isinstance(content, TextContent)
    return content.text


def _on_stdio(environment: dict[str, str]) -> McpClient:
    return McpClient(
        stdio_client(StdioServerParameters(command=sys.executable, args=SERVER, env=environment, cwd=ROOT))
    )


def _check(asked: dict[str, Any], read: dict[str, Any], told: list[str]) -> None:
    assert asked["status"] == "done"
    assert asked["consensus"]["text"] == read["consensus"]["text"]
    assert told[0] == f"1/5 Accepted as {asked['job_id']}"
    for seat in ("qwen", "mistral", "deephermes"):
        assert any(line.endswith(f"{seat}: answered") for line in told), told
    assert told[-1] == "5/5 The question is done"


def test_asks_and_reads_over_stdio(model: ScriptedModel, environment: dict[str, str]) -> None:
    """A client on stdio asks with its user's token, hears of every step, and reads the result again."""
    _check(*asyncio.run(_conversation(_on_stdio(environment))))


def test_asks_and_reads_over_http(model: ScriptedModel, client: Client, over_http: str) -> None:
    """Over HTTP the caller's own token goes on to the gateway."""

    async def converse() -> tuple[dict[str, Any], dict[str, Any], list[str]]:
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {client.token}"}, timeout=60) as http:
            return await _conversation(McpClient(streamable_http_client(over_http, http_client=http)))

    asked, read, told = asyncio.run(converse())

    _check(asked, read, told)
    assert client.query(asked["job_id"])["status"] == "done"


def test_lends_no_login_over_http(model: ScriptedModel, client: Client, over_http: str) -> None:
    """Whoever sends no token asks nothing, though the server's own user is signed in; nor does a page of elsewhere."""

    async def converse() -> Any:
        async with McpClient(streamable_http_client(over_http)) as mcp:
            return await mcp.call_tool("ask_council", QUESTION)

    refused = asyncio.run(converse())
    headers = {"Origin": "http://evil.example", "Accept": "application/json, text/event-stream"}
    of_elsewhere = requests.post(over_http, json={}, headers=headers, timeout=10)
    rebound = requests.post(over_http, json={}, headers={"Host": "evil.example"}, timeout=10)

    assert refused.is_error
    assert "Authorization" in _words(refused)
    assert (of_elsewhere.status_code, rebound.status_code) == (403, 421)
    assert client.history()["queries"] == []


def test_giving_up_cancels_the_query(model: ScriptedModel, client: Client, environment: dict[str, str]) -> None:
    """A client that cancels its request has the query cancelled on the server."""
    for seat in ("qwen", "mistral", "deephermes"):
        model.script(f"scripted/{seat}", {"token_delay_s": 0.5})

    async def give_up() -> None:
        accepted = asyncio.Event()

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            accepted.set()

        async with _on_stdio(environment) as mcp:
            asking = asyncio.create_task(mcp.call_tool("ask_council", QUESTION, progress_callback=hear))
            await asyncio.wait_for(accepted.wait(), 30)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await asyncio.to_thread(eventually, _cancelled, 15, "the query is cancelled")

    def _cancelled() -> bool:
        return [query["status"] for query in client.history()["queries"]] == ["cancelled"]

    asyncio.run(give_up())


def test_refusals_are_sentences(model: ScriptedModel, stack: Running, environment: dict[str, str]) -> None:
    """A wrong role, an unknown job and a bad token are told to the client in words."""

    async def calls(environment: dict[str, str], *calls: tuple[str, dict[str, Any]]) -> list[str]:
        async with _on_stdio(environment) as mcp:
            answers = [await mcp.call_tool(name, arguments) for name, arguments in calls]
        assert all(answer.is_error for answer in answers)
        return [_words(answer) for answer in answers]

    wrong: list[tuple[str, dict[str, Any]]] = [
        ("ask_council", {**QUESTION, "roles": ["Pirate"]}),
        ("read_result", {"job_id": "no-such-job"}),
    ]
    role, job = asyncio.run(calls(environment, *wrong))
    (token,) = asyncio.run(calls({**environment, "FOLKMOOT_TOKEN": "fm_wrong"}, ("ask_council", QUESTION)))

    assert "Choose from" in role
    assert "There is no such query" in job
    assert "token" in token or "sign" in token.lower()
