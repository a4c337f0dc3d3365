"""Which files of what a person named are pictures to register."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from licet.errors import InputError
from licet.fingerprints.formats import PICTURE_SUFFIXES, is_picture_file, is_picture_name


def collect(paths: Iterable[Path]) -> list[Path]:
    """Return every picture among ``paths``: files as named, folders through and through, each file once, by name.

    Inside folders hidden entries, files that are not named like pictures and links to other folders are passed over. A
    file whose name has no ending is a picture if its first bytes say so; one of a format that is not read is there to
    be refused by name.
    Raises ``InputError`` for a path that does not exist and for a folder without pictures.
    """
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    for path in paths:
        if path.is_dir():
            before = len(found)
            inside = 0
            for picture in pictures_in(path):
                inside += 1
                _add(found, seen, picture)
            if not inside:
                shown = ", ".join(sorted(PICTURE_SUFFIXES))
                raise InputError(
                    f"{path}: expected a folder with pictures ({shown}), got one without any", field="path"
                )
            found[before:] = sorted(found[before:])
        elif path.exists():
            _add(found, seen, path)
        else:
            raise InputError(f"{path}: expected a picture or a folder that exists, got nothing there", field="path")
    return found


def pictures_in(folder: Path) -> Iterator[Path]:
    """Yield the pictures of ``folder`` and the folders in it, in no order; links to folders are not followed."""
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif _named_or_begun(entry) and entry.is_file():
                        yield Path(entry.path)
        except OSError as error:
            raise InputError(
                f"{error.filename}: expected a readable folder, got {error.strerror or error}", field="path"
            ) from None


def _add(found: list[Path], seen: set[tuple[int, int]], path: Path) -> None:
    status = path.stat()
    file = (status.st_dev, status.st_ino)
    if file not in seen:
        seen.add(file)
        found.append(path)


def _named_or_begun(entry: os.DirEntry[str]) -> bool:
    # Files without an ending are few: only those are opened.
    return is_picture_name(entry.name) or ("." not in entry.name and is_picture_file(Path(entry.path)))
