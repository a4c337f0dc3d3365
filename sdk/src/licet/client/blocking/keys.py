"""Keys of an account, who signs with which, and invitations into a team."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from licet.client.blocking.connection import Connection
from licet.client.endpoints import keys as endpoints
from licet.statements.envelope import Envelope
from licet.wire import accounts


class Keys(Connection):
    """Keys of an account, who signs with which, and invitations into a team."""

    def keys(self, *, limit: int | None = None, **filters: str | int) -> Iterator[accounts.KeyInfo]:
        """Yield the account's keys that are in the log."""
        return self._pages(endpoints.keys(limit, filters))

    def add_key(self, envelope: Envelope) -> accounts.KeyAccepted:
        """Return once the key in a ``key-register`` is in the log; the new key signs first, then a live root key."""
        return self.transport.do(endpoints.add_key(envelope))

    def rotate_key(self, keyid: str, envelope: Envelope) -> accounts.KeyAccepted:
        """Return once a ``key-rotate`` has put a new key in the place of ``keyid``."""
        return self.transport.do(endpoints.rotate_key(keyid, envelope))

    def revoke_key(self, keyid: str, envelope: Envelope) -> accounts.KeyAccepted:
        """Return once a ``key-revoke`` has ended ``keyid``."""
        return self.transport.do(endpoints.revoke_key(keyid, envelope))

    def delegate(self, envelope: Envelope) -> accounts.KeyAccepted:
        """Return once a ``delegation`` is in force."""
        return self.transport.do(endpoints.delegate(envelope))

    def delegations(self, *, limit: int | None = None, **filters: str | int) -> Iterator[accounts.DelegationInfo]:
        """Yield the delegations that the account has given."""
        return self._pages(endpoints.delegations(limit, filters))

    def create_invitation(
        self, key_class: Literal["root", "delegate"] = "root", days: int = 7, note: str = ""
    ) -> accounts.InvitationCreated:
        """Return a new invitation into the team with its link, shown this once; asking again makes another one."""
        return self.transport.do(endpoints.create_invitation(key_class, days, note))

    def invitations(self, *, limit: int | None = None, **filters: str | int) -> Iterator[accounts.InvitationInfo]:
        """Yield the team's invitations, without their secrets, and the keys that ask by them."""
        return self._pages(endpoints.invitations(limit, filters))

    def withdraw_invitation(self, invitation: str) -> accounts.InvitationInfo:
        """Return invitation id ``invitation`` once its link opens nothing any more."""
        return self.transport.do(endpoints.withdraw_invitation(invitation))

    def open_invitation(self, secret: str) -> accounts.InvitationSeen:
        """Return into which team the secret behind the ``#`` of a link invites, and what became of it."""
        return self.transport.do(endpoints.open_invitation(secret))

    def ask_to_join(self, secret: str, envelope: Envelope) -> accounts.InvitationSeen:
        """Return once the new key that signed the ``key-register`` waits to be let in; it uses the invitation up."""
        return self.transport.do(endpoints.ask_to_join(secret, envelope))
