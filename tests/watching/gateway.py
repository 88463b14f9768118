"""A gateway as Prometheus sees it: by its own socket, behind nginx."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.stack import Stack

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class OverSocket(http.client.HTTPConnection):
    """A connection to a server that listens at a path."""

    def __init__(self, path: Path) -> None:
        super().__init__("gateway", timeout=30)
        self._path = path

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def sockets(stack: Stack) -> list[Path]:
    """Where the gateways listen."""
    return sorted((stack.data / "run").glob("gateway-*.sock"))


def scrape(stack: Stack) -> Samples:
    """All samples by name and labels: of what the gateways tell apart the sum, of what all tell alike the maximum."""
    samples: Samples = {}
    for family in families(stack):
        for one in family.samples:
            key = (one.name, frozenset(one.labels.items()))
            own = family.name in {"folkmoot_requests", "folkmoot_request_seconds", "folkmoot_streams_open"}
            known = samples.get(key, 0.0)
            samples[key] = known + one.value if own else max(known, one.value)
    return samples


def families(stack: Stack) -> Iterator[Metric]:
    """All that each gateway tells, also what has no sample now."""
    for path in sockets(stack):
        connection = OverSocket(path)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == 200, text
        yield from text_string_to_metric_families(text)


def total(samples: Samples, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    return sum(value for (told, of), value in samples.items() if told == name and labels.items() <= dict(of).items())
