"""The analysis from outside: it follows the consensus, with its charts, which only their owner sees."""

import io

import pytest
from PIL import Image

from tests.client import Client
from tests.e2e.test_bad_input import problem
from tests.stack import eventually

pytestmark = pytest.mark.timeout(180)

NAMES = ["heatmap", "sentiment", "emotion", "radar", "claims"]
#: From the consensus to the analysis on a machine that does other things too, in seconds.
ANALYSED_S = 90


@pytest.fixture
def analysed(client: Client) -> str:
    """The job_id of a query whose analysis has ended."""
    job = client.ask("Should voting be compulsory?", domain="Policy", question_type="Yes/No")
    client.wait_settled(job["job_id"], ANALYSED_S)
    return str(job["job_id"])


def test_analysis_follows_the_consensus(client: Client, analysed: str) -> None:
    """The resource and the event hold the same analysis: a score, all that was measured, and each chart in words."""
    found = client.query(analysed)["analysis"]

    assert found["status"] == "ready", found
    assert found["consensus_score"] == found["report"]["score"]["agreed"]
    assert len(found["report"]["similarity"]) == len(found["report"]["tones"]) == 3
    assert [chart["name"] for chart in found["charts"]] == NAMES and all(chart["alt"] for chart in found["charts"])
    [told] = [event.data for event in client.events(analysed) if event.event == "analysis"]
    assert told == found


def test_charts_are_pictures(client: Client, analysed: str) -> None:
    """Every chart is there as soon as the analysis is, as a PNG of real size and as an SVG."""
    for name in NAMES:
        png, svg = (client.call("GET", f"/queries/{analysed}/charts/{name}.{format_}") for format_ in ("png", "svg"))
        assert (png.status_code, png.headers["Content-Type"]) == (200, "image/png")
        assert Image.open(io.BytesIO(png.content)).width == 960
        assert (svg.status_code, svg.headers["Content-Type"]) == (200, "image/svg+xml")
        assert (
            svg.content.rstrip().endswith(b"</svg>") and "default-src 'none'" in svg.headers["Content-Security-Policy"]
        )


def test_charts_are_kept_by_whoever_has_them(client: Client, analysed: str) -> None:
    """A chart that is asked for again with its ETag costs nothing, and no proxy may keep it."""
    path = f"/queries/{analysed}/charts/radar.png"
    first = client.call("GET", path)

    again = client.call("GET", path, headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304 and again.content == b""
    assert first.headers["Cache-Control"].startswith("private")


def test_charts_are_the_owners(client: Client, stranger: Client, analysed: str) -> None:
    """A stranger is told nothing, a chart that does not exist is refused by name, and a deleted query has none."""
    path = f"/queries/{analysed}/charts/radar.png"
    problem(stranger.call("GET", path), 404)
    problem(client.call("GET", f"/queries/{analysed}/charts/pie.png"), 422)

    assert client.delete(analysed).status_code == 204

    problem(client.call("GET", path), 404)


def test_a_failed_query_has_no_charts(client: Client) -> None:
    """A query that was cancelled tells why it has no charts; one that is not analysed yet, that they come."""
    job_id = client.ask("Should voting be compulsory?")["job_id"]
    early = client.call("GET", f"/queries/{job_id}/charts/radar.png")
    assert early.status_code in (409, 200), early.text
    if early.status_code == 409:
        assert "Retry-After" in early.headers
    other = client.ask("Should voting be compulsory?")["job_id"]
    if client.cancel(other).json()["status"] == "cancelled":
        assert "cancelled" in problem(client.call("GET", f"/queries/{other}/charts/radar.png"), 404)["detail"]
    eventually(lambda: client.query(job_id)["analysis"]["status"] != "pending", ANALYSED_S, "it is analysed")
