"""Letting somebody into one's team who was invited: held to what the registry itself will ask, then signed here."""

from __future__ import annotations

from typing import Final

from licet.client import keys
from licet.client.blocking import Client
from licet.errors import InputError, VerificationError
from licet.wire.accounts import InvitationInfo, KeyAccepted

SHORTEST: Final = 8


def admit(client: Client, code: str) -> tuple[InvitationInfo, KeyAccepted]:
    """Return the invitation, and the key that asked by it once it may sign for the account of this profile.

    ``code`` is how the key's id begins, as the one who joins was shown it, with spaces or without: what the registry
    says alone lets nobody in.
    Raises ``InputError`` where no key that begins so asks, or where the team's keys have changed since it asked.
    """
    asking, begins = list(client.invitations(state="asked")), "".join(code.split()).lower()
    found = [each for each in asking if each.keyid is not None and each.keyid.startswith(begins)]
    if len(begins) < SHORTEST or len(found) != 1:
        raise InputError.field("code", f"the first {SHORTEST} digits or more of a key that asks to be let in", code)
    (invitation,) = found
    if invitation.envelope is None:
        raise VerificationError("expected the request of the key that asks, got none")
    return invitation, keys.let_in(client, invitation.envelope, invitation.key_class, begins)
