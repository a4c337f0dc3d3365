"""A small world for the tests of this room: few works, accounts, keys and terms, so that they meet often.

And the plainest reading of the rules, one row and one work at a time: what the vectorised code must equal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from licet.decisions import CODES, KEY_KINDS, Decision, Request, State, decide, for_match, strictest
from licet.decisions.style import with_style
from licet.fingerprints.sites import site_key
from licet.index import Answers, Index, Keys, Matches, WorkRecord
from licet.index.records import FLAGS
from licet.index.writing import in_memory
from licet.terms import Price, Terms, preset

FREE = {"permission": "license", "price": {"model": "free"}}


def _paid(amount: str, currency: str = "USD") -> Terms:
    return preset("paid", Price(model="per-training-run", amount=amount, currency=currency))


def _replaced(base: Terms, **rules: Any) -> Terms:
    return Terms.parse(base.to_json() | {name.replace("_", "-"): rule for name, rule in rules.items()})


TERMS = [
    preset("no-ai"),
    preset("research"),
    _paid("0.05"),
    _paid("2"),
    _paid("0.05", "EUR"),
    preset("paid", Price(model="negotiate")),
    _replaced(preset("no-ai"), train_gen={"permission": "allow"}),
    _replaced(preset("no-ai"), train_gen=FREE),
    _replaced(_paid("1"), train_gen=FREE | {"territory": {"allow": ["DE"]}}),
]
REQUESTS = [
    Request(uses=["train-gen"]),
    Request(uses=["mine", "train-gen"], purpose="research", territory=["DE"]),
    Request(uses=["search"]),
    Request(uses=["evaluate"], purpose=["non-commercial", "education"]),
]


def uid(kind: int, number: int) -> bytes:
    """16 bytes that differ in both halves, so that a bug in either shows."""
    return bytes([kind]) + sha256(b"%d/%d" % (kind, number)).digest()[:15]


def digest(kind: str, number: int) -> bytes:
    """A SHA-256 out of a small pool."""
    return sha256(f"{kind}/{number}".encode()).digest()


def flipped(number: int, bits: Collection[int]) -> bytes:
    """PDQ ``number`` of a pool of unrelated ones, with some bits flipped."""
    value = np.unpackbits(np.frombuffer(digest("pdq", number), np.uint8))
    value[list(bits)] ^= 1
    return np.packbits(value).tobytes()


def code(number: int, bits: Collection[int]) -> bytes:
    """ISCC content code ``number`` of a pool of unrelated ones, with some bits flipped."""
    value = np.unpackbits(np.frombuffer(digest("code", number), np.uint8))
    value[list(bits)] ^= 1
    return np.packbits(value).tobytes()


SITES = ["example.org", "example.org/a", "a.example.org", "example.org/a/b", "example.net/a"]
URLS = [
    "https://example.org/a/b/c.png",
    "http://a.example.org/x",
    "https://EXAMPLE.org:8080//a/./B",
    "https://example.net/ab",
    "https://example.net/a?b",
    "https://badexample.org/a",
    "nothing",
]
# What falls under what, read off by hand.
COVERED = {
    URLS[0]: {"example.org", "example.org/a", "example.org/a/b"},
    URLS[1]: {"example.org", "a.example.org"},
    URLS[2]: {"example.org", "example.org/a"},
    URLS[4]: {"example.net/a"},
}
codes = st.builds(code, st.integers(0, 2), st.sets(st.integers(0, 255), max_size=13))
pdqs = st.builds(flipped, st.integers(0, 2), st.sets(st.integers(0, 255), max_size=40))
numbers = st.integers(0, 4)
seldom = st.sampled_from([False] * 7 + [True])


@st.composite
def records(draw: st.DrawFn, work: int) -> WorkRecord:
    """One record about work ``work``."""
    pdq = draw(st.none() | pdqs)
    return WorkRecord(
        work=uid(1, work),
        account=uid(2, draw(st.integers(0, 2))),
        terms=draw(st.sampled_from([*(terms.encoded for terms in TERMS), TERMS[2].encoded, b""])),
        level=draw(st.sampled_from([0, 1, 2, 3, 4, 4])),
        contested=draw(st.booleans()),
        challenged=draw(seldom),
        pending=draw(seldom),
        withdrawn=draw(seldom),
        fingerprint_only=draw(seldom),
        signed=not draw(seldom),
        statement=uid(3, work),
        log_index=draw(st.integers(0, 2**53 - 1)),
        sha256=draw(st.none() | numbers.map(lambda n: digest("file", n))),
        pixels=draw(st.none() | numbers.map(lambda n: digest("pixels", n))),
        pdq=pdq,
        quality=None if pdq is None else draw(st.sampled_from([None, 0, 49, 50, 100])),
        urls=draw(st.lists(numbers.map(lambda n: digest("url", n)[:16]), max_size=2)),
        sites=draw(st.lists(st.sampled_from(SITES).map(site_key), max_size=2)),
        instance=draw(st.none() | numbers.map(lambda n: digest("instance", n))),
        image=draw(st.none() | codes),
        text=draw(st.none() | codes),
    )


@st.composite
def catalogues(draw: st.DrawFn, largest: int = 8) -> list[WorkRecord]:
    """Some records, each of another work."""
    works = draw(st.lists(st.integers(0, 9), unique=True, max_size=largest))
    return [draw(records(work)) for work in works]


class Row(NamedTuple):
    """The keys of one row, each of which may be absent; ``pdq`` are eight hashes."""

    file: bytes | None = None
    pixels: bytes | None = None
    url: bytes | None = None
    pdq: tuple[bytes, ...] | None = None
    quality: int | None = None
    address: str | None = None
    instance: bytes | None = None
    image: tuple[bytes, int] | None = None
    text: tuple[bytes, int] | None = None


lengths = st.sampled_from([64, 128, 192, 256])
rows = st.builds(
    Row,
    file=st.none() | numbers.map(lambda n: digest("file", n)[:16]),
    # File digests among the pixels and addresses: kinds must not mix.
    pixels=st.none() | st.builds(digest, st.sampled_from(["pixels", "file"]), numbers).map(lambda key: key[:16]),
    url=st.none() | st.builds(digest, st.sampled_from(["url", "file"]), numbers).map(lambda key: key[:16]),
    pdq=st.none() | st.tuples(*[pdqs] * 8),
    quality=st.sampled_from([None, 0, 49, 50, 100]),
    address=st.none() | st.sampled_from(URLS),
    instance=st.none() | st.builds(lambda n, size: digest("instance", n)[:size], numbers, st.sampled_from([8, 16])),
    image=st.none() | st.tuples(codes, lengths),
    text=st.none() | st.tuples(codes, lengths),
)


def keys_of(batch: list[Row]) -> Keys:
    """The columns of these rows."""
    columns: dict[str, Any] = {}
    for kind in ("file", "pixels", "url"):
        values = [getattr(row, kind) for row in batch]
        if any(value is not None for value in values):
            joined = b"".join(value or bytes(16) for value in values)
            columns[kind] = np.frombuffer(joined, np.uint8).reshape(-1, 16)
            columns[f"{kind}_mask"] = np.array([value is not None for value in values])
    if any(row.pdq for row in batch):
        joined = b"".join(b"".join(row.pdq or [bytes(32)] * 8) for row in batch)
        columns["pdq"] = np.frombuffer(joined, np.uint8).reshape(-1, 8, 32)
        columns["pdq_mask"] = np.array([row.pdq is not None for row in batch], np.bool_)
        columns["quality"] = np.array([-1 if row.quality is None else row.quality for row in batch])
    columns["addresses"] = [row.address for row in batch]
    columns["instance"] = _table([(row.instance or b"").ljust(16, b"\0") for row in batch], 16)
    columns["instance_mask"] = np.array([row.instance is not None for row in batch], np.bool_)
    columns["instance_short"] = np.array([len(row.instance or b"") == 8 for row in batch], np.bool_)
    for kind in ("image", "text"):
        stated = [getattr(row, kind) or (bytes(32), 0) for row in batch]
        cut = [each[: bits // 8].ljust(32, b"\xff") for each, bits in stated]  # what does not count may be anything
        columns[kind] = _table(cut, 32)
        columns[f"{kind}_bits"] = np.array([bits for _, bits in stated], np.int64)
    return Keys(len(batch), **columns)


def _table(values: list[bytes], width: int) -> np.ndarray:
    return np.frombuffer(b"".join(values), np.uint8).reshape(-1, width)


def index_of(*catalogue: Iterable[WorkRecord]) -> Index:
    """An index over segments in memory, one layer a catalogue."""
    return Index([segment for layer in catalogue for segment in in_memory(layer)])


class Hit(NamedTuple):
    work: bytes
    kind: str
    key: str
    distance: int


def naive_hits(catalogue: Iterable[WorkRecord], row: Row, match: str) -> list[Hit]:
    """Every match of one row, the firmest first, ties by work id."""
    found = []
    for record in catalogue:
        distance = _distance(record, row) if match == "near" else None
        if record.sha256 is not None and row.file == record.sha256[:16]:
            found.append((0, 0, Hit(record.work, "exact", "file", 0)))
        elif record.pixels is not None and row.pixels == record.pixels[:16]:
            found.append((0, 0, Hit(record.work, "exact", "pixels", 0)))
        elif row.instance is not None and (record.instance or b"").startswith(row.instance):
            found.append((0, 0, Hit(record.work, "exact", "iscc-instance", 0)))
        elif distance is not None:
            found.append((1, distance, Hit(record.work, "near", "pdq", distance)))
        elif match == "near" and (differing := _differing(record, row)) is not None:
            found.append((2, differing, Hit(record.work, "near", "iscc-content", differing)))
        elif row.url in record.urls:
            found.append((3, 0, Hit(record.work, "exact", "url", 0)))
        elif row.address and {site_key(site) for site in COVERED.get(row.address, ())} & {*record.sites}:
            found.append((4, 0, Hit(record.work, "exact", "site", 0)))
    return [hit for _, _, hit in sorted(found, key=lambda each: (each[0], each[1], each[2].work))]


def _distance(record: WorkRecord, row: Row) -> int | None:
    if record.pdq is None or record.quality is None or record.quality < 50:
        return None
    if row.pdq is None or (row.quality is not None and row.quality < 50):
        return None
    stored = int.from_bytes(record.pdq, "big")
    least = min((stored ^ int.from_bytes(turned, "big")).bit_count() for turned in row.pdq)
    return least if least <= 31 else None


def _differing(record: WorkRecord, row: Row) -> int | None:
    """The least number of bits in which codes of one kind differ, where they are near."""
    found = []
    plain = record.pdq is not None and (record.quality is None or record.quality < 50)
    for stored, asked in ((None if plain else record.image, row.image), (record.text, row.text)):
        if stored is None or asked is None:
            continue
        told, bits = asked
        differs = [(int.from_bytes(stored[:size]) ^ int.from_bytes(told[:size])).bit_count() for size in (8, bits // 8)]
        if differs[0] <= 10 and differs[1] <= 10 * bits // 64:
            found.append(differs[1])
    return min(found, default=None)


class Verdict(NamedTuple):
    verdict: str
    reason: str
    deciding: bytes | None
    payable: set[bytes]
    covered: bool


def naive_decision(
    record: WorkRecord,
    hit: Hit,
    row: Row,
    request: Request,
    *,
    min_claim_level: int,
    licences: Mapping[bytes, Collection[str]],
    style: Collection[bytes],
) -> Decision:
    """One work, one row: `decide` and `with_style`, then `for_match`, then the caller's own caution."""
    flags = {name: getattr(record, name) for name in FLAGS[:4]}
    state = State(level=record.level, licences=frozenset(licences.get(record.work, ())), **flags)
    if record.terms:
        terms = Terms.decode(record.terms)
        decision = decide(terms, state, request)
        if record.account in style:
            decision = with_style(decision, terms, state, request)
    else:
        decision = Decision("deny", "withdrawn") if record.withdrawn else Decision("review", "no-terms")
    quality = None
    if hit.kind == "near" and row.quality is not None and record.quality is not None:
        quality = min(row.quality, record.quality)
    decision = for_match(
        decision,
        kind=hit.kind,
        key=hit.key,
        fingerprint_only=record.fingerprint_only,
        signed=record.signed,
        quality=quality,
        short=hit.key == "iscc-instance" and len(row.instance or b"") == 8,
    )
    loose = decision.verdict in ("allow", "license", "unknown")
    if loose and decision.licence is None and record.level < min_claim_level:
        return Decision("review", "min-claim-level", decision.atom)
    return decision


