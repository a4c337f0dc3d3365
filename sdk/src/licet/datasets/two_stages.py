"""A job that comes after another one: the first stage opened for it, and how the two fit, told at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet.datasets.basis import Basis
from licet.datasets.deciding import Question
from licet.datasets.first_stage import After, FirstStage, open_first_stage
from licet.datasets.job import Job
from licet.datasets.manifest import Signer
from licet.datasets.scanning import known
from licet.datasets.sources import Part
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
    if job.first is None or not any(part.rows for part in parts):
        return
    if not any(
        (job.places(number, each.batch) >= 0).any() for number in range(len(parts)) for each in known(job, number)
    ):
        raise InputError(
            "--after: expected rows with the url (or key) that the first stage knew them by, got none of them:"
            " keep that column, or name it with --columns url=…"
        )


def told(job: Job, parts: Sequence[Part], shown: Path) -> After | None:
    """Return how the first stage and this one fit; new and missing rows are named in a file that becomes ``shown``."""
    if job.first is None:
        return None
    seen = np.zeros(len(job.first), np.bool_)
    path = job.out / shown.name
    matched = held = new = missing = 0
    with path.open("wb") as file:
        for number, part in enumerate(parts):
            places = [job.places(number, each.batch) for each in known(job, number)]
            for each in places:
                there = each[each >= 0]
                seen[there] = True
                matched += len(there)
                held += int((job.first.floor(there).verdict > 0).sum())
            new += _write_new(file, part, places)
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


def _write_new(file: BinaryIO, part: Part, places: Sequence[npt.NDArray[np.int64]]) -> int:
    count = sum(int((each < 0).sum()) for each in places)
    if not count:
        return 0
    first = 0
    for batch, each in zip(part.batches(naming=True), places, strict=True):
        rows = np.flatnonzero(each < 0)
        names = [name for name in ("key", "path", "url") if name in batch.schema.names]
        named: list[dict[str, Any]] = (
            batch.select(names).take(pa.array(rows)).to_pylist() if names else [{}] * len(rows)
        )
        for row, name in zip(rows.tolist(), named, strict=True):
            given = {key: value for key, value in name.items() if value is not None}
            _write(file, {"what": "new", "part": part.name, "row": first + row, **given})
        first += len(each)
    return count


def _write(file: BinaryIO, row: dict[str, Any]) -> None:
    file.write(msgspec.json.encode(row) + b"\n")
