"""Server-Sent Events as they come over the wire."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """One event of a query's stream."""

    id: str
    name: str
    data: dict[str, Any]


#: Comes from `follow` when the stream broke, before it is asked for again.
INTERRUPTED = Event("", "interrupted", {})


def parse_events(chunks: Iterable[bytes]) -> Iterator[Event]:
    """Server-Sent Events out of a byte stream that may be cut anywhere; comments and unknown fields pass by.

    Source: WHATWG HTML, section 9.2, for streams whose lines end in LF or CRLF.
    """
    fields: dict[str, str] = {}
    for line in _lines(chunks):
        if line and not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields['data']}\n{value}" if name == "data" and "data" in fields else value
        elif not line and "data" in fields:
            yield Event(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"]))
            fields = {}


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r").decode("utf-8", errors="replace")


def until(stopped: Callable[[], bool], chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, until what is asked before each is true."""
    for chunk in chunks:
        if stopped():
            return
        yield chunk
