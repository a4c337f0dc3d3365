"""Bringing a snapshot here: what is published is believed only once everything about it holds.

Transport-free: the caller hands in two functions that fetch. Only missing segments are fetched; a download that breaks
off goes on where it stopped; nothing becomes current before it is whole.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from licet import times
from licet.errors import (
    ExpiredError,
    InputError,
    MalformedError,
    RollbackError,
    UnreachableError,
    VerificationError,
)
from licet.exchange.clocks import CLOCK_SKEW
from licet.index.container import Tier
from licet.index.snapshot import LIFETIME, Snapshot
from licet.index.store import Published, Seen, SnapshotStore, envelope_digest
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope
from licet.statements.kinds import SegmentRef
from licet.statements.receipt import ReceiptLike, verify_receipt
from licet.statements.trust import RegistryKeys, Trust
from licet.wire.common import KeyEvidence

MAX_SEGMENTS: Final = 1024
PUBLIC_TIERS: Final[tuple[Tier, ...]] = ("exact",)  # the near tier needs an account (semantics 27)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ATTEMPTS: Final = 5  # answers in a row that bring nothing

FetchLatest = Callable[[], Published]
FetchSegment = Callable[[str, int], Iterator[bytes]]


class Pulled(msgspec.Struct, frozen=True):
    """The snapshot that is current now, by its envelope's digest, and which segments had to be fetched for it."""

    manifest: kinds.Snapshot
    digest: str
    fetched: list[str]
    received: int  # bytes


def verify_manifest(
    envelope: Envelope,
    receipt: ReceiptLike | None,
    keys: RegistryKeys,
    *,
    now: datetime | None = None,
    seen: Seen | None = None,
    allow_expired: bool = False,
) -> kinds.Snapshot:
    """Return the manifest in ``envelope`` once everything about it holds.

    That is: signed by the registry's snapshot key (with a ``receipt``, the one in force at its log index, and in the
    log after all that it covers); for this registry; not from the future; no older than what was ``seen``, and if it
    is the next one, the next of that very one; not expired, unless ``allow_expired``. ``keys`` must be anchored in a
    pinned root. Raises ``VerificationError``, ``RollbackError`` (older), ``ExpiredError``, ``MalformedError``.
    """
    if not keys.anchored:
        raise VerificationError("expected keys under a pinned root, got keys that nobody vouches for")
    unproven = envelopes.read_as(kinds.Snapshot, envelope)
    index = verify_receipt(receipt, envelope, keys) if receipt is not None else None
    signer = keys.snapshot if index is None else keys.signer("snapshot", index, unproven.issued_at, envelope)
    manifest = envelopes.open_as(kinds.Snapshot, envelope, [signer], keys.keys)
    if manifest.registry != keys.ref:
        raise VerificationError(f"expected a snapshot of {keys.ref.origin}, got one of {manifest.registry.origin}")
    if index is not None and index < manifest.log_size:
        raise VerificationError(f"expected a snapshot logged at {manifest.log_size} or later, got log index {index}")
    _check_segments(manifest)
    issued, expires = _lifetime(manifest)
    moment = now or times.now()
    if issued > moment + CLOCK_SKEW:
        raise VerificationError(f"expected a snapshot issued by {times.to_text(moment)}, got {manifest.issued_at}")
    if seen is not None:
        _check_succession(manifest, envelope_digest(envelope), seen)
    if moment >= expires and not allow_expired:
        raise ExpiredError(f"the snapshot expired at {manifest.expires_at}", expires_at=manifest.expires_at)
    return manifest


def pull(
    folder: Path,
    keys: RegistryKeys,
    fetch_latest: FetchLatest,
    fetch_segment: FetchSegment,
    *,
    tiers: Collection[Tier] = PUBLIC_TIERS,
    now: datetime | None = None,
    told: tuple[Trust, Sequence[KeyEvidence]] | None = None,
) -> Pulled:
    """Make the newest published snapshot the current one of ``folder`` (`SnapshotStore`), in full or not at all.

    ``fetch_segment(digest, offset)`` yields the bytes of a segment from ``offset`` on; ``told`` is what ``keys`` were
    verified from, and is kept for whoever has no network. One process pulls at a time, others wait for it. Raises what
    `verify_manifest` raises (what was current stays so), ``VerificationError`` for a segment with another digest,
    ``UnreachableError`` where a download ends early again and again (the next call goes on from there), ``InputError``
    where the folder cannot be written.
    """
    store = SnapshotStore(folder)
    with store.locked():
        published = fetch_latest()
        digest = envelope_digest(published.envelope)
        seen = store.seen(keys.ref.origin)
        manifest = verify_manifest(published.envelope, published.receipt, keys, now=now, seen=seen)
        store.remember(keys.ref.origin, Seen(manifest.sequence, digest))
        wanted = [ref for ref in manifest.segments if ref.tier == "exact" or ref.tier in tiers]
        fetched, received = fetch_missing(store, wanted, fetch_segment)
        Snapshot.open(store.segments, manifest)
        if told is not None:
            store.keep_keys(*told)  # first: whoever reads the manifest finds the keys that it is signed by
        store.keep(published)
        return Pulled(manifest, digest, fetched, received)


