"""The asynchronous client: what `licet.client.blocking` does, for asyncio.

Both ask what `licet.client.endpoints` describes and run the flows of `licet.client.contact`; a test holds their
methods together. One client belongs to one event loop. Cancelling a call closes its connection and nothing else;
whether a write that was under way took effect is not known, and doing it again finds out without a second effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from licet.client.asynchronous.accounts import AsyncAccounts
from licet.client.asynchronous.agreements import AsyncAgreements
from licet.client.asynchronous.claims import AsyncClaims
from licet.client.asynchronous.disputes import AsyncDisputes
from licet.client.asynchronous.keys import AsyncKeys
from licet.client.asynchronous.licensing import AsyncLicensing
from licet.client.asynchronous.money import AsyncMoney
from licet.client.asynchronous.register import AsyncRegister
from licet.client.asynchronous.registry import AsyncAboutRegistry
from licet.client.asynchronous.usage import AsyncUsage
from licet.client.asynchronous.works import AsyncWorks

if TYPE_CHECKING:
    from licet.client.asnapshots import AsyncClientSnapshot

__all__ = ["AsyncClient"]


class AsyncClient(
    AsyncAboutRegistry,
    AsyncAccounts,
    AsyncKeys,
    AsyncClaims,
    AsyncWorks,
    AsyncAgreements,
    AsyncLicensing,
    AsyncUsage,
    AsyncMoney,
    AsyncDisputes,
    AsyncRegister,
):
    """A connection to one registry as one profile, for one event loop; close it, or use it in an ``async with``.

    ``timeout`` holds each step and the whole of every call (seconds), or says more as `licet.Timeouts`.
    """

    @property
    def snapshot(self) -> AsyncClientSnapshot:
        """The snapshots of this client's registry: pull, open, pin."""
        from licet.client.asnapshots import AsyncClientSnapshot  # brings numpy: only for those who decide

        return AsyncClientSnapshot(self)
