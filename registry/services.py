"""What handlers and loops work with: made once a process, handed to handlers as the dependency ``services``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from licet.wire.accounts import ConsentHead
from registry.database import Connection, Database
from registry.settings import Settings
from registry.translog import RegistryKeys

if TYPE_CHECKING:
    from licet.index import Index


class SnapshotReader(Protocol):
    """Decisions of this moment: an index that holds everything acknowledged before the call."""

    async def current(self) -> tuple[Index, int, int]:
        """Return the index, the consent version and the published log size; ``Unavailable`` without the primary."""
        ...


async def no_consents(conn: Connection, account: UUID) -> ConsentHead:
    """Return the head of an account that has never consented to anything."""
    return ConsentHead(0, None)


@dataclass
class Services:
    """Settings, the database and the registry's keys.

    The application fills in what domains above the reader of a field know: ``reader`` once it serves decisions,
    ``consent_head`` (the account's last consent) once the consent domain is there.
    """

    settings: Settings
    database: Database
    keys: RegistryKeys
    reader: SnapshotReader | None = None
    consent_head: Callable[[Connection, UUID], Awaitable[ConsentHead]] = no_consents

    @property
    def public(self) -> Path:
        """The folder of published files: ``log/`` and ``snapshots/``, as a CDN may serve them."""
        return self.settings.data / "public"
