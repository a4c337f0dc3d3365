"""What a person named as input, as parts: each streams rows, and can write the rows that are kept in its own form.

A new form of input is one more class with the shape of `licet.datasets.forms.parts.Part`, one more ending in
`licet.datasets.forms.files`, and one more line in `_part`.
"""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from licet.datasets.forms.cloud import (
    CloudFolder,
    CloudFolderPart,
    Found,
    is_address,
    open_address,
    shown_address,
)
from licet.datasets.forms.csv import CsvPart
from licet.datasets.forms.files import File, LocalFile, Named, named
from licet.datasets.forms.folder import FolderPart, is_picture
from licet.datasets.forms.img2dataset import Img2datasetPart, is_status_table
from licet.datasets.forms.jsonl import JsonlPart
from licet.datasets.forms.parquet import ParquetPart
from licet.datasets.forms.parts import Part
from licet.datasets.forms.stores import Entry
from licet.datasets.forms.webdataset import TarPart
from licet.errors import InputError

FORMS: Final = (
    "a picture, a folder of pictures, or files that end in .parquet, .csv, .tsv, .jsonl or .tar (all but Parquet also"
    " with .gz or .zst)"
)


class Input(NamedTuple):
    """Opened input: its parts, sorted by name, and the folders that were named to find them.

    ``given`` and ``mapping`` say it once more, so that others can open the same: absolute paths, and addresses.
    """

    parts: list[Part]
    folders: list[Path]
    given: list[str]
    mapping: dict[str, str]

    @property
    def rows(self) -> int | None:
        """How many rows there are in all, or about how many; None where nobody knows yet."""
        counts = [part.rows for part in self.parts]
        return None if None in counts else sum(count or 0 for count in counts)


def open_input(
    inputs: Sequence[str | Path], mapping: Mapping[str, str] | None = None, *, offline: bool = False
) -> Input:
    """Return the parts that ``inputs`` (paths, globs and addresses) name; all of one form.

    A folder of tables or archives is one part a file; loose pictures are one part a folder. Names of parts say where
    they are only as far as is needed to tell them apart, so that they are the same on another machine. Raises
    ``InputError`` for what does not exist, is of no known form, is empty, mixes forms, or lies elsewhere if
    ``offline``.
    """
    if not inputs:
        raise InputError.field("input", FORMS, "nothing")
    pictures: dict[Path, list[str] | None] = {}
    files: dict[tuple[str, ...], tuple[File, Named]] = {}
    folders: list[Path] = []
    far: dict[tuple[str, ...], tuple[CloudFolder, list[Entry]]] = {}
    for given in inputs:
        if is_address(str(given)):
            found = _open_far(str(given), offline=offline)
            files |= {file.pieces: (file, kind) for file, kind in found.files}
            far |= {(folder.shown.rstrip("/"),): (folder, entries) for folder, entries in found.pictures}
            continue
        for path in _expanded(str(given)):
            if path.is_dir():
                folders.append(path)
                held = _held(path)
                if not held:
                    pictures[path] = None
                files |= {file.pieces: (file, kind) for file, kind in held}
            elif is_picture(path.name):
                loose = pictures.setdefault(path.parent, [])
                if loose is not None:
                    loose.append(path.name)
            else:
                file = LocalFile(path)
                files[file.pieces] = (file, _kind(file))
    tables = _status_tables(files)
    _refuse_mixture(
        [*map(str, pictures), *(name for (name,) in far)],
        [file for file, _ in files.values()],
        {kind.form for _, kind in files.values()},
    )
    if mapping and (pictures or far):
        raise InputError.field("columns", "a table among the inputs", "folders of pictures, which have no columns")
    names = _names([*files, *(path.parts for path in pictures), *(tuple(name.split("/")) for (name,) in far)])
    parts: list[Part] = [
        _part(file, kind, tables.get(pieces), names[pieces], mapping) for pieces, (file, kind) in files.items()
    ]
    parts.extend(FolderPart(path, names[path.parts], loose) for path, loose in pictures.items())
    for (name,), (folder, entries) in far.items():
        parts.append(CloudFolderPart(folder, entries, names[tuple(name.split("/"))]))
    named = [text if is_address(text) else os.path.abspath(Path(text).expanduser()) for text in map(str, inputs)]  # noqa: PTH100 - resolve() would follow links and change names
    return Input(sorted(parts, key=lambda part: part.name), folders, named, dict(mapping or {}))


