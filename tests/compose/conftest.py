"""The containers' tests alone use these; what the end-to-end tests use too is in tests/conftest.py."""

from tests.compose.fixtures import deployment, host_model

__all__ = ["deployment", "host_model"]
