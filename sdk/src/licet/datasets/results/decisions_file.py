"""Reading ``OUT.decisions.parquet`` again: which job it is of, its rows, and whether they are those once signed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from weakref import finalize

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from licet.datasets.examining.deciding import Matching, Question
from licet.datasets.examining.signalled import Reading
from licet.datasets.forms.files import LocalFile
from licet.datasets.forms.groups import MOST_BYTES, Groups
from licet.datasets.results.manifest import ReadManifest, beside, read_manifest
from licet.datasets.results.rows import FILE_SCHEMA, FORMER_SCHEMAS, METADATA, PART_ENDING, TURNED
from licet.datasets.results.stored import bound_rows, by_part
from licet.decisions import Request
from licet.decisions.roots import RootBuilder
from licet.decisions.rows import VERDICT_FIELDS, leaf_hashes
from licet.errors import InputError, MalformedError, VerificationError
from licet.misfits import unlike
from licet.statements.kinds import DatasetManifest

VERSION: Final = 1
BATCH: Final = 65_536
#: What a re-check needs of a row; of matches a few columns of many.
RECHECKED: Final = (
    *VERDICT_FIELDS,
    *("key", "path", "url", "sha256", "pixels", "pdq", "pdq_turned", "quality", "iscc", "signals"),
    *(f"matches.list.element.{name}" for name in ("work", "match", "key", "distance")),
)
_CODED: Final = ("part", "verdict", "reason", "match", "examined")  # which every row has, but for its match
_ENDINGS: Final = ("decisions.parquet", "manifest.json")


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The question of a job, as it is kept."""

    request: dict[str, Any]
    match: Matching
    min_claim_level: int
    unknown: Literal["exclude", "keep"]
    after: str | None = None
    signals: Reading | None = None


