"""All SQL of an auditor's look into the ledger, with the index each statement relies on.

``$1`` is the auditor, ``$2`` and ``$3`` side by side whose each account of the ledger is. Every entry is shown or not
by itself: an account that is nobody's in them is shown to an auditor of everybody alone.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.accounts.queries import audits, in_scope
from registry.http.paging import Key, orders

_ENTRY: Final = """
select e.transfer, t.at, t.period, t.kind, t.source, t.memo, a.name as account, e.currency, e.amount
"""
_SEEN: Final = f"""
from entries e join ledger_accounts a on a.id = e.account join transfers t on t.id = e.transfer
left join unnest($2::uuid[], $3::text[]) as n (subject, name) on n.name = a.name
where {audits("$1", "n.subject", "t.period")}
"""
# by entries primary key, or ledger_accounts unique (name) and entries (account, transfer, currency)
ENTRIES: Final = orders(
    _ENTRY
    + _SEEN
    + """
and ($4::text[] is null or a.name = any($4)) and ($5::text is null or t.period = $5)
and ($6::text is null or e.currency = $6) and ($7::text is null or t.source = $7)
""",
    at=(Key("e.transfer", "transfer", UUID), Key("a.name", "account", str), Key("e.currency", "currency", str)),
)
# by transfers (period, id), entries primary key
DAYS: Final = f"""
select extract(day from t.at at time zone 'utc')::integer as day, count(*) as entries {_SEEN}
and ($4::text[] is null or a.name = any($4)) and t.period = $5 group by 1
"""  # noqa: S608
# by entries primary key
NAMES_OF: Final = """
select a.name from entries e join ledger_accounts a on a.id = e.account where e.transfer = $1
"""
TRANSFER: Final = _ENTRY + _SEEN + "and e.transfer = $4 order by a.name, e.currency"

# A use concerns the organisation that reports it and the artist whose work it is: whoever audits one of them sees it.
_EVENT: Final = "select v.work, v.atom, v.unit, v.quantity, v.currency, v.amount, v.fee from usage_events v"
# All uses of a batch are of one organisation and one moment, so its part is asked for once, and whose artists' she is
# by audit_scopes primary key. By usage_batches primary key, usage_events (batch, artist)
BATCH_EVENTS: Final = f"""
with of as materialized (
    select b.organisation, to_char(b.accepted_at at time zone 'utc', 'YYYY-MM') as month
    from usage_batches b where b.id = $2
)
{_EVENT}
where v.batch = $2 and (
    (select {audits("$1", "of.organisation", "of.month")} from of)
    or v.artist = any(array(
        select z.subject from of, audit_scopes z where z.subject is not null and {in_scope("$1", "of.month")}
    ))
)
order by v.work, v.id limit $3
"""  # noqa: S608
_MONTH: Final = "to_char(v.posted_at at time zone 'utc', 'YYYY-MM')"
# Those that a licence began with, and what agreements posted. By usage_events (licence, artist, id) without a batch
LICENCE_EVENTS: Final = f"""
{_EVENT}
where v.licence = $2 and v.batch is null
    and ({audits("$1", "v.organisation", _MONTH)} or {audits("$1", "v.artist", _MONTH)})
order by v.work, v.id limit $3
"""

# by log_pending (subject, id), log_entries unique (pending)
PROOF: Final = f"""
select p.kind, e.index, e.at from log_pending p join log_entries e on e.pending = p.id
where p.subject = $2 and {audits("$1", "p.account", "to_char(e.at at time zone 'utc', 'YYYY-MM')")}
    and e.index < (select published_size from log_head)
order by p.id limit 1
"""  # noqa: S608
