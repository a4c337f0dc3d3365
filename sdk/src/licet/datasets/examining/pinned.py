"""A pinned snapshot opened where it is needed: in any process, on any machine, once, and never another one.

Segments are looked for where they lay when the snapshot was pinned (the same machine, or a mount that all share), then
in ``LICET_CACHE``; those that are in neither are fetched into the cache, by one process of a machine while the others
wait. A worker has no token, so what it can fetch is the exact tier; the near tier has to be there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from licet import times
from licet.client.snapshots import Pin
from licet.datasets.examining.basis import Basis, open_published
from licet.errors import InputError, LicetError, VerificationError
from licet.home import Home
from licet.index.pull import fetch_missing
from licet.index.store import SnapshotStore, envelope_digest
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.trust import RegistryKeys, Trust, verify_registry_keys
from licet.transport import Transport

_LOCK: Final = threading.Lock()
_OPENED: Final[dict[tuple[str, bool], Basis]] = {}  # one for every snapshot that this process was asked about


def basis_of(pin: Pin) -> Basis:
    """Return the snapshot that ``pin`` names, verified byte for byte the first time that this process asks for it.

    Raises ``VerificationError`` for a manifest or a file that is not the pinned one, ``InputError`` where a segment of
    the near tier is missing, ``ServiceError`` where one has to be fetched and nobody answers.
    """
    with _LOCK:
        found = _OPENED.get((pin.digest, pin.near))
        if found is None:
            found = _OPENED[pin.digest, pin.near] = _opened(pin)
        return found


def _opened(pin: Pin) -> Basis:
    got = envelope_digest(pin.published.envelope)
    if got != pin.digest:
        raise VerificationError(f"expected the pinned snapshot {pin.digest}, got {got}")
    keys = verify_registry_keys(Trust(pin.origin, pin.root), pin.keys)
    manifest = envelopes.read_as(kinds.Snapshot, pin.published.envelope)
    wanted = [ref for ref in manifest.segments if ref.tier == "exact" or pin.near]
    store = SnapshotStore(Path(pin.folder).parent)
    if not all((store.segments / ref.digest).is_file() for ref in wanted):
        store = _fetched(pin, keys, manifest)
    # Whether it has expired was asked when it was pinned; a job may take longer than what is left of its time.
    basis = open_published(store, pin.published, keys, now=times.from_text(pin.at, "at"), near=pin.near)
    if basis.index.near != pin.near:
        raise InputError(f"{store.segments}: expected the near tier of snapshot {pin.digest}, as it was pinned with")
    return basis


def _fetched(pin: Pin, keys: RegistryKeys, manifest: kinds.Snapshot) -> SnapshotStore:
    """Return this machine's own store, once everything of the pinned snapshot is in it."""
    store = SnapshotStore(Home().snapshots(pin.origin))
    missing = [
        ref
        for ref in manifest.segments
        if ref.tier == "near" and pin.near and not (store.segments / ref.digest).is_file()
    ]
    if missing:
        raise InputError(
            f"{store.segments}: expected the near tier of the pinned snapshot, got {len(missing)} segments too few;"
            f" workers have no account to fetch it with: share {pin.folder} with them, or name a copy in LICET_CACHE",
            field="LICET_CACHE",
        )
    with store.locked(), Transport(pin.url, None) as transport:

        def segment(digest: str, offset: int) -> Iterator[bytes]:
            with transport.stream(f"/snapshots/segments/{digest}", offset=offset) as chunks:
                yield from chunks

        try:
            fetch_missing(store, [ref for ref in manifest.segments if ref.tier == "exact"], segment)
        except LicetError as error:
            raise type(error)(
                f"{error.message} (a worker needs the pinned snapshot {pin.digest}: share {pin.folder} with it)",
                **error.details,
            ) from None
    return store
