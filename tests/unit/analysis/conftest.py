"""What the tests of the analysis share: its models, loaded once."""

import pytest

from folkmoot.analysis.analyser import Analyser


@pytest.fixture(scope="session")
def analyser() -> Analyser:
    """The real analyser; it keeps nothing between two sets of responses."""
    return Analyser()
