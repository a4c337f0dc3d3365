"""Reading ``OUT.decisions.parquet`` again: which job it is of, its rows, and whether they are those once signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from licet.datasets.examining.deciding import Matching, Question
from licet.datasets.examining.signalled import Reading
from licet.datasets.forms.files import LocalFile
from licet.datasets.forms.groups import MOST_BYTES, Groups
from licet.datasets.results.manifest import ReadManifest, beside, read_manifest
from licet.datasets.results.rows import FILE_SCHEMA, FORMER_SCHEMAS, METADATA, PART_ENDING, TURNED
from licet.datasets.results.stored import by_part
from licet.decisions import Request
from licet.decisions.roots import RootBuilder
from licet.decisions.rows import VERDICT_FIELDS, leaf_hashes
from licet.errors import InputError, MalformedError, VerificationError
from licet.misfits import unlike

VERSION: Final = 1
BATCH: Final = 65_536
#: What a re-check needs of a row; of matches a few columns of many.
RECHECKED: Final = (
    *VERDICT_FIELDS,
    *("key", "path", "url", "sha256", "pixels", "pdq", "pdq_turned", "quality", "iscc", "signals"),
    *(f"matches.list.element.{name}" for name in ("work", "match", "key", "distance")),
)
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


class DecisionsFile:
    """The decisions of one job, read a batch at a time. ``manifest`` is the signed one beside it, if there is one."""

    def __init__(self, path: Path, manifest: ReadManifest | None) -> None:
        self.path: Final = path
        self.manifest: Final = manifest
        self._files = _files(path)
        self.rows: int = 0
        abouts = []
        for file in self._files:
            try:
                schema = pq.read_schema(file)
                self.rows += pq.read_metadata(file).num_rows
            except (pa.ArrowException, OSError) as error:
                raise MalformedError(f"{file}: expected a Parquet file of decisions, got {error}") from None
            if not any(schema.remove_metadata().equals(known) for known in (FILE_SCHEMA, *FORMER_SCHEMAS)):
                raise MalformedError(f"{file}: expected the columns of a decisions file, got {', '.join(schema.names)}")
            abouts.append(_about(file, schema))
            if abouts[-1] != abouts[0]:
                raise MalformedError(f"{file}: expected decisions of {abouts[0].dataset}, got {abouts[-1].dataset}")
        self.about: Final = abouts[0]

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

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in their order: part by part, by name; with ``columns`` alone those of them that there are.

        ``pdq_turned`` is left out where no row can have any.
        """
        for path in self._files:
            try:
                with ExitStack() as stack:
                    file = Groups(LocalFile(path), stack, BATCH)
                    there = set(file.names)
                    wanted = [name for name in columns or file.names if name.split(".")[0] in there]
                    for group in range(file.groups):
                        read = [name for name in wanted if name != TURNED.name or file.has_room(group, name)]
                        for batch in file.batches(group, read, BATCH):
                            batch.validate(full=True)
                            yield batch
            except (pa.ArrowException, OSError) as error:
                raise MalformedError(f"{path}: expected readable decisions, got {error}") from None

    def samples(self) -> Iterator[tuple[pa.RecordBatch, npt.NDArray[np.int32] | None]]:
        """Yield the rows by the columns of `RECHECKED`, and which are kept or dropped together (None: each for itself);
        no batch tears those."""
        if not self.about.bound:
            yield from ((batch, None) for batch in self.batches(RECHECKED))
            return
        rest: pa.RecordBatch | None = None
        for found in self.batches(RECHECKED):
            batch = found if rest is None else pa.concat_batches([rest, found])
            numbers = _numbered(batch)
            end = int(np.searchsorted(numbers, numbers[-1])) if len(numbers) else 0
            rest = batch.slice(end)
            if rest.nbytes > MOST_BYTES:
                raise MalformedError(f"{self.path}: expected rows of one key of at most {MOST_BYTES:,} bytes, got more")
            if end:
                yield batch.slice(0, end), numbers[:end]
        if rest is not None:
            yield rest, _numbered(rest)

    def verify(self, advance: Callable[[int], None] = lambda _: None) -> None:
        """Return only if these are the decisions that the manifest beside them was signed over; ``advance`` is told of
        the rows as they are read.

        Raises ``InputError`` without a manifest, and for a file that lists matched rows alone: nobody can recompute
        the root from it. Raises ``VerificationError`` for other rows.
        """
        if self.manifest is None:
            raise InputError(f"{self.path}: expected its manifest beside it, got none")
        payload = self.manifest.payload
        if payload.dataset != self.about.dataset:
            raise VerificationError(f"{self.path}: expected decisions of {payload.dataset}, got {self.about.dataset}")
        if self.about.rows != "all":
            raise InputError(f"{self.path}: expected decisions of all rows, got those that something matches alone")
        root, rows = RootBuilder(), 0
        for batch in self.batches(VERDICT_FIELDS):
            for part in by_part(batch):
                root.add(leaf_hashes(part))
            rows += len(batch)
            advance(len(batch))
        if rows != payload.rows or root.root != payload.decisions_root:
            raise VerificationError(f"{self.path}: these are not the decisions that the manifest was signed over")


def _files(path: Path) -> list[Path]:
    """Return the file, or those of a folder in the order of the parts that they are of."""
    if not path.is_dir():
        return [path]
    found = [each for each in path.rglob("*.parquet") if each.is_file()]
    if not found:
        raise MalformedError(f"{path}: expected decisions, got an empty folder")
    return sorted(found, key=lambda each: each.relative_to(path).as_posix().removesuffix(PART_ENDING))


def _numbered(batch: pa.RecordBatch) -> npt.NDArray[np.int32]:
    """Return a number for each row that grows where another part or key begins."""
    codes = [
        pc.dictionary_encode(batch[name], "encode").indices.to_numpy(zero_copy_only=False) for name in ("part", "key")
    ]
    fresh = np.zeros(len(batch), np.int32)
    for each in codes:
        fresh[1:] |= each[1:] != each[:-1]
    return np.cumsum(fresh, dtype=np.int32)


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
