"""The roster: which seats there are, and the model, endpoint, sampling and queue of each."""

from pathlib import Path
from string import Template
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from folkmoot.errors import SettingsError
from folkmoot.settings import Settings

#: A seat's name stands in queue names, addresses and metrics.
AGENT_ID = r"^[a-z0-9][a-z0-9_-]{0,31}$"

AGGREGATE_QUEUE = "aggregate"
ANALYSE_QUEUE = "analyse"

Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$")]


class Endpoint(BaseModel):
    """A model behind an OpenAI-compatible address; `api_key_env` names the variable that holds its key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[str, Field(min_length=1)]
    base_url: Url
    api_key_env: str | None = None


class Seat(Endpoint):
    """An agent's place: its endpoint, how it samples, and how long it may take."""

    temperature: Annotated[float, Field(ge=0, le=2)] = 0.3
    max_tokens: Annotated[int, Field(ge=1, le=200_000)] = 500
    #: Tokens when the seat writes the consensus.
    aggregator_max_tokens: Annotated[int, Field(ge=1, le=200_000)] = 1000
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 30
    #: Tokens that prompt and answer may take together; prompts are shortened to fit.
    context_tokens: Annotated[int, Field(ge=256)] = 8192
    #: Tokens that a panel prompt may take, for a model that reads slowly; by default all that its answer leaves.
    prompt_tokens: Annotated[int, Field(ge=256)] | None = None
    #: Asked in this order when the seat's own endpoint fails, or is slow.
    fallbacks: tuple[Endpoint, ...] = ()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All that may answer for the seat, its own first."""
        return (self, *self.fallbacks)


class Roster(BaseModel):
    """All seats by agent_id, in the file's order, and which of them concludes by default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    aggregator: str
    seats: Annotated[dict[Annotated[str, Field(pattern=AGENT_ID)], Seat], Field(min_length=1)]

    @model_validator(mode="after")
    def _aggregator_is_seated(self) -> "Roster":
        if self.aggregator not in self.seats:
            raise ValueError(f"aggregator is {self.aggregator!r}; it must be one of the seats: {', '.join(self.seats)}")
        return self

    @property
    def most_endpoints(self) -> int:
        """How many endpoints the seat with most of them has."""
        return max(len(seat.endpoints) for seat in self.seats.values())


def provider_of(api_key_env: str) -> str:
    """Whose key the variable of this name holds: OPENROUTER_API_KEY is openrouter's."""
    return api_key_env.lower().removesuffix("_key").removesuffix("_api")


def queue_of(agent_id: str) -> str:
    """The queue that the seat's pool consumes."""
    return f"agent.{agent_id}"


def circuits_of(agent_id: str, seat: Seat) -> dict[str, Endpoint]:
    """The endpoints that may answer for a seat, in order, by the names of their circuits."""
    names = [agent_id, *(f"{agent_id}.{number}" for number in range(1, len(seat.endpoints)))]
    return dict(zip(names, seat.endpoints, strict=True))


def pool_of(queue: str) -> str:
    """The name under which the pool of a queue beats: its seat's, or one that no seat can have."""
    return queue.removeprefix("agent.") if queue.startswith("agent.") else f"queue.{queue}"


def load_roster(settings: Settings) -> Roster:
    """Read the roster file in force.

    Raises:
        SettingsError: the file is missing, is not YAML, or a seat is wrong; the text names the file and the field.
    """
    path = settings.roster_path
    try:
        return Roster.model_validate(_addresses_filled(_read(path), settings.model_url))
    except ValidationError as error:
        problems = "; ".join(_sentence(problem["loc"], problem["msg"]) for problem in error.errors())
        raise SettingsError(f"The roster {path} is wrong: {problems}.") from None


class OnceLoader(yaml.SafeLoader):
    """Refuses a name that stands twice in one mapping: the first would silently be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build the mapping of a node whose names are all different."""
        names = [name.value for name, _ in node.value if name.tag != "tag:yaml.org,2002:merge"]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"{twice!r} stands there twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    where = ".".join(str(part) for part in location) or "file"
    return f"{where}: {message.removeprefix('Value error, ')}"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=OnceLoader)  # noqa: S506 # nosec B506 # it is safe
    except OSError as error:
        raise SettingsError(
            f"The roster {path} cannot be read ({error.strerror}); FOLKMOOT_AGENTS_FILE names another."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"The roster {path} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"The roster {path} must hold `aggregator:` and `seats:`.")
    return content


def _addresses_filled(content: Any, model_url: str) -> Any:
    """The same tree with `${FOLKMOOT_MODEL_URL}` replaced, for the embedded model's address is known at start only."""
    if isinstance(content, dict):
        return {key: _addresses_filled(value, model_url) for key, value in content.items()}
    if isinstance(content, list):
        return [_addresses_filled(value, model_url) for value in content]
    if isinstance(content, str):
        return Template(content).safe_substitute(FOLKMOOT_MODEL_URL=model_url)
    return content
