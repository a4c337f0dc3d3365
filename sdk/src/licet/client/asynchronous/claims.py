"""Claims to domains."""

from __future__ import annotations

from collections.abc import AsyncIterator

from licet.client.asynchronous.connection import AsyncConnection
from licet.client.endpoints import claims as endpoints
from licet.wire import claims as claiming


class AsyncClaims(AsyncConnection):
    """Claims to domains."""

    async def create_claim(self, domain: str) -> claiming.ClaimInfo:
        """Return the claim of ``domain``, with the value that its owner puts up; the same domain, the same claim."""
        return await self.transport.do(endpoints.create_claim(domain))

    def claims(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[claiming.ClaimInfo]:
        """Yield the domains that the account claims."""
        return self._pages(endpoints.claims_of(limit, filters))

    async def claim(self, claim: str) -> claiming.ClaimInfo:
        """Return one claim of the account."""
        return await self.transport.do(endpoints.claim(claim))

    async def check_claim(self, claim: str) -> claiming.ClaimChecked:
        """Return the claim after a look at its domain, and the account's level; a proof that was found is logged."""
        return await self.transport.do(endpoints.check_claim(claim))

    async def drop_claim(self, claim: str) -> claiming.ClaimDropped:
        """Return once the account no longer claims the domain; its level falls if it stood on that."""
        return await self.transport.do(endpoints.drop_claim(claim))
