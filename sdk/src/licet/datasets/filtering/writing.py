"""The results of a job: decision rows, kept rows, credits, and the figures that the manifest states.

A part is written by one hand, wherever that is; what it came to (`WrittenPart`) is enough to put the job's figures and
roots together. Files of a part appear under their names only when all of it is written, so that two hands at the same
part, one of which was thought to be lost, do no harm: both write the same.
"""

from __future__ import annotations

import shutil
import tempfile
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
from licet.datasets.filtering.at_once import AtOnce, Deciding, Found
from licet.datasets.filtering.job import Job
from licet.datasets.filtering.scanning import Known, known, verdicts
from licet.datasets.forms.parquet import ParquetPart
from licet.datasets.forms.parts import Part
from licet.datasets.forms.seals import changed, seal_of
from licet.datasets.results.parquet import Writer
from licet.datasets.results.rows import PART_ENDING, decision_rows, decisions_writer
from licet.decisions import VERDICTS
from licet.decisions.roots import PieceBuilder, RootBuilder, RootPiece
from licet.decisions.rows import both_hashes
from licet.index.lookup import Index

Advance = Callable[[int], None]
#: Has every part written by somebody else, and yields them in their order.
Hands = Callable[["Results", "PartWish", Advance], Iterator["WrittenPart"]]
_GROUP: Final = 65_536
_MOST_WAITING: Final = 2
_REVIEW: Final = VERDICTS.index("review")


class WrittenPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one part came to. ``plain`` and ``salted`` are its pieces of the two roots; ``remarks`` what was wrong with
    its rows; ``credits`` by work."""

    name: str
    rows: int
    kept: int
    source_digest: str
    counts: list[int]
    reasons: list[tuple[str, str, int]]
    licences: list[str]
    credits: dict[str, dict[str, Any]]
    remarks: list[str]
    plain: RootPiece
    salted: RootPiece
    found: Found | None = None  # where rows were decided while they were copied

    def stated(self) -> dict[str, Any]:
        """Return it as the manifest states it."""
        return {name: getattr(self, name) for name in ("name", "rows", "kept", "source_digest")}


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


class PartWish(msgspec.Struct, frozen=True, kw_only=True):
    """How every part is to be written; ``about`` is what its file of decisions says of itself."""

    about: dict[str, Any]
    only_matched: bool
    with_data: bool


class Results:
    """Writes the results of one job into its folder: ``data``, ``decisions`` and ``credits`` are moved from there.

    ``remarks`` say what was wrong with single rows, once they are written.
    """

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
        self.remarks: list[str] = []

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
        done = self._here(wish, advance) if hands is None else hands(self, wish, advance)
        parts: list[dict[str, Any]] = []
        counts, rows, kept = np.zeros(len(VERDICTS), np.int64), 0, 0
        reasons: Counter[tuple[str, str]] = Counter()
        licences: set[str] = set()
        credited: dict[str, dict[str, Any]] = {}
        root, salted = RootBuilder(), RootBuilder()
        for part in done:
            parts.append(part.stated())
            counts += np.array(part.counts, np.int64)
            rows, kept = rows + part.rows, kept + part.kept
            reasons.update({(verdict, reason): count for verdict, reason, count in part.reasons})
            licences.update(part.licences)
            credited |= part.credits
            self.remarks.extend(part.remarks)
            root.append(part.plain)
            salted.append(part.salted)
        if credited:
            self.credits.write_bytes(b"".join(msgspec.json.encode(credited[work]) + b"\n" for work in sorted(credited)))
        return Written(
            parts=parts,
            counts={verdict: int(count) for verdict, count in zip(VERDICTS, counts, strict=True)},
            rows=rows,
            kept=kept,
            licences=sorted(licences),
            reasons=dict(reasons),
            decisions_root=root.root,
            row_root=salted.root,
        )

    def write_part(
        self, number: int, first: int, wish: PartWish, advance: Advance, *, at_once: bool = False
    ) -> WrittenPart:
        """Write one part, before which there are ``first`` rows in others, and return what it came to.

        ``at_once``: it was not examined before.
        """
        part, tally = self._parts[number], _Tally()
        deciding = AtOnce(number, part.base, self._index, self._question, self._standing) if at_once else None
        with tempfile.TemporaryDirectory(dir=_made(self._job.folder / "attempts")) as name:
            attempt = Path(name)
            decisions, target = self._decisions_of(part), self._target(part)
            about = msgspec.json.encode(wish.about, order="sorted")
            root, salted = PieceBuilder(first), PieceBuilder(first)
            with decisions_writer(attempt / "decisions", about) as writer:
                rows = _Rows(writer, root, salted, self._secret, only_matched=wish.only_matched)
                data = _made(attempt / "data") / target.name if wish.with_data else None
                if deciding is None:
                    self._copy(number, part, rows, tally, data, advance)
                else:
                    self._copy_deciding(deciding, part, rows, tally, data, advance)
                rows.flush()
            digest = part.digest(self._digests(number))
            if data is not None:
                for each in sorted(data.parent.iterdir()):
                    _put(each, _made(target.parent) / each.name)
            _put(attempt / "decisions", _made(decisions.parent) / decisions.name)
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

    def _target(self, part: Part) -> Path:
        return self.data if len(self._parts) == 1 and not part.bundle else self.data / part.name

    def _decisions_of(self, part: Part) -> Path:
        """Return the file for the decisions of ``part``: one beside the output, or of several each in a folder."""
        if len(self._parts) == 1:
            return self.decisions
        return self.decisions / f"{part.name}{PART_ENDING}"

    def _copy(self, number: int, part: Part, rows: _Rows, tally: _Tally, target: Path | None, advance: Advance) -> None:
        """Write the decisions of one part, and what is kept of it to ``target``."""
        with closing(part.write(target)) as copying, _Beside() as beside:
            batch = next(copying, None)
            for each, decided in verdicts(self._job, [number], self._index, self._question, self._standing):
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
        self, deciding: Deciding, part: Part, rows: _Rows, tally: _Tally, target: Path | None, advance: Advance
    ) -> None:
        """Do what `_copy` does, deciding each batch once it is read."""
        assert isinstance(part, ParquetPart)
        assert target is not None
        with closing(part.copy(target)) as copying, _Beside() as beside:
            batch, number, first = next(copying, None), 0, 0
            while batch is not None:
                each, decided = deciding(batch, number, first)
                beside.call(self._add, rows, batch, part, each, decided)
                tally.count(decided)
                advance(len(decided))
                number, first = number + 1, first + len(decided)
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


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _put(made: Path, target: Path) -> None:
    """Give what is whole its name; what an earlier hand put there, the same or less, makes way."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    made.replace(target)
