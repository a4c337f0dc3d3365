"""Two results of ``licet filter`` held against each other: rows that came, went, or are decided otherwise.

A row is known by its key, else by its path, its address, its file's digest, else by its place; the first that it has.
Where several rows of one result go by one name, they are compared in their order. Both sides are spread over files by
a digest of the name, and compared file by file, so that memory does not grow with the rows: two results are read once
each, in whatever order they have them.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from licet.datasets.frames import notebook
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.stored import kept_rows

#: What of a row is compared, by the name it has in a report.
FIELDS: Final = {
    "verdict": ("verdict", "reason"),
    "works": ("works",),
    "terms": ("statement",),
    "licence": ("licence",),
    "price": ("price", "currency"),
    "kept": ("kept",),
}
KINDS: Final = ("added", "removed", *FIELDS)
SHOWN: Final = 1000
_SPREAD_ROWS: Final = 65_536
_MOST_FILES: Final = 256
_NAMES: Final = ("key", "path", "url", "sha256")
_VALUES: Final = ("verdict", "reason", "works", "statement", "licence", "price", "currency", "kept")
_SIDE: Final = pa.schema(
    [("name", pa.string()), ("part", pa.string()), ("row", pa.int64())]
    + [(name, pa.bool_() if name == "kept" else pa.string()) for name in _VALUES]
)


class Change(msgspec.Struct, frozen=True):
    """One row that differs: ``what`` is ``added``, ``removed`` or ``changed``, ``fields`` the names of `FIELDS`."""

    what: str
    name: str
    part: str
    row: int
    fields: list[str]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What two results have different. ``verdicts`` counts rows by (before → after); ``counts`` by `KINDS`.

    ``asked`` says what was asked or decided from otherwise: then rows may differ for that reason alone. ``changes`` are
    the first `SHOWN`, by name; all of them are in the file that was asked for.
    """

    before: str
    after: str
    rows_before: int
    rows_after: int
    same: int
    counts: dict[str, int]
    verdicts: dict[str, int]
    asked: dict[str, list[Any]]
    changes: list[Change]
    more: int
    notes: list[str]

    def told(self) -> str:
        """Return in a sentence what is different."""
        counts = ", ".join(f"{count:,} {kind}" for kind, count in self.counts.items() if count)
        return f"{self.rows_before:,} rows before, {self.rows_after:,} after: {counts or 'no difference'}"

    def __repr__(self) -> str:
        return f"<Difference: {self.told()}>"

    def _repr_html_(self) -> str:
        rows = [(each.what, each.name, ", ".join(each.fields)) for each in self.changes]
        return notebook.table(self.told(), ("", "row", "what"), rows, self.more) + notebook.lines(*self.notes)


