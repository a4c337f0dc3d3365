"""A worker of a job: what it is given to do, what it opens, and what it hands back."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from licet.client.snapshots import Pin
from licet.datasets.examining.deciding import Question, Standing
from licet.datasets.examining.pinned import basis_of
from licet.datasets.filtering.job import Job
from licet.datasets.filtering.scanning import Span, readers, scan_span
from licet.datasets.filtering.writing import Results
from licet.datasets.filtering.written import PartWish, WrittenPart
from licet.datasets.forms.opening import Input, open_input
from licet.datasets.forms.parts import Part, Stretch
from licet.datasets.workers.crew import answer
from licet.errors import InputError, LicetError
from licet.home import write_private
from licet.index.lookup import Index


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
    """A part to write, or a stretch of its rows, into ``out`` in the job's folder; ``first`` rows are before it, in
    this part and in others."""

    part: int
    stretch: Stretch | None
    first: int
    out: str
    secret: bytes
    wish: PartWish
    at_once: bool = False  # it is not examined yet

    def written(self, job: Job) -> Path:
        """Return where is kept what it came to, once all of it is written."""
        name = f"{self.part:05d}" if self.stretch is None else f"{self.part:05d}-{self.stretch.name}"
        return job.out / "written" / name


class Stood(msgspec.Struct, frozen=True):
    """A standing as it is kept for those who write."""

    licences: list[tuple[bytes, list[str]]]
    style: list[bytes]
    refused: list[tuple[bytes, str]] | None

    @classmethod
    def of(cls, standing: Standing) -> Stood:
        """Return a standing, in an order that is always the same."""
        return cls(
            [(work, sorted(ids)) for work, ids in sorted(standing.licences.items())],
            sorted(standing.style),
            None if standing.refused is None else list(standing.refused.items()),
        )

    @property
    def standing(self) -> Standing:
        """The standing."""
        return Standing(
            {work: set(ids) for work, ids in self.licences},
            frozenset(self.style),
            None if self.refused is None else dict(self.refused),
        )


class Done(NamedTuple):
    """A piece that is done, and how many rows that were."""

    part: int
    stretch: Stretch | None
    rows: int


class Worker:
    """Does pieces of one job, in whichever process it finds itself."""

    def __init__(self, duty: Duty) -> None:
        self._duty = duty

    def ready(self) -> None:
        """Open what every piece needs, where many workers are made of one process; what is wrong, each piece says."""
        with suppress(LicetError, OSError):
            _room(self._duty)

    def __call__(self, piece: bytes) -> bytes:
        """Return what was `Done`, or one of our errors; pickled."""
        return answer(self._do, piece, self._duty.folder)

    def _do(self, piece: Span | Writing) -> Done:
        room = _room(self._duty)
        part = room.part(piece.part)
        if isinstance(piece, Writing):
            return Done(piece.part, piece.stretch, _write(room, self._duty.question, piece))
        count = 0

        def counted(rows: int) -> None:
            nonlocal count
            count += rows

        with readers(self._duty.threads) as pool:
            scan_span(Job(room.folder), piece, part, room.index, self._duty.question, counted, pool)
        return Done(piece.part, None, count)


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


def _write(room: _Room, question: Question, piece: Writing) -> int:
    job = Job(room.folder)
    job.out = room.folder / piece.out
    path = piece.written(job)
    if path.exists():  # another was here before
        return msgspec.msgpack.decode(path.read_bytes(), type=WrittenPart).rows
    standing = msgspec.msgpack.decode((job.out / "standing").read_bytes(), type=Stood).standing
    results = Results(job, room.opened.parts, room.index, question, standing, piece.secret)
    done = results.write_part(
        piece.part, piece.first, piece.wish, lambda _: None, at_once=piece.at_once, stretch=piece.stretch
    )
    write_private(path, msgspec.msgpack.encode(done))
    return done.rows
