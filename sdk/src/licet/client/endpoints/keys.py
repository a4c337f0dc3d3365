"""Keys of an account, who signs with which, and invitations into a team."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote as escape

from licet.client.endpoints.listing import Listing, listed
from licet.exchange.calls import Call, Filters, post, reader
from licet.exchange.retrying import idempotency_key
from licet.identifiers import new_uuid
from licet.statements.envelope import Envelope
from licet.wire import accounts


def keys(limit: int | None, filters: Filters) -> Listing[accounts.KeyInfo]:
    """The account's keys."""
    return listed("listKeys", "/v1/keys", accounts.KeyInfo, filters, limit, scope="account")


def add_key(envelope: Envelope) -> Call[accounts.KeyAccepted]:
    """A further key."""
    return _key_statement("addKey", "/v1/keys", envelope)


def rotate_key(keyid: str, envelope: Envelope) -> Call[accounts.KeyAccepted]:
    """A new key in the place of another."""
    return _key_statement("rotateKey", f"/v1/keys/{escape(keyid, safe='')}/rotate", envelope)


def revoke_key(keyid: str, envelope: Envelope) -> Call[accounts.KeyAccepted]:
    """The end of a key."""
    return _key_statement("revokeKey", f"/v1/keys/{escape(keyid, safe='')}/revoke", envelope)


def delegate(envelope: Envelope) -> Call[accounts.KeyAccepted]:
    """What a delegate key may sign."""
    return _key_statement("delegate", "/v1/delegations", envelope)


def delegations(limit: int | None, filters: Filters) -> Listing[accounts.DelegationInfo]:
    """The delegations that the account has given."""
    return listed("listDelegations", "/v1/delegations", accounts.DelegationInfo, filters, limit, scope="account")


def create_invitation(key_class: Literal["root", "delegate"], days: int, note: str) -> Call[accounts.InvitationCreated]:
    """A link that invites somebody into the team, another one each time."""
    body = accounts.InvitationCreate(key_class, days, note)
    return post(
        "createInvitation", "/v1/invitations", body, accounts.InvitationCreated, scope="account", key=new_uuid().hex
    )


def invitations(limit: int | None, filters: Filters) -> Listing[accounts.InvitationInfo]:
    """The team's invitations."""
    return listed("listInvitations", "/v1/invitations", accounts.InvitationInfo, filters, limit, scope="account")


def withdraw_invitation(invitation: str) -> Call[accounts.InvitationInfo]:
    """The end of an invitation."""
    path = f"/v1/invitations/{escape(invitation, safe='')}"
    read = reader(accounts.InvitationInfo)
    return Call("withdrawInvitation", "DELETE", path, read, key=idempotency_key("DELETE", path), scope="account")


def open_invitation(secret: str) -> Call[accounts.InvitationSeen]:
    """What the secret of a link invites into."""
    body = accounts.InvitationSecret(secret)
    return post("openInvitation", "/v1/invitations/open", body, accounts.InvitationSeen, reads=True)


def ask_to_join(secret: str, envelope: Envelope) -> Call[accounts.InvitationSeen]:
    """A new key that asks to be let in."""
    body = accounts.InvitationAnswer(secret, envelope)
    return post("askToJoin", "/v1/invitations/ask", body, accounts.InvitationSeen)


def _key_statement(operation: str, path: str, envelope: Envelope) -> Call[accounts.KeyAccepted]:
    return post(operation, path, accounts.KeyStatement(envelope), accounts.KeyAccepted, scope="account")