class _Versioned(msgspec.Struct, frozen=True):
    v: int


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a decisions file says of itself; ``rows`` tells whether rows that nothing matches are in it.

    ``bound``: rows that follow one another under one key are kept or dropped together.
    """

    v: int
    dataset: str
    name: str
    question: Asked
    decided_at: str
    snapshot: str
    rows: Literal["all", "matched"]
    bound: bool = False


class Span(NamedTuple):
    """So many row groups from number ``first`` on, counted through all files, whose ``rows`` follow on ``before``."""

    first: int
    groups: int
    before: int
    rows: int


class DecisionsFile:
    """The decisions of one job, read a batch at a time. ``manifest`` is the signed one beside it, if there is one."""

    def __init__(self, path: Path, manifest: ReadManifest | None) -> None:
        self.path: Final = path
        self.manifest: Final = manifest
        self._files = _files(path)
        self._groups: list[tuple[Path, int, int]] = []  # each with its number in its file, and its rows
        self._held: tuple[Path, Groups] | None = None
        self._stack: Final = ExitStack()
        finalize(self, self._stack.close)
        abouts = []
        for file in self._files:
            try:
                schema, metadata = pq.read_schema(file), pq.read_metadata(file)
                groups = range(metadata.num_row_groups)
                self._groups += [(file, group, metadata.row_group(group).num_rows) for group in groups]
            except (pa.ArrowException, OSError) as error:
                raise MalformedError(f"{file}: expected a Parquet file of decisions, got {error}") from None
            if not any(schema.remove_metadata().equals(known) for known in (FILE_SCHEMA, *FORMER_SCHEMAS)):
                raise MalformedError(f"{file}: expected the columns of a decisions file, got {', '.join(schema.names)}")
            abouts.append(_about(file, schema))
            if abouts[-1] != abouts[0]:
                raise MalformedError(f"{file}: expected decisions of {abouts[0].dataset}, got {abouts[-1].dataset}")
        self.about: Final = abouts[0]
        self.rows: Final = sum(rows for _, _, rows in self._groups)

    @classmethod
    def find(cls, given: Path) -> DecisionsFile:
        """Return the decisions that ``given`` names: the file itself, its manifest, or the output beside them.

        Raises ``InputError`` where there are none.
        """
        named = given
        for ending in _ENDINGS:
            if given.name.endswith(f".{ending}"):
                given = given.with_name(given.name.removesuffix(f".{ending}"))
                break
        path, manifest = beside(given, _ENDINGS[0]), beside(given, _ENDINGS[1])
        if not path.exists():
            if named != path and not (named.exists() or manifest.exists()):
                raise InputError(
                    f"{named}: expected what `licet filter` wrote, found nothing there; filter the dataset first"
                )
            raise InputError(f"{path}: expected the decisions of `licet filter` there; filter the dataset first")
        return cls(path, read_manifest(manifest) if manifest.is_file() else None)

    def stamp(self) -> list[tuple[str, int, int]]:
        """Return what tells these files from changed ones, cheaply: names, sizes, times."""
        return [(str(file), (status := file.stat()).st_size, status.st_mtime_ns) for file in self._files]

    @property
    def question(self) -> Question:
        """What was asked of every row."""
        asked = self.about.question
        request = Request.from_json(asked.request)
        return Question(request, asked.match, asked.min_claim_level, asked.unknown, signals=asked.signals)

    def spans(self, most: int) -> list[Span]:
        """Return spans of at most ``most`` rows, or of one row group, that come to all rows in their order."""
        found: list[Span] = []
        for number, (_, _, rows) in enumerate(self._groups):
            if found and found[-1].rows + rows <= most:
                last = found.pop()
                found.append(last._replace(groups=last.groups + 1, rows=last.rows + rows))
            else:
                before = found[-1].before + found[-1].rows if found else 0
                found.append(Span(number, 1, before, rows))
        return found

    def batches(self, columns: Sequence[str] | None = None, span: Span | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in their order: part by part, by name; with ``columns`` alone those of them that there are.

        ``pdq_turned`` is left out where no row can have any. Those who read a ``span`` do so one after the other: a
        file stays open for the next one. They get texts that repeat themselves as dictionaries.
        """
        groups = self._groups if span is None else self._groups[span.first : span.first + span.groups]
        for path, of_file in groupby(groups, lambda each: each[0]):
            try:
                with ExitStack() as stack:
                    file = Groups(LocalFile(path), stack, BATCH) if span is None else self._opened(path)
                    there = set(file.names)
                    wanted = [name for name in columns or file.names if name.split(".")[0] in there]
                    for _, group, _ in of_file:
                        read = [name for name in wanted if name != TURNED.name or self._has_turned(file, group)]
                        for batch in file.batches(group, read, BATCH):
                            batch.validate(full=True)
                            yield batch
            except (pa.ArrowException, OSError) as error:
                raise MalformedError(f"{path}: expected readable decisions, got {error}") from None

    def place(self, span: Span) -> Path:
        """Return the file that a span is of, or the folder where it is of several."""
        files = {path for path, _, _ in self._groups[span.first : span.first + span.groups]}
        return files.pop() if len(files) == 1 else self.path

    def bound(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[pa.RecordBatch, npt.NDArray[np.int32]]]:
        """Yield the rows of ``batches`` so that none tears what is kept or dropped together, and which rows those are;
        the last are of one key."""
        rest: pa.RecordBatch | None = None
        for found in batches:
            batch = found if rest is None else pa.concat_batches([rest, found])
            numbers = bound_rows(batch)
            end = int(np.searchsorted(numbers, numbers[-1])) if len(numbers) else 0
            rest = batch.slice(end)
            self.refuse_many(rest)
            if end:
                yield batch.slice(0, end), numbers[:end]
        if rest is not None and len(rest):
            yield rest, bound_rows(rest)

    def refuse_many(self, rows: pa.RecordBatch) -> None:
        """Raise ``MalformedError`` for more rows of one key than can be looked at together."""
        if rows.nbytes > MOST_BYTES:
            raise MalformedError(f"{self.path}: expected rows of one key of at most {MOST_BYTES:,} bytes, got more")

    def vouched(self) -> DatasetManifest:
        """Return what the manifest beside the decisions says of them.

        Raises ``InputError`` without one, and for a file that lists matched rows alone: nobody can recompute the root
        from it. Raises ``VerificationError`` for the manifest of another dataset.
        """
        if self.manifest is None:
            raise InputError(f"{self.path}: expected its manifest beside it, got none")
        payload = self.manifest.payload
        if payload.dataset != self.about.dataset:
            raise VerificationError(f"{self.path}: expected decisions of {payload.dataset}, got {self.about.dataset}")
        if self.about.rows != "all":
            raise InputError(f"{self.path}: expected decisions of all rows, got those that something matches alone")
        return payload

    def hold_to(self, payload: DatasetManifest, root: RootBuilder) -> None:
        """Raise ``VerificationError`` unless ``root`` is over the rows that ``payload`` was signed over."""
        if root.size != payload.rows or root.root != payload.decisions_root:
            raise VerificationError(f"{self.path}: these are not the decisions that the manifest was signed over")

    def verify(self) -> None:
        """Return only if these are the decisions that the manifest beside them was signed over; raises what `vouched`
        and `hold_to` raise."""
        payload, root = self.vouched(), RootBuilder()
        for batch in self.batches(VERDICT_FIELDS, Span(0, len(self._groups), 0, self.rows)):
            for part in by_part(batch):
                try:
                    root.add(leaf_hashes(part))
                except InputError as error:
                    raise MalformedError(f"{self.path}: {error.message}") from None
        self.hold_to(payload, root)

    def _has_turned(self, file: Groups, group: int) -> bool:
        """Whether a row may have other orientations; rows that are put together have the same columns."""
        return self.about.bound or file.has_room(group, TURNED.name)

    def _opened(self, path: Path) -> Groups:
        if self._held is None or self._held[0] != path:
            self._stack.close()
            # Rows that are put together have texts alone: their dictionaries may be others.
            coded = () if self.about.bound else _CODED
            self._held = path, Groups(LocalFile(path), self._stack, BATCH, coded)
        return self._held[1]


def _files(path: Path) -> list[Path]:
    """Return the file, or those of a folder in the order of the parts that they are of."""
    if not path.is_dir():
        return [path]
    found = [each for each in path.rglob("*.parquet") if each.is_file()]
    if not found:
        raise MalformedError(f"{path}: expected decisions, got an empty folder")
    return sorted(found, key=lambda each: each.relative_to(path).as_posix().removesuffix(PART_ENDING))


def _about(path: Path, schema: pa.Schema) -> About:
    try:
        metadata = (schema.metadata or {})[METADATA]
        version = msgspec.json.decode(metadata, type=_Versioned).v
        if version == VERSION:
            return msgspec.json.decode(metadata, type=About)
    except (KeyError, ValueError, msgspec.MsgspecError) as error:
        raise MalformedError(f"{path}: expected what licet filter writes about itself, got {unlike(error)}") from None
    raise MalformedError(
        f"{path}: expected decisions of version {VERSION}, got {version}: a newer licet wrote it, and reads it"
    )
