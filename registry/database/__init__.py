"""PostgreSQL: our own or an external one, its connections, transactions and schema."""

from __future__ import annotations

from registry.database.instance import EmbeddedPostgres, attached, embedded
from registry.database.migrator import Migration, migrate, migrations_folder, pending, stranded
from registry.database.opening import opened
from registry.database.pool import FATAL, Connection, Database, Row, answering, once_committed

__all__ = [
    "FATAL",
    "Connection",
    "Database",
    "EmbeddedPostgres",
    "Migration",
    "Row",
    "answering",
    "attached",
    "embedded",
    "migrate",
    "migrations_folder",
    "once_committed",
    "opened",
    "pending",
    "stranded",
]
