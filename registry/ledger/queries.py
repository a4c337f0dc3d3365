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
    select id, lines from transfers
    where id = $1 and reverses is null and kind not in ('pending', 'release', 'void')
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
select t.id, t.kind, t.reverses, r.id as reversal, r.key as reversal_key
from transfers t left join transfers r on r.reverses = t.id where t.id = $1
"""

# $1 is pending; $2, $3, $4 id, key and kind of what takes it back; $5, $6, $7 those of what it becomes, null for none.
# Whoever comes second waits here for the first, and then does nothing.
# By transfers primary key and unique (key), resolutions primary key, entries primary key, ledger_accounts unique (name)
RESOLVE: Final = """
with waiting as (
    select id, lines from transfers where id = $1 and kind = 'pending'
        and not exists (select from transfers where key = $3 or key = $6)
), claimed as (
    insert into resolutions (pending, released, posted) select id, $2, $5::uuid from waiting
    on conflict do nothing returning pending, released, posted
), made as (
    insert into transfers (id, key, kind, at, source, memo, lines)
    select n.id, n.key, n.kind, $8, $9, $10, w.lines
    from claimed c join waiting w on w.id = c.pending
    cross join lateral (
        values (c.released, $3::text, $4::text), (c.posted, $6::text, $7::text)
    ) as n (id, key, kind)
    where n.id is not null
    returning id
), written as (
    insert into entries (transfer, account, currency, amount)
    select c.released, e.account, e.currency, -e.amount from claimed c join entries e on e.transfer = c.pending
    union all
    select c.posted, r.id, e.currency, e.amount
    from claimed c join entries e on e.transfer = c.pending join ledger_accounts a on a.id = e.account
    join ledger_accounts r on r.name = regexp_replace(a.name, '^pending:([a-z]+)_', '\\1:')
    where c.posted is not null
)
select id from made
"""
# by transfers primary key, resolutions primary key
RESOLUTION: Final = """
select t.id, x.released, x.posted, r.key as released_key, p.key as posted_key
from transfers t left join resolutions x on x.pending = t.id
left join transfers r on r.id = x.released left join transfers p on p.id = x.posted
where t.id = $1 and t.kind = 'pending'
"""

# What the last month that is counted closed with, and what was posted since: a month is a range of transfers' ids.
# ledger_accounts unique (name); periods primary key; period_balances primary key; entries (account, transfer, currency)
BALANCES: Final = """
with wanted as materialized (
    select id, name from ledger_accounts where name = any($1::text[])
), closed as materialized (
    select period, boundary, straddling from periods where boundary is not null order by period desc limit 1
), parts as (
    select b.account, b.currency, b.closing as amount
    from closed c join period_balances b on b.period = c.period and b.account in (select id from wanted)
    union all
    select e.account, e.currency, e.amount
    from wanted w join entries e on e.account = w.id
        and e.transfer >= coalesce((select boundary from closed), '00000000-0000-0000-0000-000000000000')
    where not exists (select from closed c where e.transfer = any(c.straddling))
)
select w.name, p.currency, sum(p.amount) as amount
from parts p join wanted w on w.id = p.account
group by w.name, p.currency
order by w.name, p.currency
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

# -- months ------------------------------------------------------------------------------------------------------------

PERIODS_LOCK: Final = 0x6C69_6365_7492  # advisory: shared by whoever posts, whole to end a month
HOLD_PERIODS: Final = "select pg_advisory_xact_lock($1)"
SHARE_PERIODS: Final = "select pg_advisory_xact_lock_shared($1)"
_PERIOD: Final = """
select period, secret, ended_at, sealed_at, boundary is not null as counted, pending is not null as stated from periods
"""
# by periods primary key
PERIOD: Final = _PERIOD + "where period = $1"
LAST_PERIOD: Final = _PERIOD + "order by period desc limit 1"
# by transfers (period, id)
FIRST_POSTED: Final = "select period from transfers order by period, id limit 1"
END_PERIOD: Final = """
insert into periods (period, secret, ended_at)
select $1, $2, $3 where not exists (select from periods where period = $1)
"""
SEAL_PERIOD: Final = "update periods set sealed_at = greatest(ended_at, $2) where period = $1 and sealed_at is null"
CLOSING: Final = "select set_config('licet.closing', $1, true)"
# Every account through the month $1, from what the month before closed with; $2 the kinds by which something is owed.
# by transfers (period, id), entries primary key, period_balances primary key
# Sums of bigint are numeric: none is cut here, and one that a bigint column cannot keep is refused by it.
_MOVED: Final = """
with moved as (
    select e.account, e.currency,
        coalesce(sum(e.amount) filter (where t.kind = any($2)), 0) as accrued,
        coalesce(sum(e.amount) filter (where t.kind = 'reversal'), 0) as reversed,
        coalesce(sum(e.amount) filter (where t.kind <> 'reversal' and t.kind <> all($2)), 0) as settled
    from transfers t join entries e on e.transfer = t.id
    where t.period = $1
    group by e.account, e.currency
), before as (
    select account, currency, closing from period_balances
    where closing <> 0 and period = (select max(period) from periods where period < $1)
), through as (
    select account, currency, coalesce(b.closing, 0) as opening, coalesce(m.accrued, 0) as accrued,
        coalesce(m.reversed, 0) as reversed, coalesce(m.settled, 0) as settled
    from moved m full join before b using (account, currency)
)
"""
COUNT_PERIOD: Final = (
    "insert into period_balances (period, account, currency, opening, accrued, reversed, settled, closing)"
    + _MOVED
    + """
select $1, account, currency, opening, accrued, reversed, settled, opening + accrued + reversed + settled from through
"""
)
MOVED: Final = (
    _MOVED
    + """
select a.name, t.currency, t.opening, t.accrued, t.reversed, t.settled
from through t join ledger_accounts a on a.id = t.account
"""
)
# by transfers (period, id)
COUNTED: Final = """
update periods p set boundary = $2, straddling = array(
    select t.id from transfers t where t.period = $1 and t.id >= $2 order by t.id
) where p.period = $1
"""
# by period_balances primary key
KEPT: Final = """
select a.name, b.currency, b.opening, b.accrued, b.reversed, b.settled
from period_balances b join ledger_accounts a on a.id = b.account where b.period = $1
"""

