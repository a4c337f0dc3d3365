"""All SQL of payout details and remittances, with the index each relies on.

What an account reads is held to it inside the WHERE: ``$1`` is the caller.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.http.paging import Key, orders

# by payouts (account, id)
PAYOUT: Final = """
select id as payout, id, account, sealed, ends, given_at, usable_at from payouts where account = $1
order by id desc limit 1
"""
ADD_PAYOUT: Final = """
insert into payouts (id, account, sealed, ends, given_at, usable_at) values ($1, $2, $3, $4, $5, $6)
"""
# by ledger_accounts unique (name)
CREDITORS: Final = "select name from ledger_accounts where name >= 'payable:' and name < 'payable;' order by name"
# What was credited waits for its hold, what negates it goes with it; what was debited counts at once, its negation too.
# by ledger_accounts unique (name), entries (account, transfer, currency), transfers and remittance_lines primary keys
UNPAID_LINES: Final = """
select t.id, e.currency, -e.amount as amount
from ledger_accounts a join entries e on e.account = a.id join transfers t on t.id = e.transfer
left join transfers o on o.id = t.reverses
where a.name = $1 and t.kind <> 'remittance'
    and case when o.id is null then e.amount > 0 or t.kind = 'remittance-return' or t.at <= $3 and t.period <= $4
        else e.amount < 0 or o.at <= $3 and o.period <= $4 end
    and not exists (
        select from remittance_lines l where l.transfer = t.id and l.account = $2 and l.currency = e.currency
    )
order by e.currency, t.id
"""
# by remittances (account, currency, id)
REMITTED_BEFORE: Final = """
select carried_out from remittances where account = $1 and currency = $2 order by id desc limit 1
"""
ADD_REMITTANCE: Final = """
insert into remittances (
    id, file, account, currency, period, total, carried_in, amount, carried_out, lines, payout, bank, prepared_at,
    posted
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
ADD_REMITTED: Final = """
insert into remittance_lines (transfer, account, currency, remittance, amount)
select l.transfer, $2, $3, $1, l.amount from unnest($4::uuid[], $5::bigint[]) as l (transfer, amount)
"""
_REMITTANCE: Final = """
select r.id, r.account, a.kind, r.currency, r.period, r.total, r.carried_in, r.amount, r.carried_out, r.lines,
    r.prepared_at, b.booked_on, case
        when r.cancelled is not null then 'cancelled' when r.returned_by is not null then 'returned'
        when r.paid_by is not null then 'paid' else 'prepared'
    end as state
from remittances r join accounts a on a.id = r.account left join bank_entries b on b.id = r.paid_by
"""
# by remittances primary key
REMITTANCE: Final = f"{_REMITTANCE} where r.id = $1"
OWN_REMITTANCE: Final = f"{_REMITTANCE} where r.account = $1 and r.id = $2"
# by remittances (account, id); bank_entries primary key
REMITTANCES: Final = orders(
    f"""
select * from ({_REMITTANCE}) r
where ($1::uuid is null or r.account = $1) and ($2::text is null or r.currency = $2)
    and ($3::text is null or r.state = $3)
""",  # noqa: S608
    prepared=(Key("r.id", "id", UUID),),
)
# by remittance_lines (remittance, transfer), transfers primary key
REMITTED: Final = orders(
    """
select l.transfer, t.at, t.kind, t.source, l.amount
from remittances r join remittance_lines l on l.remittance = r.id join transfers t on t.id = l.transfer
where r.account = $1 and r.id = $2
""",
    at=(Key("l.transfer", "transfer", UUID),),
)
# by remittances (file), payouts primary key
FILE: Final = """
select r.id, r.account, r.currency, r.amount, r.period, r.prepared_at, r.bank, r.payout, p.sealed
from remittances r left join payouts p on p.id = r.payout
where r.file = $1 and r.cancelled is null order by r.id
"""
CANCEL: Final = "update remittances set cancelled = $2, reason = $3 where id = $1 and cancelled is null"
BOOKED: Final = "update remittances set paid_by = $2 where id = $1 and paid_by is null"
BROUGHT_BACK: Final = "update remittances set returned_by = $2 where id = $1 and returned_by is null"
# by remittances primary key
NAMED_REMITTANCE: Final = """
select r.id, r.account, a.kind, r.currency, r.amount, r.paid_by, r.returned_by, r.cancelled
from remittances r join accounts a on a.id = r.account where r.id = $1
"""