def compare(before: str | Path, after: str | Path, listed: Path | None = None) -> Difference:
    """Return what differs between two results; each is decisions, a manifest, or the output beside them.

    ``listed`` gets every change as a line of JSON. Raises ``InputError`` where there is no result and
    ``VerificationError`` if decisions are not those that the manifest beside them was signed over.
    """
    notes: list[str] = []
    sides = [_opened(Path(given).expanduser(), notes) for given in (before, after)]
    comparing = _Comparing(listed)
    with tempfile.TemporaryDirectory(prefix="licet-diff-") as folder:
        files = min(max(-(-max(side.rows for side in sides) // _SPREAD_ROWS), 1), _MOST_FILES)
        spread = [_spread(side, Path(folder, str(number)), files) for number, side in enumerate(sides)]
        with comparing:
            for one, other in zip(*spread, strict=True):
                comparing.add(_numbered(one), _numbered(other))
    return Difference(
        before=str(sides[0].path),
        after=str(sides[1].path),
        rows_before=sides[0].rows,
        rows_after=sides[1].rows,
        same=comparing.same,
        counts={kind: comparing.counts[kind] for kind in KINDS},
        verdicts=dict(sorted(comparing.verdicts.items())),
        asked=_asked(*sides),
        changes=sorted(comparing.shown, key=lambda change: (change.name, change.part, change.row)),
        more=comparing.total - len(comparing.shown),
        notes=notes,
    )


def _opened(given: Path, notes: list[str]) -> DecisionsFile:
    file = DecisionsFile.find(given)
    if file.manifest is None:
        notes.append(f"{file.path}: there is no manifest beside it: nobody vouches for these decisions")
    elif file.about.rows == "all":
        file.verify()
    if file.about.rows != "all":
        notes.append(f"{file.path}: lists matched rows alone, so others seem to be added or removed")
    return file


def _asked(before: DecisionsFile, after: DecisionsFile) -> dict[str, list[Any]]:
    told = [
        {
            **msgspec.to_builtins(side.about.question),
            "snapshot": side.about.snapshot,
            "dataset": side.about.name,
        }
        for side in (before, after)
    ]
    return {name: [each.get(name) for each in told] for name in told[0] if told[0].get(name) != told[1].get(name)}


class _Comparing:
    """Takes the two sides file by file and counts what differs."""

    def __init__(self, listed: Path | None) -> None:
        self.same = 0
        self.total = 0
        self.counts: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.shown: list[Change] = []
        self._listed = listed
        self._part = None if listed is None else listed.with_name(f".{listed.name}.part")
        self._file = None if self._part is None else self._part.open("wb")

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._file is None or self._part is None or self._listed is None:
            return
        self._file.close()
        if kind is None:
            self._part.replace(self._listed)
        else:
            self._part.unlink()

    def add(self, one: pa.Table, other: pa.Table) -> None:
        """Compare the rows of one file of each side."""
        keys = ["name", "nth"]
        joined = one.join(other, keys, join_type="full outer", left_suffix="_0", right_suffix="_1")
        here = [joined.column(f"row_{side}").is_valid().to_numpy() for side in (0, 1)]
        both = here[0] & here[1]
        differs = {
            field: both & np.logical_or.reduce([_unequal(joined, name) for name in names])
            for field, names in FIELDS.items()
        }
        changed = np.logical_or.reduce(list(differs.values()))
        self.same += int((both & ~changed).sum())
        for kind, rows in (("added", here[1] & ~here[0]), ("removed", here[0] & ~here[1]), *differs.items()):
            self.counts[kind] += int(rows.sum())
        self._count_verdicts(joined, both & (differs["verdict"]))
        found = np.flatnonzero(changed | ~both)
        self.total += len(found)
        if self._file is None:
            found = found[: SHOWN - len(self.shown)]
        for row, place in zip(joined.take(pa.array(found)).to_pylist(), found.tolist(), strict=True):
            self._tell(_change(row, [field for field in FIELDS if differs[field][place]]))

    def _count_verdicts(self, joined: pa.Table, rows: npt.NDArray[np.bool_]) -> None:
        chosen = joined.filter(pa.array(rows))
        pairs = zip(chosen["verdict_0"].to_pylist(), chosen["verdict_1"].to_pylist(), strict=True)
        self.verdicts.update(f"{before} → {after}" for before, after in pairs if before != after)

    def _tell(self, change: Change) -> None:
        if self._file is not None:
            self._file.write(msgspec.json.encode(change) + b"\n")
        if len(self.shown) < SHOWN:
            self.shown.append(change)


def _change(row: dict[str, Any], fields: list[str]) -> Change:
    sides = [None if row[f"row_{side}"] is None else _values(row, side) for side in (0, 1)]
    what = "added" if sides[0] is None else "removed" if sides[1] is None else "changed"
    at = 1 if sides[1] is not None else 0
    return Change(what, row["name"].partition(" ")[2], row[f"part_{at}"], row[f"row_{at}"], fields, *sides)


def _values(row: dict[str, Any], side: int) -> dict[str, Any]:
    found = {name: row[f"{name}_{side}"] for name in _VALUES}
    found["works"] = found["works"].split(" ") if found["works"] else []
    return {name: value for name, value in found.items() if value is not None}


def _unequal(joined: pa.Table, name: str) -> npt.NDArray[np.bool_]:
    one, other = joined.column(f"{name}_0"), joined.column(f"{name}_1")
    unequal = pc.fill_null(pc.not_equal(one, other), False).to_numpy()
    found: npt.NDArray[np.bool_] = unequal | (one.is_valid().to_numpy() != other.is_valid().to_numpy())
    return found


def _spread(file: DecisionsFile, folder: Path, files: int) -> Iterator[pa.Table]:
    """Write the rows of ``file`` into ``files`` files by a digest of their name, and yield these one by one."""
    folder.mkdir()
    places = [folder / str(number) for number in range(files)]
    writers = [pa.ipc.new_stream(str(place), _SIDE) for place in places]
    try:
        for batch in file.batches():
            side = _side(batch, file)
            where = _buckets(side["name"], files)
            for number in np.unique(where).tolist():
                writers[number].write_batch(side.filter(pa.array(where == number)))
    finally:
        for writer in writers:
            writer.close()
    for place in places:
        with pa.OSFile(str(place)) as source, pa.ipc.open_stream(source) as reader:
            yield reader.read_all()
        place.unlink()


def _side(batch: pa.RecordBatch, file: DecisionsFile) -> pa.RecordBatch:
    text = pa.string()
    place = pc.binary_join_element_wise(batch["part"], batch["row"].cast(text), ":")
    named = [pc.binary_join_element_wise(name, batch[name].cast(text), " ") for name in _NAMES]
    columns: dict[str, Any] = {
        "name": pc.coalesce(*named, pc.binary_join_element_wise("place", place, " ")),
        "works": _works(batch["matches"]),
        "kept": pa.array(kept_rows(batch, file.question)),
    }
    for name in _SIDE.names:
        columns.setdefault(name, batch[name] if name in batch.schema.names else None)
    return pa.RecordBatch.from_arrays(
        [columns[name].cast(_SIDE.field(name).type) for name in _SIDE.names], schema=_SIDE
    )


def _works(matches: pa.Array) -> pa.Array:
    """Return the works of each row, sorted, in one text."""
    counts = pc.fill_null(pc.list_value_length(matches), 0).to_numpy(zero_copy_only=False)
    texts: list[str | None] = [None] * len(matches)
    for row in np.flatnonzero(counts).tolist():
        texts[row] = " ".join(sorted({match["work"] for match in matches[row].as_py()}))
    return pa.array(texts, pa.string())


def _buckets(names: pa.Array, files: int) -> npt.NDArray[np.int64]:
    if files == 1:
        return np.zeros(len(names), np.int64)
    import zlib

    return np.array([zlib.crc32(name.encode()) % files for name in names.to_pylist()], np.int64)


def _numbered(table: pa.Table) -> pa.Table:
    """Return ``table`` with ``nth``: which of the rows of its name each one is."""
    codes = pc.dictionary_encode(table["name"].combine_chunks()).indices.to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    ranked = codes[order]
    starts = np.concatenate(([True], ranked[1:] != ranked[:-1])) if len(ranked) else np.zeros(0, np.bool_)
    nth = np.empty(len(codes), np.int64)
    nth[order] = np.arange(len(codes)) - np.maximum.accumulate(np.where(starts, np.arange(len(codes)), 0))
    return table.append_column("nth", pa.array(nth))
