"""The schema that all migrations together make, as text: ``python -m tests.registry.schema`` writes it (`make schema`).

One block for each table, view, function and type, the same from every PostgreSQL that the service works with: read from
the catalogue, in order of names, in the server's own words for types, constraints, indexes, triggers and functions.
"""

from __future__ import annotations

import asyncio
import shutil
import sys

from registry.database import Connection, Database, EmbeddedPostgres, Row, migrate
from registry.database.migrator import migrations_folder
from tests.registry import memory

PATH = migrations_folder() / "schema.txt"
_HEAD = """\
-- What the migrations beside this file make together. Written by `make schema`, compared by a test; never run.
"""

_RELATIONS = """
SELECT c.oid, c.relname AS name,
       CASE c.relkind
           WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
           WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'type'
       END AS kind,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS definition
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind NOT IN ('i', 'I', 't')
ORDER BY c.relname COLLATE "C"
"""
_COLUMNS = """
SELECT format_type(a.atttypid, a.atttypmod) AS type, a.attname AS name, a.attnotnull AS required,
       a.attgenerated::text AS generated, a.attidentity::text AS identity, pg_get_expr(d.adbin, d.adrelid) AS value,
       CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END AS collation
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
# 'n', not null, is a constraint of its own since PostgreSQL 18; here it is part of the column.
_PARTS = """
SELECT line FROM (
SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
       || CASE WHEN convalidated THEN '' ELSE ' (not valid)' END AS line
FROM pg_constraint WHERE conrelid = $1 AND contype NOT IN ('n', 't')
UNION ALL
SELECT CASE WHEN i.indisvalid THEN 'index ' ELSE 'invalid index ' END || pg_get_indexdef(i.indexrelid)
FROM pg_index i
WHERE i.indrelid = $1 AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = $1)
UNION ALL
SELECT 'trigger ' || CASE tgenabled WHEN 'O' THEN '' ELSE '(' || tgenabled::text || ') ' END || pg_get_triggerdef(oid)
FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal
) AS parts ORDER BY line COLLATE "C"
"""
_FUNCTIONS = """
SELECT pg_get_functiondef(oid) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p') AND probin IS NULL
ORDER BY proname COLLATE "C", pg_get_function_identity_arguments(oid) COLLATE "C"
"""
_ENUMS = """
SELECT 'enum ' || t.typname || ' (' || string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) || ')'
FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
WHERE t.typnamespace = 'public'::regnamespace
GROUP BY t.typname ORDER BY t.typname COLLATE "C"
"""


async def dump(connection: Connection) -> str:
    """Return the schema of the database as text."""
    blocks = [_HEAD, *(row[0] + "\n" for row in await connection.fetch(_ENUMS))]
    for relation in await connection.fetch(_RELATIONS):
        lines = [f"{relation['kind']} {relation['name']}"]
        if relation["definition"]:
            lines.append(relation["definition"].rstrip())
        else:
            lines += [_column(row) for row in await connection.fetch(_COLUMNS, relation["oid"])]
        lines += [f"    {row[0]}" for row in await connection.fetch(_PARTS, relation["oid"])]
        blocks.append("\n".join(lines) + "\n")
    blocks += [row[0].strip() + "\n" for row in await connection.fetch(_FUNCTIONS)]
    return "\n".join(blocks)


def _column(row: Row) -> str:
    words = [f"    {row['name']} {row['type']}"]
    if row["collation"]:
        words.append(f"collate {row['collation']}")
    if row["required"]:
        words.append("not null")
    if row["generated"]:
        words.append(f"generated ({row['value']})")
    elif row["value"]:
        words.append(f"default {row['value']}")
    if row["identity"]:
        words.append({"a": "always identity", "d": "identity"}[row["identity"]])
    return " ".join(words)


async def migrated(dsn: str) -> str:
    """Bring the database up to date; return its schema."""
    database = await Database.connect(dsn, connections=2)
    try:
        await migrate(database)
        async with database.acquire() as connection:
            return await dump(connection)
    finally:
        await database.close()


def main() -> int:
    data = memory.folder("licet-schema-")
    server = EmbeddedPostgres(data, durable=False)
    try:
        text = asyncio.run(migrated(server.start()))
    finally:
        server.stop()
        shutil.rmtree(data)
    PATH.write_text(text)
    print(f"wrote {PATH}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
