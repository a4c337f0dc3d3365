"""Which files of what a person named are pictures to register."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import repeat
from pathlib import Path

from licet.errors import InputError
from licet.fingerprints.formats import PICTURE_SUFFIXES, is_picture_file, is_picture_name


class Pictures:
    """Every picture among ``paths``: files as named, folders through and through, each file once, by name.

    Inside folders hidden entries, files that are not named like pictures and links to other folders are passed over. A
    file whose name has no ending is a picture if its first bytes say so; one of a format that is not read is there to
    be refused by name.

    Folders are read anew by each iteration, which holds the names in one folder a level and no more: a million files
    are counted and listed in the same memory as a thousand of their folders. Making it raises ``InputError`` for a path
    that does not exist and for a folder without pictures.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = list(paths)
        self._roots = [path.resolve() for path in self._paths if path.is_dir()]
        for path in self._paths:
            if path.is_dir():
                _need_one(path, self._roots)
            elif not path.exists():
                raise InputError(f"{path}: expected a picture or a folder that exists, got nothing there", field="path")
        self._count = sum(1 for _ in self)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Path]:
        met, before = _Met(), list[Path]()
        for path in self._paths:
            if path.is_dir():
                yield from _in_folder(path, self._roots, met)
                before.append(path.resolve())
            elif met.first(path) and not _found_in(before, path):
                yield path


class _Met:
    """What was met that may be met again: folders, files named by themselves, and files of several names."""

    def __init__(self) -> None:
        self._known: set[tuple[int, int]] = set()

    def first(self, path: Path, *, alone: bool = False) -> bool:
        """Return whether this is met for the first time; it is kept unless ``alone`` and it has no other name."""
        try:
            status = path.stat()
        except OSError:
            return True  # whoever reads it says what is wrong with it
        which = (status.st_dev, status.st_ino)
        if which in self._known:
            return False
        if not alone or status.st_nlink > 1:
            self._known.add(which)
        return True


def _need_one(folder: Path, roots: list[Path]) -> None:
    if next(_in_folder(folder, roots, _Met()), None) is None:
        shown = ", ".join(sorted(PICTURE_SUFFIXES))
        message = f"{folder}: expected a folder with pictures ({shown}), got one without any; name texts one by one"
        raise InputError(message, field="path")


def _in_folder(folder: Path, roots: list[Path], met: _Met) -> Iterator[Path]:
    """Yield the pictures in ``folder`` that were not ``met``, in the order of their paths' parts."""
    levels = [_entries(folder)] if met.first(folder) else []
    while levels:
        found = next(levels[-1], None)
        if found is None:
            levels.pop()
            continue
        path, kind = found
        if kind == _FOLDER:
            if met.first(path):
                levels.append(_entries(path))
        elif (kind == _FILE or not _found_in(roots, path)) and met.first(path, alone=kind == _FILE):
            yield path


_FOLDER, _FILE, _LINK = 0, 1, 2


def _entries(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield (path, kind) of the folders in ``folder`` and of what is taken for pictures there, by name."""
    names: tuple[list[str], list[str], list[str]] = ([], [], [])
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    names[_FOLDER].append(entry.name)
                elif _named_or_begun(entry.name, folder) and entry.is_file():
                    names[_LINK if entry.is_symlink() else _FILE].append(entry.name)
    except OSError as error:
        raise InputError(
            f"{error.filename}: expected a readable folder, got {error.strerror or error}", field="path"
        ) from None
    for each in names:
        each.sort()
    for name, kind in merge(*(zip(each, repeat(kind)) for kind, each in enumerate(names))):
        yield folder / name, kind


def _found_in(folders: list[Path], path: Path) -> bool:
    """Return whether the file that ``path`` leads to is found in one of ``folders`` (real paths) by its own name."""
    real = path.resolve()
    for folder in folders:
        inner = real.relative_to(folder).parts if real.is_relative_to(folder) else ()
        if inner and not any(part.startswith(".") for part in inner) and _named_or_begun(real.name, real.parent):
            return True
    return False


def _named_or_begun(name: str, folder: Path) -> bool:
    # Files without an ending are few: only those are opened.
    return is_picture_name(name) or ("." not in name and is_picture_file(folder / name))
