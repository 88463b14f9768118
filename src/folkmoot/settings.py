"""The settings: read from the environment once per process, frozen, refused at start when wrong."""

import base64
import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from folkmoot.errors import SettingsError

#: The variable that alone switches the roster from the embedded model to the hosted ones.
HOSTED_KEY = "OPENROUTER_API_KEY"
#: Variables that name a file with an address, password and all, or a secret, as containers are given them; they win.
FILES = {
    "database_url": "FOLKMOOT_DATABASE_URL_FILE",
    "broker_url": "FOLKMOOT_BROKER_URL_FILE",
    "secret_key": "FOLKMOOT_SECRET_KEY_FILE",  # nosec B105
}
#: Bytes of a secret key.
SECRET_BYTES = 32

Seconds = Annotated[float, Field(gt=0, le=3600)]
Budget = Annotated[Decimal, Field(ge=0, le=1_000_000_000, allow_inf_nan=False)]


class Settings(BaseSettings):
    """Every setting with its default; `FOLKMOOT_DEADLINE_S` in the environment is `deadline_s` here."""

    model_config = SettingsConfigDict(env_prefix="FOLKMOOT_", frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: str = "sqlite:///data/folkmoot.db"
    broker_url: str = "redis://127.0.0.1:6379/0"
    redis_url: str = ""
    agents_file: Path | None = None
    config_dir: Path = Path("config")
    model_url: str = "http://127.0.0.1:8081/v1"

    deadline_s: Seconds = 60
    #: The part of the time left for the panel; the rest is the aggregator's.
    ask_share: Annotated[float, Field(gt=0, lt=1)] = 0.6
    deadline_max_s: Seconds = 600
    quorum: Annotated[int, Field(ge=1, le=64)] = 2
    query_chars: Annotated[int, Field(ge=1, le=200_000)] = 8000
    #: What a client may send along of its conversation so far.
    conversation_chars: Annotated[int, Field(ge=0, le=1_000_000)] = 64_000

    #: How long a claim on a response or an aggregation holds without being renewed.
    lease_s: Seconds = 15
    #: How often work may be claimed before it counts as deadly to its worker.
    attempts: Annotated[int, Field(ge=1, le=20)] = 3
    #: A hint that nobody took is sent again after this, then after twice as long, and so on.
    resend_s: Seconds = 4
    #: Whether responses are measured; and how long an analysis may wait in a burst of queries before it is given up.
    analysis: bool = True
    analysis_s: Seconds = 600
    #: How many possible conflicts of a query hosted models are asked about, all at once, and for how long; 0 is none.
    judge_conflicts: Annotated[int, Field(ge=0, le=100)] = 5
    judge_s: Seconds = 15
    sweep_s: Seconds = 2
    heartbeat_s: Seconds = 10
    unhealthy_after_beats: Annotated[int, Field(ge=1)] = 2
    unhealthy_after_errors: Annotated[int, Field(ge=1)] = 2
    failed_after_errors: Annotated[int, Field(ge=1)] = 3
    failed_after_s: Seconds = 60
    probe_s: Seconds = 30
    #: Whether a slow endpoint of a seat with fallbacks gets one of them asked beside it.
    hedge: bool = True
    #: A worker that has heard nothing from its queue for this long, though it could, ends and is started again.
    watchdog_s: Seconds = 60
    #: How long is kept what happened to the seats.
    incidents_days: Annotated[float, Field(gt=0, le=3650)] = 30
    #: How long a query is kept after it has ended; 0 keeps it until its owner deletes it.
    retention_days: Annotated[float, Field(ge=0, le=36_500)] = 0

    #: How long an answer is given again to the same call of the same user, in hours, and how many answers are
    #: kept for it; 0 hours turn it off.
    cache_hours: Annotated[float, Field(ge=0, le=24 * 365)] = 24
    cache_entries: Annotated[int, Field(ge=1, le=100_000_000)] = 100_000

    #: Which prices the models have; by default `prices.yaml` beside the rosters.
    prices_file: Path | None = None
    #: What users' own provider keys are encrypted with; several with commas between: the first encrypts, all decrypt.
    secret_key: SecretStr = SecretStr("")
    #: How many queries a user may send in a minute, and how many requests of any kind an address; 0 is no limit.
    rate_per_minute: Annotated[int, Field(ge=0, le=1_000_000)] = 6000
    rate_address_per_minute: Annotated[int, Field(ge=0, le=1_000_000)] = 60_000
    #: How many queries of a user may be under way at once; 0 is no limit.
    concurrent_jobs: Annotated[int, Field(ge=0, le=1_000_000)] = 1000
    #: What a user, and all of them together, may use in a day (UTC), in tokens and in dollars; 0 is no limit.
    budget_user_tokens: Annotated[int, Field(ge=0, le=10**15)] = 0
    budget_all_tokens: Annotated[int, Field(ge=0, le=10**15)] = 0
    budget_user_usd: Budget = Decimal(0)
    budget_all_usd: Budget = Decimal(0)
    #: Names of the admins, with commas between; without any the first account is one.
    admins: str = ""
    sign_up: Literal["open", "invitation", "closed"] = "open"
    #: How often somebody at one address may fail to sign in to one account within so many seconds; 0 sets no limit.
    sign_in_failures: Annotated[int, Field(ge=0, le=1_000_000)] = 10
    sign_in_window_s: Annotated[int, Field(ge=1, le=86_400)] = 900
    session_hours: Annotated[float, Field(gt=0, le=24 * 3650)] = 168
    worker_threads: Annotated[int, Field(ge=1, le=256)] = 16
    gateway_threads: Annotated[int, Field(ge=2, le=512)] = 128
    #: Whether workers tell Flower what they do; it costs a message or three for each task.
    task_events: bool = False
    #: How long the live stream of a job stays in Redis after its last event.
    events_ttl_s: Annotated[int, Field(ge=1)] = 3600
    #: The collector that traces are sent to, by OTLP over HTTP; without one, and none in OpenTelemetry's own variables,
    #: none are made.
    traces_url: str = ""
    #: A folder whose files arm failpoints; for tests only.
    failpoints: Path | None = None
    #: A file that workers and the heartbeat service touch on each of their rounds, for health checks.
    alive_file: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    #: The file that this process, and no other, writes its lines to; without it they go to standard error.
    log_file: Path | None = None

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql+psycopg2://")):
            raise ValueError("must start with sqlite:/// or postgresql+psycopg2://")
        name = url.removeprefix("sqlite:///").partition("?")[0]
        if not name or name.startswith((":memory:", "file:")):
            raise ValueError("must name a file, such as sqlite:///data/folkmoot.db: all processes share it")
        return url

    @field_validator("admins")
    @classmethod
    def _names(cls, admins: str) -> str:
        if any(not re.fullmatch(r"[A-Za-z0-9._-]+", name.strip()) for name in admins.split(",") if name.strip()):
            raise ValueError("must be usernames with commas between, such as ada,grace")
        return admins

    @field_validator("broker_url")
    @classmethod
    def _known_broker(cls, url: str) -> str:
        if not url.startswith(("redis://", "rediss://", "redis+socket://", "amqp://", "amqps://")):
            raise ValueError("must start with redis://, rediss://, redis+socket://, amqp:// or amqps://")
        if ";" in url:
            raise ValueError("must be one address; several with ; between are not followed")
        return url

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, url: str) -> str:
        if url and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://, rediss:// or unix://")
        return url

    @field_validator("traces_url")
    @classmethod
    def _known_collector(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://, such as http://127.0.0.1:4318")
        return url

    @field_validator("log_file")
    @classmethod
    def _writable(cls, file: Path | None) -> Path | None:
        if file is not None and (file.is_dir() or not os.access(file.parent, os.W_OK | os.X_OK)):
            raise ValueError("must be a file in a folder that can be written to")
        return file

    @field_validator("secret_key")
    @classmethod
    def _known_secret(cls, secret: SecretStr) -> SecretStr:
        for key in _listed(secret):
            try:
                fits = len(base64.b64decode(key, altchars="-_", validate=True)) == SECRET_BYTES
            except ValueError:
                fits = False
            if not fits:
                raise ValueError(
                    f"must be {SECRET_BYTES} random bytes in URL-safe base64, or several of these with commas between"
                )
        return secret

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The server's secret keys, the one that encrypts first; without any, users cannot set provider keys."""
        return _listed(self.secret_key)

    @property
    def admin_names(self) -> frozenset[str]:
        """The names in `admins`, without regard to case."""
        return frozenset(name.strip().casefold() for name in self.admins.split(",") if name.strip())

    @property
    def roster_path(self) -> Path:
        """The roster file in force: the one named, else the hosted four when their key is set, else the embedded."""
        if self.agents_file is not None:
            return self.agents_file
        hosted = bool(variable(HOSTED_KEY))
        return self.config_dir / ("agents.openrouter.yaml" if hosted else "agents.embedded.yaml")

    @property
    def redis(self) -> str:
        """Where health and events live: `redis_url`, else the broker when that is Redis."""
        found = self.redis_url or self._broker_as_redis
        if found is None:
            raise SettingsError(
                "FOLKMOOT_REDIS_URL must be set when FOLKMOOT_BROKER_URL is not Redis; "
                "for example FOLKMOOT_REDIS_URL=redis://127.0.0.1:6379/0."
            )
        return found

    @property
    def has_one_redis(self) -> bool:
        """Whether the broker is the Redis where health and events live, as far as their addresses tell."""
        return self.redis == self._broker_as_redis

    @property
    def _broker_as_redis(self) -> str | None:
        """The broker's address as Redis' own client wants it; None when it is no Redis."""
        if self.broker_url.startswith("redis+socket://"):
            parts = urlsplit(self.broker_url)
            return f"unix://{parts.path}?db={parse_qs(parts.query).get('virtual_host', ['0'])[0]}"
        return self.broker_url if self.broker_url.startswith(("redis://", "rediss://")) else None


def _listed(secret: SecretStr) -> tuple[str, ...]:
    return tuple(key for part in secret.get_secret_value().split(",") if (key := part.strip()))


def load() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: a value is wrong; the text names the variable, the value and what would be accepted.
    """
    files = {name: (by, variable(by)) for name, by in FILES.items()}
    addresses: dict[str, Any] = {name: _content(by, Path(file)) for name, (by, file) in files.items() if file}
    try:
        settings = Settings(**addresses)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(problem) for problem in error.errors())) from None
    _ = settings.redis
    return settings


def _content(by: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{by} is {str(path)!r}: it must be a file that can be read and holds it.") from error


def _sentence(problem: Mapping[str, object]) -> str:
    location = problem["loc"]
    name = str(location[0]).upper() if isinstance(location, tuple) and location else "?"
    reason = str(problem["msg"]).removeprefix("Value error, ")
    if name == "SECRET_KEY":
        return f"FOLKMOOT_SECRET_KEY {reason[0].lower()}{reason[1:]}."
    value = re.sub(r"(://[^:@/]*:)[^@]*@", r"\1***@", repr(problem["input"]))
    return f"FOLKMOOT_{name} is {value}: {reason[0].lower()}{reason[1:]}."


def variable(name: str) -> str | None:
    """An environment variable that the roster names, such as a provider's key; None when unset or empty."""
    return os.environ.get(name) or None
