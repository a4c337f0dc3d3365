"""The results of a job: decision rows, kept rows, credits, and the figures that the manifest states.

A part, or a stretch of it, is written by one hand, wherever that is; what it came to (`WrittenPart`) is enough to put
the job's figures and roots together.
"""

from __future__ import annotations

import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet import identifiers
from licet.datasets.examining.deciding import Question, Standing, Verdicts
from licet.datasets.filtering.at_once import AtOnce, Deciding
from licet.datasets.filtering.job import Job
from licet.datasets.filtering.outputs import Outputs
from licet.datasets.filtering.scanning import Known, known, verdicts
from licet.datasets.filtering.written import PartWish, Written, WrittenPart, together
from licet.datasets.forms.parquet import ParquetPart
from licet.datasets.forms.parts import Copying, Part, Stretch
from licet.datasets.forms.seals import changed, seal_of
from licet.datasets.results.parquet import Writer
from licet.datasets.results.rows import decision_rows, decisions_writer
from licet.decisions import VERDICTS
from licet.decisions.roots import PieceBuilder
from licet.decisions.rows import both_hashes
from licet.index.lookup import Index

Advance = Callable[[int], None]
#: Has every part written by somebody else, and yields them in their order.
Hands = Callable[["Results", PartWish, Advance], Iterator[WrittenPart]]
_GROUP: Final = 65_536
_MOST_WAITING: Final = 2
_REVIEW: Final = VERDICTS.index("review")


class Results:
    """Writes the results of one job into its folder, from where its ``outputs`` are moved."""

    def __init__(
        self, job: Job, parts: Sequence[Part], index: Index, question: Question, standing: Standing, secret: bytes
    ) -> None:
        """``secret`` salts the leaves of the rows' second root."""
        self.outputs: Final = Outputs(job, parts)
        self._job = job
        self._parts = parts
        self._index = index
        self._question = question
        self._standing = standing
        self._secret = secret

    def write(
        self,
        about: dict[str, Any],
        advance: Advance,
        *,
        only_matched: bool = False,
        with_data: bool = True,
        hands: Hands | None = None,
    ) -> Written:
        """Write everything anew and return what it is; ``about`` is what the decisions file says of itself.

        ``only_matched`` leaves out of that file (not of its root) the rows that nothing matches. With ``hands`` the
        parts are written by others, each with a `write_part` of its own. Raises ``InputError`` if the input is not the
        one that was examined.
        """
        if hands is None:
            shutil.rmtree(self._job.out, ignore_errors=True)
        self._job.out.mkdir(parents=True, exist_ok=True)
        wish = PartWish(about=about, only_matched=only_matched, with_data=with_data)
        written = together(self._here(wish, advance) if hands is None else hands(self, wish, advance))
        if written.credits:
            lines = [msgspec.json.encode(written.credits[work]) + b"\n" for work in sorted(written.credits)]
            self.outputs.credits.write_bytes(b"".join(lines))
        return written

    def write_part(
        self,
        number: int,
        first: int,
        wish: PartWish,
        advance: Advance,
        *,
        at_once: bool = False,
        stretch: Stretch | None = None,
    ) -> WrittenPart:
        """Write one part, or a ``stretch`` of its rows, and return what it came to; ``first`` rows are before it, here
        and in other parts.

        ``at_once``: it was not examined before.
        """
        part, tally = self._parts[number], _Tally()
        deciding = AtOnce(number, part.base, self._index, self._question, self._standing) if at_once else None
        about = msgspec.json.encode(wish.about, order="sorted")
        root, salted = PieceBuilder(first), PieceBuilder(first)
        with self.outputs.attempt(self.outputs.of(number, stretch), data=wish.with_data) as attempt:
            with decisions_writer(attempt.decisions, about) as writer:
                rows = _Rows(writer, root, salted, self._secret, only_matched=wish.only_matched)
                data = attempt.data if wish.with_data else None
                if deciding is None:
                    self._copy(number, stretch, rows, tally, data, advance)
                else:
                    self._copy_deciding(deciding, number, stretch, rows, tally, data, advance)
                rows.flush()
            if stretch is not None and rows.rows != stretch.rows:
                raise changed(part.name)
            digest = part.digest(self._digests(number)) if stretch is None or not stretch.first else None
        return WrittenPart(
            name=part.name,
            rows=rows.rows,
            kept=rows.kept,
            source_digest=digest,
            counts=tally.counts.tolist(),
            reasons=[(verdict, reason, count) for (verdict, reason), count in tally.reasons.items()],
            licences=sorted(tally.licences),
            credits=tally.credits,
            remarks=list(part.remarks),
            plain=root.piece,
            salted=salted.piece,
            found=None if deciding is None else deciding.found,
        )

    def _here(self, wish: PartWish, advance: Advance) -> Iterator[WrittenPart]:
        first = 0
        for number in range(len(self._parts)):
            done = self.write_part(number, first, wish, advance)
            first += done.rows
            yield done

    def _copy(
        self,
        number: int,
        stretch: Stretch | None,
        rows: _Rows,
        tally: _Tally,
        target: Path | None,
        advance: Advance,
    ) -> None:
        """Write the decisions of one part, or of a stretch of it, and what is kept of it to ``target``."""
        part = self._parts[number]
        with closing(_copying(part, target, stretch)) as copying, _Beside() as beside:
            batch = next(copying, None)
            for each, decided in verdicts(self._job, [number], self._index, self._question, self._standing, stretch):
                if batch is None or len(batch) != len(decided):
                    raise changed(part.name)
                if target is not None and seal_of(batch) != each.evidence.seal:
                    raise changed(part.name)
                beside.call(self._add, rows, batch, part, each, decided)
                tally.count(decided)
                advance(len(decided))
                try:
                    batch = copying.send(decided.kept)
                except StopIteration:
                    batch = None
            if batch is not None:
                raise changed(part.name)

    def _copy_deciding(
        self,
        deciding: Deciding,
        number: int,
        stretch: Stretch | None,
        rows: _Rows,
        tally: _Tally,
        target: Path | None,
        advance: Advance,
    ) -> None:
        """Do what `_copy` does, deciding each batch once it is read."""
        part = self._parts[number]
        assert isinstance(part, ParquetPart)
        assert target is not None
        with closing(part.copy(target, stretch)) as copying, _Beside() as beside:
            batch, place, first = next(copying, None), 0, 0 if stretch is None else stretch.row
            while batch is not None:
                each, decided = deciding(batch, place, first)
                beside.call(self._add, rows, batch, part, each, decided)
                tally.count(decided)
                advance(len(decided))
                place, first = place + 1, first + len(decided)
                try:
                    batch = copying.send(decided.kept)
                except StopIteration:
                    batch = None

    def _add(self, rows: _Rows, batch: pa.RecordBatch, part: Part, each: Known, decided: Verdicts) -> None:
        listed = decision_rows(batch, part.name, each.first, self._index, each.evidence, self._question, decided)
        rows.add(listed, decided, each.evidence.sample)

    def _digests(self, number: int) -> Iterator[bytes | None]:
        for each in known(self._job, number):
            table, mask = each.evidence.sha256
            for digest, there in zip(table, mask.tolist(), strict=True):
                yield digest.tobytes() if there else None


