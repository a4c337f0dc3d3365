"""A job done by many: pieces of it given to workers on any machine, which all see the job's folder and the input.

A piece is a span of batches to examine, or a stretch of rows to write, or both at once
(`licet.datasets.filtering.at_once`). What it comes to lies in the job's folder, under the same names as if one machine
had done it all, and each file appears there only once it is whole; so a piece may be done twice, by two workers at
once, or begun by one that is lost, and there is still each row once. Which rows there are, and their order, is the
input's: parts by name, rows in each. Who was done first changes nothing.

Workers decide from the pinned snapshot. They hold no token and no key; of the secret that salts the rows of this one
job they are told, because they hash them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import accumulate
from typing import Final

import msgspec

from licet.datasets.examining.concentration import Concentration
from licet.datasets.examining.deciding import Standing
from licet.datasets.filtering.job import Job
from licet.datasets.filtering.outputs import Joining, Outputs
from licet.datasets.filtering.scanning import Span
from licet.datasets.filtering.worker import Duty, Stood, Worker, Writing
from licet.datasets.filtering.writing import Advance, Hands, Results
from licet.datasets.filtering.written import PartWish, WrittenPart
from licet.datasets.forms.parquet import ParquetPart
from licet.datasets.forms.parts import Part, Stretch
from licet.datasets.licensing.wanted import Shopping
from licet.datasets.workers.crew import Crew, each_taken
from licet.home import write_private
from licet.identifiers import new_uuid
from licet.index.lookup import Index

SPAN: Final = 32  # batches to examine: two million addresses, or eight thousand pictures
_FORM: Final = b"3"  # of what a part came to: another version may have left some


def scan_by(crew: Crew, duty: Duty, parts: Sequence[Part], advance: Advance) -> list[int]:
    """Return how many rows each of ``parts`` has, once all of them are examined and looked up."""
    spans = [span for number, part in enumerate(parts) for span in _spans(number, part)]
    rows = [0] * len(parts)
    for done in each_taken(crew, Worker(duty), spans):
        rows[done.part] += done.rows
        advance(done.rows)
    return rows


def hands(
    crew: Crew, duty: Duty, job: Job, parts: Sequence[Part], standing: Standing, secret: bytes, rows: Sequence[int]
) -> Hands:
    """Return what has the ``parts`` of a scanned job written by ``crew``; each has so many ``rows``."""

    def write(_: Results, wish: PartWish, advance: Advance) -> Iterator[WrittenPart]:
        write_private(job.out / "standing", msgspec.msgpack.encode(Stood.of(standing)))
        pieces = _pieces(job, parts, rows, secret, wish)
        for count in _written_by(crew, duty, job, parts, pieces):
            advance(count)
        yield from _whole(job, pieces)

    return write


def can_be_at_once(parts: Sequence[Part]) -> bool:
    """Whether rows of ``parts`` can be examined and written in one pass: they are tables, and nothing but rows."""
    return all(isinstance(part, ParquetPart) and not part.holds_files for part in parts)


def write_at_once(
    crew: Crew,
    duty: Duty,
    job: Job,
    parts: Sequence[Part],
    licences: dict[bytes, set[str]],
    secret: bytes,
    wish: PartWish,
    index: Index,
    advance: Advance,
) -> tuple[Standing, Shopping, Hands]:
    """Return once all ``parts`` are examined, decided and written: what stands, what has to be licensed, and the hands
    that give what was written to `Results.write`.

    What an interrupted run wrote in full stays, where it would be written the same again. ``advance`` is told of each
    row twice, as where rows are examined and written apart.
    """
    rows = [part.rows or 0 for part in parts]
    standing = Standing(licences)
    while True:
        _out_of(job, secret, standing, wish)
        pieces = _pieces(job, parts, rows, secret, wish, at_once=True)
        for count in _written_by(crew, duty, job, parts, pieces):
            advance(2 * count)
        counting, shopping = Concentration(duty.question), Shopping(index, standing.style, None)
        for each in _whole(job, pieces):
            assert each.found is not None
            counting.join(each.found.counted)
            shopping.join(each.found.gathered)
        if standing.style or not counting.accounts():
            break
        standing = Standing(licences, counting.accounts())
    return standing, shopping, lambda *_: _whole(job, pieces)


def _pieces(
    job: Job, parts: Sequence[Part], rows: Sequence[int], secret: bytes, wish: PartWish, *, at_once: bool = False
) -> list[Writing]:
    """Return what is to be written, in the order of rows; each of ``parts`` has so many ``rows``."""
    return [
        Writing(number, stretch, before + (0 if stretch is None else stretch.row), job.out.name, secret, wish, at_once)
        for number, (part, before) in enumerate(zip(parts, accumulate(rows, initial=0), strict=False))
        for stretch in _stretches(part)
    ]


def _stretches(part: Part) -> Sequence[Stretch | None]:
    """Return the stretches that a part is written in; None for one that is written as it is."""
    found = part.stretches() if isinstance(part, ParquetPart) else []
    return found if len(found) > 1 else [None]


def _written_by(crew: Crew, duty: Duty, job: Job, parts: Sequence[Part], pieces: Sequence[Writing]) -> Iterator[int]:
    """Have everything written; yield how many rows each piece has, as they are done."""
    stretches = [(piece.part, piece.stretch) for piece in pieces if piece.stretch is not None]
    with Joining(Outputs(job, parts), stretches) as joining:
        for done in each_taken(crew, Worker(duty), pieces):
            if done.stretch is not None:
                joining.written(done.part, done.stretch)
            yield done.rows


def _whole(job: Job, pieces: Sequence[Writing]) -> Iterator[WrittenPart]:
    for piece in pieces:
        yield msgspec.msgpack.decode(piece.written(job).read_bytes(), type=WrittenPart)


def _out_of(job: Job, secret: bytes, standing: Standing, wish: PartWish) -> None:
    """Give ``job`` the folder for what is written so, with what is in it, and no other."""
    stood = msgspec.msgpack.encode(Stood.of(standing))
    named = sha256(b"".join([_FORM, secret, sha256(stood).digest(), msgspec.msgpack.encode(wish, order="sorted")]))
    job.out = job.folder / f"out-{named.hexdigest()[:32]}"
    for old in job.folder.glob("out*"):
        if old != job.out:
            shutil.rmtree(old, ignore_errors=True)
    job.out.mkdir(exist_ok=True)
    write_private(job.out / "standing", stood)


def fresh_out(job: Job) -> None:
    """Give ``job`` a new folder for its results: whoever was thought lost and is not writes into another one."""
    for old in job.folder.glob("out*"):
        shutil.rmtree(old, ignore_errors=True)
    job.out = job.folder / f"out-{new_uuid().hex}"


def _spans(number: int, part: Part) -> Iterator[Span]:
    if part.steps is None:
        yield Span(number)
        return
    for first in range(0, part.steps, SPAN):
        yield Span(number, first, min(SPAN, part.steps - first))