# The whole ledger, read through: what the triggers promise, counted again. Each is one pass over the entries, which
# groups them in memory where it may: by transfer, and by account.
ROOM: Final = "select set_config('work_mem', '64MB', true)"
# Nearly all transfers are of one currency; only the others are looked at one by one. ``lines`` null: no such transfer.
WRONG_TRANSFERS: Final = """
with held as (
    select transfer, count(*) as found, abs(sum(amount)) as off, min(currency) = max(currency) as alone
    from entries group by transfer
), differing as (
    select coalesce(t.id, h.transfer) as id, t.lines, coalesce(h.found, 0) as found, case when h.alone then h.off else (
        select coalesce(max(abs(c.amount)), 0)
        from (select sum(e.amount) as amount from entries e where e.transfer = h.transfer group by e.currency) c
    ) end as off
    from held h full join transfers t on t.id = h.transfer
)
select id, lines, found, off from differing
where found is distinct from lines or off <> 0
order by id
"""
# by transfers and ledger_accounts primary keys, all of them
ORPHANS: Final = """
select e.transfer, e.account from entries e
where not exists (select from transfers t where t.id = e.transfer)
    or not exists (select from ledger_accounts a where a.id = e.account)
order by e.transfer, e.account
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
# A pending transfer moves pending accounts alone; what resolves it negates it, what it became is the same elsewhere.
WRONG_RESOLUTIONS: Final = """
with held as (
    select t.id, e.account, a.name, e.currency, e.amount
    from transfers t join entries e on e.transfer = t.id join ledger_accounts a on a.id = e.account
    where t.kind = 'pending'
), differing as (
    select x.pending from resolutions x join transfers r on r.id = x.released
    where r.kind not in ('release', 'void') or (r.kind = 'void') <> (x.posted is null) or exists (
        select account, currency, -amount from held where id = x.pending
        except select account, currency, amount from entries where transfer = x.released
    ) or x.posted is not null and exists (
        select regexp_replace(name, '^pending:([a-z]+)_', '\\1:'), currency, amount from held where id = x.pending
        except
        select a.name, e.currency, e.amount from entries e join ledger_accounts a on a.id = e.account
        where e.transfer = x.posted
    )
    union select id from held where name not like 'pending:%'
    union select t.id from transfers t left join resolutions x on x.released = t.id
    where t.kind in ('release', 'void') and x.released is null
)
select pending from differing order by pending
"""
# Every balance once more: as the sum of all entries, and as `BALANCES` counts it from the last month that is counted.
# ``name`` null: no such account.
WRONG_BALANCES: Final = """
with closed as materialized (
    select period, boundary, straddling from periods where boundary is not null order by period desc limit 1
), sums as (
    select e.account, e.currency, sum(e.amount) as amount,
        sum(e.amount) filter (
            where e.transfer >= coalesce((select boundary from closed), '00000000-0000-0000-0000-000000000000')
            and not e.transfer = any(coalesce((select straddling from closed), '{}'))
        ) as since
    from entries e group by e.account, e.currency
), kept as (
    select account, currency, closing from period_balances where period = (select period from closed)
), standing as (
    select account, currency, coalesce(s.amount, 0) as amount, coalesce(k.closing, 0) + coalesce(s.since, 0) as found
    from sums s full join kept k using (account, currency)
)
select a.name, s.currency, s.amount, s.found from standing s left join ledger_accounts a on a.id = s.account
where s.amount <> s.found or a.id is null
order by a.name, s.currency
"""
TOTALS: Final = "select currency, sum(amount) as amount from entries group by currency having sum(amount) <> 0"
