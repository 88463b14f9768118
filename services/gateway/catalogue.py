"""The catalogue: all there is to choose from."""

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from folkmoot import accounts
from folkmoot.accounts import SignUpMode
from folkmoot.agents import Roster
from folkmoot.asks import LEAST_DEADLINE_S
from folkmoot.catalogue import DOMAINS, EXAMPLES, QUESTION_TYPES, ROLES
from folkmoot.db import Database
from folkmoot.errors import Unavailable
from folkmoot.settings import Settings
from services.gateway import identity
from services.gateway.documents import problems
from services.gateway.schemas import CatalogueAnswer, ExampleAnswer, LimitsAnswer, SeatAnswer

api = APIBlueprint("catalogue", __name__, url_prefix="/api/v1")


@api.get("/catalogue", responses={200: CatalogueAnswer, **problems()})
def show_catalogue() -> Response:
    """Domains, question types, roles, examples, agents, limits, and who can sign up."""
    runtime = identity.runtime()
    return jsonify(
        CatalogueAnswer(
            domains=list(DOMAINS),
            question_types=list(QUESTION_TYPES),
            roles=list(ROLES),
            explanations={"domains": DOMAINS, "question_types": QUESTION_TYPES, "roles": ROLES},
            examples=[ExampleAnswer.model_validate(example) for example in EXAMPLES],
            agents=_seats(runtime.roster),
            limits=_limits(runtime.settings),
            sign_up=_sign_up(runtime.db),
        ).model_dump()
    )


def _sign_up(db: Database) -> SignUpMode:
    try:
        return accounts.sign_up_mode(db, identity.policy())
    except Unavailable:
        # The rest of the catalogue is there without a database.
        return identity.policy().mode


def _seats(roster: Roster) -> list[SeatAnswer]:
    return [
        SeatAnswer(seat=agent_id, agent_id=agent_id, model=seat.model, is_aggregator=agent_id == roster.aggregator)
        for agent_id, seat in roster.seats.items()
    ]


def _limits(settings: Settings) -> LimitsAnswer:
    return LimitsAnswer(
        query_chars=settings.query_chars,
        deadline_s=settings.deadline_s,
        deadline_least_s=LEAST_DEADLINE_S,
        deadline_max_s=settings.deadline_max_s,
        quorum=settings.quorum,
    )
