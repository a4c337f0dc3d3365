"""All SQL of exports: some tens of thousands of rows as one row, whose columns are bytes end to end.

PostgreSQL lines the values of a column up itself, so that nothing is done for a row here: `licet` identifiers, times
and amounts are made of whole columns (``registry.auditing.columns``). Who may see a row is decided here: ``$2``, of
uses, is the account whose part is shown (null: everything), ``$3`` whether uses of its own works are.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from registry.auditing.queries import SHARES

Kind = Literal["uuid", "hex", "text", "same", "int", "money", "time", "flag"]
ALONE: Final = "set local max_parallel_workers_per_gather = 0"
"""Before a block: with workers it takes half as much again of the processors, and comes out of order."""
TEXT_END: Final = "\x1e"
NOTHING: Final = "\x1d"
"""Between texts, and for one that is not there: no name that we take has control characters."""
_NIL: Final = "'00000000-0000-0000-0000-000000000000'::uuid"


class Column(NamedTuple):
    """A column of an export: its ``expression`` in SQL, and what it is made into. ``prefix`` of an identifier: of a
    ``uuid``, or in what column it stands (``=name``). A ``same`` is one text for all rows of a block."""

    name: str
    kind: Kind
    expression: str
    prefix: str = ""
    told: bool = True  # one that only says what another is made of is not


def _bytes(column: Column) -> str:
    """Return the aggregate of one column."""
    value = column.expression
    match column.kind:
        case "uuid":
            return f"string_agg(uuid_send(coalesce({value}, {_NIL})), ''::bytea)"
        case "hex":
            return f"string_agg({value}, ''::bytea)"
        case "int" | "money":
            return f"string_agg(int8send({value}), ''::bytea)"
        case "time":
            return f"string_agg(timestamptz_send({value}), ''::bytea)"
        case "flag":
            return f"string_agg(boolsend({value}), ''::bytea)"
        case "text":
            return f"string_agg(coalesce({value}, e'\\x1d'), e'\\x1e')"
        case "same":
            return value


def _block(columns: tuple[Column, ...], rows: str) -> str:
    """Return the query of one block over the subquery ``rows``, called ``v``, in its order."""
    aggregates = ",\n    ".join(f"{_bytes(column)} as {column.name}" for column in columns)
    return f"select count(*) as rows,\n    {aggregates}\nfrom ({rows}) as v"


EVENTS: Final = (
    Column("source", "uuid", "v.source", "=source_kind"),
    Column("id", "hex", "v.id"),
    Column("organisation", "uuid", "v.organisation", "org"),
    Column("licence", "uuid", "v.licence", "lic"),
    Column("statement", "uuid", "v.statement", "stm"),
    Column("work", "uuid", "v.work", "wrk"),
    Column("atom", "text", "v.atom"),
    Column("run", "text", "v.run"),
    Column("unit", "text", "v.unit"),
    Column("seq", "int", "v.seq"),
    Column("quantity", "int", "v.quantity"),
    Column("at", "time", "v.at"),
    Column("match", "text", "v.match"),
    Column("payee", "uuid", "v.artist", "=payee_kind"),
    Column("split", "uuid", "v.split", "spl"),
    Column("currency", "text", "v.currency"),
    Column("amount", "money", "v.amount"),
    Column("fee", "money", "v.fee"),
    Column("escrow", "flag", "v.escrow"),
    Column("memorandum", "text", "v.memorandum"),
    Column("posted_at", "time", "v.posted_at"),
    Column("source_kind", "same", "$4::text", told=False),
    Column("payee_kind", "text", "v.kind", told=False),
)
TRANSFERS: Final = (
    Column("transfer", "uuid", "v.id", "tra"),
    Column("at", "time", "v.at"),
    Column("period", "text", "v.period"),
    Column("kind", "text", "v.kind"),
    Column("source", "text", "v.source"),
    Column("key", "text", "v.key"),
    Column("memo", "text", "v.memo"),
    Column("reverses", "uuid", "v.reverses", "tra"),
)
ENTRIES: Final = (
    Column("transfer", "uuid", "v.id", "tra"),
    Column("at", "time", "v.at"),
    Column("period", "text", "v.period"),
    Column("kind", "text", "v.kind"),
    Column("source", "text", "v.source"),
    Column("account", "text", "v.name"),
    Column("currency", "text", "v.currency"),
    Column("amount", "money", "v.amount"),
)

_USES: Final = f"""
    ($2::uuid is null or v.organisation = $2 or ($3 and (v.artist = $2 or v.split in ({SHARES.replace("$1", "$2")}))))
"""
# In any order: rows come as they lie, mostly sorted, and to sort few columns of bytes costs less than whole rows.
# by usage_events (batch, artist), accounts primary key; $1 batches, $4 of what kind they are
BATCH_EVENTS: Final = _block(
    EVENTS,
    f"""
    select v.*, v.batch as source, a.kind
    from usage_events v left join accounts a on a.id = v.artist
    where v.batch = any($1::uuid[]) and {_USES}
    """,  # noqa: S608
)
# by usage_events (licence): what their acceptance reported; $1 licences, $4 of what kind they are
LICENCE_EVENTS: Final = _block(
    EVENTS,
    f"""
    select v.*, v.licence as source, a.kind
    from usage_events v left join accounts a on a.id = v.artist
    where v.licence = any($1::uuid[]) and v.batch is null and {_USES}
    """,  # noqa: S608
)
# Sources of the month from $4 to $5 behind source $1, below log index $6, with the uses that each has at most: by
# usage_batches and licences primary keys, log_entries unique (pending), usage_events (batch, artist), licence_works
# primary key
BATCHES: Final = f"""
select b.id, b.new + b.memorandum as uses from usage_batches b join log_entries e on e.pending = b.pending
where b.id > $1 and b.accepted_at >= $4 and b.accepted_at < $5 and e.index < $6
    and ($2::uuid is null or b.organisation = $2
        or ($3 and exists (select from usage_events v where v.batch = b.id and {_USES})))
order by b.id limit $7
"""  # noqa: S608
LICENCES: Final = f"""
select l.id, l.works as uses from licences l join log_entries e on e.pending = l.pending
where l.id > $1 and l.granted_at >= $4 and l.granted_at < $5 and e.index < $6
    and ($2::uuid is null or l.organisation = $2
        or ($3 and exists (select from usage_events v where v.licence = l.id and v.batch is null and {_USES})))
order by l.id limit $7
"""  # noqa: S608

# Transfers of month $1 behind transfer $2 whose statement is in the published log (not of sources $3), which move
# accounts of names $4 (null: all), $5 at most. By transfers (period, id), entries and ledger_accounts primary keys
_MONTH: Final = """
    select t.* from transfers t
    where t.period = $1 and t.id > $2 and t.source <> all($3::text[]) and ($4::text[] is null or exists (
        select from entries x join ledger_accounts y on y.id = x.account where x.transfer = t.id and y.name = any($4)
    ))
    order by t.id limit $5
"""
MONTH_TRANSFERS: Final = _block(TRANSFERS, _MONTH)
MONTH_ENTRIES: Final = _block(
    ENTRIES,
    f"""
    select t.id, t.at, t.period, t.kind, t.source, a.name, e.currency, e.amount
    from ({_MONTH}) as t join entries e on e.transfer = t.id join ledger_accounts a on a.id = e.account
    where ($4::text[] is null or a.name = any($4))
    order by t.id, a.name collate "C", e.currency collate "C"
    """,  # noqa: S608
)
