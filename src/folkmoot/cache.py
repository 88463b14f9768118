"""Which calls are the same: the key under which the answer to one is kept for the next."""

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta

from folkmoot.agents import Endpoint
from folkmoot.calls import Speaking
from folkmoot.errors import Unavailable
from folkmoot.prompts import Message
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import outbox
from folkmoot.store.cache import Look
from folkmoot.store.outbox import Work
from folkmoot.wire import Request, body


def key(user_id: int, agent_id: str, stage: Speaking, request: Request) -> str:
    """The key of a call: who asks which seat for what, at which endpoint, and all that is sent there."""
    call = [user_id, agent_id, stage, request.endpoint.base_url, body(request)]
    return hashlib.sha256(json.dumps(call, sort_keys=True).encode()).hexdigest()


def request(endpoint: Endpoint, messages: list[Message], *, temperature: float, max_tokens: int) -> Request:
    """A call as its key sees it: the API key makes no other answer."""
    bare = Endpoint(model=endpoint.model, base_url=endpoint.base_url)
    return Request(endpoint=bare, messages=messages, temperature=temperature, max_tokens=max_tokens)


def look_for(runtime: Runtime, key: str, *, reads: bool) -> Look:
    """What a claim looks for now."""
    now = utcnow()
    since = now - timedelta(hours=runtime.settings.cache_hours)
    return Look(key, since=since, park_until=runtime.hint_due(now), reads=reads)


def is_same(sent: Request, planned: Request) -> bool:
    """Whether what was sent in the end is what was looked for: not so after a fallback, or with a shorter prompt."""
    return sent.endpoint.base_url == planned.endpoint.base_url and body(sent) == body(planned)


def wake(runtime: Runtime, key: str | None, waiting: Sequence[Work] | None) -> None:
    """Send on the work that has waited for this call; what this does not reach is sent when it is due.

    Args:
        runtime: the process' collaborators.
        key: of the call.
        waiting: that work; None when nobody has looked for it yet.
    """
    if key is None:
        return
    try:
        if waiting is None:
            with runtime.db.look() as connection:
                waiting = outbox.waiting(connection, key)
    except Unavailable:
        return
    for job_id, task, agent_id in waiting:
        runtime.publisher.hint(job_id, task, [agent_id])
