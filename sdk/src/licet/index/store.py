"""Where snapshots are kept: immutable segments, the current manifest, and the memory of what was seen.

::

    segments/<digest>      one file a segment; `.<digest>.part` while it is fetched
    manifest.json          the current manifest: envelope and receipt, as published
    manifests/<digest>     the last manifests that were current: what was decided from one can be decided again
    keys.json              what proves the registry's working keys, as the last pull was told
    state.json             the highest sequence ever seen, and its digest, by log origin
    lock                   held by the one process that pulls
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from licet import times
from licet.errors import ExpiredError, InputError, MalformedError, VerificationError
from licet.index.snapshot import Snapshot
from licet.index.state import StateProof
from licet.misfits import unlike
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope
from licet.statements.trust import Trust, verify_registry_keys
from licet.wire.common import KeyEvidence, Receipt

_MAX_BYTES: Final = 1 << 24
KEPT_MANIFESTS: Final = 1000  # some months of a pull every few hours, and days of one every few minutes

T = TypeVar("T")


class Published(msgspec.Struct, frozen=True):
    """What ``/snapshots/latest`` answers: the manifest's envelope, and the receipt that it is in the log."""

    envelope: Envelope
    receipt: Receipt | None = None


class SnapshotStates(msgspec.Struct, frozen=True):
    """What ``/snapshots/latest/states`` answers: the newest manifest, and what it says of each work asked about."""

    snapshot: Published
    states: list[StateProof]


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The highest sequence that was ever verified, and the digest of its envelope."""

    sequence: int
    digest: str


class SnapshotInfo(msgspec.Struct, frozen=True):
    """The current snapshot in figures; ``digest`` names its envelope; ``segments`` and ``bytes`` are what is here."""

    digest: str
    sequence: int
    consent_version: int
    log_size: int
    issued_at: str
    expires_at: str
    expired: bool
    works: int
    tiers: list[str]
    segments: int
    bytes: int


class SnapshotStore:
    """One folder of snapshots of one registry. Any number of processes may read while one pulls."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = Path(folder)
        self.segments: Final = self.folder / "segments"

    def published(self) -> Published:
        """Return the current manifest as it was published; raises ``InputError`` if nothing was pulled yet."""
        found = _read(self.folder / "manifest.json", Published)
        if found is None:
            raise InputError(f"{self.folder}: no snapshot here yet; `licet snapshot pull` fetches one")
        return found

    def current(self, *, now: datetime | None = None, allow_expired: bool = False) -> Snapshot:
        """Return the current snapshot, opened. It was verified when it was pulled; whether it has expired is asked now.

        Raises ``InputError`` if there is none, ``ExpiredError`` past its time unless ``allow_expired``, and what
        `Snapshot.open` raises.
        """
        manifest = envelopes.read_as(kinds.Snapshot, self.published().envelope)
        if _expired(manifest, now) and not allow_expired:
            raise ExpiredError(
                f"the snapshot expired at {manifest.expires_at}; `licet snapshot pull` fetches a new one",
                expires_at=manifest.expires_at,
            )
        return Snapshot.open(self.segments, manifest)

    def info(self, *, now: datetime | None = None) -> SnapshotInfo:
        """Return the current snapshot in figures; raises ``InputError`` if there is none."""
        published = self.published()
        manifest = envelopes.read_as(kinds.Snapshot, published.envelope)
        here = [ref for ref in manifest.segments if (self.segments / ref.digest).is_file()]
        return SnapshotInfo(
            digest=envelope_digest(published.envelope),
            sequence=manifest.sequence,
            consent_version=manifest.consent_version,
            log_size=manifest.log_size,
            issued_at=manifest.issued_at,
            expires_at=manifest.expires_at,
            expired=_expired(manifest, now),
            works=manifest.works,
            tiers=sorted({ref.tier for ref in here}),
            segments=len(here),
            bytes=sum(ref.size for ref in here),
        )

    def prune(self) -> int:
        """Delete the segments that the current manifest does not name; return the bytes freed.

        Processes that have them mapped keep what they have (not on Windows, where a mapped file cannot go). A pull
        never does this: somebody may have pinned an older snapshot.
        """
        freed = 0
        with self.locked():
            manifest = envelopes.read_as(kinds.Snapshot, self.published().envelope)
            named = {ref.digest for ref in manifest.segments}
            for path in self.segments.iterdir():
                if path.name not in named:
                    freed += path.stat().st_size
                    path.unlink()
        return freed

    def seen(self, origin: str) -> Seen | None:
        """Return the highest snapshot of ``origin`` ever seen here."""
        return (_read(self.folder / "state.json", dict[str, Seen]) or {}).get(origin)

    def remember(self, origin: str, seen: Seen) -> None:
        """Keep ``seen`` as the highest snapshot of ``origin``; it survives a crash from here on."""
        state = _read(self.folder / "state.json", dict[str, Seen]) or {}
        if state.get(origin) != seen:
            self._replace("state.json", msgspec.json.encode({**state, origin: seen}, order="sorted"))

    def keep(self, published: Published) -> None:
        """Make ``published`` the current manifest; its segments are here. Of former ones the last thousand stay."""
        data = msgspec.json.encode(published, order="sorted")
        self._replace(f"manifests/{envelope_digest(published.envelope)}", data)
        self._replace("manifest.json", data)
        former = sorted((self.folder / "manifests").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for path in former[:-KEPT_MANIFESTS]:
            path.unlink(missing_ok=True)

    def keep_keys(self, trust: Trust, told: Sequence[KeyEvidence]) -> None:
        """Keep what proves the registry's keys; the caller holds the lock.

        Such a list only grows: a longer one that holds and begins alike stays, another process learned it meanwhile.
        """
        try:
            known = self.keys() or []
            longer = len(known) > len(told) and [each.envelope for each in known[: len(told)]] == [
                each.envelope for each in told
            ]
            if longer and verify_registry_keys(trust, known).anchored:
                return
        except (MalformedError, VerificationError):
            pass  # damaged: what is told now takes its place
        self._replace("keys.json", msgspec.json.encode(list(told)))

    def keys(self) -> list[KeyEvidence] | None:
        """Return what proves the registry's keys, in the order of its log; None if nothing was pulled here."""
        return _read(self.folder / "keys.json", list[KeyEvidence])

    def former(self, digest: str) -> Published | None:
        """Return the manifest that ``digest`` names, if it was ever current here; its segments may be gone."""
        if len(digest) != 64 or digest.strip("0123456789abcdef"):
            return None
        found = _read(self.folder / "manifests" / digest, Published) or _read(self.folder / "manifest.json", Published)
        return found if found is not None and envelope_digest(found.envelope) == digest else None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder's lock, once whoever has it lets go of it; it ends with the process in any case."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / "lock").open("ab")
        except OSError as error:
            raise InputError(
                f"{self.folder}: expected a folder to keep snapshots in, got {error.strerror or error}; set "
                f"LICET_CACHE to a folder that you may write, or decide from a snapshot that is here (`--offline`)",
                field="LICET_CACHE",
            ) from None
        with file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX)
            yield

    def _replace(self, name: str, data: bytes) -> None:
        target = self.folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            descriptor, part = tempfile.mkstemp(dir=self.folder, prefix=f".{target.name}.")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(part).replace(target)
            except BaseException:
                Path(part).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise InputError(f"{target}: expected to write {len(data)} bytes, got {error.strerror or error}") from None


def envelope_digest(envelope: Envelope) -> str:
    """Return the hex SHA-256 of the canonical bytes of ``envelope``: what names a snapshot."""
    return hashlib.sha256(envelopes.encode(envelope)).hexdigest()


def _expired(manifest: kinds.Snapshot, now: datetime | None) -> bool:
    return (now or times.now()) >= times.from_text(manifest.expires_at, "expires_at")


def _read(path: Path, schema: type[T]) -> T | None:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES)
        return msgspec.json.decode(data, type=schema)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedError(f"{path}: expected what a pull has written, got {unlike(error)}") from None
    except OSError as error:
        raise InputError(f"{path}: expected a readable file, got {error}") from None
