"""What handlers and loops work with: made once a process, handed to handlers as the dependency ``services``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from registry.database import Database
from registry.settings import Settings
from registry.translog import RegistryKeys

if TYPE_CHECKING:
    from licet.index import Index


class SnapshotReader(Protocol):
    """Decisions of this moment: an index that holds everything acknowledged before the call."""

    async def current(self) -> tuple[Index, int, int]:
        """Return the index, the consent version and the published log size; ``Unavailable`` without the primary."""
        ...


@dataclass
class Services:
    """Settings, the database and the registry's keys; ``reader`` is there once the process serves decisions."""

    settings: Settings
    database: Database
    keys: RegistryKeys
    reader: SnapshotReader | None = None

    @property
    def public(self) -> Path:
        """The folder of published files: ``log/`` and ``snapshots/``, as a CDN may serve them."""
        return self.settings.data / "public"
