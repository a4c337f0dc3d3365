"""A few pictures, addresses or digests, each decided and explained: what `licet check` and `licet explain` show.

Nothing is told to the registry: the snapshot comes here, and the question stays here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from licet.client import Client
from licet.datasets.basis import Basis, open_basis, pull_newest
from licet.datasets.deciding import Question, Standing, decide_rows
from licet.datasets.decisions_file import DecisionsFile, stored_evidence
from licet.datasets.fingerprinting import Evidence, examine
from licet.datasets.held import licences_for
from licet.datasets.rows import decision_columns
from licet.datasets.settling import held_licences
from licet.decisions import Request
from licet.errors import InputError
from licet.terms import Terms

MAX_INPUTS: Final = 10_000
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ROW: Final = re.compile(r"(.+\.parquet):(\d{1,12})", re.ASCII)
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
    """All answers, and what they were given from. ``notes`` say what was not looked at, and why."""

    results: list[Checked]
    snapshot: str
    log_size: int
    expires_at: str
    notes: list[str]


def check(client: Client, inputs: Sequence[str], request: Request, *, offline: bool = False) -> Checkup:
    """Return a verdict for each of ``inputs``: a picture's path, an address, or the SHA-256 of a file.

    Decided from the newest snapshot, or ``offline`` from the one that is here. Raises ``InputError`` for an input that
    is none of these, ``ServiceError`` without a network, ``ExpiredError`` past the snapshot's time.
    """
    return _decide(client, inputs, request, _basis(client, offline=offline))


def explain(
    client: Client, given: str, request: Request | None, *, offline: bool = False
) -> tuple[Checkup, Request, dict[str, Terms]]:
    """Return the verdict of one input, what was asked, and the terms in force for each work that it matches.

    ``given`` may also be a row of an earlier job, ``OUT.decisions.parquet:12``: it is decided anew from its stored
    fingerprints, and without a ``request`` for what that job asked. Raises ``InputError`` as `check` does, and for a
    row that is not there.
    """
    basis = _basis(client, offline=offline)
    row = _ROW.fullmatch(given)
    if row is not None and not Path(given).exists():
        file = DecisionsFile.find(Path(row[1]))
        asked = request or file.question.request
        found = _decided(client, [given], _stored(file, int(row[2])), asked, basis)
    elif request is None:
        raise InputError.field("--use", "the use in question (only a row of an earlier job has its own)", None)
    else:
        asked = request
        found = _decide(client, [given], request, basis)
    works = basis.index.works
    terms: dict[str, Terms] = {}
    for match in found.results[0].matches:
        state = works.get(match["work"])
        if state is not None and state.terms:
            terms[match["work"]] = Terms.decode(state.terms)
    return found, asked, terms


def _stored(file: DecisionsFile, row: int) -> Evidence:
    start = 0
    for batch in file.batches():
        if row < start + len(batch):
            return stored_evidence(batch.slice(row - start, 1))
        start += len(batch)
    raise InputError.field("row", f"a row of {file.path.name}, 0 to {file.rows - 1}", row)


def _basis(client: Client, *, offline: bool) -> Basis:
    if not offline:
        pull_newest(client)
    return open_basis(client)


def _decide(client: Client, inputs: Sequence[str], request: Request, basis: Basis) -> Checkup:
    rows = pa.RecordBatch.from_pylist([_row(given) for given in inputs], schema=_SCHEMA)
    with ThreadPoolExecutor() as pool:
        evidence = examine(rows, Path.cwd(), pool)
    return _decided(client, inputs, evidence, request, basis)


def _decided(client: Client, inputs: Sequence[str], evidence: Evidence, request: Request, basis: Basis) -> Checkup:
    question = Question(request, "near" if basis.index.near else "exact")
    standing = Standing(licences_for(held_licences(client), request))
    verdicts = decide_rows(basis.index, evidence, question, standing)
    columns = decision_columns(basis.index, evidence, question, verdicts)
    table = pa.table(columns).to_pylist()
    names = [name for name in Checked.__struct_fields__ if name not in ("input", "matches")]
    results = [
        Checked(input=given, matches=row["matches"] or [], **{name: row[name] for name in names})
        for given, row in zip(inputs, table, strict=True)
    ]
    notes = [basis.without_near] if basis.without_near else []
    manifest = basis.manifest
    return Checkup(results, basis.digest, manifest.log_size, manifest.expires_at, notes)


_SCHEMA: Final = pa.schema([("path", pa.string()), ("url", pa.string()), ("sha256", pa.string())])


def _row(given: str) -> dict[str, str]:
    if _ADDRESS.match(given):
        return {"url": given}
    path = Path(given)
    if path.is_file():
        return {"path": str(path.absolute())}
    if _DIGEST.fullmatch(given):
        return {"sha256": given}
    if path.is_dir():
        raise InputError.field("input", "a picture, an address or a SHA-256 (`licet filter` takes folders)", given)
    raise InputError.field("input", "a picture that exists, an address or a SHA-256", given)
