"""All SQL of settlement, one constant a statement, with the index it relies on.

What organisations read is held to their own account inside the WHERE: ``$1`` is the caller. What the office does
happens one after the other, under one lock.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.http.paging import Key, orders
from registry.splits.queries import UNSIGNED

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

# -- remittances -------------------------------------------------------------------------------------------------------

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
OWN_REMITTANCE: Final = "select id from remittances where account = $1 and id = $2"
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

# -- escrow and what is contested --------------------------------------------------------------------------------------

# Charges that hold something in escrow, unless somebody contests them.
# by ledger_accounts unique (name), entries (account, transfer, currency), escrow_ends and transfers primary keys
IN_ESCROW: Final = """
select t.id, t.key, t.kind, t.source, t.at from transfers t
where t.id in (
    select e.transfer from ledger_accounts a join entries e on e.account = a.id
    where a.name >= 'escrow:' and a.name < 'escrow;'
) and t.reverses is null and t.kind = any($3::text[]) and t.id > $1
    and not exists (select from escrow_ends x where x.transfer = t.id)
    and not exists (select from transfers r where r.reverses = t.id)
    and not exists (select from contested_charges c where c.transfer = t.id and c.outcome is null)
order by t.id limit $2
"""
# The uses behind a charge: $2 its batch ($1) or licence, $4 its payee or split ($5).
# By usage_events (batch), (licence)
_USES: Final = """
u.escrow and u.currency = $3 and case when $1 then u.batch = $2 else u.batch is null and u.licence = $2 end
    and case when $5 then u.split = $4 else u.split is null and u.artist = $4 end
"""
# Whose part left for good: nobody asks any more how its work stands.
_GONE: Final = """
exists (select from escrow_parts x where x.transfer = $6 and x.work = u.work and x.outcome in ('awarded', 'returned'))
"""
# What stands behind a charge in escrow: whoever registered the works, and how these stand.
# By accounts, work_states and escrow_parts primary keys, split_works (work, since), splits (account, id)
BEHIND: Final = f"""
select count(*) as events, coalesce(min(a.level), 0) as level,
    coalesce(bool_or(s.lost_to is null and (s.contested or s.challenged)), false) as contested,
    coalesce(bool_or(s.lost_to is not null), false) as lost,
    coalesce(bool_or(u.split is null and u.amount <> 0 and exists (
        select from split_works k where k.work = u.work and k.since is not null
    ) and not exists (
        select from escrow_parts x where x.transfer = $6 and x.work = u.work and x.outcome = 'shared'
    )), false) as shareable,
    coalesce(bool_or(u.split is null and exists (
        select from splits s left join log_entries e on e.pending = s.pending
        join split_works k on k.split = s.id and k.work = u.work
        where s.account = u.artist and s.replaces is null and {UNSIGNED.format(since="$7")}
    )), false) as unsigned,
    coalesce(sum(u.amount), 0)::bigint as gross, coalesce(sum(u.fee), 0)::bigint as fee
from usage_events u join accounts a on a.id = u.artist left join work_states s on s.work = u.work
where {_USES} and not {_GONE}
"""  # noqa: S608  # made of constants
# The same of what an agreement owed at a close, as the works of its licence stand.
# By licence_works primary key, split_works (work, since)
BEHIND_AGREED: Final = """
select count(*) as events, coalesce(min(a.level), 0) as level,
    coalesce(bool_or(s.contested or s.challenged), false) as contested, false as lost, false as shareable,
    false as unsigned,
    0::bigint as gross, 0::bigint as fee
from licence_works w join accounts a on a.id = w.account left join work_states s on s.work = w.work
where w.licence = $1 and w.agreed is not null and case
    when $3 then exists (select from split_works k where k.work = w.work and k.split = $2) else w.account = $2 end
"""
# What a charge comes to work by work, for works that leave it now: those that were lost, or those that are shared.
# By work_states and escrow_parts primary keys, split_works (work, since)
PARTING: Final = f"""
select u.work, s.lost_to, w.kind as winner_kind, w.level as winner_level,
    sum(u.amount)::bigint as gross, sum(u.fee)::bigint as fee,
    bool_or(u.split is null and not exists (
        select from escrow_parts x where x.transfer = $6 and x.work = u.work and x.outcome = 'shared'
    )) as unshared,
    coalesce(u.split, (
        select x.split from escrow_parts x where x.transfer = $6 and x.work = u.work and x.outcome = 'shared'
    )) as shared_by
