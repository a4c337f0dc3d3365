"""The long part of a job: every batch examined once, looked up once, and kept; and reading it again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow as pa

from licet.datasets.examining.asking import Asker, Parts
from licet.datasets.examining.deciding import Question, Standing, Verdicts, decide_rows
from licet.datasets.examining.evidence import Evidence
from licet.datasets.examining.fingerprinting import examine
from licet.datasets.filtering.job import Job
from licet.datasets.forms.parts import Part, Stretch
from licet.fingerprints.bounded import close_all
from licet.index.lookup import Index, Matches
from licet.statements.kinds import Asked

if TYPE_CHECKING:
    from licet.datasets.examining.signalling import SignalReader

Advance = Callable[[int], None]
_MOST_THREADS: Final = 16


class Span(NamedTuple):
    """Batches of a part: ``batches`` of them from number ``first`` on, or all that follow."""

    part: int
    first: int = 0
    batches: int | None = None


class Known(NamedTuple):
    """One batch of a part: its number, the number of its first row, what its rows are, and what the index found.

    Of its evidence the addresses are left out: they are asked by before, and nothing else is decided by them."""

    part: int
    batch: int
    first: int
    evidence: Evidence
    matches: Matches


def scan(
    job: Job,
    parts: Sequence[Part],
    index: Index,
    question: Question,
    advance: Advance,
    threads: int | None = None,
    asker: Asker | None = None,
    signals: SignalReader | None = None,
) -> None:
    """Return once every batch of ``parts`` is examined and looked up; what an earlier run did is not done again.

    Memory holds one batch and the pictures that are being read; ``threads`` (default: the processors, at most 16)
    changes nothing but the time.
    """
    with readers(threads) as pool:
        for number, part in enumerate(parts):
            scan_span(job, Span(number), part, index, question, advance, pool, asker, signals)


@contextmanager
def readers(threads: int | None) -> Iterator[ThreadPoolExecutor]:
    """Give the threads that pictures are read in; after an error nobody waits for what they are at."""
    with ThreadPoolExecutor(threads or min(os.cpu_count() or 1, _MOST_THREADS)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            close_all()  # nobody waits for the pictures that are being decoded
            raise


def scan_span(
    job: Job,
    span: Span,
    part: Part,
    index: Index,
    question: Question,
    advance: Advance,
    pool: ThreadPoolExecutor,
    asker: Asker | None = None,
    signals: SignalReader | None = None,
) -> None:
    """Return once every batch of ``span`` is examined and looked up; what is there already is not done again."""
    number, done = span.part, span.first
    end = None if span.batches is None else span.first + span.batches
    while done != end and (evidence := job.evidence(number, done)) is not None:
        if evidence.blind and index.sites and job.matches(number, done) is None:
            break  # under this snapshot addresses are asked by, which were left out under another
        _look_up(job, number, done, index, question, evidence)
        advance(len(evidence))
        done += 1
    batches = islice(part.batches(done), None if end is None else end - done)
    # Pictures are large: of them no second batch is read while one is examined.
    for batch, rows in enumerate(batches if part.holds_files else _ahead(batches), done):
        told = _Told(advance)
        evidence = examine(
            rows, part.base, pool, iscc=question.tiers == "near", asker=asker, signals=signals, advance=told
        )
        if job.first is not None:
            job.keep_places(number, batch, job.first.places(rows))
        addresses = index.sites or signals is not None or part.holds_files  # rows of pictures are not read twice
        job.keep_evidence(number, batch, evidence, addresses=addresses)
        _look_up(job, number, batch, index, question, evidence)
        advance(len(rows) - told.rows)


class _Told:
    """Passes on of how many rows it is told, and counts them."""

    def __init__(self, advance: Advance) -> None:
        self._advance = advance
        self.rows = 0

    def __call__(self, rows: int) -> None:
        self.rows += rows
        self._advance(rows)


def _ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield ``batches``, each read while the one before it is at work."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


def _look_up(job: Job, part: int, batch: int, index: Index, question: Question, evidence: Evidence) -> None:
    if job.matches(part, batch) is None:
        job.keep_matches(part, batch, index.lookup(evidence.keys(), question.tiers))


def asked_of(job: Job, parts: Iterable[int]) -> Asked | None:
    """Return how many pictures of a scanned job the service was asked about, and of which log sizes it answered."""
    pictures, sizes = 0, []
    for part in parts:
        for each in known(job, part):
            if each.evidence.parts is not None:
                told = Parts.read(each.evidence.parts, len(each.evidence))
                pictures += int(told.asked.sum())
                sizes += [int(told.log.min()), int(told.log.max())] if len(told.log) else []
    return Asked(pictures, min(sizes), max(sizes)) if sizes else None


def known(job: Job, part: int, stretch: Stretch | None = None) -> Iterator[Known]:
    """Yield what `scan` found out about one part, or a stretch of it, batch by batch, in the order of rows."""
    batch, first = (0, 0) if stretch is None else (stretch.first, stretch.row)
    end = None if stretch is None else stretch.first + stretch.batches
    while batch != end and (evidence := job.evidence(part, batch, addresses=False)) is not None:
        matches = job.matches(part, batch)
        assert matches is not None
        yield Known(part, batch, first, evidence, matches)
        first += len(evidence)
        batch += 1


def verdicts(
    job: Job,
    parts: Sequence[int],
    index: Index,
    question: Question,
    standing: Standing,
    stretch: Stretch | None = None,
) -> Iterator[tuple[Known, Verdicts]]:
    """Yield each batch of ``parts`` (their numbers), or of a ``stretch`` of theirs, with its verdicts under
    ``standing``; looks nothing up again."""
    for part in parts:
        for each in known(job, part, stretch):
            floor = None if job.first is None else job.first.floor(job.places(part, each.batch))
            yield each, decide_rows(index, each.evidence, question, standing, each.matches, floor)
