"""A few pictures, addresses or digests, each decided and explained: what `licet check` and `licet explain` show.

Nothing is told to the registry: the snapshot comes here, and the question stays here. But for derivatives, which the
service alone can find: where they are asked for, features of the pictures go to it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from licet import money
from licet.client import Client
from licet.counted import many
from licet.datasets.examining.asking import BESIDE, Asker, Parts, refuse_offline
from licet.datasets.examining.basis import Basis, open_basis
from licet.datasets.examining.deciding import Matching, Question, Standing, decide_rows
from licet.datasets.examining.evidence import Evidence
from licet.datasets.examining.fingerprinting import examine
from licet.datasets.filtering.settling import held_licences
from licet.datasets.frames import notebook
from licet.datasets.licensing.held import HeldLicence, licences_for
from licet.datasets.licensing.revoked import bring_up_to_date
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.rows import decision_columns
from licet.datasets.results.stored import stored_evidence, stored_matches
from licet.decisions import Request
from licet.errors import InputError, MalformedError
from licet.fingerprints.bounded import decoders
from licet.fingerprints.pdq import MIN_QUALITY
from licet.index import Index, ranges
from licet.index.lookup import Matches, MatchMode
from licet.index.parts import with_parts, without_parts
from licet.terms import Terms

MAX_INPUTS: Final = 10_000
MAX_RANGES: Final = 1_000
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")
_ROW: Final = re.compile(r"(.+):(\d{1,12})", re.ASCII | re.DOTALL)
_ADDRESS: Final = re.compile(r"https?://", re.ASCII | re.IGNORECASE)


class Checked(msgspec.Struct, frozen=True):
    """The verdict of one input, in the words of a decision row; ``matches`` are all that counted."""

    input: str
    verdict: str
    reason: str
    work: str | None
    statement: str | None
    match: str | None
    distance: int | None
    price: str | None
    currency: str | None
    claim_level: int | None
    licence: str | None
    matches: list[dict[str, Any]]


class Checkup(msgspec.Struct, frozen=True):
    """All answers, and what they were given from: without a ``snapshot``, from ranges of keys of that moment.

    ``notes`` say what was not looked at, and why.
    """

    results: list[Checked]
    snapshot: str | None
    log_size: int
    expires_at: str | None
    notes: list[str]

    def __repr__(self) -> str:
        shown = ", ".join(f"{each.input!r} {each.verdict} ({each.reason})" for each in self.results[:3])
        rest = f", and {len(self.results) - 3:,} more" if len(self.results) > 3 else ""
        return f"<Checkup: {shown}{rest}>"

    def _repr_html_(self) -> str:
        rows = [
            (
                each.input,
                each.verdict,
                each.reason,
                each.work,
                money.written(each.price, each.currency) if each.price and each.currency else "",
            )
            for each in self.results
        ]
        headings = ("input", "verdict", "reason", "work", "price")
        return notebook.table("licet check", headings, rows) + notebook.lines(*self.notes)


def check(
    client: Client, inputs: Sequence[str], request: Request, *, match: Matching | None = None, offline: bool = False
) -> Checkup:
    """Return a verdict for each of ``inputs``: a picture's path, an address, or the SHA-256 of a file.

    Decided from the newest snapshot, or ``offline`` from the one that is here; with ``match`` derivative the service is
    asked of which works pictures show parts. Raises ``InputError`` for an input that is none of these, ``ServiceError``
    without a network, ``ExpiredError`` past the snapshot's time.
    """
    refuse_offline(match, offline=offline)
    near = client.transport.token is not None and match != "exact"
    _expect_pictures(inputs, near=near, match=match)
    return _decide(client, inputs, request, _basis(client, offline=offline), match)


def check_by_ranges(client: Client, inputs: Sequence[str], request: Request) -> Checkup:
    """Return what `check` does, as of now and without a snapshot: of each key the registry learns a few digits.

    Exact copies alone are looked for, and addresses. Raises ``InputError`` as `check` does, and where the inputs have
    so many keys that a snapshot is the better way.
    """
    _expect_pictures(inputs, near=False)
    evidence = _examined(inputs, near=False)
    keys = evidence.keys()
    told = client.range_size()
    wanted = ranges.prefixes(keys, told.digits)
    if len(wanted) > MAX_RANGES:
        raise InputError.field("input", f"keys in at most {MAX_RANGES} ranges (without --private, any)", len(wanted))
    came = [client.key_range(prefix) for prefix in wanted]
    index = ranges.index_of(came)
    index.near = False
    hidden = (
        f"only exact copies are looked for; the registry was told {told.digits} of 32 digits of each of "
        f"{len(wanted)} keys, each shared by about {told.expected} that are registered"
        if told.digits
        else f"only exact copies are looked for; the registry was told nothing: all of its {told.keys} keys came"
    )
    size = min((each.log_size for each in came), default=told.log_size)
    return Checkup(_verdicts(client, inputs, evidence, request, index), None, size, None, [hidden])


class Stored(msgspec.Struct, frozen=True):
    """A row of an earlier job as it was decided then, under which snapshot."""

    decisions: str
    part: str
    row: int
    name: str | None
    verdict: str
    reason: str
    licence: str | None
    decided_at: str
    snapshot: str


class Explained(msgspec.Struct, frozen=True):
    """One input decided now, what was asked of it, the terms in force for each work that it matches, the licences that
    are held for them, and what an earlier job decided, where the input is a row of one."""

    checkup: Checkup
    request: Request
    terms: dict[str, Terms]
    licences: list[HeldLicence]
    stored: Stored | None


def explain(
    client: Client,
    given: str,
    request: Request | None,
    *,
    match: Matching | None = None,
    offline: bool = False,
) -> Explained:
    """Return all that bears on the verdict of one input.

    ``given`` may also be a row of an earlier job: ``OUT:12`` (or its decisions or manifest) is the row 12 of all,
    ``OUT:PART:12`` the row 12 of one part. It is decided anew from its stored fingerprints and the derivatives that
    were found then, and without a ``request`` for what that job asked. Raises ``InputError`` as `check` does, and for
    a row that is not there.
    """
    row = None if Path(given).exists() or _ADDRESS.match(given) else _row_of_a_job(given)
    if row is None and request is None:
        raise InputError.field("--use", "the use in question (only a row of an earlier job has its own)", "nothing")
    if row is None:
        refuse_offline(match, offline=offline)
        near = client.transport.token is not None and match != "exact"
        _expect_pictures([given], near=near, match=match)
    elif match == "derivative":
        raise InputError.field("--match", "exact or near for a row: its picture is not here to be looked at", match)
    basis = _basis(client, offline=offline)
    stored = None
    if row is not None:
        file, part, number = row
        asked = request or file.question.request
        batch = _stored(file, part, number)
        stored = _then(file, batch)
        matches = _with_stored(basis.index, batch, match)
        found = _decided(client, [given], stored_evidence(batch), asked, basis, match, matches)
    else:
        assert request is not None
        asked = request
        found = _decide(client, [given], asked, basis, match)
    works = basis.index.works
    terms: dict[str, Terms] = {}
    for each in found.results[0].matches:
        state = works.get(each["work"])
        if state is not None and state.terms:
            terms[each["work"]] = Terms.decode(state.terms)
    named = {stored.licence if stored else None, found.results[0].licence}
    licences = [held for held in held_licences(client) if held.id in named or terms.keys() & held.lines.keys()]
    return Explained(found, asked, terms, licences, stored)


def _row_of_a_job(given: str) -> tuple[DecisionsFile, str | None, int] | None:
    """Return the decisions, the part and the number that ``given`` names, or None if it does not look like a row."""
    found = _ROW.fullmatch(given)
    if found is None:
        return None
    place, number = found[1], int(found[2])
    cuts = [at for at, each in enumerate(place) if each == ":"]
    for cut in [len(place), *reversed(cuts)]:  # names of files and of parts may hold colons
        try:
            return DecisionsFile.find(Path(place[:cut]).expanduser()), place[cut + 1 :] or None, number
        except MalformedError:
            raise
        except InputError as error:
            missing = error
    raise missing


def _stored(file: DecisionsFile, part: str | None, row: int) -> pa.RecordBatch:
    start = 0
    for batch in file.batches():
        if part is not None:
            chosen = pc.and_(pc.equal(batch["part"], part), pc.equal(batch["row"], row))
            found = batch.filter(chosen)
            if len(found):
                return found
        elif row < start + len(batch):
            return batch.slice(row - start, 1)
        start += len(batch)
    if part is not None:
        raise InputError.field("row", f"a part and row of {file.path.name}", f"{part}:{row}")
    raise InputError.field("row", f"a row of {file.path.name}, 0 to {file.rows - 1}", row)


def _then(file: DecisionsFile, batch: pa.RecordBatch) -> Stored:
    [row] = batch.select(["part", "row", "key", "path", "url", "verdict", "reason", "licence"]).to_pylist()
    return Stored(
        decisions=str(file.path),
        part=row["part"],
        row=row["row"],
        name=row["path"] or row["url"] or row["key"],
        verdict=row["verdict"],
        reason=row["reason"],
        licence=row["licence"],
        decided_at=file.about.decided_at,
        snapshot=file.about.snapshot,
    )


def _with_stored(index: Index, batch: pa.RecordBatch, match: Matching | None) -> Matches:
    """Return what the row matches now, and the works that parts of it were found to be of."""
    found = index.lookup(stored_evidence(batch).keys(), _tier(match, index))
    _, parts = without_parts(stored_matches(batch, index))
    return with_parts(index, found, parts.row, index.works.ids(parts.work), parts.distance)[0]


def _expect_pictures(inputs: Sequence[str], *, near: bool, match: Matching | None = None) -> None:
    """Let what decodes start while the snapshot is opened, if there is anything to decode."""
    if any(os.path.isfile(each) for each in inputs):  # noqa: PTH113 - a Path raises for some addresses
        decoders(iscc=near, beside=BESIDE if match == "derivative" else None).begin()


def _basis(client: Client, *, offline: bool) -> Basis:
    if not offline:
        bring_up_to_date(client)
    return open_basis(client)


def _decide(client: Client, inputs: Sequence[str], request: Request, basis: Basis, match: Matching | None) -> Checkup:
    asker = Asker(client, request) if match == "derivative" else None
    evidence = _examined(inputs, near=_tier(match, basis.index) == "near", asker=asker)
    return _decided(client, inputs, evidence, request, basis, match)


def _examined(inputs: Sequence[str], *, near: bool, asker: Asker | None = None) -> Evidence:
    rows = pa.RecordBatch.from_pylist([_row(given) for given in inputs], schema=_SCHEMA)
    with ThreadPoolExecutor() as pool:
        return examine(rows, Path.cwd(), pool, iscc=near, asker=asker)


def _decided(
    client: Client,
    inputs: Sequence[str],
    evidence: Evidence,
    request: Request,
    basis: Basis,
    match: Matching | None,
    matches: Matches | None = None,
) -> Checkup:
    results = _verdicts(client, inputs, evidence, request, basis.index, match, matches)
    notes = [basis.without_near] if basis.without_near and match != "exact" else []
    if _tier(match, basis.index) == "near":
        notes += _too_plain(inputs, evidence, match)
    if match == "derivative" and evidence.parts is not None:
        told = Parts.read(evidence.parts, len(evidence))
        if len(told.log):
            notes.append(
                f"features of {many(len(told.log), 'picture')} were sent to the service, which looked for parts of "
                f"works as of log size {int(told.log.max()):,}"
            )
        if len(told.log) < len(inputs):
            notes.append("parts are looked for in pictures alone, not in texts, addresses and digests")
    return Checkup(results, basis.digest, basis.manifest.log_size, basis.manifest.expires_at, notes)


def _too_plain(inputs: Sequence[str], evidence: Evidence, match: Matching | None) -> list[str]:
    """Say which pictures no near match is looked for of, because too many others look like them."""
    plain = [given for given, quality in zip(inputs, evidence.quality.tolist(), strict=True) if quality < MIN_QUALITY]
    found = "exact copies and parts are found" if match == "derivative" else "exact copies are found"
    if len(plain) == 1:
        return [f"{plain[0]} is too plain to be told from others by its look; only {found}"]
    if plain:
        look = "are too plain to be told from others by their look"
        return [f"{len(plain)} pictures {look}, {plain[0]} is one; only {found}"]
    return []


def _tier(match: Matching | None, index: Index) -> MatchMode:
    return "exact" if _chosen(match, index) == "exact" else "near"


def _chosen(match: Matching | None, index: Index) -> Matching:
    return match or ("near" if index.near else "exact")


def _verdicts(
    client: Client,
    inputs: Sequence[str],
    evidence: Evidence,
    request: Request,
    index: Index,
    match: Matching | None = None,
    matches: Matches | None = None,
) -> list[Checked]:
    question = Question(request, _chosen(match, index))
    standing = Standing(licences_for(held_licences(client), request))
    verdicts = decide_rows(index, evidence, question, standing, matches)
    columns = decision_columns(index, evidence, question, verdicts)
    table = pa.table(columns).to_pylist()
    names = [name for name in Checked.__struct_fields__ if name not in ("input", "matches")]
    return [
        Checked(input=given, matches=row["matches"] or [], **{name: row[name] for name in names})
        for given, row in zip(inputs, table, strict=True)
    ]


def _carried(name: str) -> bool:
    """Whether UTF-8 can carry ``name``: bytes of a file's name that are no text come as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


_SCHEMA: Final = pa.schema(
    [("path", pa.string()), ("url", pa.string()), ("sha256", pa.string()), ("iscc", pa.string())]
)


def _row(given: str) -> dict[str, str]:
    if _ADDRESS.match(given):
        return {"url": given}
    path = Path(given)
    if path.is_file():
        absolute = str(path.absolute())
        if not _carried(absolute):
            raise InputError.field("input", "a file whose name is UTF-8: rename it", given)
        return {"path": absolute}
    if _DIGEST.fullmatch(given):
        return {"sha256": given}
    if given.startswith("ISCC:"):
        return {"iscc": given}
    if path.is_dir():
        raise InputError.field(
            "input", "a picture or text, an address, a SHA-256 or an ISCC (`licet filter` takes folders)", given
        )
    raise InputError.field("input", "a picture or text that exists, an address, a SHA-256 or an ISCC", given)
