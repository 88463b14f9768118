"""A virtual host of one's own on a RabbitMQ that runs already, by its management API."""

import os
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import requests

#: The port of the management API lies this far above the one that clients use, as it does by default.
API_ABOVE = 10_000


class Api:
    """The management API of the node at an address of a broker."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None and parts.port is not None, f"{url} must name host and port"
        self._base = f"http://{parts.hostname}:{parts.port + API_ABOVE}/api"
        self._user = parts.username or "guest"
        self._session = requests.Session()
        self._session.auth = (self._user, parts.password or "guest")

    def get(self, path: str) -> Any:
        """What lies at a path."""
        return self._call("GET", path)

    def put(self, path: str, content: Mapping[str, Any]) -> None:
        """Make or change what lies at a path."""
        self._call("PUT", path, content)

    def make_virtual_host(self, name: str) -> None:
        """Make an empty virtual host for the address's own user."""
        self.put(f"vhosts/{name}", {})
        self.put(f"permissions/{name}/{quote(self._user)}", {"configure": ".*", "write": ".*", "read": ".*"})

    def delete_virtual_host(self, name: str) -> None:
        """Delete a virtual host with all its queues, and cut every connection to it."""
        self._call("DELETE", f"vhosts/{name}")

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self._session.request(method, f"{self._base}/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json() if answer.content else None


class VirtualHost:
    """A virtual host of one's own, gone afterwards.

    Attributes:
        url: the address of a broker of which nobody else knows.
        api: what tells of it.
    """

    def __init__(self, broker_url: str) -> None:
        self.api = Api(broker_url)
        self.name = f"folkmoot_{os.getpid()}_{time.monotonic_ns()}"
        self.url = urlsplit(broker_url)._replace(path=f"/{self.name}").geturl()

    def make(self) -> None:
        """Make it."""
        self.api.make_virtual_host(self.name)

    def delete(self) -> None:
        """Delete it with all its queues, and cut every connection to it."""
        self.api.delete_virtual_host(self.name)

    def __enter__(self) -> Self:
        """Make it."""
        self.make()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete it."""
        self.delete()
