"""What a user has asked before: offered, never given as an answer."""

from folkmoot import asks
from folkmoot.asks import Ask
from folkmoot.errors import NotFound
from folkmoot.resources import EarlierQuery, QueryResource, SuggestionResource
from folkmoot.runtime import Runtime
from folkmoot.same_question import Asked
from folkmoot.store import history, queries

#: The latest queries of the same domain and type that are looked through: half a millisecond each.
LOOKED_THROUGH = 200
#: Of those that ask the same, so many are looked at for their roles and for how they went.
LOOKED_AT = 5


def suggest(runtime: Runtime, user_id: int, ask: Ask) -> SuggestionResource:
    """The user's newest query that asked the same under the same roles, and was answered in full.

    Raises:
        InvalidRequest: the query could not be asked.
    """
    asks.check(ask, runtime.roster, runtime.settings)
    asked = Asked(ask.query)
    earlier = history.comparable(
        runtime.db, user_id, domain=ask.domain, question_type=ask.question_type, limit=LOOKED_THROUGH
    )
    same = [(job_id, text, at) for job_id, text, at in earlier if asked.is_same(text)]
    for job_id, text, at in same[:LOOKED_AT]:
        try:
            found = queries.find(runtime.db, job_id, user_id=user_id)
        except NotFound:
            # Deleted since.
            continue
        if not found.degraded and _same_roles(ask, found):
            return SuggestionResource(suggestion=EarlierQuery(job_id=job_id, query=text, asked_at=at))
    return SuggestionResource(suggestion=None)


def _same_roles(ask: Ask, found: QueryResource) -> bool:
    """Whether the same seats had the same roles; of roles that are dealt out, whether the same ones were."""
    had = {response.agent_id: response.role for response in found.responses if response.role != "None"}
    if isinstance(ask.roles, tuple):
        return sorted(had.values()) == sorted(role for role in ask.roles if role != "None")
    return had == {seat: role for seat, role in ask.roles.items() if role != "None"}