def _part(file: File, kind: Named, table: File | None, name: str, mapping: Mapping[str, str] | None) -> Part:
    match kind.form:
        case "parquet":
            return ParquetPart(file, name, mapping)
        case "csv":
            return CsvPart(file, name, kind.packing, mapping)
        case "jsonl":
            return JsonlPart(file, name, kind.packing, mapping)
        case "tar" if table is not None:
            return Img2datasetPart(file, table, name, mapping)
        case "tar":
            return TarPart(file, name, kind.packing, mapping)


def _status_tables(files: dict[tuple[str, ...], tuple[File, Named]]) -> dict[tuple[str, ...], File]:
    """Take the tables of img2dataset's shards out of ``files``, and return them by their shards' tars."""
    found: dict[tuple[str, ...], File] = {}
    for pieces, (_, kind) in files.items():
        if kind.form == "tar" and kind.packing is None:
            table = files.get((*pieces[:-1], kind.stem + ".parquet"))
            if table is not None and is_status_table(table[0]):
                found[pieces] = table[0]
    for taken in found.values():
        del files[taken.pieces]
    return found


def _open_far(given: str, *, offline: bool) -> Found:
    if offline:
        raise InputError.field("input", "paths on this machine, as --offline asks", shown_address(given))
    return open_address(given, FORMS)


def _expanded(given: str) -> list[Path]:
    """Return the paths that a path or a glob names, absolute; of a glob, those of a form that we read."""
    path = Path(given).expanduser()
    if os.path.lexists(path):
        return [Path(os.path.abspath(path))]  # noqa: PTH100 - resolve() would follow links and change names
    found = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(given) else []  # noqa: PTH207 - absolute
    paths = [Path(os.path.abspath(each)) for each in found]  # noqa: PTH100
    usable = [each for each in paths if each.is_dir() or is_picture(each.name) or named(each.name) is not None]
    if not paths:
        raise InputError.field("input", f"{FORMS} that exists", given)
    return usable or paths[:1]


def _kind(file: File) -> Named:
    kind = named(file.name)
    if kind is None or (file.path is not None and not file.path.is_file()):
        raise InputError.field("input", FORMS, file.shown)
    return kind


def _held(folder: Path) -> list[tuple[File, Named]]:
    """Return the tables and archives in ``folder``, through and through; raises ``InputError`` for pictures beside
    them."""
    found: list[tuple[File, Named]] = []
    picture: Path | None = None
    for path in _walked(folder):
        kind = named(path.name)
        if kind is not None and not path.name.startswith("_") and path.is_file():
            found.append((LocalFile(path), kind))
        elif picture is None and is_picture(path.name):
            picture = path
    if found and picture is not None:
        raise InputError(
            f"{folder}: expected a folder of one form, got tables ({found[0][0].name}) and pictures ({picture.name});"
            " name the table, or the folder of the pictures alone"
        )
    return sorted(found, key=lambda each: each[0].pieces)


def _walked(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename}: expected a readable folder, got {error.strerror or error}")

    for root, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in names if not name.startswith("."))


def _refuse_mixture(pictures: Iterable[str], files: Sequence[File], forms: set[str]) -> None:
    folder = next(iter(pictures), None)
    if files and folder is not None:
        raise InputError(f"expected inputs of one form, got the table {files[0].shown} beside the pictures in {folder}")
    if len(forms) > 1:
        shown = ", ".join(file.name for file in files[:5])
        raise InputError(f"expected inputs of one form, got {' and '.join(sorted(forms))} ({shown}); name one of them")


def _names(paths: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Return the shortest end of each path that no other shares."""
    names: dict[tuple[str, ...], str] = {}
    for count in range(1, max((len(path) for path in paths), default=0) + 1):
        ends = Counter(path[-count:] for path in paths)
        for path in paths:
            end = path[-count:]
            if path not in names and ends[end] == 1:
                names[path] = PurePosixPath(*end).as_posix().lstrip("/") or "root"
    return names
