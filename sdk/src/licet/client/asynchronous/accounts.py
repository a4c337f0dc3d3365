"""Accounts, their tokens, alerts and recovery codes, and what happened in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager

from licet.client.asynchronous.connection import AsyncConnection
from licet.client.endpoints import accounts as endpoints
from licet.statements.envelope import Envelope
from licet.wire import accounts, erasure


class AsyncAccounts(AsyncConnection):
    """Accounts, their tokens, alerts and recovery codes, and what happened in them."""

    async def create_account(self, name: str, envelope: Envelope) -> accounts.AccountCreated:
        """Return the new account once its genesis is in the log, as its receipt proves."""
        return await self._run(self.contact.create_account(name, envelope))

    async def me(self) -> accounts.Me:
        """Return the caller's account, its keys and the head of its consents."""
        return await self.transport.do(endpoints.me())

    async def erase_account(self, account: str, *, deny: bool = True, dry_run: bool = False) -> erasure.ErasureAnswer:
        """Return what was erased of ``account``, the caller's own, or would be; no token of it works afterwards."""
        return await self.transport.do(endpoints.erase_account(account, deny, dry_run))

    def account_export(self, after: str | None = None) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Give the chunks of a tar of everything that is held of the account, behind the file named ``after``.

        It is whole where it ends with ``export.json``; not asked for again by itself.
        """
        return self.transport.stream(endpoints.account_export(after))

    async def create_token(
        self,
        scopes: Sequence[str],
        days: int = 90,
        envelope: Envelope | None = None,
        *,
        spend_limit: accounts.SpendLimitWanted | None = None,
    ) -> accounts.TokenCreated:
        """Return a further token; asking again makes another one.

        ``envelope``: a ``token-request`` by a root key, for scopes that the present token has not. ``spend_limit``: the
        most that it may charge in a month.
        """
        return await self.transport.do(endpoints.create_token(scopes, days, envelope, spend_limit))

    def tokens(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[accounts.TokenInfo]:
        """Yield the account's tokens, without their secrets."""
        return self._pages(endpoints.tokens(limit, filters))

    async def revoke_token(self, token: str) -> None:
        """Return once token id ``token`` opens nothing any more."""
        return await self.transport.do(endpoints.revoke_token(token))

    async def keep_recovery_codes(self, envelope: Envelope) -> accounts.RecoveryCodes:
        """Return how many recovery codes are kept, as digests that a root key has signed."""
        return await self.transport.do(endpoints.keep_recovery_codes(envelope))

    async def recover_account(self, account: str, code: str, envelope: Envelope) -> accounts.Recovered:
        """Return once a new key is in the log for an account that has lost its own; a code is used up."""
        return await self.transport.do(endpoints.recover_account(account, code, envelope))

    def events(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[accounts.EventInfo]:
        """Yield what the account is told of."""
        return self._pages(endpoints.events(limit, filters))

    async def alerts(self) -> accounts.Alerts:
        """Return which topics the artist is alerted of, and which nobody can switch off."""
        return await self.transport.do(endpoints.alerts())

    async def set_alerts(self, off: Sequence[str]) -> accounts.Alerts:
        """Return the alerts once topics ``off`` are switched off and all others on."""
        return await self.transport.do(endpoints.set_alerts(off))
