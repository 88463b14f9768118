"""The shapes of requests and answers about accounts: sign-up, password, API tokens and invitations."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from folkmoot.tokens import Scope
from services.gateway.schemas import Body, Credentials

#: The longest time that a token or an invitation can be made for, in days.
Days = Annotated[float, Field(gt=0, le=3650)]


class SignUpBody(Credentials):
    """A username and its password, and an invitation where signing up takes one."""

    invitation: Annotated[str, Field(max_length=256, description="Wanted where the catalogue's `sign_up` says so.")] = (
        ""
    )


class PasswordBody(Body):
    """The password as it is, and as it shall be."""

    current: Annotated[str, Field(max_length=1024, examples=["correct horse battery"])]
    new: Annotated[str, Field(max_length=1024, examples=["staple correct horse"])]


class PasswordAnswer(BaseModel):
    """What became of the other ways in: how many sessions were ended, and how many API tokens there still are."""

    sessions_ended: int
    tokens_kept: int


class LeaveBody(Body):
    """What shows that it is the user who wants to go: whoever found a session open does not know it."""

    password: Annotated[str, Field(max_length=1024, examples=["correct horse battery"])]


class UsersUsageQuery(BaseModel):
    """Over how many days to look, today included, and how many users to show."""

    days: Annotated[int, Field(ge=1, le=366)] = 1
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class UserUsageAnswer(BaseModel):
    """What one user has used; without a `username`, what all who have deleted their accounts have used together."""

    username: str | None
    queries: int
    calls: int
    tokens: int
    usd: str
    unpriced_calls: int


class UsersUsageAnswer(BaseModel):
    """Who has used what from one day to another (UTC), both included; whoever used most tokens comes first.

    The price of `unpriced_calls` is unknown, and they are not among the dollars.
    """

    since: date
    until: date
    users: list[UserUsageAnswer]


class TokenBody(Body):
    """What a new API token is called and may do."""

    name: Annotated[str, Field(min_length=1, max_length=64, examples=["laptop"])]
    scopes: Annotated[
        list[Scope],
        Field(
            min_length=1,
            max_length=2,
            description="`read` looks at queries and agents; `ask` also asks, cancels, deletes and restores.",
            examples=[["ask"]],
        ),
    ]
    expires_in_days: Annotated[Days | None, Field(description="Never, if not given.")] = None


class TokenAnswer(BaseModel):
    """An API token as its owner sees it; `prefix` is what it begins with."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


class NewTokenAnswer(TokenAnswer):
    """An API token just made; `token` is shown this once."""

    token: str


class TokensAnswer(BaseModel):
    """A user's API tokens, the newest first."""

    tokens: list[TokenAnswer]


class TokenPath(BaseModel):
    """An API token's address."""

    token_id: Annotated[str, Field(description="The token's id.")]


class InvitationBody(Body):
    """For how long an invitation is good."""

    expires_in_days: Days = 7


class InvitationAnswer(BaseModel):
    """An invitation; `prefix` is what it begins with, `used_by` who signed up with it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    prefix: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_by: str | None


class NewInvitationAnswer(InvitationAnswer):
    """An invitation just made; `invitation` is shown this once."""

    invitation: str


class InvitationsAnswer(BaseModel):
    """The invitations of an installation, the newest first."""

    invitations: list[InvitationAnswer]


class InvitationPath(BaseModel):
    """An invitation's address."""

    invitation_id: Annotated[str, Field(description="The invitation's id.")]


def row_id(text: str) -> int:
    """The id in an address; -1, which nothing has, for what cannot be one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else -1
