"""Reading ``OUT.decisions.parquet`` again: which job it is of, which rows were kept, and what each row is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from licet.datasets.examining.fingerprinting import Evidence, unfixed
from licet.datasets.examining.signalled import Reading, Signalled
from licet.datasets.forms.files import LocalFile
from licet.datasets.forms.groups import MOST_BYTES, Groups
from licet.datasets.results.manifest import ReadManifest, beside, read_manifest
from licet.datasets.results.rows import FILE_SCHEMA, FORMER_SCHEMAS, METADATA, PART_ENDING
from licet.decisions import KEY_KINDS, MATCH_KINDS, Request
from licet.decisions.roots import RootBuilder
from licet.decisions.rows import leaf_hashes
from licet.errors import InputError, MalformedError, VerificationError
from licet.fingerprints.exact import parse_hex
from licet.fingerprints.urls import url_keys
from licet.identifiers import to_uuid
from licet.index.keys import UNKNOWN_QUALITY
from licet.index.lookup import Index, Matches
from licet.misfits import unlike

VERSION: Final = 1
BATCH: Final = 65_536
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

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in their order: part by part, by name."""
        for path in self._files:
            try:
                with ExitStack() as stack:
                    file = Groups(LocalFile(path), stack)
                    for group in range(file.groups):
                        for batch in file.batches(group, None, BATCH):
                            batch.validate(full=True)
                            yield batch
            except (pa.ArrowException, OSError) as error:
                raise MalformedError(f"{path}: expected readable decisions, got {error}") from None

    def samples(self) -> Iterator[tuple[pa.RecordBatch, npt.NDArray[np.int32] | None]]:
        """Yield the rows, and which are kept or dropped together (None: each for itself); no batch tears those."""
        if not self.about.bound:
            yield from ((batch, None) for batch in self.batches())
            return
        rest: pa.RecordBatch | None = None
        for found in self.batches():
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
        for batch in self.batches():
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


def by_part(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield the runs of rows of ``batch`` that belong to one part."""
    names = pc.dictionary_encode(batch["part"])
    codes = names.indices.to_numpy(zero_copy_only=False)
    ends = [*(np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist(), len(batch)]
    start = 0
    for end in ends:
        if end > start:
            yield batch.slice(start, end - start)
        start = end


def kept_rows(batch: pa.RecordBatch, question: Question) -> npt.NDArray[np.bool_]:
    """Return which rows the job kept."""
    verdict = batch["verdict"]
    kept = pc.or_(pc.equal(verdict, "allow"), pc.and_(pc.equal(verdict, "license"), pc.is_valid(batch["licence"])))
    if question.unknown == "keep":
        kept = pc.or_(kept, pc.equal(verdict, "unknown"))
    mask: npt.NDArray[np.bool_] = kept.to_numpy(zero_copy_only=False)
    return mask


def stored_evidence(batch: pa.RecordBatch) -> Evidence:
    """Return what the rows are, from their stored fingerprints; raises ``MalformedError`` for unreadable ones."""
    n = len(batch)
    url = url_keys(batch["url"])
    sha256, pixels, first = (_digests(batch, name) for name in ("sha256", "pixels", "pdq"))
    turned, whole = unfixed(batch["pdq_turned"])
    pdq = np.zeros((n, 8, 32), np.uint8)
    pdq[:, 0] = first[0]
    pdq[:, 1:] = turned.reshape(n, 7, 32)
    if (first[1] & ~whole).any():
        raise MalformedError("pdq_turned: expected the orientations of every pdq, got a row without")
    quality = pc.fill_null(batch["quality"], UNKNOWN_QUALITY).to_numpy(zero_copy_only=False).astype(np.uint8)
    nothing = np.zeros(n, np.uint8)
    iscc = batch["iscc"] if "iscc" in batch.schema.names else None
    signals = None
    if "signals" in batch.schema.names and batch["signals"].null_count < n:
        signals = Signalled(batch["signals"], np.zeros(n, np.int64), nothing)
    return Evidence(
        *(nothing, nothing, url, sha256, pixels, (pdq, first[1]), quality),
        addresses=batch["url"],
        iscc=iscc,
        signals=signals,
    )


def stored_matches(batch: pa.RecordBatch, index: Index) -> Matches:
    """Return the matches that were found then, as far as their works are still in ``index``."""
    lists = batch["matches"]
    counts = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    values = lists.flatten()
    row = np.repeat(np.arange(len(batch), dtype=np.int64), counts)
    try:
        ids = b"".join(to_uuid(text, "wrk").bytes for text in values.field("work").to_pylist())
        kind = [MATCH_KINDS.index(text) for text in values.field("match").to_pylist()]
        key = [KEY_KINDS.index(text) for text in values.field("key").to_pylist()]
        distance = values.field("distance").to_numpy(zero_copy_only=False).astype(np.int16)
    except (InputError, ValueError, AttributeError) as error:
        raise MalformedError(f"matches: expected those that licet wrote, got {error}") from None
    work = index.works.find(np.frombuffer(ids, np.uint8).reshape(-1, 16))
    there = work >= 0
    return Matches(
        row[there],
        work[there].astype(np.int32),
        np.array(kind, np.uint8)[there],
        np.array(key, np.uint8)[there],
        distance[there],
    )


def _digests(batch: pa.RecordBatch, name: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    column = batch[name]
    table, mask = parse_hex(column.to_pylist(), 32)
    if (column.is_valid().to_numpy(zero_copy_only=False) & ~mask).any():
        raise MalformedError(f"{name}: expected 64 hexadecimal digits, got other text")
    return table, mask


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
