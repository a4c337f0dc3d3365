"""The results of a job while it is at work: where they lie in its folder, and how they come there, whole.

What is written of a stretch of a part's rows is a file of its own until all stretches of the part are. Then it is a
part's, its rows put end to end in their order.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import Final, NamedTuple

from licet.datasets.filtering.job import Job
from licet.datasets.forms.parts import Part, Stretch
from licet.datasets.results.parquet import Joined
from licet.datasets.results.rows import PART_ENDING


class Files(NamedTuple):
    """Where the kept rows of a part lie, and its decisions."""

    data: Path
    decisions: Path


class Outputs:
    """Where the results of a job lie until they are moved to their places."""

    def __init__(self, job: Job, parts: Sequence[Part]) -> None:
        self.data: Final = job.out / "data"
        self.decisions: Final = job.out / "decisions.parquet"
        self.credits: Final = job.out / "credits.jsonl"
        self._job = job
        self._parts = parts

    def of(self, number: int, stretch: Stretch | None = None) -> Files:
        """Return where a part's results lie, or those of a stretch of its rows."""
        part = self._parts[number]
        if stretch is not None:
            folder = self._job.out / "stretches" / f"{number:05d}"
            return Files(folder / f"{stretch.name}.data", folder / f"{stretch.name}.decisions")
        alone = len(self._parts) == 1
        return Files(
            self.data if alone and not part.bundle else self.data / part.name,
            self.decisions if alone else self.decisions / f"{part.name}{PART_ENDING}",
        )

    @contextmanager
    def attempt(self, files: Files, *, data: bool = True) -> Iterator[Files]:
        """Give places for ``files``, which are put into theirs once whatever is done here is done: so that two at the
        same part, one of whom was thought to be lost, do no harm."""
        with tempfile.TemporaryDirectory(dir=_made(self._job.folder / "attempts")) as name:
            attempt = Files(Path(name) / "data" / files.data.name, Path(name) / "decisions")
            _made(attempt.data.parent)
            yield attempt
            if data:
                for each in sorted(attempt.data.parent.iterdir()):  # a part may be several files
                    _put(each, _made(files.data.parent) / each.name)
            _put(attempt.decisions, _made(files.decisions.parent) / files.decisions.name)


class Joining:
    """Puts what is written of the stretches of parts end to end, in a thread of its own, while others are written."""

    def __init__(self, outputs: Outputs, stretches: Sequence[tuple[int, Stretch]]) -> None:
        """``stretches`` are those of all parts that have some, each with the number of its part, in their order."""
        self._outputs = outputs
        self._stretches = stretches
        self._told: Queue[tuple[int, Stretch] | None] = Queue()
        self._written: set[tuple[int, Stretch]] = set()
        self._pool = ThreadPoolExecutor(1, "licet-joining")
        self._joined = self._pool.submit(self._join)

    def written(self, number: int, stretch: Stretch) -> None:
        """Tell that a stretch of a part is written; raises what went wrong with those before."""
        self._told.put((number, stretch))
        if self._joined.done():
            self._joined.result()

    def _join(self) -> None:
        for number, stretches in groupby(self._stretches, itemgetter(0)):
            target = self._outputs.of(number)
            if target.decisions.exists():  # an earlier run has put this part together
                continue
            with (
                self._outputs.attempt(target) as attempt,
                Joined(attempt.data) as data,
                Joined(attempt.decisions) as decisions,
            ):
                for each in stretches:
                    self._wait_for(each)
                    there = self._outputs.of(*each)
                    data.append(there.data)
                    decisions.append(there.decisions)
            shutil.rmtree(there.data.parent)

    def _wait_for(self, stretch: tuple[int, Stretch]) -> None:
        while stretch not in self._written:
            told = self._told.get()
            if told is None:
                raise CancelledError
            self._written.add(told)

    def __enter__(self) -> Joining:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        with self._pool:
            if kind is None:
                self._joined.result()
            else:
                self._told.put(None)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _put(made: Path, target: Path) -> None:
    """Give what is whole its name; what an earlier hand put there, the same or less, makes way."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    made.replace(target)
