"""A query's record as a file: for its owner, whole, in both formats."""

import pytest

from tests.client import Client
from tests.e2e.test_bad_input import problem

pytestmark = pytest.mark.timeout(60)


def test_record_can_be_kept(client: Client) -> None:
    """The JSON is the query resource, the Markdown holds its texts, and both come as files of their own name."""
    asked = client.ask("Should cities close their centres to cars?", question_type="Yes/No")
    query = client.wait_settled(asked["job_id"])

    as_json = client.call("GET", f"/queries/{query['job_id']}/export.json")
    as_markdown = client.call("GET", f"/queries/{query['job_id']}/export.md")

    assert as_json.json() == query
    assert as_markdown.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert f'filename="folkmoot-{query["job_id"]}.md"' in as_markdown.headers["Content-Disposition"]
    assert query["consensus"]["text"] in as_markdown.text
    assert all(response["text"] in as_markdown.text for response in query["responses"])


def test_record_is_its_owners(client: Client, stranger: Client) -> None:
    """Somebody else's record is not found, and neither is an unknown format."""
    job_id = client.ask()["job_id"]

    for format_ in ("md", "json"):
        problem(stranger.call("GET", f"/queries/{job_id}/export.{format_}"), 404)
    problem(client.call("GET", f"/queries/{job_id}/export.pdf"), 422)


def test_history_is_filtered_by_how_queries_stand(client: Client) -> None:
    """Each filter gives those that stand so, and an unknown one is refused."""
    done = client.ask()["job_id"]
    client.wait_done(done)

    assert [query["job_id"] for query in client.history(status="done")["queries"]] == [done]
    assert client.history(status="open")["queries"] == client.history(status="failed")["queries"] == []
    problem(client.call("GET", "/queries", params={"status": "lost"}), 422)


def test_session_tells_whose_it_is(client: Client, admin: Client) -> None:
    """A token's account is named, with whether it is an admin's."""
    assert client.call("GET", "/sessions/current").json()["is_admin"] is False
    assert admin.call("GET", "/sessions/current").json() == {"username": "first", "is_admin": True}
