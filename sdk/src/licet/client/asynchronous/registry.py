"""What the registry says of itself, and its log."""

from __future__ import annotations

from licet.client.asynchronous.connection import AsyncConnection
from licet.client.endpoints import registry as endpoints
from licet.statements.kinds import RegistryRef
from licet.statements.trust import RegistryKeys, Trust
from licet.wire import accounts


class AsyncAboutRegistry(AsyncConnection):
    """What the registry says of itself, and its log."""

    async def registry(self) -> accounts.RegistryInfo:
        """Return who the registry is, pinned: raises ``VerificationError`` if it shows another root key than before."""
        return await self._run(self.contact.registry())

    async def registry_ref(self) -> RegistryRef:
        """Return the reference that every payload for this registry carries."""
        return await self._run(self.contact.registry_ref())

    async def trust(self) -> Trust:
        """Return the pinned registry, pinned now if this is the first contact."""
        return await self._run(self.contact.trust())

    async def working_keys(self) -> RegistryKeys:
        """Return the registry's working keys, each named by the pinned root in a statement that the log holds."""
        return await self._run(self.contact.working_keys())

    async def checkpoint(self) -> str:
        """Return the log's newest signed checkpoint, a C2SP signed note, as sent: `licet.log.checkpoint` opens it."""
        return await self.transport.do(endpoints.checkpoint())

    async def log_key(self) -> str:
        """Return the C2SP verifier key that the log names as its own; what is pinned is in `registry`."""
        return await self.transport.do(endpoints.log_key())

    async def log_keys(self) -> str:
        """Return all that the log says of the registry's keys, as sent: `licet.statements.key_list` opens it."""
        return await self.transport.do(endpoints.log_keys())
