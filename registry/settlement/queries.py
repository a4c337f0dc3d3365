"""SQL of invoices, of what pays them, and of charges as their parties see them, with the index each relies on.

What organisations read is held to their own account inside the WHERE: ``$1`` is the caller. What the office does
happens one after the other, under one lock.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.http.paging import Key, orders

# Numbers without gaps, and every movement decided on once: 'licet' 6 is this lock's own number.
LOCK: Final = "select pg_advisory_xact_lock(8387221, 6)"
# Kinds of transfers that settle what is owed; everything else on a receivable is owed.
SETTLING: Final = ("payment", "payment-return")
# by transfers unique (key)
TRANSFER: Final = "select id from transfers where key = $1"
ORGANISATION: Final = "select id from accounts where id = $1 and kind = 'org'"

# -- invoices ----------------------------------------------------------------------------------------------------------

# by ledger_accounts unique (name)
DEBTORS: Final = (
    "select name from ledger_accounts where name >= 'receivable:org' and name < 'receivable:orh' order by name"
)
# by ledger_accounts unique (name), entries (account, transfer, currency), transfers and invoice_lines primary keys
UNINVOICED: Final = """
select t.id, t.period, e.currency, e.amount, i.invoice as reverses
from ledger_accounts a join entries e on e.account = a.id join transfers t on t.id = e.transfer
left join invoice_lines i on i.transfer = t.reverses and i.organisation = $2 and i.currency = e.currency
where a.name = $1 and t.kind <> all($4::text[]) and ($3::text is null or t.period <= $3)
    and not exists (
        select from invoice_lines l where l.transfer = t.id and l.organisation = $2 and l.currency = e.currency
    )
