"""Where an ordinary user finds Python, our code and what it needs, if they lie behind folders that are closed."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from registry.database import binaries

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0
USER = 65_534  # nobody
VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"


class Ground(NamedTuple):
    """Where the user finds what it runs."""

    python: Path
    checkout: Path
    packages: Path
    variables: dict[str, str]

    @property
    def path(self) -> str:
        return os.pathsep.join(map(str, (self.checkout, self.checkout / "sdk" / "src", self.packages)))


@contextmanager
def ground() -> Iterator[Ground]:
    """Give Python, our code and what it needs, where other users may enter: as they lie, or linked into a folder."""
    spec = find_spec("asyncpg")
    assert spec is not None
    assert spec.origin is not None
    packages = Path(spec.origin).parents[1]
    own = Path(sys.executable)
    if not AS_ROOT or all(binaries.reachable(path, USER, USER) for path in (own, ROOT / "sdk" / "src", packages)):
        yield Ground(own, ROOT, packages, {})
        return
    folder = Path(tempfile.mkdtemp(prefix="licet-open-"))
    folder.chmod(0o755)
    try:
        base, checkout = Path(sys.base_prefix), folder / "checkout"
        _link(base / "lib" / VERSION, folder / "lib" / VERSION, "test", "site-packages", "idlelib")
        for library in (base / "lib").glob("libpython*"):
            _linked(str(library), str(folder / "lib" / library.name))
        (folder / "bin").mkdir()
        _linked(str(base / "bin" / VERSION), str(folder / "bin" / VERSION))
        for name in ("registry", "migrations", "openapi", "sdk/src/licet"):
            _link(ROOT / name, checkout / name)
        _link(packages, folder / "packages")
        libraries = {"LD_LIBRARY_PATH": str(folder / "lib")}
        yield Ground(folder / "bin" / VERSION, checkout, folder / "packages", libraries)
    finally:
        shutil.rmtree(folder)


def _link(source: Path, target: Path, *without: str) -> None:
    shutil.copytree(source, target, symlinks=True, copy_function=_linked, ignore=shutil.ignore_patterns(*without))


def _linked(source: str, target: str) -> str:
    """Make ``target`` the same file as ``source``, or a copy on another file system, readable by everybody."""
    real = os.path.realpath(source)
    if Path(real).stat().st_mode & stat.S_IROTH:
        with suppress(OSError):
            os.link(real, target)
            return target
    shutil.copyfile(real, target)
    Path(target).chmod(0o755)
    return target