from usage_events u left join work_states s on s.work = u.work left join accounts w on w.id = s.lost_to
where {_USES} and not {_GONE} and u.amount <> 0
group by u.work, s.lost_to, w.kind, w.level, u.split order by u.work
"""  # noqa: S608  # made of constants
ADD_PARTS: Final = """
insert into escrow_parts (transfer, work, outcome, split, posted, at)
select $1, p.work, $3, $4, $5, $6 from unnest($2::uuid[]) as p (work)
"""
# Every part that left escrow, with what its works came to. By escrow_parts, transfers and usage_events by their batch
ALL_PARTS: Final = """
select x.transfer as id, t.key, t.at, t.source, x.outcome, x.split, x.posted, array_agg(x.work order by x.work) as works
from escrow_parts x join transfers t on t.id = x.transfer
group by x.transfer, t.key, t.at, t.source, x.outcome, x.split, x.posted order by x.posted
"""
PART: Final = f"""
select coalesce(sum(u.amount), 0)::bigint as gross, coalesce(sum(u.fee), 0)::bigint as fee from usage_events u
where {_USES} and u.work = any($6::uuid[])
"""  # noqa: S608  # made of constants
# by escrow_parts primary key
PARTED: Final = "select exists (select from escrow_parts where transfer = $1 and outcome in ('awarded', 'returned'))"
# What a charge and its parts hold in escrow now, by account. By escrow_parts and entries primary keys
HELD: Final = """
select a.name, e.currency, sum(e.amount)::bigint as amount
from entries e join ledger_accounts a on a.id = e.account
where e.transfer in (select $1::uuid union select posted from escrow_parts where transfer = $1)
    and a.name >= 'escrow:' and a.name < 'escrow;'
group by a.name, e.currency having sum(e.amount) <> 0 order by a.name, e.currency
"""
# by entries primary key
ENTRIES_OF: Final = """
select a.name, e.currency, e.amount from entries e join ledger_accounts a on a.id = e.account
where e.transfer = $1 order by a.name, e.currency
"""
# What followed from a charge, the newest first, but what negates it. By escrow_ends and escrow_parts primary keys
FOLLOWED: Final = """
select t.id, t.kind from transfers t
where t.reverses is null and t.id in (
    select posted from escrow_ends where transfer = $1 union select posted from escrow_parts where transfer = $1
)
order by t.id desc
"""
# What of a charge is payable by now, by account. By entries primary key
PAYABLE_OF: Final = """
select a.name, e.currency, sum(e.amount)::bigint as amount
from entries e join ledger_accounts a on a.id = e.account
where e.transfer = any($1::uuid[]) and a.name >= 'payable:' and a.name < 'payable;'
group by a.name, e.currency having sum(e.amount) <> 0 order by a.name, e.currency
"""
END_ESCROW: Final = "insert into escrow_ends (transfer, outcome, posted, at) values ($1, $2, $3, $4)"
# by transfers primary key, unique (reverses)
CHARGE: Final = """
select t.id, t.key, t.kind, t.source, t.at, t.reverses, r.id as reversed from transfers t
left join transfers r on r.reverses = t.id where t.id = $1
"""
ADD_CONTESTED: Final = """
insert into contested_charges (id, transfer, reason, held, opened_at) values ($1, $2, $3, $4, $5)
"""
# by contested_charges unique (transfer)
CONTESTED: Final = "select id, held, outcome from contested_charges where transfer = $1"
# by disputes unique (transfer): what is in dispute is decided there
DISPUTED: Final = "select id from disputes where transfer = $1 and outcome is null"
DECIDE: Final = "update contested_charges set outcome = $2, decided_at = $3 where id = $1 and outcome is null"
LIST_CONTESTED: Final = """
select c.transfer, t.source, c.reason, c.opened_at, c.outcome, c.decided_at
from contested_charges c join transfers t on t.id = c.transfer order by c.id
"""

# -- charges as their parties see them ---------------------------------------------------------------------------------

# What charges of a licence ($1), or of a work ($2), were posted for. By usage_events (licence), licence_works (work)
SOURCES: Final = """
select distinct u.batch, case when u.batch is null then u.licence end as licence from usage_events u
where (($1::uuid is null and u.licence in (select k.licence from licence_works k where k.work = $2)) or u.licence = $1)
    and ($2::uuid is null or u.work = $2)
union
select null, l.licence from licence_works l
where l.agreed is not null and ($1::uuid is null or l.licence = $1) and ($2::uuid is null or l.work = $2)
"""
# $1: the caller's own accounts of the ledger. By ledger_accounts unique (name), entries (account, transfer, currency),
# transfers and escrow_ends primary keys, contested_charges and disputes unique (transfer)
CHARGES: Final = orders(
    """
select t.id, t.at, t.period, t.kind, t.source, a.name, e.currency, e.amount, d.id as dispute, case
        when r.id is not null then 'refunded' when c.id is not null and c.outcome is null then 'contested'
        when a.name like 'escrow:%' and x.transfer is null then 'escrow' else 'stands'
    end as state
from ledger_accounts a join entries e on e.account = a.id join transfers t on t.id = e.transfer
left join transfers r on r.reverses = t.id left join contested_charges c on c.transfer = t.id
left join disputes d on d.transfer = t.id left join escrow_ends x on x.transfer = t.id
where a.name = any($1::text[]) and t.kind = any($2::text[]) and t.reverses is null
    and ($3::text is null or e.currency = $3) and ($4::text is null or t.period = $4)
    and ($5::text[] is null or t.source = any($5))
""",
    at=(Key("t.id", "id", UUID), Key("a.name", "name", str), Key("e.currency", "currency", str)),
)
