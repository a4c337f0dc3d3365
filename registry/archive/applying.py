"""Changes put into tables: of many changes to a row only the last is written, table by table, by binary COPY.

Values travel from the server's log to the table in the binary form of their types, never as Python objects.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from registry.archive import pgoutput, queries
from registry.archive.pgoutput import UNCHANGED, Message, Relation, Row
from registry.database import Connection
from registry.errors import ArchiveError

AT_A_TIME: Final = 32 << 20  # bytes of values that are held before they are written
_COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END: Final = b"\xff\xff"
_COUNT: Final = struct.Struct("!H")
_SIZE: Final = struct.Struct("!i")
_NULL: Final = _SIZE.pack(-1)

Key = tuple[bytes, ...]


@dataclass
class _Table:
    """One table: how its columns were called in the changes, and what became of its rows (None: gone)."""

    name: str
    columns: list[str]
    keys: list[int]
    fixed: set[str]  # identities: a row that is there has its own
    rows: dict[Key, Row | None] = field(default_factory=dict)

    def key_of(self, row: Row) -> Key:
        found = [value for place in self.keys if isinstance(value := row[place], bytes)]
        if len(found) != len(self.keys):
            raise ArchiveError(f"{self.name}: expected a row with its key, got one without")
        return tuple(found)


class Applier:
    """Takes messages in order; what they say is in the tables after `flush`, inside the caller's transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._raw: Any = conn
        self._tables: dict[int, _Table] = {}
        self._held = 0
        self._archived: set[str] = set()

    @property
    def is_full(self) -> bool:
        """Whether so much is held that it should be flushed."""
        return self._held >= AT_A_TIME

    async def take(self, message: Message) -> None:
        """Take the next message; raises ``ArchiveError`` for one that this database has no place for."""
        if isinstance(message, pgoutput.Insert):
            table = self._table(message.relation, message.new)
            self._put(table, table.key_of(message.new), message.new)
        elif isinstance(message, pgoutput.Update):
            self._update(message)
        elif isinstance(message, pgoutput.Delete):
            table = self._table(message.relation, message.old)
            self._put(table, table.key_of(message.old), None)
        elif isinstance(message, pgoutput.Relation):
            await self._relation(message)
        elif isinstance(message, pgoutput.Truncate):
            await self.flush()
            for number in message.relations:
                await self._conn.execute(queries.emptied(self._table(number).name))

    async def flush(self) -> None:
        """Everything taken so far is in the tables."""
        for table in list(self._tables.values()):
            rows, table.rows = table.rows, {}
            if rows:
                await self._write(table, rows)
        self._held = 0

    async def _relation(self, relation: Relation) -> None:
        if not self._archived:
            self._archived = {row["tablename"] for row in await self._conn.fetch(queries.FOLLOWED)}
        if relation.name not in self._archived:
            raise ArchiveError(f"{relation.name}: expected a table of this release that is archived; use a newer one")
        here = await self._conn.fetch(queries.COLUMNS, queries.quoted(relation.name))
        types = {row["attname"]: row["type"] for row in here}
        for column in relation.columns:
            if types.get(column.name) != column.type:
                raise ArchiveError(f"{relation.name}.{column.name}: expected a column of this type in this release")
        keys = [place for place, column in enumerate(relation.columns) if column.key]
        if {relation.columns[place].name for place in keys} != {row["attname"] for row in here if row["key"]}:
            raise ArchiveError(f"{relation.name}: expected rows named by the primary key of this release")
        columns = [column.name for column in relation.columns]
        present = self._tables.get(relation.number)
        if present is not None and (present.name, present.columns) == (relation.name, columns):
            return
        await self.flush()
        self._tables[relation.number] = _Table(
            relation.name, columns, keys, {row["attname"] for row in here if row["identity"]}
        )

    def _update(self, message: pgoutput.Update) -> None:
        table = self._table(message.relation, message.new)
        key = table.key_of(message.new)
        former = key if message.old is None else table.key_of(message.old)
        known = table.rows.get(former)
        new = message.new
        if known is not None:
            new = tuple(old if value is UNCHANGED else value for old, value in zip(known, new, strict=True))
        if former != key:
            if any(value is UNCHANGED for value in new):
                raise ArchiveError(f"{table.name}: expected every value of a row that got another key")
            self._put(table, former, None)
        self._put(table, key, new)

    def _put(self, table: _Table, key: Key, row: Row | None) -> None:
        table.rows[key] = row
        self._held += 100 + sum(len(value) for value in row or key if isinstance(value, bytes))

    def _table(self, number: int, row: Row | None = None) -> _Table:
        table = self._tables.get(number)
        if table is None:
            raise ArchiveError(f"expected changes of a table that was named, got some of table {number}")
        if row is not None and len(row) != len(table.columns):
            raise ArchiveError(f"{table.name}: expected {len(table.columns)} values, got {len(row)}")
        return table

    async def _write(self, table: _Table, rows: dict[Key, Row | None]) -> None:
        names, keys = table.columns, [table.columns[place] for place in table.keys]
        await self._conn.execute(queries.staged(table.name, names))
        gone = [key for key, row in rows.items() if row is None]
        if gone:
            await self._stage(table, keys, gone)
            await self._conn.execute(queries.removed(table.name, keys))
            await self._conn.execute(queries.cleared(table.name))
        groups: dict[tuple[int, ...], list[Row]] = {}
        for row in rows.values():
            if row is not None:
                groups.setdefault(tuple(at for at, value in enumerate(row) if value is not UNCHANGED), []).append(row)
        for places, alike in groups.items():
            columns = [names[at] for at in places]
            chosen = alike if len(places) == len(names) else [tuple(row[at] for at in places) for row in alike]
            await self._stage(table, columns, chosen)
            if len(places) == len(names):
                await self._conn.execute(queries.removed(table.name, keys))
                await self._conn.execute(queries.merged(table.name, columns))
            else:
                moving = [name for name in columns if name not in table.fixed]
                done = await self._conn.execute(queries.changed(table.name, moving, keys))
                if int(done.rpartition(" ")[2]) != len(alike):
                    raise ArchiveError(f"{table.name}: expected the rows that changed, got some of them; use a base")
            await self._conn.execute(queries.cleared(table.name))

    async def _stage(self, table: _Table, columns: list[str], rows: list[Any]) -> None:
        try:
            await self._raw.copy_to_table(
                queries.place_of(table.name), source=_copied(rows), columns=columns, format="binary"
            )
        except asyncpg.DataError as error:
            raise ArchiveError(f"{table.name}: expected values of its columns' types, got others: {error}") from error


async def _copied(rows: list[Row]) -> Any:
    """Yield ``rows`` as a binary COPY takes them."""
    yield _COPY_HEAD
    out = bytearray()
    for row in rows:
        out += _COUNT.pack(len(row))
        for value in row:
            if value is None:
                out += _NULL
            else:
                assert isinstance(value, bytes)
                out += _SIZE.pack(len(value)) + value
        if len(out) > 1 << 20:
            yield bytes(out)
            out.clear()
    yield bytes(out) + _COPY_END
