"""All SQL of closing months, one constant a statement, with the index it relies on."""

from __future__ import annotations

from typing import Final

from registry.accounts.queries import audits
from registry.http.paging import Key, orders

CLOSER_LOCK: Final = 0x6C69_6365_7470  # advisory: one process takes a step of a close at a time
HOLD_CLOSER: Final = "select pg_advisory_xact_lock($1)"
PATIENT: Final = "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0"

# by log_entries primary key
FIRST_ENTRY: Final = "select at from log_entries where index = 0"
# by periods primary key: where the log of the month before ended, and what closed it
BEFORE: Final = """
select p.log_end, l.envelope from periods p join log_pending l on l.id = p.pending
where p.period < $1 order by p.period desc limit 1
"""
# by periods primary key
STEP: Final = """
select period, secret, sealed_at, boundary, log_first, log_end, batches, batches_root, pending
from periods where period = $1
"""
# The whole of it, read through once.
COUNTED_MONTHS: Final = """
select p.period, p.secret, p.log_first, p.log_end, p.batches, p.batches_root, p.pending, l.envelope
from periods p left join log_pending l on l.id = p.pending where p.log_end is not null order by p.period
"""
COUNT_LINES: Final = "select count(*) from period_lines"
# by log_entries primary key, log_pending primary key
BATCHES: Final = """
select e.index, e.leaf_hash from log_entries e join log_pending p on p.id = e.pending
where e.index >= $1 and e.index < $2 and p.kind = 'usage-batch' order by e.index
"""
SET_LOG: Final = """
update periods set log_first = $2, log_end = $3, batches = $4, batches_root = $5 where period = $1
"""
# Charges that a month's close could not make, and that none made until then: it does not change once that is over.
# By allocations_left_out (period, licence) where posted is null
LEFT_OUT: Final = """
select count(*) from allocations_left_out where period <= $1 and (posted is null or posted > $1)
"""
SET_PENDING: Final = "update periods set pending = $2 where period = $1 and pending is null"
TREES_COLUMNS: Final = ("period", "side", "currency", "lines", "root", "sums", "nodes")
LINES_COLUMNS: Final = ("period", "payee", "side", "currency", "place", "sums")
# by period_trees primary key
TREES: Final = """
select period, side, currency, lines, root, sums, nodes from period_trees
where period = any($1::text[]) order by period, side, currency
"""

# Months that have ended and those since then, up to the one of this moment ($1), all public.
# by periods primary key, log_pending primary key, log_entries unique (pending)
LISTED: Final = orders(
    """
select m.period, p.ended_at, p.sealed_at, p.log_first, p.log_end, p.batches, p.batches_root, l.subject, e.index, (
        select count(*) from allocations_left_out x
        where x.period <= m.period and (x.posted is null or x.posted > m.period)
    ) as left_out
from (
    select to_char(g.month, 'YYYY-MM') collate "C" as period
    from generate_series(
        (coalesce((select min(period) from periods), $1) || '-01')::timestamp, ($1 || '-01')::timestamp,
        interval '1 month'
    ) as g (month)
) m left join periods p on p.period = m.period
left join log_pending l on l.id = p.pending
left join log_entries e on e.pending = p.pending and e.index < (select published_size from log_head)
where true
""",
    period=(Key("m.period", "period", str),),
)
# by periods primary key, log_entries unique (pending)
CLOSED: Final = """
select p.period, p.secret, p.log_first, p.log_end, p.batches, p.pending, e.index
from periods p join log_entries e on e.pending = p.pending
where p.period = $1 and e.index < (select published_size from log_head)
"""
# Who can be told; that a line names nobody is no reason for a month not to close. By period_lines primary key
PAYEES: Final = """
select distinct payee from period_lines
where period = $1 and side <> 'registry' and payee ~ '^(art|org)_[0-9a-z]{26}$'
"""
# by period_lines primary key: a payee's own, and nobody else's
OWN_LINES: Final = """
select l.side, l.payee, l.currency, l.place, l.sums, t.lines, t.nodes
from period_lines l join period_trees t using (period, side, currency)
where l.period = $1 and l.payee = $2 and l.side <> 'registry' order by l.side, l.currency
"""
# by period_lines unique (period, side, currency, place): what lies beside a line, for its proof
NEIGHBOURS: Final = """
select payee, currency, sums from period_lines
where period = $1 and side = $2 and currency = $3 and place >= $4 and place < $5 order by place
"""
# by period_lines unique (period, side, currency, place): whole trees, for auditors
ALL_LINES: Final = """
select side, payee, currency, place, sums from period_lines where period = $1 order by side, currency, place
"""
# Those of the caller ($3), those of whom it audits in the month ($4), all for the registry's own staff ($5).
# by log_entries primary key, log_pending primary key, audit_scopes primary key
BATCH_LIST: Final = orders(
    f"""
select e.index, e.entry, p.subject from log_entries e join log_pending p on p.id = e.pending
where e.index >= $1 and e.index < $2 and p.kind = 'usage-batch'
    and ($5::boolean or p.account = $3 or {audits("$3", "p.account", "$4::text")})
""",  # noqa: S608
    index=(Key("e.index", "index", int),),
)
