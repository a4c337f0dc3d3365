"""A job done by many: pieces of it given to workers on any machine, which all see the job's folder and the input.

A piece is a span of batches to examine, or a part to write, or both at once (`licet.datasets.filtering.at_once`). What
it comes to lies in the job's folder, under the same names as if one machine had done it all, and each file appears
there only once it is whole; so a piece may be done twice, by two workers at once, or begun by one that is lost, and
there is still each row once. Which rows there are, and their order, is the input's: parts by name, rows in each. Who
was done first changes nothing.

Workers decide from the pinned snapshot. They hold no token and no key; of the secret that salts the rows of this one
job they are told, because they hash them.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from licet.client.snapshots import Pin
from licet.datasets.examining.concentration import Concentration
from licet.datasets.examining.deciding import Question, Standing
from licet.datasets.examining.pinned import basis_of
from licet.datasets.filtering.job import Job
from licet.datasets.filtering.scanning import Span, readers, scan_span
from licet.datasets.filtering.writing import Advance, Hands, PartWish, Results, WrittenPart
from licet.datasets.forms.opening import Input, open_input
from licet.datasets.forms.parquet import ParquetPart
from licet.datasets.forms.parts import Part
from licet.datasets.licensing.wanted import Shopping
from licet.datasets.workers.crew import Crew, answer, each_taken
from licet.errors import InputError, LicetError
from licet.home import write_private
from licet.identifiers import new_uuid
from licet.index.lookup import Index

SPAN: Final = 32  # batches: two million addresses, or eight thousand pictures
_FORM: Final = b"2"  # of what a part came to: another version may have left some


@dataclass(frozen=True, slots=True)
class Duty:
    """What all pieces of a job have in common."""

    pin: Pin
    folder: str  # of the job
    job: str  # its nonce
    given: list[str]
    mapping: dict[str, str]
    inputs: list[dict[str, Any]]
    question: Question
    threads: int | None


class Writing(NamedTuple):
    """A part to write, into ``out`` in the job's folder; ``first`` rows are before it in others."""

    part: int
    first: int
    out: str
    secret: bytes
    wish: PartWish
    at_once: bool = False  # it is not examined yet


class Stood(msgspec.Struct, frozen=True):
    """A standing as it is kept for those who write."""

    licences: list[tuple[bytes, list[str]]]
    style: list[bytes]
    refused: list[tuple[bytes, str]] | None


def scan_by(crew: Crew, duty: Duty, parts: Sequence[Part], advance: Advance) -> list[int]:
    """Return how many rows each of ``parts`` has, once all of them are examined and looked up."""
    spans = [span for number, part in enumerate(parts) for span in _spans(number, part)]
    rows = [0] * len(parts)
    for number, count in each_taken(crew, Worker(duty), spans):
        rows[number] += count
        advance(count)
    return rows


def hands(crew: Crew, duty: Duty, job: Job, standing: Standing, secret: bytes, rows: Sequence[int]) -> Hands:
    """Return what has the parts of a scanned job written by ``crew``; each has so many ``rows``."""

    def write(results: Results, wish: PartWish, advance: Advance) -> Iterator[WrittenPart]:
        write_private(job.out / "standing", _stood(standing))
        for count in _written_by(crew, duty, job, secret, wish, rows):
            advance(count)
        yield from _whole(job, len(rows))

    return write


def can_be_at_once(parts: Sequence[Part]) -> bool:
    """Whether it is worth to have each part read once, as one piece: they are tables of no more rows than are examined
    in one piece, and nothing but rows."""
    return len(parts) > 1 and all(
        isinstance(part, ParquetPart) and not part.holds_files and part.steps <= SPAN for part in parts
    )


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
        for count in _written_by(crew, duty, job, secret, wish, rows, at_once=True):
            advance(2 * count)
        counting, shopping = Concentration(duty.question), Shopping(index, standing.style, None)
        for each in _whole(job, len(rows)):
            assert each.found is not None
            counting.join(each.found.counted)
            shopping.join(each.found.gathered)
        if standing.style or not counting.accounts():
            return standing, shopping, lambda *_: _whole(job, len(rows))
        standing = Standing(licences, counting.accounts())


def _stood(standing: Standing) -> bytes:
    stood = Stood(
        [(work, sorted(ids)) for work, ids in sorted(standing.licences.items())],
        sorted(standing.style),
        None if standing.refused is None else list(standing.refused.items()),
    )
    return msgspec.msgpack.encode(stood)


