"""All SQL of the archive, one constant a statement. Names of tables and columns come from the catalogue, quoted."""

from __future__ import annotations

from typing import Final

PATIENT: Final = "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0"
PATIENT_HERE: Final = "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0"
# Decoding writes six lines into the server's log each time; what goes wrong in it is raised, and logged, here. Only who
# may set it sets it.
_QUIET: Final = (
    "select set_config('log_min_messages', 'fatal', true) where has_parameter_privilege('log_min_messages', 'set')"
)
# What is peeked at is held in memory up to here, which is a few batches of uses; more goes through a file.
_ROOM: Final = "set local work_mem = '64MB'"
PATIENT_HERE_AND_QUIET: Final = f"{PATIENT_HERE}; {_ROOM}; {_QUIET}"
# What the sequencer commits must be in the server's log before it is read from there.
DURABLE: Final = "set synchronous_commit = on"

# One slot a database: slots belong to the whole server.
SLOT_NAME: Final = "select 'licet_archive_' || oid::text from pg_database where datname = current_database()"
SLOT: Final = """
select wal_status, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint as behind
from pg_replication_slots where slot_name = $1
"""
MAKE_SLOT: Final = "select pg_create_logical_replication_slot($1, 'pgoutput')"
DROP_SLOT: Final = """
select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1 and not active
"""
# Where the server's log ends, read after what the same statement says of our log: that much is in there.
GOAL: Final = """
select h.size, (select max(version) from schema_migrations) as schema, pg_current_wal_flush_lsn()::text as goal
from log_head h
"""
ADVANCE: Final = f"""
with quiet as materialized ({_QUIET})
select pg_replication_slot_advance($1, $2::text::pg_lsn) from (select count(*) as n from quiet) q where q.n >= 0
"""  # noqa: S608
# Decoding starts over at the last such record; by itself the server writes one every 15 seconds.
MAY_NOTE: Final = "select has_function_privilege('pg_log_standby_snapshot()', 'execute')"
NOTE: Final = "select pg_log_standby_snapshot()"
SEEN: Final = "select pg_current_snapshot()::text"

MARK: Final = "select segment, stored, since, base from archive_mark"
RAISE_MARK: Final = "update archive_mark set segment = $1, at = now() where segment < $1 returning segment"
STORED: Final = "update archive_mark set stored = $1 where stored < $1"
SET_MARK: Final = "update archive_mark set segment = $1, at = now()"
# A number that no segment gets lies between two streams: a copy that holds all of the first does not hold the gap.
BEGIN_STREAM: Final = """
update archive_mark set segment = greatest(segment, $1) + 1, since = greatest(segment, $1) + 1, base = null
"""
KEEP_BASE: Final = "update archive_mark set base = $1"
RENEW_LOCK: Final = 0x6C69_6365_7470  # advisory: one process copies everything at a time

FOLLOW: Final = "select archive_follow()"
FOLLOWED: Final = "select tablename from pg_publication_tables where pubname = 'licet_archive' order by tablename"
# The columns that are written: not those that the database computes.
COLUMNS: Final = """
select a.attname, a.atttypid::bigint as type, coalesce(k.key, false) as key, a.attidentity <> '' as identity
from pg_attribute a
left join lateral (
    select true as key from pg_index i
    where i.indrelid = a.attrelid and i.indisprimary and a.attnum = any(i.indkey::smallint[])
) k on true
where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
order by a.attnum
"""
STATE: Final = """
select m.segment as mark, h.size, h.root, (select max(version) from schema_migrations) as schema
from archive_mark m cross join log_head h
"""

