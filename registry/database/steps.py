"""The schema's steps: plain SQL files ``NNNN_name.sql``, what each says of itself, and what no step may do.

A file runs in one transaction. One with the line ``-- licet: no-transaction`` (for ``CREATE INDEX CONCURRENTLY``) runs
outside of any, so it holds one statement that is safe to run again.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from registry.errors import MigrationError
from registry.packaged import packaged

_FILE: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql", re.ASCII)
_MARK: Final = re.compile(r"^--[ \t]*licet\b[ \t]*:?[ \t]*(.*?)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_NO_TRANSACTION: Final = "no-transaction"
_COMMENT: Final = re.compile(r"--[^\n]*")
_CONCURRENTLY: Final = re.compile(r"\bindex\s+concurrently\s+(if\s+(?:not\s+)?exists\s+)?(\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, name, SQL and the digest of the SQL (line ends as ``\\n``)."""

    version: int
    name: str
    sql: str
    sha256: bytes

    @property
    def file(self) -> str:
        return file_name(self.version, self.name)

    @property
    def in_transaction(self) -> bool:
        return _NO_TRANSACTION not in _MARK.findall(self.sql)

    @property
    def words(self) -> set[str]:
        """Every name and keyword of the SQL, in small letters."""
        return set(re.findall(r"[a-z_][a-z0-9_$]*", _COMMENT.sub("", self.sql).lower()))


def file_name(version: int, name: str) -> str:
    """Return the file of step ``version``."""
    return f"{version:04d}_{name}.sql"


def migrations_folder() -> Path:
    """Return the folder of this installation's migrations, in a wheel or a checkout."""
    return packaged("migrations")


def migrations(folder: Path | None = None) -> list[Migration]:
    """Return the migrations in ``folder`` in order.

    Raises ``MigrationError`` for a bad name, two of one number, an unknown marker, and a statement outside a
    transaction that could not be run again after it was cut off.
    """
    folder = folder or migrations_folder()
    if not folder.is_dir():
        raise MigrationError(f"expected a folder of migrations at {folder}, found none")
    found = [_read(path) for path in sorted(folder.glob("*.sql"))]
    for one, other in pairwise(found):
        if one.version == other.version:
            raise MigrationError(f"expected one migration {one.version:04d}, got {one.file} and {other.file}")
    return found


def _read(path: Path) -> Migration:
    match = _FILE.fullmatch(path.name)
    if match is None:
        raise MigrationError(f"expected a migration named NNNN_name.sql, got {path.name}")
    try:
        sql = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(f"cannot read {path.name}: {error}") from error
    for mark in _MARK.findall(sql):
        if mark != _NO_TRANSACTION:
            raise MigrationError(f"{path.name}: expected the marker '-- licet: {_NO_TRANSACTION}', got {mark!r}")
    migration = Migration(int(match[1]), match[2], sql, hashlib.sha256(sql.encode()).digest())
    for found in _CONCURRENTLY.finditer(_COMMENT.sub("", sql)):
        if migration.in_transaction:
            raise MigrationError(
                f"{path.name}: expected the line '-- licet: {_NO_TRANSACTION}' above {' '.join(found[0].split())}"
            )
        if found[1] is None:
            raise MigrationError(
                f"{path.name}: expected IF NOT EXISTS (or IF EXISTS) before {found[2]}, so that the statement can be "
                "run again after it was cut off"
            )
    return migration
