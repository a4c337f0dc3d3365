"""What a part of the input is, whatever its form: rows in batches, and the kept ones written in the same form.

The columns of a batch are ours: ``url sha256 iscc path image pdq text key``, those that are there (see ``columns``).
A form that finds out itself that a row is none says so in ``problem`` (a code of ``PROBLEMS``); one whose rows are kept
or dropped together numbers them in ``sample``. Each batch carries what it was read from (see ``seals``), the same in
both passes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet.datasets.forms.files import Base

Mask = npt.NDArray[np.bool_]
#: Yields each batch by its names, and is sent which of its rows are kept.
Copying = Generator[pa.RecordBatch, Mask, None]
#: What was wrong with a row, by code; 0 for nothing.
PROBLEMS: Final = (None, "unreadable", "malformed", "timeout")
UNREADABLE, MALFORMED, TIMEOUT = 1, 2, 3
_MOST_REMARKS: Final = 5


class Remarks:
    """What was wrong with single rows, in words: the first few, and how many in all."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._count = 0

    def add(self, text: str) -> None:
        """Take one more."""
        self._count += 1
        if len(self._first) < _MOST_REMARKS:
            self._first.append(text)

    def __iter__(self) -> Iterator[str]:
        yield from self._first
        if self._count > len(self._first):
            yield f"and {self._count - len(self._first):,} more rows like these"


class Stretch(NamedTuple):
    """Rows of a part that follow one another: of its batches those from number ``first`` on, so many ``batches``, and
    of its rows those from number ``row`` on, so many ``rows``."""

    first: int = 0
    batches: int = 0
    row: int = 0
    rows: int = 0

    @property
    def name(self) -> str:
        """What a file that has to do with these rows may be called; of a part, names are in the order of rows."""
        return f"{self.first:07d}-{self.batches}"


class Part(Protocol):
    """One piece of the input. Its batches are the same whenever it is read: same rows, same order, same sizes."""

    name: str
    holds_files: bool
    bundle: bool  # written as several files: into the folder that its target names
    bound: bool  # rows that follow one another under one key are kept or dropped together
    remarks: Remarks

    @property
    def base(self) -> Base:
        """Where the paths in its rows start."""

    @property
    def place(self) -> Path | None:
        """Where it lies on this machine, if it does."""

    @property
    def rows(self) -> int | None:
        """How many rows there are, or about how many, for whoever waits; None where that takes reading it."""

    @property
    def steps(self) -> int | None:
        """How many batches there are, where others can begin in the middle of them; None where they cannot."""

    def stamp(self) -> dict[str, Any]:
        """Return what tells this input from a changed one, cheaply."""

    def batches(self, skip: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield the rows without the first ``skip`` batches."""

    def write(self, target: Path | None) -> Copying:
        """Yield the batches once more, of ``url path key`` alone; be sent a mask for each, and write the kept rows to
        ``target`` (None: nowhere). ``remarks`` are those of this pass."""

    def digest(self, digests: Iterable[bytes | None]) -> str:
        """Return the digest of the content that was copied last, given the SHA-256 of each row's file."""