# Constraints that changes may break on the way and hold again at the end, and how to put them back.
ASIDE: Final = """
select * from (
    select 1 as step, format('alter table %I disable trigger user', c.relname) as away,
        3 as back_step, format('alter table %I enable trigger user', c.relname) as back
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
        and exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)
    union all
    select 2, format('alter table %s drop constraint %I', k.conrelid::regclass, k.conname),
        2, format('alter table %s add constraint %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
    from pg_constraint k where k.connamespace = current_schema()::regnamespace and k.contype = 'f'
    union all
    select 3, format('alter table %s drop constraint %I', k.conrelid::regclass, k.conname),
        1, format('alter table %s add constraint %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
    from pg_constraint k where k.connamespace = current_schema()::regnamespace and k.contype = 'u'
    union all
    select 3, format('drop index %s', i.indexrelid::regclass), 1, pg_get_indexdef(i.indexrelid)
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where c.relnamespace = current_schema()::regnamespace and i.indisunique and not i.indisprimary
        and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
) parts
order by step, away
"""
KEEP_ASIDE: Final = "insert into archive_aside (statement) values ($1)"
KEPT_ASIDE: Final = "select place, statement from archive_aside order by place"
IS_ASIDE: Final = "select exists (select from archive_aside)"
FORGET_ASIDE: Final = "delete from archive_aside"

SEQUENCES: Final = """
select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and a.attidentity <> ''
"""


def quoted(name: str) -> str:
    """Return ``name`` as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` as SQL takes it where nothing can be handed in beside it."""
    return "'" + text.replace("'", "''") + "'"


def _listed(names: list[str], form: str = "{}") -> str:
    return ", ".join(form.format(quoted(name)) for name in names)


def peek(slot: str, goal: str) -> str:
    """Return the question for all messages of ``slot`` up to ``goal``, as `SLOT_NAME` and `GOAL` answer."""
    return (
        f"select data from pg_logical_slot_peek_binary_changes({literal(slot)}, {literal(goal)}::pg_lsn, null, "  # noqa: S608
        "'proto_version', '1', 'publication_names', 'licet_archive', 'binary', 'true')"
    )


def rows_of(table: str, columns: list[str]) -> str:
    """Return the question for all rows of ``table``."""
    return f"select {_listed(columns)} from {quoted(table)}"  # noqa: S608


def staged(table: str, columns: list[str]) -> str:
    """Return what makes the place where changes of ``table`` are put before they are merged."""
    place = quoted(f"replayed {table}"[:63])
    return (
        f"create temp table if not exists {place} on commit delete rows as "  # noqa: S608
        f"select {_listed(columns)} from {quoted(table)} with no data"
    )


def merged(table: str, columns: list[str]) -> str:
    """Return what puts staged rows into ``table``, where none has their keys (`removed`)."""
    # Not by ON CONFLICT DO UPDATE: an identity column that is no key could not be written.
    return (
        f"insert into {quoted(table)} ({_listed(columns)}) overriding system value "  # noqa: S608
        f"select {_listed(columns)} from {_place(table)}"
    )


def changed(table: str, columns: list[str], keys: list[str]) -> str:
    """Return what puts the staged ``columns`` into rows of ``table`` that are there."""
    others = [name for name in columns if name not in keys]
    return (
        f"update {quoted(table)} t set {_listed(others, '{0} = s.{0}')} from {_place(table)} s "  # noqa: S608
        f"where {_same(keys)}"
    )


def removed(table: str, keys: list[str]) -> str:
    """Return what takes away the rows of ``table`` whose keys are staged."""
    return f"delete from {quoted(table)} t using {_place(table)} s where {_same(keys)}"  # noqa: S608


def emptied(table: str) -> str:
    """Return what takes away all rows of ``table``."""
    return f"delete from {quoted(table)}"  # noqa: S608


def cleared(table: str) -> str:
    """Return what makes room for the next staged rows of ``table``."""
    return f"truncate {_place(table)}"


def place_of(table: str) -> str:
    """Return the name, not quoted, of the place for changes of ``table``."""
    return f"replayed {table}"[:63]


def continued(table: str, column: str) -> str:
    """Return what makes the identity ``column`` go on after its largest value."""
    return (
        f"select setval(pg_get_serial_sequence('{quoted(table)}', '{column}'), "  # noqa: S608
        f"coalesce(max({quoted(column)}), 0) + 1, false) from {quoted(table)}"
    )


def _place(table: str) -> str:
    return quoted(place_of(table))


def _same(keys: list[str]) -> str:
    return " and ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in keys)
