"""What handlers and loops work with: made once a process, handed to handlers as the dependency ``services``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol
from uuid import UUID

from licet.wire.accounts import ConsentHead
from registry.archive import Archive, ArchiveKey, Owner, open_key
from registry.database import Connection, Database, opened, pending
from registry.errors import MigrationError
from registry.observing.meters import Meters
from registry.quotas import Quotas
from registry.restoring import Place, recover
from registry.settings import Settings
from registry.storage import Store, open_store
from registry.translog import RegistryKeys, open_keys, refuse_copy

if TYPE_CHECKING:
    from licet.index import Index


class Standing(NamedTuple):
    """What answers are made from: the snapshot (None: the database alone), the works over it, and what is wrong.

    ``decides`` is False where nothing can be answered until another snapshot is there.
    """

    sequence: int | None
    applied: int
    wrong: str | None = None
    decides: bool = True


class SnapshotReader(Protocol):
    """Decisions of this moment: an index that holds everything acknowledged before the call."""

    async def current(self) -> tuple[Index, int, int]:
        """Return the index, the consent version and the published log size; ``Unavailable`` without the primary."""
        ...

    def intact(self) -> bool:
        """Return whether what the index is made from has not changed under it."""
        ...

    def standing(self) -> Standing:
        """Return what the index is made from."""
        ...

    async def close(self) -> None:
        """Nothing is under way any longer."""
        ...


async def no_consents(conn: Connection, account: UUID) -> ConsentHead:
    """Return the head of an account that has never consented to anything."""
    return ConsentHead(0, None)


async def no_frozen_works(conn: Connection, account: UUID) -> int:
    """Return how many works of an account without any are frozen."""
    return 0


@dataclass
class Services:
    """Settings, the database, the registry's keys and what callers have left of their quotas.

    The application fills in what domains above the reader of a field know: ``reader`` once it serves decisions,
    ``consent_head`` (the account's last consent) and ``frozen_works`` (how many await its word anew) once the consent
    domain is connected.
    """

    settings: Settings
    database: Database
    keys: RegistryKeys
    reader: SnapshotReader | None = None
    meters: Meters = field(default_factory=Meters)
    consent_head: Callable[[Connection, UUID], Awaitable[ConsentHead]] = no_consents
    frozen_works: Callable[[Connection, UUID], Awaitable[int]] = no_frozen_works
    quotas: Quotas = field(init=False)
    log_files: Store = field(init=False)
    public_files: Store = field(init=False)

    def __post_init__(self) -> None:
        self.quotas = Quotas(self.database)
        self.log_files = log_files(self.settings)
        self.public_files = public_files(self.settings)

    @property
    def public(self) -> Path:
        """The folder of published files unless they have a bucket; a CDN may serve it."""
        return self.settings.data / "public"


async def open_archive(services: Services) -> Archive | None:
    """Return what archives this database, None where the settings say that nothing is."""
    if services.settings.archive == "off":
        return None
    key = await open_archive_key(services.settings)
    return Archive(services.database, archive_files(services.settings), key, owner_of(services))


def owner_of(services: Services) -> Owner:
    """Return whose archive it is."""
    return Owner(services.settings.origin, services.keys.ref.key)


async def open_archive_key(settings: Settings) -> ArchiveKey:
    """Return the key of the archive, made now where nothing was archived yet."""
    return await open_key(settings.data / "keys", archive_files(settings))


def place_of(settings: Settings) -> Place:
    """Return where keys, published log and archive of this registry are."""
    return Place(settings.data, settings.origin, log_files(settings), archive_files(settings), settings.witness_policy)


def archive_files(settings: Settings) -> Store:
    """Return where the archive is: a bucket, or ``archive/`` in the data folder."""
    return open_store(settings.archive_to, settings.data / "archive")


async def up_to_date(database: Database, settings: Settings) -> None:
    """The database holds everything that was ever let out, from the archive if need be; raises ``StartError``."""
    if settings.archive == "on":
        await recover(database, place_of(settings))


def log_files(settings: Settings) -> Store:
    """Return where the log is published: a bucket, or ``log/`` in the folder of published files."""
    return open_store(settings.publish_to and f"{settings.publish_to}/log", settings.data / "public" / "log")


def public_files(settings: Settings) -> Store:
    """Return where everything is published that anybody may read: a bucket, or a folder."""
    return open_store(settings.publish_to, settings.data / "public")


@asynccontextmanager
async def started(
    settings: Settings, *, name: str = "licet-registry", meters: Meters | None = None, only_look: bool = False
) -> AsyncIterator[Services]:
    """Yield the services of ``settings``: the database (attached to, or started for the block) and the keys in it.

    A restored database that nobody has said to replace another is for those who ``only_look``. Raises ``StartError``
    and ``DatabaseUnavailable``; a schema that is behind this release is a ``MigrationError``.
    """
    async with opened(settings, attach=True, name=name, serving=not only_look) as database:
        todo = await pending(database)
        if todo:
            names = ", ".join(migration.file for migration in todo)
            raise MigrationError(f"the schema lacks {names}; run `licet-registry migrate`")
        await up_to_date(database, settings)
        async with database.acquire() as conn:
            if not only_look:
                await refuse_copy(conn)
            keys = await open_keys(conn, settings.data / "keys", settings.origin)
        database.meters = meters or Meters()
        yield Services(settings, database, keys, meters=database.meters)
