"""Invitations to sign up: made, listed and withdrawn by admins."""

from dataclasses import asdict

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from folkmoot import invitations
from folkmoot.runtime import utcnow
from services.gateway import identity
from services.gateway.account_schemas import (
    InvitationAnswer,
    InvitationBody,
    InvitationPath,
    InvitationsAnswer,
    NewInvitationAnswer,
    row_id,
)
from services.gateway.documents import SIGNED_IN, problems

api = APIBlueprint("invitations", __name__, url_prefix="/api/v1/invitations")


@api.post("", security=SIGNED_IN, responses={201: NewInvitationAnswer, **problems(400, 401, 403, 413, 415, 422)})
def create(body: InvitationBody) -> tuple[Response, int]:
    """Make an invitation, good for one account; it is shown once. For admins."""
    admin = identity.admin()
    text, invitation = invitations.invite(
        identity.runtime().db, admin.username, now=utcnow(), days=body.expires_in_days
    )
    return jsonify(NewInvitationAnswer(invitation=text, **asdict(invitation)).model_dump(mode="json")), 201


@api.get("", security=SIGNED_IN, responses={200: InvitationsAnswer, **problems(401, 403)})
def list_all() -> Response:
    """The newest invitations, and who used them. For admins."""
    identity.admin()
    found = invitations.list_all(identity.runtime().db)
    answer = InvitationsAnswer(invitations=[InvitationAnswer.model_validate(each) for each in found])
    return jsonify(answer.model_dump(mode="json"))


@api.delete("/<invitation_id>", security=SIGNED_IN, responses={204: None, **problems(401, 403, 404)})
def withdraw(path: InvitationPath) -> tuple[str, int]:
    """Withdraw an invitation, or forget one that was used. For admins."""
    identity.admin()
    invitations.withdraw(identity.runtime().db, row_id(path.invitation_id))
    return "", 204