def _written_by(
    crew: Crew, duty: Duty, job: Job, secret: bytes, wish: PartWish, rows: Sequence[int], *, at_once: bool = False
) -> Iterator[int]:
    """Have all parts written; yield how many rows each has, as they are done."""
    before = [0, *accumulate(rows)]
    pieces = [Writing(number, before[number], job.out.name, secret, wish, at_once) for number in range(len(rows))]
    for _, count in each_taken(crew, Worker(duty), pieces):
        yield count


def _whole(job: Job, parts: int) -> Iterator[WrittenPart]:
    for number in range(parts):
        yield msgspec.msgpack.decode(_written(job, number).read_bytes(), type=WrittenPart)


def _out_of(job: Job, secret: bytes, standing: Standing, wish: PartWish) -> None:
    """Give ``job`` the folder for what is written so, with what is in it, and no other."""
    stood = _stood(standing)
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


class Worker:
    """Does pieces of one job, in whichever process it finds itself."""

    def __init__(self, duty: Duty) -> None:
        self._duty = duty

    def ready(self) -> None:
        """Open what every piece needs, where many workers are made of one process; what is wrong, each piece says."""
        with suppress(LicetError, OSError):
            _room(self._duty)

    def __call__(self, piece: bytes) -> bytes:
        """Return the number of the part and how many of its rows were done, or one of our errors; pickled."""
        return answer(self._do, piece, self._duty.folder)

    def _do(self, piece: Span | Writing) -> tuple[int, int]:
        room = _room(self._duty)
        part = room.part(piece.part)
        question = self._duty.question
        if isinstance(piece, Writing):
            return piece.part, _write(room, self._duty, piece)
        count = 0

        def counted(rows: int) -> None:
            nonlocal count
            count += rows

        with readers(self._duty.threads) as pool:
            scan_span(Job(room.folder), piece, part, room.index, question, counted, pool)
        return piece.part, count


class _Room:
    """What a process has opened of a job."""

    def __init__(self, duty: Duty) -> None:
        self.folder: Final = Path(duty.folder)
        self.index: Final[Index] = basis_of(duty.pin).index
        self.opened: Final[Input] = open_input(duty.given, duty.mapping)
        self._inputs = duty.inputs
        if not (self.folder / "job.json").is_file():
            raise InputError(f"{self.folder}: expected the job's folder, which every worker has to see, got none")

    def part(self, number: int) -> Part:
        """Return a part, as the job began with it; raises ``InputError`` where what is here is another."""
        wanted = self._inputs[number]
        part = self.opened.parts[number] if len(self.opened.parts) == len(self._inputs) else None
        if part is None or part.stamp() != wanted:
            raise InputError(
                f"input: expected {wanted.get('name')} as it was when the job began, got another one here;"
                " all workers must see the very same files"
            )
        return part


_LOCK: Final = threading.Lock()
_ROOMS: Final[dict[str, _Room]] = {}


def _room(duty: Duty) -> _Room:
    with _LOCK:
        found = _ROOMS.get(duty.job)
        if found is None:
            _ROOMS.clear()  # a process serves one job after the other
            found = _ROOMS[duty.job] = _Room(duty)
        return found


def _write(room: _Room, duty: Duty, piece: Writing) -> int:
    job = Job(room.folder)
    job.out = room.folder / piece.out
    path = _written(job, piece.part)
    if path.exists():  # another was here before
        return msgspec.msgpack.decode(path.read_bytes(), type=WrittenPart).rows
    stood = msgspec.msgpack.decode((job.out / "standing").read_bytes(), type=Stood)
    standing = Standing(
        {work: set(ids) for work, ids in stood.licences},
        frozenset(stood.style),
        None if stood.refused is None else dict(stood.refused),
    )
    results = Results(job, room.opened.parts, room.index, duty.question, standing, piece.secret)
    done = results.write_part(piece.part, piece.first, piece.wish, lambda _: None, at_once=piece.at_once)
    write_private(path, msgspec.msgpack.encode(done))
    return done.rows


def _written(job: Job, number: int) -> Path:
    return job.out / "written" / f"{number:05d}"


def _spans(number: int, part: Part) -> Iterator[Span]:
    if part.steps is None:
        yield Span(number)
        return
    for first in range(0, part.steps, SPAN):
        yield Span(number, first, min(SPAN, part.steps - first))
