"""Which files of what a person named are pictures to register."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from licet.errors import InputError
from licet.fingerprints.picture import PICTURE_SUFFIXES


def collect(paths: Iterable[Path]) -> list[Path]:
    """Return every picture among ``paths``: files as named, folders through and through, each file once, by name.

    Inside folders hidden entries and files that are not named like pictures are passed over. Raises ``InputError``
    for a path that does not exist and for a folder without pictures.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(_pictures_in(path))
            if not inside:
                shown = ", ".join(sorted(PICTURE_SUFFIXES))
                raise InputError(
                    f"{path}: expected a folder with pictures ({shown}), got one without any", field="path"
                )
            for picture in inside:
                found.setdefault(picture.resolve(), picture)
        elif path.exists():
            found.setdefault(path.resolve(), path)
        else:
            raise InputError(f"{path}: expected a picture or a folder that exists, got nothing there", field="path")
    return list(found.values())


def _pictures_in(folder: Path) -> Iterable[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.suffix.lower() in PICTURE_SUFFIXES and path.is_file():
            yield path
