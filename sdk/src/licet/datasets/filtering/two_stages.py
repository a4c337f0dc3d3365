"""A job that comes after another one: the first stage opened for it, and how the two fit, told at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet.datasets.examining.basis import Basis
from licet.datasets.examining.deciding import Question
from licet.datasets.filtering.first_stage import After, FirstStage, open_first_stage
from licet.datasets.filtering.job import Job
from licet.datasets.filtering.outputs import Outputs
from licet.datasets.filtering.scanning import known
from licet.datasets.forms.parts import Part
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import Signer
from licet.errors import InputError


def digest_of(given: str | Path | None, who: Signer, question: Question, basis: Basis) -> str | None:
    """Return the digest of the manifest of the first stage ``given``, once it can be built upon; None without one."""
    if given is None:
        return None
    _, manifest = open_first_stage(given, who, question.request, question.min_claim_level, basis.manifest)
    return manifest.digest


def prepare(job: Job, given: str | Path | None, who: Signer, question: Question, basis: Basis) -> None:
    """Return once ``job`` has its first stage, if it is to have one, ready to be asked."""
    if given is None:
        return
    file, manifest = open_first_stage(given, who, question.request, question.min_claim_level, basis.manifest)
    job.first = FirstStage(file, manifest, job.folder / "after")


def refuse_addresses(parts: Sequence[Part]) -> None:
    """Raise ``InputError`` for a second stage that has no files either."""
    if not any(part.holds_files for part in parts):
        raise InputError.field(
            "--after", "an input with files (a column path or image, or pictures)", "addresses alone"
        )


def refuse_strangers(job: Job, parts: Sequence[Part]) -> None:
    """Raise ``InputError`` if not a single row of a scanned job was in its first stage: nothing would bind any."""
    if job.first is None:
        return
    places = [each for number in range(len(parts)) for each in _places(job, number)]
    if any(len(each) for each in places) and not any((each >= 0).any() for each in places):
        raise InputError(
            "--after: expected rows with the url (or key) that the first stage knew them by, got none of them:"
            " keep that column, or name it with --columns url=…"
        )


def told(job: Job, parts: Sequence[Part], outputs: Outputs, shown: Path) -> After | None:
    """Return how the first stage and this one fit; new and missing rows are named in a file that becomes ``shown``."""
    if job.first is None:
        return None
    seen = np.zeros(len(job.first), np.bool_)
    path = job.out / shown.name
    matched = held = new = missing = 0
    with path.open("wb") as file:
        for number in range(len(parts)):
            for each in _places(job, number):
                there = each[each >= 0]
                seen[there] = True
                matched += len(there)
                held += int((job.first.floor(there).verdict > 0).sum())
                new += len(each) - len(there)
        if new:
            _write_new(file, job, parts, outputs)
        for row in job.first.missing(seen):
            _write(file, row)
            missing += 1
    if not new and not missing:
        path.unlink()
    first = job.first.manifest.payload
    return After(
        manifest=job.first.manifest.digest,
        dataset=first.dataset,
        rows=first.rows,
        kept=first.kept,
        matched=matched,
        held=held,
        new=new,
        missing=missing,
        listed=str(shown) if new or missing else None,
    )


def _places(job: Job, number: int) -> Iterator[npt.NDArray[np.int64]]:
    for each in known(job, number):
        yield job.places(number, each.batch)


def _write_new(file: BinaryIO, job: Job, parts: Sequence[Part], outputs: Outputs) -> None:
    """Name the rows that were not in the first stage, as the decisions name them (those of matched rows do not)."""
    decisions = DecisionsFile(outputs.decisions, None)
    if decisions.about.rows != "all":
        for number, part in enumerate(parts):
            places = np.concatenate([*_places(job, number), np.zeros(0, np.int64)])
            for row in np.flatnonzero(places < 0).tolist():
                _write(file, {"what": "new", "part": part.name, "row": row})
        return
    places = np.concatenate([each for number in range(len(parts)) for each in _places(job, number)])
    first = 0
    for batch in decisions.batches():
        rows = np.flatnonzero(places[first : first + len(batch)] < 0)
        for row in batch.select(["part", "row", "key", "path", "url"]).take(pa.array(rows)).to_pylist():
            _write(file, {"what": "new", **{name: value for name, value in row.items() if value is not None}})
        first += len(batch)


def _write(file: BinaryIO, row: dict[str, Any]) -> None:
    file.write(msgspec.json.encode(row) + b"\n")
