"""What a person named as input, as parts: each streams rows, and can write the rows that are kept in its own form.

A new form of input is one more class with the shape of `Part`, and one more line in `_opened`.
"""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet.datasets.folder import FolderPart, is_picture
from licet.datasets.parquet import ParquetPart
from licet.errors import InputError

FORMS: Final = "a picture, a folder of pictures, or a Parquet file (.parquet)"
_SCHEME: Final = "://"


class Part(Protocol):
    """One piece of the input. Its batches are the same whenever it is read: same rows, same order, same sizes."""

    name: str
    base: Path
    holds_files: bool
    suffix: str  # of an output file; empty for a folder

    @property
    def place(self) -> Path:
        """Where it lies."""

    @property
    def rows(self) -> int:
        """How many rows there are."""

    def stamp(self) -> dict[str, Any]:
        """Return what tells this input from a changed one, cheaply."""

    def batches(self, skip: int = 0, *, naming: bool = False) -> Iterator[pa.RecordBatch]:
        """Yield rows as columns ``url sha256 path image pdq key``, those that are there; ``naming``: of ``url path
        key`` alone."""

    def digest(self, digests: Iterable[bytes | None]) -> str:
        """Return the digest of the content, given the SHA-256 of each row's file."""

    def write(self, target: Path, kept: Iterable[npt.NDArray[np.bool_]]) -> None:
        """Write the kept rows to ``target``; ``kept`` has one mask a batch."""


class Input(NamedTuple):
    """Opened input: its parts, sorted by name, and the folders that were named to find them."""

    parts: list[Part]
    folders: list[Path]

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(part.rows for part in self.parts)


def open_input(inputs: Sequence[str | Path], mapping: Mapping[str, str] | None = None) -> Input:
    """Return the parts that ``inputs`` (paths and globs) name; all of one form.

    A folder of Parquet files is one part a file; loose pictures are one part a folder. Names of parts say where they
    are only as far as is needed to tell them apart, so that they are the same on another machine. Raises
    ``InputError`` for what does not exist, is of no known form, is empty, or mixes forms.
    """
    paths = [path for given in inputs for path in _expanded(str(given))]
    if not paths:
        raise InputError.field("input", FORMS, "nothing")
    pictures = {path for path in paths if path.is_file() and is_picture(path.name)}
    places: dict[Path, list[str] | None] = {}
    for path in sorted(pictures):
        loose = places.setdefault(path.parent, [])
        if loose is not None:
            loose.append(path.name)
    for path in paths:
        if path in pictures:
            continue
        for found in _opened(path):
            places[found] = None
    names = _names(list(places))
    tables = [path for path in places if path.is_file()]
    if tables and len(tables) < len(places):
        folder = next(path for path in places if path not in tables)
        raise InputError(f"expected inputs of one form, got the table {tables[0]} beside the pictures in {folder}")
    if mapping and not tables:
        raise InputError.field("columns", "a table among the inputs", "folders of pictures, which have no columns")
    parts: list[Part] = []
    for path, files in places.items():
        if path in tables:
            parts.append(ParquetPart(path, names[path], mapping))
        else:
            parts.append(FolderPart(path, names[path], files))
    return Input(sorted(parts, key=lambda part: part.name), [path for path in paths if path.is_dir()])


def _expanded(given: str) -> list[Path]:
    if _SCHEME in given:
        raise InputError.field("input", f"{FORMS} on this machine", given)
    path = Path(given).expanduser()
    if path.exists():
        return [Path(os.path.abspath(path))]  # noqa: PTH100 - resolve() would follow links and change names
    found = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(given) else []  # noqa: PTH207 - absolute
    if not found:
        raise InputError.field("input", f"{FORMS} that exists", given)
    return [Path(os.path.abspath(each)) for each in found]  # noqa: PTH100


def _opened(path: Path) -> list[Path]:
    """Return the parts in ``path``: itself, or the tables of a folder."""
    if path.is_file():
        if path.suffix.lower() not in (".parquet", ".pq"):
            raise InputError.field("input", FORMS, str(path))
        return [path]
    if not path.is_dir():
        raise InputError.field("input", FORMS, str(path))
    tables = sorted(each for each in path.rglob("*.parquet") if each.is_file() and not each.name.startswith((".", "_")))
    if not tables:
        return [path]
    picture = next((each for each in path.rglob("*") if is_picture(each.name) and each.is_file()), None)
    if picture is not None:
        raise InputError(
            f"{path}: expected a folder of one form, got tables ({tables[0].name}) and pictures ({picture.name});"
            " name the table, or the folder of the pictures alone"
        )
    return tables


def _names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the shortest end of each path that no other shares."""
    names: dict[Path, str] = {}
    for count in range(1, max((len(path.parts) for path in paths), default=0) + 1):
        ends = Counter(path.parts[-count:] for path in paths)
        for path in paths:
            end = path.parts[-count:]
            if path not in names and ends[end] == 1:
                names[path] = PurePosixPath(*end).as_posix().lstrip("/") or "root"
    return names
