"""The results of a job: decision rows, kept rows, credits, and the figures that the manifest states."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from licet import identifiers
from licet.datasets.examining.deciding import Question, Standing, Verdicts
from licet.datasets.filtering.job import Job
from licet.datasets.filtering.scanning import Known, known, verdicts
from licet.datasets.forms.parts import Part
from licet.datasets.forms.seals import changed, seal_of
from licet.datasets.results.rows import FILE_SCHEMA, METADATA, PART_ENDING, decision_rows
from licet.decisions import VERDICTS
from licet.decisions.roots import RootBuilder
from licet.decisions.rows import both_hashes
from licet.index.lookup import Index

Advance = Callable[[int], None]
_GROUP: Final = 65_536
_REVIEW: Final = VERDICTS.index("review")


class WrittenPart(msgspec.Struct, frozen=True):
    """One part of the input as the manifest states it."""

    name: str
    rows: int
    kept: int
    source_digest: str


class Written(msgspec.Struct, frozen=True):
    """What is written, in figures. ``reasons`` counts the rows that are not kept, by (verdict, reason)."""

    parts: list[dict[str, Any]]
    counts: dict[str, int]
    rows: int
    kept: int
    licences: list[str]
    reasons: dict[tuple[str, str], int]
    decisions_root: str
    row_root: str


class Results:
    """Writes the results of one job into its folder: ``data``, ``decisions`` and ``credits`` are moved from there."""

    def __init__(
        self, job: Job, parts: Sequence[Part], index: Index, question: Question, standing: Standing, secret: bytes
    ) -> None:
        """``secret`` salts the leaves of the rows' second root."""
        self.data: Final = job.out / "data"
        self.decisions: Final = job.out / "decisions.parquet"
        self.credits: Final = job.out / "credits.jsonl"
        self._job = job
        self._parts = parts
        self._index = index
        self._question = question
        self._standing = standing
        self._secret = secret
        self._root, self._salted = RootBuilder(), RootBuilder()
        self._counts = np.zeros(len(VERDICTS), np.int64)
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._licences: set[str] = set()
        self._credits: dict[str, dict[str, Any]] = {}

    def write(
        self, about: dict[str, Any], advance: Advance, *, only_matched: bool = False, with_data: bool = True
    ) -> Written:
        """Write everything anew and return what it is; ``about`` is what the decisions file says of itself.

        ``only_matched`` leaves out of that file (not of its root) the rows that nothing matches. Raises
        ``InputError`` if the input is not the one that was examined.
        """
        shutil.rmtree(self._job.out, ignore_errors=True)
        self._job.out.mkdir(parents=True)
        schema = FILE_SCHEMA.with_metadata({METADATA: msgspec.json.encode(about, order="sorted")})
        described = []
        for number, part in enumerate(self._parts):
            with pq.ParquetWriter(self._decisions_of(part), schema, compression="zstd") as writer:
                rows = _Rows(writer, self._root, self._salted, self._secret, only_matched=only_matched)
                self._copy(number, part, rows, self._target(part) if with_data else None, advance)
                rows.flush()
            digest = part.digest(self._digests(number))
            described.append(WrittenPart(part.name, rows.rows, rows.kept, digest))
        self._write_credits()
        return Written(
            parts=[msgspec.to_builtins(part) for part in described],
            counts={verdict: int(count) for verdict, count in zip(VERDICTS, self._counts, strict=True)},
            rows=sum(part.rows for part in described),
            kept=sum(part.kept for part in described),
            licences=sorted(self._licences),
            reasons=dict(self._reasons),
            decisions_root=self._root.root,
            row_root=self._salted.root,
        )

    def _target(self, part: Part) -> Path:
        if len(self._parts) == 1 and not part.bundle:
            return self.data
        target = self.data / part.name
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _decisions_of(self, part: Part) -> Path:
        """Return the file for the decisions of ``part``: one beside the output, or of several each in a folder."""
        if len(self._parts) == 1:
            return self.decisions
        path = self.decisions / f"{part.name}{PART_ENDING}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _copy(self, number: int, part: Part, rows: _Rows, target: Path | None, advance: Advance) -> None:
        """Write the decisions of one part, and what is kept of it to ``target``."""
        with closing(part.write(target)) as copying:
            batch = next(copying, None)
            for each, decided in verdicts(self._job, [number], self._index, self._question, self._standing):
                if batch is None or len(batch) != len(decided):
                    raise changed(part.name)
                if target is not None and seal_of(batch) != each.evidence.seal:
                    raise changed(part.name)
                rows.add(self._decisions(batch, part, each, decided), decided, each.evidence.sample)
                self._count(decided)
                advance(len(decided))
                try:
                    batch = copying.send(decided.kept)
                except StopIteration:
                    batch = None
            if batch is not None:
                raise changed(part.name)

    def _decisions(self, batch: pa.RecordBatch, part: Part, each: Known, decided: Verdicts) -> pa.RecordBatch:
        return decision_rows(batch, part.name, each.first, self._index, each.evidence, self._question, decided)

    def _digests(self, number: int) -> Iterator[bytes | None]:
        for each in known(self._job, number):
            table, mask = each.evidence.sha256
            for digest, there in zip(table, mask.tolist(), strict=True):
                yield digest.tobytes() if there else None

    def _count(self, decided: Verdicts) -> None:
        self._counts += np.bincount(decided.verdict, minlength=len(VERDICTS))
        out = ~decided.kept
        codes = decided.verdict[out].astype(np.int64) * len(decided.reasons) + decided.reason[out]
        for code, count in zip(*np.unique(codes, return_counts=True), strict=True):
            verdict, reason = divmod(int(code), len(decided.reasons))
            self._reasons[VERDICTS[verdict], decided.reasons[reason]] += int(count)
        answers = decided.answers
        shown = decided.kept[answers.matches.row] & answers.counts
        for number in np.unique(answers.decision[shown & answers.payable]).tolist():
            licence = answers.decisions[number].licence
            if licence is not None:
                self._licences.add(licence)
        credited = np.array([each.attribution is not None for each in answers.decisions], np.bool_)
        if credited.any():
            for place in np.flatnonzero(shown & credited[answers.decision]).tolist():
                self._credit(decided, place)

    def _credit(self, decided: Verdicts, place: int) -> None:
        answers = decided.answers
        decision = answers.decisions[answers.decision[place]]
        work = identifiers.from_uuid("wrk", UUID(bytes=answers.works.work[place].tobytes()))
        self._credits[work] = {"work": work, "licence": decision.licence, **(decision.attribution or {})}

    def _write_credits(self) -> None:
        if self._credits:
            lines = [msgspec.json.encode(self._credits[work]) + b"\n" for work in sorted(self._credits)]
            self.credits.write_bytes(b"".join(lines))


class _Rows:
    """The decision rows of one part, gathered into row groups, hashed in their order."""

    def __init__(
        self, writer: pq.ParquetWriter, root: RootBuilder, salted: RootBuilder, secret: bytes, *, only_matched: bool
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
        self._writer.write_table(table)
        self._waiting, self._shown, self._count = [], [], 0