def naive_verdict(
    catalogue: list[WorkRecord],
    row: Row,
    request: Request,
    match: str,
    *,
    min_claim_level: int = 0,
    licences: Mapping[bytes, Collection[str]] | None = None,
    style: Collection[bytes] = (),
) -> Verdict:
    """The rules, read aloud for one row."""
    by_work = {record.work: record for record in catalogue}
    hits = [hit for hit in naive_hits(catalogue, row, match) if not by_work[hit.work].challenged]
    options: Any = {"min_claim_level": min_claim_level, "licences": licences or {}, "style": style}
    decided = [(hit, naive_decision(by_work[hit.work], hit, row, request, **options)) for hit in hits]
    searched = match == "near" and row.pdq is not None and (row.quality is None or row.quality >= 50)
    if not decided:
        codes = match == "near" and (row.image is not None or row.text is not None)
        examined = row.file is not None or row.pixels is not None or row.instance is not None or searched or codes
        return Verdict("unknown", "no-match" if examined else "not-examined", None, set(), False)
    verdict = strictest(decision for _, decision in decided).verdict
    pool = [(hit, decision) for hit, decision in decided if decision.verdict == verdict]
    payable: set[bytes] = set()
    if verdict == "license":
        best: dict[bytes, Any] = {}
        for hit, decision in pool:
            best.setdefault(by_work[hit.work].account, (hit, decision))
        pool = [each for each in pool if each in best.values()]
        payable = {hit.work for hit, _ in pool}
    deciding = strictest(decision for _, decision in pool)
    first = next(hit for hit, decision in pool if decision == deciding)
    covered = verdict == "license" and all(decision.licence is not None for _, decision in pool)
    return Verdict(verdict, deciding.reason, first.work, payable, covered)


def hits_by_row(index: Index, matches: Matches, n: int) -> list[list[Hit]]:
    """What a look-up found, a list a row, with work ids in place of numbers."""
    found: list[list[Hit]] = [[] for _ in range(n)]
    ids = index.works.ids(matches.work)
    for at in range(len(matches)):
        kind = ("exact", "near")[matches.kind[at]]
        key = KEY_KINDS[matches.key[at]]
        found[matches.row[at]].append(Hit(ids[at].tobytes(), kind, key, int(matches.distance[at])))
    return found


def verdicts_by_row(answers: Answers) -> list[Verdict]:
    """What an answer says, a verdict a row, with work ids in place of numbers."""
    names = {code: verdict for verdict, code in CODES.items()}
    found = []
    for row in range(len(answers)):
        deciding = int(answers.deciding[row])
        paid = np.flatnonzero((answers.matches.row == row) & answers.payable)
        found.append(
            Verdict(
                names[int(answers.verdict[row])],
                answers.reasons[answers.reason[row]],
                answers.works.work[deciding].tobytes() if deciding >= 0 else None,
                {answers.works.work[at].tobytes() for at in paid},
                bool(answers.covered[row]),
            )
        )
    return found
