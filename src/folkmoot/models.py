"""The tables: of users and their ways in, of queries, what came of them and what it cost, of work, and of incidents."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: What the partial indexes cover. A statement has to say it in the same words, as those at the end of this file do:
#: SQLite does not see it of a value that is bound.
OPEN = "status IN ('accepted', 'asking', 'aggregating')"
PENDING = "status = 'pending'"
FINISHED = "finished_at IS NOT NULL"
WAITING = "awaits IS NOT NULL"

#: Names for every constraint, so that migrations can alter them on SQLite too.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: SQLite counts rows up by itself only in a column that is INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")


class UtcTime(TypeDecorator[datetime]):
    """A time in UTC, aware on both databases; SQLite itself knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store aware times only."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time is not a point in time")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back that SQLite dropped."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Root of all tables."""

    metadata = MetaData(naming_convention=NAMING)


class User(Base):
    """An account. `request_id` is that of the request which made it, so that a retry of it is no second sign-up.

    One that is being deleted has no name, no password and a `folded` that no name can be; see `accounts.close`.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    username: Mapped[str] = mapped_column(String(64))
    #: The name without regard to case, by which it is unique.
    folded: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    is_admin: Mapped[bool] = mapped_column(Boolean, default=False)
    request_id: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class Session(Base):
    """A signed-in session; only the hash of its token is kept."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)


class ApiToken(Base):
    """A user's own token for programs; only its hash is kept, and the first characters to know it by."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    prefix: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: Each one of `tokens.Scope`.
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)


class Invitation(Base):
    """What lets one person sign up. It is a record too: who made it and who used it are kept as names."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prefix: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    used_by: Mapped[str | None] = mapped_column(String(64))


