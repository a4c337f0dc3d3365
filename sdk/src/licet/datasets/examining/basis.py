"""What a job decides from: one snapshot, verified byte for byte when the job starts, and the index over it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from licet.client import Client
from licet.errors import NotAllowedError, ServiceError, UnreachableError, VerificationError
from licet.index.container import Tier
from licet.index.lookup import Index
from licet.index.pull import PUBLIC_TIERS, verify_manifest
from licet.index.snapshot import Snapshot
from licet.index.store import Published, Seen, SnapshotStore, envelope_digest
from licet.statements import kinds
from licet.statements.trust import RegistryKeys


@dataclass(frozen=True, slots=True)
class Basis:
    """A verified snapshot. ``digest`` names it (its envelope); ``keys`` are those that vouch for it.

    ``without_near`` is the sentence that says why near-duplicates are not looked for, or None if they are.
    """

    index: Index
    manifest: kinds.Snapshot
    published: Published
    digest: str
    keys: RegistryKeys
    without_near: str | None


def pull_newest(client: Client) -> None:
    """Make the newest snapshot the current one, with the near tier where the caller may have it.

    Raises ``ServiceError`` that names ``--offline`` where there is no network.
    """
    try:
        try:
            client.snapshot.pull()
        except NotAllowedError:
            client.snapshot.pull(PUBLIC_TIERS)
    except UnreachableError as error:
        raise ServiceError(
            f"{error.message} (--offline decides from the snapshot that is here)", offline=True
        ) from None


def open_basis(client: Client, *, now: datetime | None = None) -> Basis:
    """Return the current snapshot of the home, verified: signature, log entry, expiry, rollback, every digest.

    Reads every segment once and asks nobody. Raises ``InputError`` if none was pulled, ``ExpiredError`` past its time,
    ``RollbackError`` and ``VerificationError`` for a snapshot or a file that is not what was signed.
    """
    store, keys = client.snapshot.store, client.snapshot.keys()
    seen = store.seen(keys.ref.origin)
    return _verified(store, store.published(), keys, now=now, seen=seen, known=_known(client))


def reopen_basis(client: Client, published: Published, *, now: datetime | None = None) -> Basis:
    """Return the snapshot that a job began with, verified anew; others may have come since."""
    store, keys = client.snapshot.store, client.snapshot.keys()
    return _verified(store, published, keys, now=now, seen=None, known=_known(client))


def open_published(
    store: SnapshotStore, published: Published, keys: RegistryKeys, *, now: datetime, near: bool
) -> Basis:
    """Return the snapshot ``published``, verified as of ``now``, with the near tier or without it, from ``store``."""
    tiers: tuple[Tier, ...] = ("exact", "near") if near else ("exact",)
    return _verified(store, published, keys, now=now, seen=None, tiers=tiers)


def _known(client: Client) -> bool:
    """Return whether the registry knows who asks, and gives them the near tier."""
    return client.transport.token is not None


def _verified(
    store: SnapshotStore,
    published: Published,
    keys: RegistryKeys,
    *,
    now: datetime | None,
    seen: Seen | None,
    tiers: Collection[Tier] | None = None,
    known: bool = False,
) -> Basis:
    manifest = verify_manifest(published.envelope, published.receipt, keys, now=now, seen=seen)
    for ref in manifest.segments:
        path = store.segments / ref.digest
        if (tiers is None or ref.tier in tiers) and path.is_file():  # whether one is missing, and matters, `open` says
            with path.open("rb") as file:
                got = hashlib.file_digest(file, "sha256").hexdigest()
            if got != ref.digest:
                raise VerificationError(
                    f"segment {ref.digest}: the file here has the digest {got}; `licet snapshot pull` fetches it again"
                )
    snapshot = Snapshot.open(store.segments, manifest, tiers=tiers)
    missing = None
    if not snapshot.near:
        why = "is not here (`licet snapshot pull`)" if known else "needs an account (`licet account create`)"
        missing = f"only exact copies are looked for: the near tier {why}"
    return Basis(Index(snapshot), manifest, published, envelope_digest(published.envelope), keys, missing)
