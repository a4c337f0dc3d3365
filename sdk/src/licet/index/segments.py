"""What a segment holds: the exact tier (works, terms, exact keys) and the near tier (PDQ vectors).

Container: `licet.index.container`. All integers are unsigned and little-endian; rows of one prefix belong together.

Exact tier
    ``work.hi work.lo`` u8: work ids (UUID halves, big-endian), strictly rising; row numbers below mean this order.
    ``work.account`` u4: row of ``account.id``. ``work.terms`` u4: row of ``terms.hash``, 2^32−1 for none.
    ``work.statement`` 16×u1. ``work.log`` u8: log index. ``work.level`` u1: claim level 0–4.
    ``work.flags`` u2: bits 1 contested, 2 challenged, 4 pending, 8 withdrawn, 16 fingerprint-only, 32 every key is
    under a signed digest.
    ``removed.hi removed.lo`` u8: works of earlier segments that are gone (erased), strictly rising.
    ``account.id`` 16×u1, rising. ``terms.hash`` 32×u1, rising; ``terms.end`` u8: where each blob ends in
    ``terms.blob`` u1: the canonical ``Terms.encoded``, whose SHA-256 is the hash.
    ``file.* pixels.* url.*``: one key table a kind: ``hi lo`` u8 rising, ``work`` u4 (row of the work; equal keys rise
    by it), ``bucket`` u4 (`licet.index.exact.buckets`).
    ``site.* instance.*``: two further kinds, each there only where some work has a key of it.
Near tier
    ``near.hi near.lo`` u8: work ids, rising; ``near.pdq`` 32×u1, one orientation; ``near.quality`` u1 (50–100). Its
    works are those of the exact segment before it in the manifest.
    ``image.* text.*``: ISCC content codes, each there only where some work has one: ``hi lo`` as above, ``code`` 32×u1.

Equal records give equal bytes, in whatever order they come. Opening a segment checks every bound that reading relies
on without reading the columns; `check` reads them all, and is meant for the moment of downloading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import numpy as np

from licet.errors import MalformedError
from licet.fingerprints.pdq import MIN_QUALITY
from licet.index import container
from licet.index.container import Array, Tier
from licet.index.content import ContentTable
from licet.index.exact import KeyTable
from licet.index.near import NearTable
from licet.index.records import FLAGS, MAX_LEVEL, MAX_LOG_INDEX, MAX_TERMS

KINDS: Final = ("file", "pixels", "url")
#: Kinds that came later: a segment without such keys is as it was before there were any.
LATER_KINDS: Final = ("site", "instance")
CONTENTS: Final = ("image", "text")
STATE: Final = ("account", "terms", "log", "level", "flags")
NO_TERMS: Final = 2**32 - 1
MAX_WORKS: Final = 2**31 - 1

_WORK: Final[dict[str, tuple[str, int]]] = {
    "work.hi": ("<u8", 0),
    "work.lo": ("<u8", 0),
    "work.account": ("<u4", 0),
    "work.terms": ("<u4", 0),
    "work.statement": ("|u1", 16),
    "work.log": ("<u8", 0),
    "work.level": ("|u1", 0),
    "work.flags": ("<u2", 0),
}
_TABLE: Final = {"hi": ("<u8", 0), "lo": ("<u8", 0), "work": ("<u4", 0), "bucket": ("<u4", 0)}
#: The sections of a tier in file order: dtype and width (0: one number a row).
EXACT_SECTIONS: Final[dict[str, tuple[str, int]]] = {
    **_WORK,
    "removed.hi": ("<u8", 0),
    "removed.lo": ("<u8", 0),
    "account.id": ("|u1", 16),
    "terms.hash": ("|u1", 32),
    "terms.end": ("<u8", 0),
    "terms.blob": ("|u1", 0),
    **{f"{kind}.{name}": form for kind in KINDS for name, form in _TABLE.items()},
}
NEAR_SECTIONS: Final[dict[str, tuple[str, int]]] = {
    "near.hi": ("<u8", 0),
    "near.lo": ("<u8", 0),
    "near.pdq": ("|u1", 32),
    "near.quality": ("|u1", 0),
}
Sections = Mapping[str, tuple[str, int]]
_LATER: Final[dict[str, Sections]] = {
    kind: {f"{kind}.{name}": form for name, form in _TABLE.items()} for kind in LATER_KINDS
}
_CODES: Final[dict[str, Sections]] = {
    kind: {f"{kind}.hi": ("<u8", 0), f"{kind}.lo": ("<u8", 0), f"{kind}.code": ("|u1", 32)} for kind in CONTENTS
}


class ExactSegment:
    """An opened exact tier: columns over the mapped file, with every bound checked that reading relies on."""

    def __init__(self, columns: Mapping[str, Array]) -> None:
        """Take over the columns of a container. Raises ``MalformedError`` where they do not fit together."""
        kinds = (*KINDS, *_fit(columns, EXACT_SECTIONS, _LATER))
        _equal_rows(columns, _WORK)
        _equal_rows(columns, ("terms.hash", "terms.end"))
        for kind in kinds:
            _equal_rows(columns, (f"{kind}.hi", f"{kind}.lo", f"{kind}.work"))
        _equal_rows(columns, ("removed.hi", "removed.lo"))
        self.columns: Final = columns
        self.works: Final = KeyTable(columns["work.hi"], columns["work.lo"])
        self.removed: Final = KeyTable(columns["removed.hi"], columns["removed.lo"])
        self.keys: Final = {
            kind: KeyTable(columns[f"{kind}.hi"], columns[f"{kind}.lo"], columns[f"{kind}.bucket"]) for kind in kinds
        }
        if len(self.works) > MAX_WORKS:
            raise MalformedError(f"expected at most {MAX_WORKS} works in a segment, got {len(self.works)}")
        # Whether the ends rise is not looked at: terms cut out wrongly do not have the hash that their row names.
        if int(columns["terms.end"][-1:].sum()) != len(columns["terms.blob"]):
            raise MalformedError("terms.end: expected the last one at the end of terms.blob")

    @property
    def counts(self) -> dict[str, int]:
        """How much of everything is inside: what the manifest repeats."""
        named = {"works": "work.hi", "removed": "removed.hi", "accounts": "account.id", "terms": "terms.hash"}
        named |= {kind: f"{kind}.hi" for kind in self.keys}
        return {name: len(self.columns[column]) for name, column in named.items()}

    def terms(self, row: int) -> bytes:
        """Return the encoded terms in ``row`` of the terms table. Raises ``MalformedError`` if the hash differs."""
        end = self.columns["terms.end"]
        start, stop = int(end[row - 1]) if row else 0, int(end[row])
        blob = self.columns["terms.blob"][start:stop].tobytes()
        if len(blob) > MAX_TERMS or sha256(blob).digest() != self.columns["terms.hash"][row].tobytes():
            raise MalformedError(f"terms.blob: expected terms with the hash that row {row} names, got others")
        return blob

    def find(self, kind: str, hi: Array, lo: Array) -> tuple[Array, Array]:
        """Return every pair (query, work row) with an equal key of ``kind``, sorted by query, then row."""
        if kind not in self.keys:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return self._owned(kind, *self.keys[kind].find(hi, lo))

    def find_first_half(self, kind: str, hi: Array) -> tuple[Array, Array]:
        """Return every pair (query, work row) with a key of ``kind`` that begins with ``hi``, sorted by query."""
        if kind not in self.keys:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return self._owned(kind, *self.keys[kind].find_first_half(hi))

    def _owned(self, kind: str, query: Array, place: Array) -> tuple[Array, Array]:
        work = self.columns[f"{kind}.work"][place]
        return query, bounded(work, len(self.works), f"{kind}.work").astype(np.int64)

    def state(self, rows: Array, names: Iterable[str] = STATE) -> dict[str, Array]:
        """Return these of the columns ``account terms log level flags`` of work rows, each value within its bounds."""
        limits = {
            "account": len(self.columns["account.id"]),
            "terms": len(self.columns["terms.hash"]),
            "log": MAX_LOG_INDEX + 1,
            "level": MAX_LEVEL + 1,
            "flags": 1 << len(FLAGS),
        }
        taken = {name: self.columns[f"work.{name}"][rows] for name in names}
        for name, values in taken.items():
            bounded(values[values != NO_TERMS] if name == "terms" else values, limits[name], f"work.{name}")
        return taken

    def check(self) -> None:
        """Return only if every column is what the writer makes of some records, else raise ``MalformedError``."""
        _require(self.works.is_sorted(unique=True), "work: expected strictly rising ids")
        _require(self.removed.is_sorted(unique=True), "removed: expected strictly rising ids")
        both, _ = self.removed.find(self.works.hi, self.works.lo)
        _require(not len(both), "removed: expected no work that is stated too")
        for name in ("account.id", "terms.hash"):
            _require(_rising(self.columns[name]), f"{name}: expected strictly rising rows")
        for kind, table in self.keys.items():
            _require(table.is_sorted(), f"{kind}: expected rising keys in their buckets")
            _require(bool(len(table)) or kind in KINDS, f"{kind}: expected keys, or no section")
            bounded(self.columns[f"{kind}.work"], len(self.works), f"{kind}.work")
        self.state(np.arange(len(self.works)))
        for row in range(len(self.columns["terms.hash"])):
            self.terms(row)


class NearSegment:
    """An opened near tier."""

    def __init__(self, columns: Mapping[str, Array]) -> None:
        """Take over the columns of a container. Raises ``MalformedError`` where they do not fit together."""
        kinds = _fit(columns, NEAR_SECTIONS, _CODES)
        _equal_rows(columns, NEAR_SECTIONS)
        for kind in kinds:
            _equal_rows(columns, _CODES[kind])
        self.columns: Final = columns
        self.table: Final = NearTable(columns["near.pdq"])
        self.contents: Final = {kind: ContentTable(columns[f"{kind}.code"]) for kind in kinds}

    @property
    def counts(self) -> dict[str, int]:
        """How many vectors and codes are inside."""
        return {"vectors": len(self.columns["near.pdq"])} | {kind: len(each) for kind, each in self.contents.items()}

    def check(self) -> None:
        """Return only if every column is what the writer makes of some records, else raise ``MalformedError``."""
        for kind in ("near", *self.contents):
            works = KeyTable(self.columns[f"{kind}.hi"], self.columns[f"{kind}.lo"])
            _require(works.is_sorted(), f"{kind}: expected rising work ids")
            _require(bool(len(works)) or kind == "near", f"{kind}: expected codes, or no section")
        quality = self.columns["near.quality"]
        bounded(quality, 101, "near.quality")
        _require(bool((quality >= MIN_QUALITY).all()), f"near.quality: expected at least {MIN_QUALITY}")


Segment = ExactSegment | NearSegment


def open_segment(data: memoryview | bytes) -> Segment:
    """Return the segment that ``data`` (mapped or in memory) holds; raises ``MalformedError`` for anything else."""
    tier, columns = container.parse(data)
    return ExactSegment(columns) if tier == "exact" else NearSegment(columns)


def tier_of(segment: Segment) -> Tier:
    """Return the tier of an opened segment."""
    return "exact" if isinstance(segment, ExactSegment) else "near"


def bounded(values: Array, limit: int, what: str) -> Array:
    """Return ``values`` (unsigned) if all are below ``limit``, else raise ``MalformedError``."""
    if len(values) and int(values.max()) >= limit:
        raise MalformedError(f"{what}: expected values below {limit}, got {int(values.max())}")
    return values


def _fit(columns: Mapping[str, Array], sections: Sections, later: Mapping[str, Sections]) -> tuple[str, ...]:
    """Return which of the ``later`` kinds are there too, after ``sections`` and in their order."""
    known = [name for name in columns if not name.startswith(container.AID)]
    there = tuple(kind for kind, names in later.items() if not names.keys().isdisjoint(known))
    sections = {**sections, **{name: form for kind in there for name, form in later[kind].items()}}
    if known != list(sections):
        unknown = sorted(set(known) ^ set(sections)) or known
        raise MalformedError(f"expected this tier's sections in order, got others: {', '.join(unknown):.200}")
    for name, (dtype, width) in sections.items():
        got = columns[name]
        if got.dtype != np.dtype(dtype) or got.shape[1:] != ((width,) if width else ()):
            raise MalformedError(f"section {name}: expected {dtype} × {width or 1}, got {got.dtype.str} {got.shape}")
    return there


def _equal_rows(columns: Mapping[str, Array], names: Any) -> None:
    rows = {len(columns[name]) for name in names}
    if len(rows) > 1:
        raise MalformedError(f"expected as many rows in each of {', '.join(names)}, got {sorted(rows)}")


def _rising(rows: Array) -> bool:
    words = np.ascontiguousarray(rows).view(">u8").reshape(len(rows), rows.shape[1] // 8)
    above = np.zeros(max(len(rows) - 1, 0), np.bool_)
    equal = ~above
    for column in words.T:
        above |= equal & (column[1:] > column[:-1])
        equal &= column[1:] == column[:-1]
    return bool(above.all())


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise MalformedError(message)