def fetch_missing(store: SnapshotStore, wanted: Collection[SegmentRef], fetch: FetchSegment) -> tuple[list[str], int]:
    """Return once all segments ``wanted`` are in ``store`` as they were signed: which had to be fetched, and the bytes.

    The caller holds the store's lock. Raises what `pull` raises of segments.
    """
    fetched, received = [], 0
    for ref in wanted:
        if not _is_whole(store.segments / ref.digest, ref):
            received += _download(store.segments, ref, fetch)
            fetched.append(ref.digest)
    return fetched, received


def _is_whole(path: Path, ref: SegmentRef) -> bool:
    """Return whether the segment is here as it was signed: a damaged one is fetched anew, else it would stay."""
    try:
        return path.stat().st_size == ref.size and _digest(path) == ref.digest
    except FileNotFoundError:
        return False
    except OSError as error:
        raise InputError(f"{path}: expected a readable file, got {error}") from None


def _download(folder: Path, ref: SegmentRef, fetch: FetchSegment) -> int:
    """Keep the segment under its digest; return the bytes received."""
    part = folder / f".{ref.digest}.part"
    resumed = part.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        received = _receive(part, ref, fetch)
        digest = _digest(part)
        if digest != ref.digest and resumed:
            # The beginning may be what is wrong: what is left of another day is worth one more try, from zero.
            part.unlink()
            received += _receive(part, ref, fetch)
            digest = _digest(part)
        if digest != ref.digest:
            part.unlink()
            raise VerificationError(f"segment {ref.digest}: what was sent has the digest {digest}")
        part.chmod(0o644)
        part.replace(folder / ref.digest)
    except OSError as error:
        raise InputError(f"{folder}: expected room for a segment of {ref.size} bytes, got {error}") from None
    return received


def _receive(part: Path, ref: SegmentRef, fetch: FetchSegment) -> int:
    received = idle = 0
    with part.open("ab") as file:
        if file.tell() > ref.size:
            file.truncate(0)
        while (start := file.tell()) < ref.size:
            for block in fetch(ref.digest, start):
                if file.tell() + len(block) > ref.size:
                    file.truncate(0)
                    raise VerificationError(f"segment {ref.digest}: expected {ref.size} bytes, got more")
                received += file.write(block)
            idle = idle + 1 if file.tell() == start else 0
            if idle == _ATTEMPTS:
                raise UnreachableError(
                    f"segment {ref.digest}: the download ended after {start} of {ref.size} bytes; pull again to go on"
                )
        file.flush()
        os.fsync(file.fileno())
    return received


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_segments(manifest: kinds.Snapshot) -> None:
    refs = manifest.segments
    if len(refs) > MAX_SEGMENTS or len({ref.digest for ref in refs}) != len(refs):
        raise MalformedError(f"segments: expected at most {MAX_SEGMENTS}, each once, got {len(refs)}")
    for ref in refs:
        # The digest becomes a file name.
        if not _DIGEST.fullmatch(ref.digest) or ref.size < 0:
            raise MalformedError(f"segments: expected a SHA-256 in hex and a size, got {ref.digest!r:.80}")
    if refs and refs[0].tier != "exact":
        raise MalformedError("segments: expected an exact one first, got a near one")
    if manifest.sequence < 0 or manifest.log_size < 0 or manifest.works < 0:
        raise MalformedError("expected counts of at least 0 in a manifest, got a negative one")


def _lifetime(manifest: kinds.Snapshot) -> tuple[datetime, datetime]:
    try:
        issued = times.from_text(manifest.issued_at, "issued_at")
        expires = times.from_text(manifest.expires_at, "expires_at")
    except InputError as error:
        raise MalformedError(error.message) from None
    if not issued < expires <= issued + LIFETIME:
        raise VerificationError(f"expected a snapshot that expires within 24 h of {issued}, got {expires}")
    return issued, expires


def _check_succession(manifest: kinds.Snapshot, digest: str, seen: Seen) -> None:
    if manifest.sequence < seen.sequence:
        raise RollbackError(f"expected snapshot {seen.sequence} or later, got {manifest.sequence}: seen is seen")
    if manifest.sequence == seen.sequence and digest != seen.digest:
        raise VerificationError(f"two different snapshots are number {seen.sequence}: the registry shows split views")
    if manifest.sequence == seen.sequence + 1 and manifest.previous != seen.digest:
        raise VerificationError(f"snapshot {manifest.sequence} does not follow the one seen before it")
