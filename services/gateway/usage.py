"""What the signed-in user has used today, and what they may; for admins, what everybody has used."""

from datetime import timedelta
from decimal import Decimal

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from folkmoot.prices import usd
from folkmoot.runtime import utcnow
from folkmoot.store import limits, usage
from services.gateway import identity
from services.gateway.account_schemas import UsersUsageAnswer, UsersUsageQuery, UserUsageAnswer
from services.gateway.documents import SIGNED_IN, problems
from services.gateway.schemas import TokenUseAnswer, UsageAnswer, UsdAnswer

api = APIBlueprint("usage", __name__, url_prefix="/api/v1")


@api.get("/usage", security=SIGNED_IN, responses={200: UsageAnswer, **problems(401)})
def show_usage() -> Response:
    """The signed-in user's own figures of today (UTC): spent, reserved for queries under way, and the limits."""
    runtime, user_id, now = identity.runtime(), identity.account().user_id, utcnow()
    settings = runtime.settings
    with runtime.db.read() as connection:
        standing = usage.standing(connection, now.date(), user_id=user_id)
        open_jobs = limits.open_jobs(connection, user_id)
    spent, reserved = standing.spent, standing.reserved
    return jsonify(
        UsageAnswer(
            day=now.date(),
            resets_at=limits.resets_at(now),
            tokens=TokenUseAnswer(
                spent=spent.tokens, reserved=reserved.tokens, limit=settings.budget_user_tokens or None
            ),
            usd=UsdAnswer(
                spent=usd(spent.nano_usd) or "0",
                reserved=usd(reserved.nano_usd) or "0",
                limit=_written(settings.budget_user_usd),
            ),
            estimated_calls=standing.estimated_calls,
            unpriced_calls=standing.unpriced_calls,
            open_jobs=open_jobs,
            concurrent_jobs=settings.concurrent_jobs or None,
            rate_per_minute=settings.rate_per_minute or None,
        ).model_dump(mode="json")
    )


@api.get("/usage/users", security=SIGNED_IN, responses={200: UsersUsageAnswer, **problems(401, 403, 422)})
def show_users(query: UsersUsageQuery) -> Response:
    """What each user has used, today or over some days up to today (UTC). For admins."""
    identity.admin()
    until = utcnow().date()
    since = until - timedelta(days=query.days - 1)
    found = usage.by_user(identity.runtime().db, since=since, until=until, limit=query.limit)
    users = [
        UserUsageAnswer(
            username=one.username,
            queries=one.queries,
            calls=one.calls,
            tokens=one.spent.tokens,
            usd=usd(one.spent.nano_usd) or "0",
            unpriced_calls=one.unpriced_calls,
        )
        for one in found
    ]
    return jsonify(UsersUsageAnswer(since=since, until=until, users=users).model_dump(mode="json"))


def _written(limit: Decimal) -> str | None:
    return f"{limit:f}" if limit else None
