"""A snapshot opened: the segments that a manifest names, mapped, checked against it, seen as one table of works."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from licet import times
from licet.errors import InputError, VerificationError
from licet.index import container
from licet.index.container import Tier
from licet.index.segments import Segment, open_segment, tier_of
from licet.index.state import StateTree
from licet.index.works import Layer, Works, layered
from licet.statements import kinds
from licet.statements.kinds import RegistryRef, SegmentRef
from licet.terms import Terms

LIFETIME: Final = timedelta(hours=24)


class Snapshot:
    """The segments of one manifest. ``near`` says whether the near tier is there as a whole."""

    def __init__(self, manifest: kinds.Snapshot, segments: Sequence[Segment], *, near: bool, folder: Path) -> None:
        self.manifest: Final = manifest
        self.near: Final = near
        self.layers: Final[tuple[Layer, ...]] = layered(segments)
        self.works: Final = Works(self.layers)
        self._segments: Final = tuple(segments)
        self._folder: Final = folder

    @classmethod
    def open(cls, folder: Path, manifest: kinds.Snapshot, *, tiers: Collection[Tier] | None = None) -> Snapshot:
        """Map the segments of ``manifest`` from ``folder``, where each file is named by its digest.

        ``tiers`` must be there; by default the exact tier, and the near tier if all of it is. Nobody's signature is
        looked at here: ``manifest`` comes from `verify_manifest`. Raises ``InputError`` for a missing file,
        ``VerificationError`` for one of another size or content than named, ``MalformedError`` for one that is no
        segment. The digests of the files are not computed; `verify` does.
        """
        near = [ref for ref in manifest.segments if ref.tier == "near"]
        with_near = all((folder / ref.digest).is_file() for ref in near) if tiers is None else "near" in tiers
        wanted = [ref for ref in manifest.segments if ref.tier == "exact" or with_near]
        return cls(manifest, [_open(folder, ref) for ref in wanted], near=with_near, folder=folder)

    def terms(self, number: int) -> Terms:
        """Return the terms with this number, as ``works`` hands them out."""
        return self.works.terms(number)

    def verify(self) -> None:
        """Return only if every byte is as the manifest says: file digests, columns, number of works, state root.

        Reads everything: about a second for 100,000 works. Raises ``VerificationError`` or ``MalformedError``.
        """
        opened = [ref for ref in self.manifest.segments if ref.tier == "exact" or self.near]
        for ref, segment in zip(opened, self._segments, strict=True):
            with (self._folder / ref.digest).open("rb") as file:
                got = hashlib.file_digest(file, "sha256").hexdigest()
            if got != ref.digest:
                raise VerificationError(f"segment {ref.digest}: the file has other content, digest {got}")
            segment.check()
        if len(self.works) != self.manifest.works:
            raise VerificationError(f"expected {self.manifest.works} works in the segments, got {len(self.works)}")
        root = StateTree.of_works(self.works).root
        if root != self.manifest.state_root:
            raise VerificationError(f"expected the state root {self.manifest.state_root}, got {root}")


def manifest(
    *,
    registry: RegistryRef,
    sequence: int,
    previous: str | None,
    consent_version: int,
    log_size: int,
    log_root: str,
    segments: Sequence[SegmentRef],
    works: int,
    state_root: str,
    issued_at: datetime | None = None,
    lifetime: timedelta = LIFETIME,
) -> kinds.Snapshot:
    """Return the payload that the registry's snapshot key signs; it expires ``lifetime`` (≤ 24 h) after issue.

    ``previous`` is the digest of the envelope before it; ``segments`` are oldest first, a near one after the exact one
    of its works. Raises ``InputError`` for a longer lifetime.
    """
    if not timedelta(0) < lifetime <= LIFETIME:
        raise InputError.field("lifetime", "more than nothing and at most 24 hours", lifetime)
    issued = issued_at or times.now()
    return kinds.Snapshot(
        registry=registry,
        sequence=sequence,
        previous=previous,
        consent_version=consent_version,
        log_size=log_size,
        log_root=log_root,
        issued_at=times.to_text(issued),
        expires_at=times.to_text(issued + lifetime),
        segments=list(segments),
        works=works,
        state_root=state_root,
    )


def _open(folder: Path, ref: SegmentRef) -> Segment:
    if not os.path.lexists(folder / ref.digest):
        raise InputError(
            f"{folder}: expected segment {ref.digest} there; `licet snapshot pull` fetches what is missing"
        )
    data = container.map_file(folder / ref.digest)
    if data.nbytes != ref.size:
        raise VerificationError(f"segment {ref.digest}: expected {ref.size} bytes, got {data.nbytes}")
    segment = open_segment(data)
    if tier_of(segment) != ref.tier or segment.counts != ref.counts:
        got = f"{tier_of(segment)} {segment.counts}"
        raise VerificationError(f"segment {ref.digest}: expected {ref.tier} {ref.counts}, got {got}")
    return segment
