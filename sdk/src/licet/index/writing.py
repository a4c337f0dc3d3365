"""Records into segments: the one writer, for published files and for overlays in memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np

from licet.errors import InputError
from licet.fingerprints.exact import KEY_BYTES
from licet.fingerprints.pdq import MIN_QUALITY
from licet.index import container
from licet.index.container import Array
from licet.index.exact import halves, key_columns, rising
from licet.index.records import ID_BYTES, FileKeys, WorkRecord
from licet.index.segments import CONTENTS, KINDS, LATER_KINDS, MAX_WORKS, NO_TERMS, ExactSegment, NearSegment
from licet.statements.kinds import SegmentRef


def write_segments(records: Iterable[WorkRecord], folder: Path, *, removed: Iterable[bytes] = ()) -> list[SegmentRef]:
    """Keep ``records`` in ``folder`` as files named by their digest; return how a manifest names them.

    The exact tier comes first; the near tier follows if any work has a vector of quality 50 or more, or a code
    of a text or of such a picture.
    ``removed`` are the ids of works in earlier segments that are gone. Records may come in any order; each work once.
    Raises ``InputError`` for a record that no segment can hold.
    """
    return keep_segments(*_columns(records, removed), folder)


def keep_segments(exact: dict[str, Array], near: dict[str, Array], folder: Path) -> list[SegmentRef]:
    """Keep columns as `write_segments` does."""
    references = []
    for tier, columns in (("exact", exact), ("near", near)):
        segment = ExactSegment(columns) if tier == "exact" else NearSegment(columns)
        if tier == "near" and not any(segment.counts.values()):
            continue
        digest, size = container.write(folder, "exact" if tier == "exact" else "near", columns)
        references.append(SegmentRef("exact" if tier == "exact" else "near", digest, size, segment.counts))
    return references


def in_memory(records: Iterable[WorkRecord], *, removed: Iterable[bytes] = ()) -> tuple[ExactSegment, NearSegment]:
    """Return the segments that `write_segments` would write, without writing them."""
    exact, near = _columns(records, removed)
    return ExactSegment(exact), NearSegment(near)


class _Gathered:
    """Columns as they grow, one record after the other: numbers and 16-byte values lie end to end, without objects."""

    def __init__(self) -> None:
        self.work = bytearray()
        self.account = bytearray()
        self.statement = bytearray()
        self.terms = array("q")
        self.log = array("Q")
        self.level = bytearray()
        self.flags = bytearray()
        self.encoded: dict[bytes, int] = {b"": NO_TERMS}  # terms → order of first sight
        self.keys: Final = {kind: (bytearray(), array("I")) for kind in (*KINDS, *LATER_KINDS)}
        self.codes: Final = {kind: (bytearray(), array("I")) for kind in CONTENTS}
        self.pdq = bytearray()
        self.pdq_work = array("I")
        self.quality = bytearray()

    def add(self, record: WorkRecord) -> None:
        record.check()
        row = len(self.level)
        self.work += record.work
        self.account += record.account
        self.statement += record.statement
        self.terms.append(self.encoded.setdefault(record.terms, len(self.encoded) - 1))
        self.log.append(record.log_index)
        self.level.append(record.level)
        self.flags.append(record.flags)
        self._file(record, row)
        for file in record.files:
            self._file(file, row)
        for key in record.urls:
            self._key("url", key, row)
        for key in record.sites:
            self._key("site", key, row)

    def _file(self, file: WorkRecord | FileKeys, row: int) -> None:
        if file.sha256 is not None:
            self._key("file", file.sha256, row)
        if file.pixels is not None:
            self._key("pixels", file.pixels, row)
        if file.instance is not None:
            self._key("instance", file.instance, row)
        if file.text is not None:
            self._code("text", file.text, row)
        # A rougher hash matches nothing, ever: it is not published either. Nor is the content code of that picture, as
        # those of blank ones are alike, whatever they show; of a picture without a PDQ nobody knows how plain it is.
        tells = file.pdq is None or (file.quality is not None and file.quality >= MIN_QUALITY)
        if file.image is not None and tells:
            self._code("image", file.image, row)
        if file.pdq is not None and file.quality is not None and tells:
            self.pdq += file.pdq
            self.pdq_work.append(row)
            self.quality.append(file.quality)

    def _key(self, kind: str, digest: bytes, row: int) -> None:
        keys, rows = self.keys[kind]
        keys += digest[:KEY_BYTES]
        rows.append(row)

    def _code(self, kind: str, code: bytes, row: int) -> None:
        codes, rows = self.codes[kind]
        codes += code
        rows.append(row)


def _columns(records: Iterable[WorkRecord], removed: Iterable[bytes]) -> tuple[dict[str, Array], dict[str, Array]]:
    got = _Gathered()
    for record in records:
        got.add(record)
    hi, lo = halves(_rows(got.work, ID_BYTES))
    if len(hi) > MAX_WORKS:
        raise InputError(f"expected at most {MAX_WORKS} works in a segment, got {len(hi)}")
    order = rising(hi, lo)
    hi, lo = hi[order], lo[order]
    if ((hi[1:] == hi[:-1]) & (lo[1:] == lo[:-1])).any():
        raise InputError("expected each work once among the records of a segment, got one twice")
    place = np.empty(len(order), np.uint32)
    place[order] = np.arange(len(order), dtype=np.uint32)
    accounts, account = account_columns(_rows(got.account, ID_BYTES)[order])
    terms, blobs = terms_columns([blob for blob in got.encoded if blob], np.frombuffer(got.terms, np.int64)[order])
    exact: dict[str, Array] = {
        "work.hi": hi,
        "work.lo": lo,
        "work.account": account,
        "work.terms": terms,
        "work.statement": _rows(got.statement, ID_BYTES)[order],
        "work.log": np.frombuffer(got.log, np.uint64)[order],
        "work.level": np.frombuffer(got.level, np.uint8)[order],
        "work.flags": np.frombuffer(got.flags, np.uint8)[order].astype(np.uint16),
        **_removed(removed),
        "account.id": accounts,
        **blobs,
    }
    for kind, (keys, rows) in got.keys.items():
        if not rows and kind not in KINDS:
            continue
        exact |= key_table(kind, *halves(_rows(keys, KEY_BYTES)), place[np.frombuffer(rows, np.uint32)])
    near_rows = place[np.frombuffer(got.pdq_work, np.uint32)]
    near_order = np.argsort(near_rows, kind="stable")  # of a work's vectors, as its record has them
    near: dict[str, Array] = {
        "near.hi": hi[near_rows[near_order]],
        "near.lo": lo[near_rows[near_order]],
        "near.pdq": _rows(got.pdq, 32)[near_order],
        "near.quality": np.frombuffer(got.quality, np.uint8)[near_order],
    }
    for kind, (codes, rows) in got.codes.items():
        if rows:
            at = place[np.frombuffer(rows, np.uint32)]
            by_work = np.argsort(at, kind="stable")
            at = at[by_work]
            near |= {f"{kind}.hi": hi[at], f"{kind}.lo": lo[at], f"{kind}.code": _rows(codes, 32)[by_work]}
    return exact, near


def _rows(data: bytearray, width: int) -> Array:
    return np.frombuffer(data, np.uint8).reshape(-1, width)


def account_columns(ids: Array) -> tuple[Array, Array]:
    """Return the distinct ones of n × 16 bytes, rising, and which of them each row is."""
    accounts, account = np.unique(np.ascontiguousarray(ids).view("V16").reshape(-1), return_inverse=True)
    return accounts.view(np.uint8).reshape(-1, ID_BYTES), account.reshape(-1).astype(np.uint32)


def terms_columns(blobs: Sequence[bytes], seen: Array) -> tuple[Array, dict[str, Array]]:
    """Return the row of each work's terms, ``seen`` being its number among ``blobs`` or `NO_TERMS`, and their table."""
    hashes = [sha256(blob).digest() for blob in blobs]
    order = sorted(range(len(blobs)), key=hashes.__getitem__)
    place = np.empty(len(blobs) + 1, np.uint32)
    place[order] = np.arange(len(blobs), dtype=np.uint32)
    place[len(blobs)] = NO_TERMS
    rows = place[np.where(seen == NO_TERMS, len(blobs), seen)]
    return rows, {
        "terms.hash": _rows(bytearray().join(hashes[at] for at in order), 32),
        "terms.end": np.cumsum([len(blobs[at]) for at in order], dtype=np.uint64),
        "terms.blob": np.frombuffer(bytearray().join(blobs[at] for at in order), np.uint8),
    }


def _removed(works: Iterable[bytes]) -> dict[str, Array]:
    ids = sorted(set(works))
    if any(len(work) != ID_BYTES for work in ids):
        raise InputError.field("removed", f"work ids of {ID_BYTES} bytes", ids[0])
    hi, lo = halves(_rows(bytearray().join(ids), ID_BYTES))
    return {"removed.hi": hi, "removed.lo": lo}


def key_table(kind: str, hi: Array, lo: Array, work: Array) -> dict[str, Array]:
    """Return the sections of a kind of key: keys as `halves` makes them, each with the row of its work."""
    names = (f"{kind}.{column}" for column in ("hi", "lo", "work", "bucket"))
    return dict(zip(names, key_columns(hi, lo, work), strict=True))
