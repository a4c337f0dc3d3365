"""The snapshot as an asynchronous client has it: what `licet.client.snapshots` does, its file work in threads."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from licet.client.snapshots import PROMISED, Pin, Tier
from licet.index.pull import Pulled
from licet.index.snapshot import Snapshot
from licet.index.store import Published, SnapshotInfo, SnapshotStore
from licet.statements.trust import RegistryKeys

if TYPE_CHECKING:
    from licet.client.asynchronous import AsyncClient


class AsyncClientSnapshot:
    """The snapshots of one client's registry."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def store(self) -> SnapshotStore:
        """Return the folder that snapshots of the pinned registry are kept in; needs no network once it is pinned."""
        return await self._client.in_thread(lambda client: client.snapshot.store)

    async def pull(self, tiers: Collection[Tier] | None = None) -> Pulled:
        """Make the newest snapshot current; ``tiers`` default to what the caller may have (near: with an account)."""
        return await self._client.in_thread(lambda client: client.snapshot.pull(tiers))

    async def keys(self) -> RegistryKeys:
        """Return the registry's working keys as the last pull kept them, under the pinned root; needs no network.

        Raises ``InputError`` if nothing was pulled here and ``VerificationError`` if they do not hold.
        """
        return await self._client.in_thread(lambda client: client.snapshot.keys())

    async def pull_covering(self, log_index: int, seconds: float = PROMISED) -> Pulled:
        """Make the first snapshot current that covers log entry ``log_index``, waiting for it to be published.

        Raises ``ServiceError`` after ``seconds``: receipts promise a snapshot within 5 minutes.
        """
        return await self._client.in_thread(lambda client: client.snapshot.pull_covering(log_index, seconds))

    async def open(self, *, allow_expired: bool = False) -> Snapshot:
        """Return the current snapshot; raises ``InputError`` if none was pulled and ``ExpiredError`` past its time."""
        return await self._client.in_thread(lambda client: client.snapshot.open(allow_expired=allow_expired))

    async def info(self) -> SnapshotInfo:
        """Return the current snapshot in figures."""
        return await self._client.in_thread(lambda client: client.snapshot.info())

    async def pin(self) -> Pin:
        """Return what lets workers elsewhere decide from the current snapshot and no other; needs no network.

        Raises ``InputError`` if none was pulled and ``ExpiredError`` past its time: what is pinned is good for as long
        as a job takes.
        """
        return await self._client.in_thread(lambda client: client.snapshot.pin())

    async def pin_of(self, published: Published, *, near: bool, at: str) -> Pin:
        """Return what lets workers decide as of ``at`` from the snapshot ``published``, whose segments are here."""
        return await self._client.in_thread(lambda client: client.snapshot.pin_of(published, near=near, at=at))
