"""A pool that falls silent and an endpoint that fails for three minutes, with the times that a stack has by default."""

from concurrent.futures import Future

import pytest

from tests.faults.silence import Stories

#: The stories take four minutes; they were begun with the first test of this folder.
pytestmark = pytest.mark.timeout(480)


@pytest.fixture(scope="module")
def stories(silence: Future[Stories]) -> Stories:
    """Both, once they have ended."""
    return silence.result()


def test_silent_pool_is_unhealthy_then_failed(stories: Stories) -> None:
    """A pool that lives and says nothing is unhealthy within 30 s and failed within 70 s, and the reason is told."""
    silence = stories.silence

    assert silence.unhealthy_s <= 30 and silence.failed_s <= 70, silence
    assert silence.before and silence.while_failed == silence.before
    assert "no worker of its pool has been heard" in silence.reason


def test_pool_that_goes_on_is_healthy_again(stories: Stories) -> None:
    """Within 15 s of going on, the pool is healthy, without being started anew."""
    assert stories.silence.back_s <= 15, stories.silence


def test_failing_endpoint_is_left_alone(stories: Stories) -> None:
    """An endpoint that fails for three minutes is called twelve times at most, and fails no query."""
    failing = stories.failing

    assert 5 <= failing.calls <= 12, failing.calls
    assert "failed" in failing.states
    assert {query["status"] for query in failing.queries} == {"done"}


def test_endpoint_that_is_well_again_is_found_out(stories: Stories) -> None:
    """Its trial comes at the latest when the longest pause is over."""
    assert stories.failing.back_s <= 60 * 1.25 + 15, stories.failing.back_s
