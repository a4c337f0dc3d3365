"""Ranges of keys: everything that an index says of the keys that begin alike, so that who asks need not tell its key.

A key is a digest. Whoever wants one answer asks for all keys with the first few hexadecimal digits of its own, and
looks up what comes: a small exact segment (`licet.index.segments`) of the works that own these keys, with no other key
of theirs. So the one who is asked learns those digits, 4 bits each, and nothing else.

**How many keys one hides among.** `digits_for` says how many digits are told: the most, up to `MOST_DIGITS`, that leave
at least `LEAST` registered keys in a range on average. Digests are spread evenly, so a range holds that many give or
take a few times its root. With few keys no digit is told: the one range is all of them. A client never tells more than
`MOST_DIGITS` digits, whatever it is asked for. An address is several keys, its own and one for each host that a rule
could name; whoever is asked for all of their ranges at once may put them together, and hosts can be guessed.

**Size.** Two sections are added that index readers pass over: ``aid.as_of`` <u8 × 2, consent version and log size, and
``aid.padding`` u1, which fills the body up to a multiple of `STEP` bytes: who sees encrypted bodies go by learns little
of which range it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np

from licet.errors import InputError, MalformedError, ServiceError
from licet.fingerprints.sites import probes
from licet.index import container
from licet.index.container import Array
from licet.index.exact import U64, buckets, halves
from licet.index.keys import Keys
from licet.index.lookup import Index
from licet.index.segments import KINDS, LATER_KINDS, NO_TERMS, ExactSegment
from licet.index.works import Numbers, WorkColumns
from licet.index.writing import in_memory

LEAST: Final = 128  # keys in a range, on average
MOST_DIGITS: Final = 5
MOST_BYTES: Final = 1 << 24  # of a range that a client reads
STEP: Final = 1 << 14
ALL_KINDS: Final = (*KINDS, *LATER_KINDS)
WHOLE: Final = "all"  # the prefix of no digits, where one has to be written
_NO_KEY: Final = np.empty(0, np.uint64)
_NO_KEYS: Final = _NO_KEY, _NO_KEY, np.empty(0, np.int64)
_AS_OF: Final = "aid.as_of"
_PADDING: Final = "aid.padding"
_PREFIX: Final = re.compile(f"[0-9a-f]{{0,{MOST_DIGITS}}}", re.ASCII)


def digits_for(keys: int) -> int:
    """Return how many hexadecimal digits of a key are told to a registry that holds ``keys``."""
    digits = 0
    while digits < MOST_DIGITS and keys >> 4 * (digits + 1) >= LEAST:
        digits += 1
    return digits


def is_prefix(text: str) -> bool:
    """Return whether ``text`` is what a key may begin with: at most `MOST_DIGITS` hexadecimal digits in lower case."""
    return _PREFIX.fullmatch(text) is not None


def key_count(index: Index) -> int:
    """Return how many keys ``index`` holds, near enough: those of works that were overridden count, too."""
    return sum(index.key_count(kind) for kind in ALL_KINDS)


def prefixes(keys: Keys, digits: int) -> list[str]:
    """Return the distinct prefixes of all exact keys of these rows, sorted, and of the sites above their addresses.

    ``digits`` is what the service asks for, and it does not decide how much it is told: ``ServiceError`` for too many.
    """
    if not 0 <= digits <= MOST_DIGITS:
        raise ServiceError(
            f"expected to be asked for at most {MOST_DIGITS} digits of a key, got {digits}", foreign=True
        )
    told = {
        column[row].tobytes().hex()[:digits] for column, mask in keys.exact.values() for row in np.flatnonzero(mask)
    }
    if keys.addresses is not None:
        _, hosts, _ = probes(keys.addresses, lambda halves: np.ones(len(halves), np.bool_))
        told |= {f"{host:016x}"[:digits] for host in hosts.tolist()}
    return sorted(told)


@dataclass(frozen=True, slots=True)
class KeyRange:
    """A range as it came: the segment, and the moment that it holds for."""

    segment: ExactSegment
    consent_version: int
    log_size: int

    @classmethod
    def parse(cls, data: bytes, prefix: str) -> KeyRange:
        """Return the range in ``data``; raises ``MalformedError`` for anything but a whole one of ``prefix``."""
        if len(data) > MOST_BYTES:
            raise MalformedError(f"expected a range of at most {MOST_BYTES} bytes, got {len(data)}")
        tier, columns = container.parse(data)
        if tier != "exact":
            raise MalformedError(f"expected a range of exact keys, got the {tier} tier")
        as_of = columns.get(_AS_OF)
        if as_of is None or as_of.dtype != np.dtype("<u8") or as_of.shape != (2,) or int(as_of.max()) >> 53:
            raise MalformedError(f"{_AS_OF}: expected consent version and log size, got something else")
        segment = ExactSegment(columns)
        segment.check()
        low, high = _bounds(prefix)
        for kind, table in segment.keys.items():
            if len(table) and not (low <= int(table.hi[0]) and int(table.hi[-1]) <= high):
                raise MalformedError(f"{kind}: expected keys that begin with {prefix or 'anything'}, got others")
        return cls(segment, int(as_of[0]), int(as_of[1]))


def within(index: Index, prefix: str) -> dict[str, Array]:
    """Return the columns of everything that ``index`` says of keys beginning with ``prefix``, hexadecimal digits.

    Raises ``InputError`` for another prefix.
    """
    if not is_prefix(prefix):
        raise InputError.field("prefix", f"at most {MOST_DIGITS} hexadecimal digits", prefix)
    low, high = _bounds(prefix)
    found = {kind: index.keys_between(kind, low, high) for kind in ALL_KINDS}
    numbers = np.unique(np.concatenate([each[2] for each in found.values()]))
    keys = {kind: (hi, lo, np.searchsorted(numbers, work)) for kind, (hi, lo, work) in found.items()}
    return _assembled([_Part(*_stated(index, numbers), keys)])


def fingerprint(columns: Mapping[str, Array]) -> str:
    """Return the digest of what a range says, whenever it is said, hex."""
    digest = sha256()
    for block in container.encode("exact", columns):
        digest.update(block)
    return digest.hexdigest()


def encoded(columns: Mapping[str, Array], consent_version: int, log_size: int) -> bytes:
    """Return the body of a range, padded."""
    dated = {**columns, _AS_OF: np.array([consent_version, log_size], np.uint64)}
    padding = 1
    while True:
        body = b"".join(container.encode("exact", {**dated, _PADDING: np.zeros(padding, np.uint8)}))
        lacking = -len(body) % STEP
        if not lacking:
            return body
        padding += lacking  # its own length takes room in the header, which shifts what follows


def index_of(ranges: Sequence[KeyRange]) -> Index:
    """Return an index of several ranges, in which every work has all of its keys that came; the newest state counts."""
    parts = []
    for each in sorted(ranges, key=lambda found: -found.consent_version):
        index = Index([each.segment])
        numbers = np.arange(len(each.segment.works), dtype=np.int64)
        columns = each.segment.columns
        keys = {
            kind: (table.hi, table.lo, columns[f"{kind}.work"].astype(np.int64))
            for kind, table in each.segment.keys.items()
        }
        parts.append(_Part(*_stated(index, numbers), keys))
    return Index([ExactSegment(_assembled(parts))])


@dataclass(frozen=True, slots=True)
class _Part:
    works: WorkColumns
    terms: list[bytes]  # of each work; empty without any
    keys: Mapping[str, tuple[U64, U64, Numbers]]  # and the place of the work


def _stated(index: Index, numbers: Numbers) -> tuple[WorkColumns, list[bytes]]:
    works = index.works.take(numbers)
    distinct = {
        number: index.works.encoded_terms(number) if number >= 0 else b"" for number in set(works.terms.tolist())
    }
    return works, [distinct[number] for number in works.terms.tolist()]


def _bounds(prefix: str) -> tuple[int, int]:
    return int(prefix.ljust(16, "0"), 16), int(prefix.ljust(16, "f"), 16)


def _assembled(parts: Sequence[_Part]) -> dict[str, Array]:
    """Return the columns of one segment; of a work in several parts the first one's state counts."""
    empty, _ = in_memory(())
    if not parts:
        return dict(empty.columns)
    ids = np.concatenate([part.works.work for part in parts])
    hi, lo = halves(ids)
    order = np.lexsort((np.arange(len(hi)), lo, hi))
    fresh = np.ones(len(hi), np.bool_)
    fresh[1:] = (hi[order][1:] != hi[order][:-1]) | (lo[order][1:] != lo[order][:-1])
    place = np.empty(len(hi), np.uint32)
    place[order] = np.cumsum(fresh) - 1
    kept = order[fresh]

    def column(name: str) -> Array:
        whole: Array = np.concatenate([getattr(part.works, name) for part in parts])
        return whole[kept]

    accounts, account = np.unique(column("account").view("V16").reshape(-1), return_inverse=True)
    encoded_terms = [blob for part in parts for blob in part.terms]
    terms = [encoded_terms[at] for at in kept.tolist()]
    hashes = {sha256(blob).digest(): blob for blob in set(terms) if blob}
    rows = {hashes[digest]: row for row, digest in enumerate(sorted(hashes))} | {b"": NO_TERMS}
    blobs = [hashes[digest] for digest in sorted(hashes)]
    stated: dict[str, Array] = {
        "work.hi": hi[kept],
        "work.lo": lo[kept],
        "work.account": account.reshape(-1).astype(np.uint32),
        "work.terms": np.array([rows[blob] for blob in terms], np.uint32),
        "work.statement": column("statement"),
        "work.log": column("log_index").astype(np.uint64),
        "work.level": column("level"),
        "work.flags": column("flags"),
        "account.id": accounts.view(np.uint8).reshape(-1, 16),
        "terms.hash": np.frombuffer(b"".join(sorted(hashes)), np.uint8).reshape(-1, 32),
        "terms.end": np.cumsum([len(blob) for blob in blobs], dtype=np.uint64),
        "terms.blob": np.frombuffer(b"".join(blobs), np.uint8),
    }
    tables = {kind: _table(kind, parts, place) for kind in ALL_KINDS}
    for kind in KINDS:
        stated |= tables[kind]
    whole = {name: stated.get(name, column) for name, column in empty.columns.items()}
    for kind in LATER_KINDS:
        if len(tables[kind][f"{kind}.hi"]):
            whole |= tables[kind]
    return whole


def _table(kind: str, parts: Iterable[_Part], place: Array) -> dict[str, Array]:
    his, los, works, first = [_NO_KEY], [_NO_KEY], [np.empty(0, np.uint32)], 0
    for part in parts:
        hi, lo, work = part.keys.get(kind, _NO_KEYS)
        his.append(np.asarray(hi, np.uint64))
        los.append(np.asarray(lo, np.uint64))
        works.append(place[work + first])
        first += len(part.terms)
    triples = np.unique(
        np.stack([np.concatenate(each).astype(np.uint64) for each in (his, los, works)], axis=1), axis=0
    )
    hi, lo = np.ascontiguousarray(triples[:, 0]), np.ascontiguousarray(triples[:, 1])
    return {
        f"{kind}.hi": hi,
        f"{kind}.lo": lo,
        f"{kind}.work": triples[:, 2].astype(np.uint32),
        f"{kind}.bucket": buckets(hi),
    }
