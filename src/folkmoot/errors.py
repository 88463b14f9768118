"""Every error the product raises, under one root.

FolkmootError
├── SettingsError            a setting or the roster is wrong: the process must not start
├── InvalidRequest           the request breaks a rule; names each field
├── MalformedRequest         the request could not be read at all
├── NotSignedIn              no valid token came with the request
├── NotAllowed               signed in, but not permitted
├── NotFound                 there is no such thing, or it is somebody else's
├── NotReady                 it is being made; try again in a moment
├── UsernameTaken            another account has the name
├── LastAdmin                the only admin cannot leave the others
├── TooManyAttempts          it was tried too often, and may be again after a while
├── IdempotencyMismatch      the same key came with another request
├── LimitReached             too many requests, or too many queries at once
│   └── BudgetSpent          the query would use more than what is left of today's budget
├── CouncilFailed            a query that somebody waited for ended without a consensus
├── Unavailable              a part the answer needs is away; try again later
├── ClaimLost                somebody else has the work now, or nobody wants it any more
├── Interrupted              the process is ending; what it was doing is given back
├── Undecipherable           what was encrypted cannot be read: its secret is not among the server's
├── WeightsDamaged           a file that the analysis computes with is missing or another one
└── AgentError               an agent did not give a usable answer
    ├── EndpointUnreachable  no connection, or it was cut
    ├── EndpointRefused      the endpoint answered with an error status
    ├── OwnKeyRefused        the endpoint does not take the key that the user has set
    ├── EndpointTimedOut     no whole answer within the time it had
    ├── EndpointRests        it failed before, and is left alone for now
    └── AnswerInvalid        an answer came, and it is none: empty, an error as text, an echo …
"""


class FolkmootError(Exception):
    """Root of all errors raised on purpose; its text is a sentence for the person who meets it."""


class SettingsError(FolkmootError):
    """A setting or the roster is wrong; the text names it, its value and what would be accepted."""


class InvalidRequest(FolkmootError):
    """The request breaks a rule.

    Attributes:
        fields: field name to a sentence that says what would be right.
    """

    def __init__(self, fields: dict[str, str]) -> None:
        """Keep the sentences by field, and join them as the error's own text."""
        self.fields = fields
        super().__init__(" ".join(f"{name}: {sentence}" for name, sentence in fields.items()))


class MalformedRequest(FolkmootError):
    """The request could not be read, for example because its JSON is broken."""


class NotSignedIn(FolkmootError):
    """No valid token came with the request."""


class NotAllowed(FolkmootError):
    """The account is not permitted to do this."""


class NotFound(FolkmootError):
    """There is no such thing, or it belongs to somebody else; the two are never told apart."""


class NotReady(FolkmootError):
    """What was asked for is being made; trying again in a moment is right."""


class UsernameTaken(FolkmootError):
    """Another account has the name already."""


class LastAdmin(FolkmootError):
    """The only admin wants to delete their account while others remain; the text says what to do first."""


class TooManyAttempts(FolkmootError):
    """It was tried too often.

    Attributes:
        retry_after_s: in whole seconds, when it may be tried again.
    """

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        """Keep the time beside the sentence."""
        self.retry_after_s = retry_after_s
        super().__init__(message)


class IdempotencyMismatch(FolkmootError):
    """The same idempotency key came with a different request."""


class LimitReached(FolkmootError):
    """A limit does not allow the request now; the text holds the figures.

    Attributes:
        retry_after_s: when trying again makes sense.
    """

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        """Keep the wait beside the sentence."""
        self.retry_after_s = retry_after_s
        super().__init__(message)


class BudgetSpent(LimitReached):
    """What is left of today's budget does not hold the query."""


class CouncilFailed(FolkmootError):
    """A query that somebody waited for ended without a consensus; the text says why."""


class Unavailable(FolkmootError):
    """A part the answer needs is away for now; trying again later is right."""


class ClaimLost(FolkmootError):
    """The claim on a piece of work is gone: it ran out, or the query ended; what was being done is dropped."""


class Interrupted(FolkmootError):
    """The process is ending, and what it was doing goes to another."""


class Undecipherable(FolkmootError):
    """What was encrypted cannot be read, because the secret it was encrypted with is not among the server's."""


class WeightsDamaged(FolkmootError):
    """A file that the analysis computes with is missing, or is not the one that was measured."""


class AgentError(FolkmootError):
    """An agent did not give a usable answer; the text is the reason shown to the user."""

    @property
    def brief(self) -> str:
        """The reason without what comes after its colon: words of a model or a provider, which may quote a query."""
        return str(self).partition(": ")[0]


class EndpointUnreachable(AgentError):
    """No connection to the endpoint, or the connection was cut."""

    @property
    def brief(self) -> str:
        """All of it: these words are ours."""
        return str(self)


class EndpointRefused(AgentError):
    """The endpoint answered with an error status.

    Attributes:
        status: the HTTP status.
        context_exceeded: the refusal says that the prompt is longer than the model's context.
        retry_after_s: how long the endpoint asks to be left alone.
    """

    def __init__(
        self, message: str, *, status: int, context_exceeded: bool = False, retry_after_s: float | None = None
    ) -> None:
        """Keep the status beside the sentence."""
        self.status = status
        self.context_exceeded = context_exceeded
        self.retry_after_s = retry_after_s
        super().__init__(message)


class OwnKeyRefused(AgentError):
    """The endpoint does not take the key that the user has set; this says nothing about it for anybody else."""

    @property
    def brief(self) -> str:
        """What everybody may know of it."""
        return "the key of the one who asked was refused"


class EndpointTimedOut(AgentError):
    """No whole answer came within the time the call had."""


class EndpointRests(AgentError):
    """The endpoint failed before and is left alone for now; it was not called."""


class AnswerInvalid(AgentError):
    """An answer came that is not one: empty, an error as text, a refusal, an echo, cut off."""
