"""All SQL of settlement, one constant a statement, with the index it relies on.

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
_PAID: Final = "coalesce((select sum(p.amount) from invoice_payments p where p.invoice = i.id), 0)::bigint"
_USED: Final = "coalesce((select sum(p.amount) from invoice_payments p where p.credit = i.id), 0)::bigint"
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
select b.id as payment, null::uuid as credit, b.amount - coalesce(sum(p.amount), 0)::bigint as rest
from bank_entries b left join invoice_payments p on p.payment = b.id
where b.organisation = $1 and b.currency = $2 and b.credit
    and not exists (select from bank_entries r where r.returns = b.id)
group by b.id having b.amount > coalesce(sum(p.amount), 0)
union all
select null, i.id, -i.due - coalesce(sum(p.amount), 0)::bigint
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
select invoice, sum(amount)::bigint as amount from invoice_payments where payment = $1
group by invoice having sum(amount) <> 0 order by invoice
"""

# -- the bank ----------------------------------------------------------------------------------------------------------

# by bank_statements unique (account, name, page)
STATEMENT: Final = "select id, digest from bank_statements where account = $1 and name = $2 and page = $3"
ADD_STATEMENT: Final = """
insert into bank_statements (id, account, name, page, digest, entries, recorded_at) values ($1, $2, $3, $4, $5, $6, $7)
"""
# by bank_entries unique (account, key)
KNOWN_ENTRY: Final = "select id, digest from bank_entries where account = $1 and key = $2"
ADD_ENTRY: Final = """
insert into bank_entries (
    id, account, key, statement, digest, credit, amount, currency, booked_on, reversal, names, tokens, end_to_end,
    party, about, reason, recorded_at, posted, contra, organisation, returns, why
) values (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22
)
"""
CLEAR_ENTRY: Final = """
update bank_entries set contra = $2, cleared = $3, organisation = $4, returns = $5, why = null
where id = $1 and why is not null returning id
"""
SET_WHY: Final = "update bank_entries set why = $2 where id = $1 and why is not null and why <> $2"
# by bank_entries unique (returns): what was taken back waits for nobody
RETURNED: Final = "update bank_entries set why = null where id = $1 and why is not null"
_ENTRY: Final = """
select b.id, b.account, b.key, b.credit, b.amount, b.currency, b.booked_on, b.reversal, b.names, b.tokens, b.end_to_end,
    b.party, b.about, b.reason, b.recorded_at, b.contra, b.organisation, b.returns, b.why, r.id as returned_by,
    s.name as statement
from bank_entries b left join bank_entries r on r.returns = b.id left join bank_statements s on s.id = b.statement
"""
# by bank_entries primary key, unique (returns)
ENTRY: Final = f"{_ENTRY} where b.id = $1"
# by bank_entries (booked_on, id) where why is not null
IN_SUSPENSE: Final = f"{_ENTRY} where b.why is not null order by b.booked_on, b.id"
ENTRIES: Final = f"""
{_ENTRY} where ($1::text is null or b.account = $1) and ($2::uuid is null or b.organisation = $2)
order by b.booked_on desc, b.id desc limit $3
"""
# The payment that a debit takes back: of the same amount, named alike; the one with most names in common, the oldest of
# them. By bank_entries (account, currency, amount) where credit
TAKEN_BACK: Final = """
select b.id, b.contra, b.organisation, b.why from bank_entries b
where b.account = $1 and b.currency = $2 and b.amount = $3 and b.credit and b.tokens && $4::text[]
    and b.returns is null and not exists (select from bank_entries r where r.returns = b.id)
order by (select count(*) from unnest(b.tokens) as t (token) where t.token = any($4)) desc, b.booked_on, b.id
limit 1
"""
# by transfers unique (key)
TRANSFER: Final = "select id from transfers where key = $1"
ORGANISATION: Final = "select id from accounts where id = $1 and kind = 'org'"