class Interaction(Base):
    """A query and where it stands. `fence` counts the claims on its aggregation; only the newest may conclude."""

    __tablename__ = "interactions"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key"),
        Index("ix_interactions_user_id_id", "user_id", "id"),
        Index(
            "ix_interactions_finished_at",
            "finished_at",
            sqlite_where=text(FINISHED),
            postgresql_where=text(FINISHED),
        ),
        Index(
            "ix_interactions_open",
            "status",
            "ask_deadline_at",
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    job_id: Mapped[str] = mapped_column(String(36), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    query: Mapped[str] = mapped_column(Text)
    domain: Mapped[str] = mapped_column(String(32))
    question_type: Mapped[str] = mapped_column(String(32))
    parent_job_id: Mapped[str | None] = mapped_column(String(36))
    #: What a client sent along of a conversation of its own: `instructions`, and `turns` as pairs of texts.
    conversation: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    status: Mapped[str] = mapped_column(String(16))
    quorum: Mapped[int] = mapped_column(Integer)
    aggregator_requested: Mapped[str] = mapped_column(String(32))
    aggregator_used: Mapped[str | None] = mapped_column(String(32))
    idempotency_key: Mapped[str] = mapped_column(String(200))
    request_hash: Mapped[str] = mapped_column(String(64))
    fence: Mapped[int] = mapped_column(Integer, default=0)
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    notes: Mapped[list[str]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    ask_deadline_at: Mapped[datetime] = mapped_column(UtcTime)
    deadline_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: False when every call is to be made anew; empty for most.
    use_cache: Mapped[bool | None] = mapped_column(Boolean)
    #: The request that it came with, for the log lines and traces of every process that works at it.
    request_id: Mapped[str | None] = mapped_column(String(64))
    #: The span that its trace goes on from, as W3C's `traceparent`; empty where no traces are kept.
    traceparent: Mapped[str | None] = mapped_column(String(55))


class Response(Base):
    """What one agent said, or the consensus when `is_aggregator`; unique per job, agent and kind."""

    __tablename__ = "responses"
    __table_args__ = (
        UniqueConstraint("job_id", "agent_id", "is_aggregator"),
        Index(
            "uq_responses_consensus",
            "job_id",
            unique=True,
            sqlite_where=text("is_aggregator"),
            postgresql_where=text("is_aggregator"),
        ),
        # Not by the lease: a claim changes it, and of those that are pending there are few.
        Index(
            "ix_responses_pending",
            "job_id",
            sqlite_where=text(PENDING),
            postgresql_where=text(PENDING),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("interactions.job_id", ondelete="CASCADE"))
    agent_id: Mapped[str] = mapped_column(String(32))
    is_aggregator: Mapped[bool] = mapped_column(Boolean, default=False)
    role: Mapped[str] = mapped_column(String(32))
    model: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(16))
    text: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    latency_ms: Mapped[int | None] = mapped_column(Integer)
    prompt_tokens: Mapped[int | None] = mapped_column(Integer)
    completion_tokens: Mapped[int | None] = mapped_column(Integer)
    #: In dollars, as text with every digit; empty when unknown.
    cost_usd: Mapped[str | None] = mapped_column(String(32))
    cached: Mapped[bool] = mapped_column(Boolean, default=False)
    #: The query that a cached answer came from; no foreign key, for that one may be deleted before this.
    cached_from: Mapped[str | None] = mapped_column(String(36))
    #: Claims so far; the number of the newest is the token that its lease is held by.
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)


class Analysis(Base):
    """What was measured about a job's responses."""

    __tablename__ = "analysis"
    __table_args__ = (
        Index(
            "ix_analysis_pending",
            "created_at",
            sqlite_where=text(PENDING),
            postgresql_where=text(PENDING),
        ),
    )

    job_id: Mapped[str] = mapped_column(ForeignKey("interactions.job_id", ondelete="CASCADE"), primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    consensus_score: Mapped[float | None] = mapped_column(Float)
    data: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)


class Chart(Base):
    """One picture of a job's analysis; `content` is what its format says, an SVG as gzip."""

    __tablename__ = "charts"

    job_id: Mapped[str] = mapped_column(ForeignKey("interactions.job_id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    format: Mapped[str] = mapped_column(String(8), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Deletion(Base):
    """A query that its owner has deleted, and may have back until `due_at`; then it is erased."""

    __tablename__ = "deletions"
    __table_args__ = (Index("ix_deletions_due_at", "due_at"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("interactions.job_id", ondelete="CASCADE"), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UtcTime)


class Outbox(Base):
    """A piece of work that nobody has taken yet; its hint is sent again whenever `due_at` comes."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_job_id", "job_id"),
        Index("ix_outbox_due_at", "due_at"),
        Index("ix_outbox_awaits", "awaits", sqlite_where=text(WAITING), postgresql_where=text(WAITING)),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("interactions.job_id", ondelete="CASCADE"))
    #: `ask`, `conclude` or `analyse`.
    task: Mapped[str] = mapped_column(String(16))
    #: Whom to ask; empty for the other tasks.
    agent_id: Mapped[str] = mapped_column(String(32), default="")
    sent: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    #: The cache's key of an equal call that is under way, which this work waits for.
    awaits: Mapped[str | None] = mapped_column(String(64))


class Incident(Base):
    """Something that happened to a seat. It outlives the query that it happened in, so `job_id` is no foreign key."""

    __tablename__ = "incidents"
    __table_args__ = (
        Index("ix_incidents_at_id", "at", "id"),
        Index("ix_incidents_agent_id_at_id", "agent_id", "at", "id"),
        Index("ix_incidents_job_id", "job_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    agent_id: Mapped[str] = mapped_column(String(32))
    #: One of `resources.IncidentKind`.
    kind: Mapped[str] = mapped_column(String(16))
    #: The seat's new state; empty unless that is what has changed. What it was before, its row before says.
    state: Mapped[str | None] = mapped_column(String(16))
    #: The seat that took over, where one did.
    stand_in: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str | None] = mapped_column(Text)
    #: The query it happened in; forgotten when that is deleted.
    job_id: Mapped[str | None] = mapped_column(String(36))


class Cache(Base):
    """Who has the answer to exactly this call of this user, or is asking for it while `ready_at` is empty.

    The answer itself is the row in `responses`; whether a call is still under way tells that row's claim.
    """

    __tablename__ = "cache"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    # No index: rows go with their query, and few are left when a user does.
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    job_id: Mapped[str] = mapped_column(ForeignKey("interactions.job_id", ondelete="CASCADE"), index=True)
    agent_id: Mapped[str] = mapped_column(String(32))
    is_aggregator: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    ready_at: Mapped[datetime | None] = mapped_column(UtcTime)


class Usage(Base):
    """What a query uses in one stage, on the day that it was accepted; no foreign key, for it outlives the query.

    What is reserved counts for as long as the query is open. Of a user who has left sums remain, without `user_id`.
    """

    __tablename__ = "usage"
    __table_args__ = (Index("ix_usage_day_user_id", "day", "user_id"),)

    job_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    #: One of `resources.Stage`.
    stage: Mapped[str] = mapped_column(String(16), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    #: In UTC.
    day: Mapped[date] = mapped_column(Date)
    reserved_tokens: Mapped[int] = mapped_column(BigInteger)
    reserved_nano_usd: Mapped[int] = mapped_column(BigInteger)
    calls: Mapped[int] = mapped_column(Integer)
    #: Calls whose endpoint did not say how many tokens they took.
    estimated_calls: Mapped[int] = mapped_column(Integer)
    #: Calls of models whose price is unknown; `nano_usd` is without them.
    unpriced_calls: Mapped[int] = mapped_column(Integer)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)
    nano_usd: Mapped[int] = mapped_column(BigInteger)


class ProviderKey(Base):
    """A user's own key of a provider, encrypted with a secret that is not in the database."""

    __tablename__ = "provider_keys"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    provider: Mapped[str] = mapped_column(String(255))
    encrypted: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


#: Conditions for statements that look for the handful of rows with work before them in a history of any length.
IS_OPEN_QUERY = text(f"interactions.{OPEN}")
IS_PENDING_RESPONSE = text(f"responses.{PENDING}")
IS_PENDING_ANALYSIS = text(f"analysis.{PENDING}")