class _Tally:
    """Counts what the rows of one part came to."""

    def __init__(self) -> None:
        self.counts = np.zeros(len(VERDICTS), np.int64)
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.licences: set[str] = set()
        self.credits: dict[str, dict[str, Any]] = {}

    def count(self, decided: Verdicts) -> None:
        """Count the rows of one batch, the licences that they are kept under, and who is to be credited."""
        self.counts += np.bincount(decided.verdict, minlength=len(VERDICTS))
        out = ~decided.kept
        codes = decided.verdict[out].astype(np.int64) * len(decided.reasons) + decided.reason[out]
        for code, count in zip(*np.unique(codes, return_counts=True), strict=True):
            verdict, reason = divmod(int(code), len(decided.reasons))
            self.reasons[VERDICTS[verdict], decided.reasons[reason]] += int(count)
        answers = decided.answers
        shown = decided.kept[answers.matches.row] & answers.counts
        for number in np.unique(answers.decision[shown & answers.payable]).tolist():
            licence = answers.decisions[number].licence
            if licence is not None:
                self.licences.add(licence)
        credited = np.array([each.attribution is not None for each in answers.decisions], np.bool_)
        if credited.any():
            for place in np.flatnonzero(shown & credited[answers.decision]).tolist():
                self._credit(decided, place)

    def _credit(self, decided: Verdicts, place: int) -> None:
        answers = decided.answers
        decision = answers.decisions[answers.decision[place]]
        work = identifiers.from_uuid("wrk", UUID(bytes=answers.works.work[place].tobytes()))
        self.credits[work] = {"work": work, "licence": decision.licence, **(decision.attribution or {})}


class _Beside:
    """Calls made in their order by one thread, while the caller reads and writes rows; at most two wait."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[Future[None]] = deque()

    def call(self, what: Callable[..., None], *arguments: Any) -> None:
        """Have this called; raises what an earlier call raised."""
        if len(self._waiting) == _MOST_WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(what, *arguments))

    def __enter__(self) -> _Beside:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            while kind is None and self._waiting:
                self._waiting.popleft().result()
        finally:
            self._thread.shutdown(cancel_futures=True)


class _Rows:
    """The decision rows of one part, gathered into row groups, hashed in their order."""

    def __init__(
        self, writer: Writer, root: PieceBuilder, salted: PieceBuilder, secret: bytes, *, only_matched: bool
    ) -> None:
        self.rows = 0
        self.kept = 0
        self._writer = writer
        self._root, self._salted, self._secret = root, salted, secret
        self._only_matched = only_matched
        self._waiting: list[pa.RecordBatch] = []
        self._shown: list[npt.NDArray[np.bool_]] = []
        self._count = 0

    def add(self, batch: pa.RecordBatch, decided: Verdicts, sample: npt.NDArray[np.int32] | None) -> None:
        """Take the rows of the next batch; what is listed of a sample is listed of all of it."""
        self.rows += len(batch)
        self.kept += int(decided.kept.sum())
        self._waiting.append(batch)
        if self._only_matched:
            shown = decided.verdict >= _REVIEW
            shown[decided.answers.matches.row] = True
            if sample is not None:
                shown |= np.isin(sample, sample[shown])
            self._shown.append(shown)
        self._count += len(batch)
        if self._count >= _GROUP:
            self.flush()

    def flush(self) -> None:
        """Hash and write what is waiting."""
        if not self._waiting:
            return
        table = pa.Table.from_batches(self._waiting)
        plain, salted = both_hashes(self._secret, table)
        self._root.add(plain)
        self._salted.add(salted)
        if self._only_matched:
            table = table.filter(pa.array(np.concatenate(self._shown)))
        self._writer.write(table.unify_dictionaries())
        self._waiting, self._shown, self._count = [], [], 0


def _copying(part: Part, target: Path | None, stretch: Stretch | None) -> Copying:
    if stretch is None:
        return part.write(target)
    assert isinstance(part, ParquetPart)
    return part.write(target, stretch)
