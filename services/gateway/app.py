"""The application factory: what gunicorn runs as `services.gateway.app:create_app()`."""

import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, request
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from folkmoot import accounts, logs, traces
from folkmoot import settings as environment
from folkmoot.errors import SettingsError
from folkmoot.runtime import build
from folkmoot.settings import Settings
from services.gateway import (
    agents,
    bodies,
    catalogue,
    charts,
    completions,
    documents,
    events,
    exports,
    identity,
    invitations,
    metrics,
    problems,
    provider_keys,
    queries,
    suggestions,
    system,
    throttle,
    tokens,
    tracing,
    usage,
    users,
)
from services.gateway.attempts import Attempts
from services.gateway.streams import Streams

#: nginx gives 32 of them; whoever reaches a gateway without it may send anything.
REQUEST_ID_CHARS = 64


class Gateway(OpenAPI):
    """The application; whatever it calls is a function, and no coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: Flask would look for a coroutine at each call, ten of them for one request."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """A gateway with its own runtime; without settings, those of the environment."""
    try:
        runtime = build(settings or environment.load())
        traces.begin("gateway", runtime.settings.traces_url)
    except SettingsError as error:
        sys.stderr.write(f"folkmoot gateway: {error}\n")
        # gunicorn gives up at this code instead of starting its worker again and again.
        raise SystemExit(4) from error
    logs.set_up("gateway", runtime.settings.log_level, runtime.settings.log_file)
    app = Gateway(
        "folkmoot",
        info=Info(title="Folkmoot", version="1", description=documents.DESCRIPTION),
        security_schemes=documents.SECURITY,
        validation_error_callback=problems.refuse_fields,
        doc_prefix="/api/docs",
        # The documents ship with the package; nothing is served from this folder.
        static_folder=None,
    )
    app.extensions["folkmoot"] = runtime
    # Made now, so that the first sign-in under a name that does not exist takes no longer than the others.
    accounts.nobodys_hash()
    # An address with two slashes is another one, and no reason to be sent elsewhere.
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    problems.register(app)
    streams = Streams(runtime.settings.gateway_threads)
    metrics.register(app, runtime, streams)
    tracing.register(app)
    _name_answers(app, served_by=os.environ.get("FOLKMOOT_SERVED_BY") or socket.gethostname())
    app.before_request(throttle.check)
    app.before_request(identity.check)
    app.before_request(bodies.check)
    of_queries = (queries.api, suggestions.api, charts.api, exports.api, events.api(runtime, streams))
    attempts = Attempts(
        runtime.redis, failures=runtime.settings.sign_in_failures, window_s=runtime.settings.sign_in_window_s
    )
    of_accounts = (users.api(attempts, streams), tokens.api, invitations.api, provider_keys.api, usage.api)
    others = (catalogue.api, agents.api, completions.api(runtime, streams), system.api)
    for blueprint in (*of_accounts, *of_queries, *others):
        app.register_api(blueprint)
    documents.register(app)
    return app


def _name_answers(app: Flask, *, served_by: str) -> None:
    """Put on every answer which request it belongs to and which replica gave it."""

    @app.before_request
    def name_request() -> None:
        g.request_id = (request.headers.get("X-Request-ID") or os.urandom(16).hex())[:REQUEST_ID_CHARS]
        logs.begin(request_id=g.request_id, job_id=(request.view_args or {}).get("job_id"))

    @app.after_request
    def name_answer(answer: Response) -> Response:
        answer.headers["X-Request-ID"] = g.request_id
        answer.headers["X-Served-By"] = served_by
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer
