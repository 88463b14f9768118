"""The shapes of requests, and of the answers that are not resources of the core."""

from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from folkmoot.accounts import PASSWORD_CHARS, USERNAME, SignUpMode
from folkmoot.asks import Ask
from folkmoot.catalogue import DOMAINS, EXAMPLES, QUESTION_TYPES, ROLES
from folkmoot.resources import AgentResource, ChartFormat, ChartName, Standing

Name = Annotated[str, Field(max_length=256)]
#: Names of the catalogue. The document lists them; a name that is none of them is refused with a sentence of our own.
DomainName = Annotated[Name, Field(json_schema_extra={"enum": [*DOMAINS]})]
QuestionTypeName = Annotated[Name, Field(json_schema_extra={"enum": [*QUESTION_TYPES]})]
RoleName = Annotated[Name, Field(json_schema_extra={"enum": [*ROLES]})]


class Body(BaseModel):
    """Base of request bodies: unknown fields are refused, and a number is not a text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Parameters(BaseModel):
    """Base of query strings; other parameters than those that it names are ignored."""

    model_config = ConfigDict(extra="ignore")

    @classmethod
    def model_json_schema(cls, *how: Any, **more: Any) -> dict[str, Any]:
        """The schema. The framework asks for it at each request, and it takes as long as a query of the database."""
        return super().model_json_schema(*how, **more) if how or more else _schema_of(cls)


@cache
def _schema_of(parameters: type[Parameters]) -> dict[str, Any]:
    return super(Parameters, parameters).model_json_schema()


class Credentials(Body):
    """A username and its password."""

    username: Annotated[
        str, Field(max_length=1024, examples=["ada"], json_schema_extra={"pattern": f"^{USERNAME.pattern}$"})
    ]
    password: Annotated[
        str,
        Field(
            max_length=1024,
            examples=["correct horse battery"],
            json_schema_extra={
                "minLength": PASSWORD_CHARS[0],
                "maxLength": PASSWORD_CHARS[1],
                "pattern": "^[^\\x00]*$",
            },
        ),
    ]


class QueryBody(Body):
    """A question for the council; only `query` is required."""

    query: Annotated[
        str,
        Field(
            description="At most as long as the catalogue's limits say.",
            examples=[EXAMPLES[7].query],
            json_schema_extra={"minLength": 1},
        ),
    ]
    domain: Annotated[DomainName, Field(examples=["Healthcare"])] = "Custom"
    question_type: Annotated[QuestionTypeName, Field(examples=["Yes/No"])] = "None"
    roles: Annotated[
        dict[Name, RoleName] | list[RoleName],
        Field(
            description="A role by agent_id, or a list that is dealt out at random.",
            max_length=64,
            examples=[["Utilitarian", "Deontologist", "Virtue Ethicist"]],
        ),
    ] = []
    agents: Annotated[list[Name] | None, Field(description="The panel; default: all but the aggregator.")] = None
    aggregator: Name | None = None
    deadline_s: Annotated[float | None, Field(description="Seconds until the query has ended.")] = None
    use_cache: Annotated[
        bool,
        Field(description="False asks every seat anew, and keeps the new answers in place of those that there were."),
    ] = True
    parent_job_id: Annotated[Name | None, Field(description="The query that this one follows up.")] = None

    def as_ask(self) -> Ask:
        """The same as the council takes it."""
        content: dict[str, Any] = self.model_dump()
        if isinstance(self.roles, list):
            content["roles"] = tuple(self.roles)
        content["agents"] = None if self.agents is None else tuple(self.agents)
        return Ask(**content)


class SuggestionBody(Body):
    """A question that may have been asked before, in these words or others; only `query` is required."""

    query: Annotated[str, Field(examples=[EXAMPLES[7].query], json_schema_extra={"minLength": 1})]
    domain: Annotated[DomainName, Field(examples=["Healthcare"])] = "Custom"
    question_type: Annotated[QuestionTypeName, Field(examples=["Yes/No"])] = "None"
    roles: Annotated[
        dict[Name, RoleName] | list[RoleName],
        Field(description="As the query will have them: a role by agent_id, or a list.", max_length=64),
    ] = []

    def as_ask(self) -> Ask:
        """The query that would be asked."""
        roles = tuple(self.roles) if isinstance(self.roles, list) else self.roles
        return Ask(self.query, self.domain, self.question_type, roles)


class JobPath(BaseModel):
    """A query's address."""

    job_id: Annotated[str, Field(description="The query's job_id.")]


class ChartPath(JobPath):
    """A chart's address."""

    name: Annotated[ChartName, Field(description="Which chart.")]
    format: Annotated[ChartFormat, Field(description="Of dots or of lines.")]


class ExportPath(JobPath):
    """A record's address."""

    format: Annotated[Literal["md", "json"], Field(description="To read, or for programs.")]


class AgentPath(BaseModel):
    """A seat's address."""

    agent_id: Annotated[str, Field(description="The seat.")]


class PageQuery(Parameters):
    """Which part of the history to show."""

    limit: Annotated[int, Field(ge=1, le=100, description="Queries on a page.")] = 20
    cursor: Annotated[str | None, Field(pattern=r"^[0-9]{1,18}$", description="`next_cursor` of the page before.")] = (
        None
    )
    q: Annotated[str, Field(max_length=1000, description="Only queries whose text contains this.")] = ""
    status: Annotated[Standing | None, Field(description="Only queries that ended so, or are still open.")] = None
    domain: Annotated[str | None, Field(max_length=256, description="Only queries of this domain.")] = None


class DeleteQuery(Parameters):
    """Whether a deletion can be undone."""

    undo_s: Annotated[
        float,
        Field(ge=0, le=60, description="For so many seconds `restore` brings the query back; until then it is kept."),
    ] = 0


class IncidentsQuery(Parameters):
    """Which incidents to show."""

    agent_id: Annotated[str | None, Field(max_length=256, description="Only those of this seat.")] = None
    limit: Annotated[int, Field(ge=1, le=100, description="Incidents on a page.")] = 20
    cursor: Annotated[str | None, Field(pattern=r"^[0-9]{1,18}$", description="`next_cursor` of the page before.")] = (
        None
    )


class EventsQuery(Parameters):
    """Where to resume, for clients that cannot set the header."""

    last_event_id: Annotated[str | None, Field(description="Like the header Last-Event-ID.")] = None


class UserAnswer(BaseModel):
    """An account."""

    username: str
    is_admin: bool


class SessionAnswer(BaseModel):
    """A session's token, shown once."""

    token: str
    expires_at: datetime


class ExampleAnswer(BaseModel):
    """A question that fills a form."""

    model_config = ConfigDict(from_attributes=True)

    domain: str
    question_type: str
    query: str


class SeatAnswer(BaseModel):
    """A seat of the roster."""

    seat: str
    agent_id: str
    model: str
    is_aggregator: bool


class LimitsAnswer(BaseModel):
    """What a query may not exceed, and the defaults."""

    query_chars: int
    deadline_s: float
    deadline_least_s: float
    deadline_max_s: float
    quorum: int


class CatalogueAnswer(BaseModel):
    """All there is to choose from; `explanations` says of each name what it means for an answer.

    `sign_up` is who can make an account now: everybody, whoever has an invitation, or nobody.
    """

    domains: list[str]
    question_types: list[str]
    roles: list[str]
    explanations: dict[str, dict[str, str]]
    examples: list[ExampleAnswer]
    agents: list[SeatAnswer]
    limits: LimitsAnswer
    sign_up: SignUpMode


class KeyBody(Body):
    """A key of one's own for a provider."""

    provider: Annotated[Name, Field(examples=["openrouter"])]
    key: Annotated[SecretStr, Field(max_length=1024, description="It is shown to nobody again, but for its end.")]


class KeyAnswer(BaseModel):
    """Whether a key is set, and how it ends.

    `last_four` is null when there is none, or the server cannot read it any more. `providers` are those whose keys can
    be set, and `available` says whether any can.
    """

    is_set: bool
    provider: str | None
    last_four: str | None
    available: bool
    providers: list[str]


class TokenUseAnswer(BaseModel):
    """Tokens of today; without a `limit` there is none."""

    spent: int
    reserved: int
    limit: int | None


class UsdAnswer(BaseModel):
    """Dollars of today, with every digit; without a `limit` there is none."""

    spent: str
    reserved: str
    limit: str | None


class UsageAnswer(BaseModel):
    """What a user has used today, and what they may.

    Of `estimated_calls` the endpoint did not say how many tokens they took. The price of `unpriced_calls` is unknown,
    and they are not among the dollars.
    """

    day: date
    resets_at: datetime
    tokens: TokenUseAnswer
    usd: UsdAnswer
    estimated_calls: int
    unpriced_calls: int
    open_jobs: int
    concurrent_jobs: int | None
    rate_per_minute: int | None


class AgentAnswer(AgentResource):
    """A seat's health, under both names that the contract uses for a seat."""

    seat: str


class AgentsAnswer(BaseModel):
    """The health board."""

    agents: list[AgentAnswer]


class HealthAnswer(BaseModel):
    """This process lives."""

    status: Literal["ok"] = "ok"


class ReadyAnswer(BaseModel):
    """What answers and what does not."""

    status: str
    database: str
    broker: str
