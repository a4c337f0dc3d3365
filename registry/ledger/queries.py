"""All SQL of the ledger, one constant a statement, with the index it relies on."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.http.paging import Key, orders

# ledger_accounts unique (name); in the order of names, so that two posters never wait for each other in a ring
OPEN_ACCOUNTS: Final = """
insert into ledger_accounts (name)
select wanted.name from unnest($1::text[]) as wanted (name)
where not exists (select from ledger_accounts a where a.name = wanted.name)
order by wanted.name
on conflict (name) do nothing
"""
ACCOUNTS: Final = "select id, name from ledger_accounts where name = any($1::text[])"

# transfers unique (key); a key that is there already posts nothing, and its entries find no transfer to join
POST: Final = """
with posted as (
    insert into transfers (id, key, kind, at, source, memo, lines)
    select g.id, g.key, g.kind, g.at, g.source, g.memo, g.lines
    from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::bigint[])
        as g (id, key, kind, at, source, memo, lines)
    order by g.key
    on conflict (key) do nothing
    returning id, key
), written as (
    insert into entries (transfer, account, currency, amount)
    select e.transfer, e.account, e.currency, e.amount
    from unnest($8::uuid[], $9::bigint[], $10::text[], $11::bigint[]) as e (transfer, account, currency, amount)
    join posted p on p.id = e.transfer
)
select key from posted
"""

# transfers unique (key); entries primary key
KNOWN: Final = """
select t.key, t.kind, t.source, a.name as account, e.currency, e.amount
from transfers t join entries e on e.transfer = t.id join ledger_accounts a on a.id = e.account
where t.key = any($1::text[])
"""

# transfers primary key and unique (reverses); entries primary key
REVERSE: Final = """
with reversed as (
    select id, lines from transfers where id = $1 and reverses is null
), posted as (
    insert into transfers (id, key, kind, at, source, memo, lines, reverses)
    select $2, $3, 'reversal', $4, $5, $6, r.lines, r.id from reversed r
    on conflict do nothing
    returning id, reverses
), written as (
    insert into entries (transfer, account, currency, amount)
    select p.id, e.account, e.currency, -e.amount from posted p join entries e on e.transfer = p.reverses
)
select id from posted
"""
REVERSAL: Final = """
select t.id, t.reverses, r.id as reversal, r.key as reversal_key
from transfers t left join transfers r on r.reverses = t.id where t.id = $1
"""

# ledger_accounts unique (name); entries (account, transfer, currency) include (amount)
BALANCES: Final = """
select a.name, e.currency, sum(e.amount) as amount
from ledger_accounts a join entries e on e.account = a.id
where a.name = any($1::text[])
group by a.name, e.currency
order by a.name, e.currency
"""

_LINE: Final = """
select t.id as transfer, t.key, t.kind, t.at, t.period, t.source, t.memo, t.reverses,
    a.name as account, e.currency, e.amount
from ledger_accounts a join entries e on e.account = a.id join transfers t on t.id = e.transfer
"""
# ledger_accounts unique (name); entries (account, transfer, currency)
LINES: Final = orders(
    _LINE
    + """
where a.name = any($1::text[]) and ($2::text is null or e.currency = $2) and ($3::text is null or t.source = $3)
""",
    at=(Key("e.transfer", "transfer", UUID), Key("a.name", "account", str), Key("e.currency", "currency", str)),
)
# by transfers (period, id)
JOURNAL: Final = (
    _LINE
    + """
where t.period = $1 and ($2::text[] is null or a.name = any($2))
order by t.id, a.name, e.currency
"""
)

# The whole ledger, read through once: what the triggers promise, counted again.
WRONG_TRANSFERS: Final = """
select t.id, t.lines, count(e.transfer) as found, coalesce(max(abs(e.total)), 0)::bigint as off
from transfers t
left join (
    select transfer, currency, sum(amount) over (partition by transfer, currency) as total from entries
) e on e.transfer = t.id
group by t.id, t.lines
having count(e.transfer) <> t.lines or max(abs(e.total)) <> 0
order by t.id
"""
WRONG_REVERSALS: Final = """
select r.id, r.reverses
from transfers r join transfers t on t.id = r.reverses
where t.reverses is not null or exists (
    select account, currency, amount from entries where transfer = r.id
    except select account, currency, -amount from entries where transfer = t.id
) or exists (
    select account, currency, -amount from entries where transfer = t.id
    except select account, currency, amount from entries where transfer = r.id
)
order by r.id
"""
TOTALS: Final = "select currency, sum(amount) as amount from entries group by currency having sum(amount) <> 0"