order by e.currency, t.id
"""
# by invoices (organisation, currency, number)
CARRIED: Final = """
select carried_out from invoices where organisation = $1 and currency = $2 order by number desc limit 1
"""
NEXT_NUMBER: Final = "select coalesce(max(number), 0) + 1 from invoices"
ADD_INVOICE: Final = """
insert into invoices (
    id, number, kind, organisation, currency, period, reference, total, carried_in, due, carried_out, lines, issued_at,
    due_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
ADD_LINES: Final = """
insert into invoice_lines (transfer, organisation, currency, invoice, amount)
select l.transfer, $2, $3, $1, l.amount from unnest($4::uuid[], $5::bigint[]) as l (transfer, amount)
"""
_PAID: Final = "coalesce((select sum(p.amount) from invoice_payments p where p.invoice = i.id), 0)"
_USED: Final = "coalesce((select sum(p.amount) from invoice_payments p where p.credit = i.id), 0)"
_INVOICE: Final = f"""
select i.id, i.number, i.kind, i.organisation, i.currency, i.period, i.reference, i.total, i.carried_in, i.due,
    i.carried_out, i.lines, i.issued_at, i.due_at, s.paid, case
        when i.kind = 'credit-note' then case when s.paid <= i.due then 'used' else 'credit' end
        when s.paid >= i.due then 'paid' when i.due_at < now() then 'overdue'
        when s.paid > 0 then 'partly-paid' else 'open'
    end as state
from invoices i
cross join lateral (select case when i.kind = 'invoice' then {_PAID} else -{_USED} end as paid) s
"""  # noqa: S608
# by invoices (organisation, id), invoice_payments (invoice, id), (credit)
_LISTED: Final = f"""
select * from ({_INVOICE}) i
where ($1::uuid is null or i.organisation = $1) and ($2::text is null or i.currency = $2)
    and ($3::text is null or i.period = $3) and ($4::text is null or i.state = $4)
"""  # noqa: S608
INVOICES: Final = orders(_LISTED, issued=(Key("i.number", "number", int),))
# by invoices primary key; the office (null) sees all
INVOICE: Final = f"{_INVOICE} where i.id = $2 and ($1::uuid is null or i.organisation = $1)"
INVOICE_NUMBERED: Final = f"{_INVOICE} where i.number = $1"
# by invoices unique (reference)
REFERENCED: Final = f"{_INVOICE} where i.reference = any($1::text[]) and i.kind = 'invoice' order by i.number"
# by invoices (organisation, currency, number)
UNPAID: Final = f"""
select * from ({_INVOICE}) i
where i.organisation = $1 and i.currency = $2 and i.kind = 'invoice' and i.paid < i.due order by i.number
"""  # noqa: S608
# by invoice_lines (invoice, transfer), transfers primary key
LINES: Final = orders(
    """
select l.transfer, t.at, t.kind, t.source, t.memo, l.amount
from invoices i join invoice_lines l on l.invoice = i.id join transfers t on t.id = l.transfer
where i.id = $2 and ($1::uuid is null or i.organisation = $1)
""",
    at=(Key("l.transfer", "transfer", UUID),),
)
# by invoice_payments (invoice, id), (credit): of an invoice there are few
PAYMENTS: Final = """
select p.payment, p.credit, p.invoice, p.amount, p.at
from invoices i join invoice_payments p on p.invoice = i.id or p.credit = i.id
where i.id = $2 and ($1::uuid is null or i.organisation = $1) order by p.id
"""

# -- what is paid with what --------------------------------------------------------------------------------------------

# What an organisation has paid beyond its invoices: movements first, then credit notes, the oldest first.
# by bank_entries (organisation, id), invoices (organisation, currency, number), invoice_payments (payment), (credit)
CREDITS: Final = """
select b.id as payment, null::uuid as credit, b.amount - coalesce(sum(p.amount), 0) as rest
from bank_entries b left join invoice_payments p on p.payment = b.id
where b.organisation = $1 and b.currency = $2 and b.credit
    and not exists (select from bank_entries r where r.returns = b.id)
group by b.id having b.amount > coalesce(sum(p.amount), 0)
union all
select null, i.id, -i.due - coalesce(sum(p.amount), 0)
from invoices i left join invoice_payments p on p.credit = i.id
where i.organisation = $1 and i.currency = $2 and i.kind = 'credit-note'
group by i.id having -i.due > coalesce(sum(p.amount), 0)
order by 1 nulls last, 2
"""
PAY: Final = """
insert into invoice_payments (id, invoice, payment, credit, amount, at)
select p.id, p.invoice, p.payment, p.credit, p.amount, $1
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[]) as p (id, invoice, payment, credit, amount)
"""
# by invoice_payments (payment)
PAID_WITH: Final = """
select invoice, sum(amount) as amount from invoice_payments where payment = $1
group by invoice having sum(amount) <> 0 order by invoice
"""

# -- charges as their parties see them ---------------------------------------------------------------------------------

# What charges of a licence ($1), or of a work ($2), were posted for. By usage_events (licence), licence_works (work)
SOURCES: Final = """
select u.batch, case when u.batch is null then u.licence end as licence from usage_events u
where (($1::uuid is null and u.licence in (select k.licence from licence_works k where k.work = $2)) or u.licence = $1)
    and ($2::uuid is null or u.work = $2)
group by 1, 2
union
select null, l.licence from licence_works l
where l.agreed is not null and ($1::uuid is null or l.licence = $1) and ($2::uuid is null or l.work = $2)
"""
# $1: the caller's own accounts of the ledger. By ledger_accounts unique (name), entries (account, transfer, currency),
# transfers and escrow_ends primary keys, contested_charges unique (transfer) where outcome is null,
# disputes (transfer, pending): the last one
_CHARGES: Final = """
select t.id, t.at, t.period, t.kind, t.source, a.name, e.currency, e.amount, d.id as dispute, case
        when r.id is not null then 'refunded' when c.id is not null then 'contested'
        when a.name like 'escrow:%' and x.transfer is null then 'escrow' else 'stands'
    end as state
from ledger_accounts a join entries e on e.account = a.id join transfers t on t.id = e.transfer
left join transfers r on r.reverses = t.id
left join contested_charges c on c.transfer = t.id and c.outcome is null
left join lateral (select id from disputes where transfer = t.id order by pending desc limit 1) d on true
left join escrow_ends x on x.transfer = t.id
where a.name = any($1::text[]) and t.kind = any($2::text[]) and t.reverses is null
    and ($3::text is null or e.currency = $3) and ($4::text is null or t.period = $4)
    and ($5::text[] is null or t.source = any($5))
"""
CHARGES: Final = orders(
    _CHARGES,
    at=(Key("t.id", "id", UUID), Key("a.name", "name", str), Key("e.currency", "currency", str)),
)
CHARGE: Final = _CHARGES + "    and t.id = $6 order by a.name, e.currency"
