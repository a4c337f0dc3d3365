"""What settlement derives, computed again: invoices from transfers, payments from what the bank booked."""

from __future__ import annotations

from typing import Final

from licet import identifiers, money
from licet.statements.splits import divide
from registry.database import Connection
from registry.settlement import escrow_queries
from registry.settlement.booking import kept_key
from registry.settlement.parting import ESCROW, FEE, charge_of
from registry.settlement.placing import CHARGES
from registry.settlement.references import reference
from registry.splits.sharing import shares_of

_NUMBERS: Final = "select count(*) as count, coalesce(max(number), 0) as last from invoices"
_INVOICES: Final = """
select i.*, coalesce(l.amount, 0) as added, coalesce(l.count, 0) as found,
    coalesce(lag(i.carried_out) over (partition by i.organisation, i.currency order by i.number), 0) as before
from invoices i left join (
    select invoice, sum(amount) as amount, count(*) as count from invoice_lines group by invoice
) l on l.invoice = i.id order by i.number
"""
# The organisation's side of a transfer, by the name of its account.
_LINES: Final = """
select l.transfer, l.organisation, l.currency, l.amount from invoice_lines l
left join invoices i on i.id = l.invoice
where (i.organisation, i.currency) is distinct from (l.organisation, l.currency)
"""
_OWED: Final = """
select l.transfer, l.organisation, l.amount, e.amount as entered, a.name, t.kind
from invoice_lines l join transfers t on t.id = l.transfer
left join (entries e join ledger_accounts a on a.id = e.account and a.name like 'receivable:%')
    on e.transfer = l.transfer and e.currency = l.currency
"""
_STATEMENTS: Final = """
select s.name, s.account, s.entries, count(b.id) as found from bank_statements s
left join bank_entries b on b.statement = s.id group by s.id having count(b.id) > s.entries
"""
_ENTRIES: Final = """
select b.id, b.amount, b.credit, b.currency, b.contra, b.why, b.cleared is not null as moved,
    lower(b.account) as account, array_agg(a.name order by a.name) as names,
    sum(e.amount) filter (where a.name = 'bank:' || lower(b.account)) as bank,
    sum(e.amount) filter (where a.name = b.contra) as against
from bank_entries b join entries e on e.transfer in (b.posted, b.cleared) and e.currency = b.currency
join ledger_accounts a on a.id = e.account group by b.id
"""
_ACCOUNTS: Final = """
select x.name, x.currency, x.amount, coalesce(y.amount, 0) as entered from (
    select a.name, e.currency, sum(e.amount) as amount from ledger_accounts a join entries e on e.account = a.id
    where a.name like 'bank:%' group by 1, 2
) x left join (
    select 'bank:' || lower(account) as name, currency, sum(case when credit then amount else -amount end) as amount
    from bank_entries group by 1, 2
) y using (name, currency)
"""
_SUSPENSE: Final = """
select x.name, x.currency, x.amount, coalesce(y.amount, 0) as waiting from (
    select a.name, e.currency, sum(e.amount) as amount from ledger_accounts a join entries e on e.account = a.id
    where a.name like 'suspense:%' group by 1, 2
) x left join (
    select contra as name, currency, sum(case when credit then -amount else amount end) as amount
    from bank_entries group by 1, 2
) y using (name, currency)
"""
_RETURNS: Final = """
select r.id from bank_entries r join bank_entries b on b.id = r.returns
where r.credit or not b.credit or (r.amount, r.currency) <> (b.amount, b.currency)
"""
_OVERPAID: Final = """
select i.number, i.due, sum(p.amount) as paid from invoice_payments p join invoices i on i.id = p.invoice
group by i.id having sum(p.amount) < 0 or sum(p.amount) > greatest(i.due, 0)
"""
_OVERUSED: Final = """
select b.id, sum(p.amount) as used from invoice_payments p join bank_entries b on b.id = p.payment
left join bank_entries r on r.returns = b.id
group by b.id, r.id having sum(p.amount) > (case when r.id is null and b.credit then b.amount else 0 end)
    or sum(p.amount) < 0
"""
_FOREIGN: Final = """
select p.id, i.number from invoice_payments p join invoices i on i.id = p.invoice
left join bank_entries b on b.id = p.payment left join invoices c on c.id = p.credit
where (i.organisation, i.currency) is distinct from
    (coalesce(b.organisation, c.organisation), coalesce(b.currency, c.currency))
"""


_REMITTANCES: Final = """
select r.*, coalesce(l.amount, 0) as added, coalesce(l.count, 0) as found,
    coalesce(lag(r.carried_out) over (partition by r.account, r.currency order by r.id), 0) as before
from remittances r left join (
    select remittance, sum(amount) as amount, count(*) as count from remittance_lines group by remittance
) l on l.remittance = r.id order by r.id
"""
_REMITTED: Final = """
select l.transfer, l.amount, t.kind as what, (
    select sum(-e.amount) from entries e join ledger_accounts a on a.id = e.account
    where e.transfer = l.transfer and e.currency = l.currency and a.name = any($1::text[])
) as entered
from remittance_lines l join transfers t on t.id = l.transfer where l.account = $2
"""
_TRANSIT: Final = """
select a.name, e.currency, -sum(e.amount) as amount from ledger_accounts a join entries e on e.account = a.id
where a.name like 'transit:%' group by 1, 2
"""
_ON_ITS_WAY: Final = """
select a.kind, r.account, r.currency, sum(r.amount) as amount
from remittances r join accounts a on a.id = r.account
where r.paid_by is null and r.cancelled is null group by 1, 2, 3
"""
_NAMES: Final = "select distinct l.account, k.kind from remittance_lines l join accounts k on k.id = l.account"
_MOVED: Final = """
select r.id, b.id as entry, r.amount - b.amount as less, b.credit,
    b.currency = r.currency and b.credit = (b.id is not distinct from r.returned_by) as fits
from remittances r join bank_entries b on b.id in (r.paid_by, r.returned_by)
where (b.amount, b.currency) <> (r.amount, r.currency) or b.credit <> (b.id is not distinct from r.returned_by)
"""
# What the registry bore beside it. By transfers unique (key), entries primary key
_KEPT: Final = """
select coalesce(sum(e.amount), 0) from transfers t join entries e on e.transfer = t.id
join ledger_accounts a on a.id = e.account where t.key = $1 and a.name = $2
"""


async def rebuild(conn: Connection) -> list[str]:
    """Return what does not hold in what settles, in words; an empty list when all was computed again and holds."""
    return [
        *await _invoices(conn), *await _bank(conn), *await _paid(conn), *await _remitted(conn), *await _parts(conn)
    ]  # fmt: skip


async def _invoices(conn: Connection) -> list[str]:
    wrong = []
    numbers = await conn.fetchrow(_NUMBERS)
    if numbers is not None and numbers["count"] != numbers["last"]:
        wrong.append(f"invoices: expected numbers 1 to {numbers['last']} without a gap, got {numbers['count']} of them")
    for row in await conn.fetch(_INVOICES):
        name, cent = f"invoice {row['number']}", money.smallest(row["currency"])
        if (row["added"], row["found"]) != (row["total"], row["lines"]):
            wrong.append(
                f"{name}: expected {row['lines']} lines of {row['total']}, got {row['found']} of {row['added']}"
            )
        if row["carried_in"] != row["before"]:
            wrong.append(f"{name}: expected {row['before']} carried in, got {row['carried_in']}")
        if row["due"] % cent or abs(row["carried_out"]) >= cent:
            wrong.append(f"{name}: expected an amount that banks move, got {row['due']} and {row['carried_out']} left")
        if row["reference"] != reference(row["number"]):
            wrong.append(f"{name}: expected the reference of its number, got {row['reference']}")
    wrong += [f"transfer {row['transfer']}: expected an invoice to its debtor" for row in await conn.fetch(_LINES)]
    for row in await conn.fetch(_OWED):
        debtor = f"receivable:{identifiers.from_uuid('org', row['organisation'])}"
        if (row["name"], row["entered"]) != (debtor, row["amount"]) or row["kind"].startswith("payment"):
            wrong.append(
                f"transfer {row['transfer']}: expected {row['amount']} on {debtor}, got {row['entered']} on "
                f"{row['name']}"
            )
    return wrong


async def _bank(conn: Connection) -> list[str]:
    wrong = [
        f"statement {row['name']} of {row['account']}: expected {row['entries']} entries at most, got {row['found']}"
        for row in await conn.fetch(_STATEMENTS)
    ]
    for row in await conn.fetch(_ENTRIES):
        amount = row["amount"] if row["credit"] else -row["amount"]
        suspense = row["contra"].startswith("suspense:")
        if (row["bank"], row["against"]) != (amount, -amount) or (row["why"] is not None and not suspense):
            wrong.append(
                f"entry {row['id']}: expected {amount} on bank:{row['account']} against {row['contra']}, got "
                f"{row['bank']} and {row['against']}"
            )
    wrong += [
        f"{row['name']} {row['currency']}: expected what the bank booked, {row['entered']}, got {row['amount']}"
        for row in await conn.fetch(_ACCOUNTS)
        if row["amount"] != row["entered"]
    ]
    wrong += [
        f"{row['name']} {row['currency']}: expected what nobody could tell, {row['waiting']}, got {row['amount']}"
        for row in await conn.fetch(_SUSPENSE)
        if row["amount"] != row["waiting"]
    ]
    return wrong + [
        f"entry {row['id']}: expected a debit that takes back a credit of its amount"
        for row in await conn.fetch(_RETURNS)
    ]


async def _paid(conn: Connection) -> list[str]:
    return [
        *(
            f"invoice {row['number']}: expected from nothing to {row['due']} paid, got {row['paid']}"
            for row in await conn.fetch(_OVERPAID)
        ),
        *(
            f"entry {row['id']}: expected to pay its amount at most, got {row['used']}"
            for row in await conn.fetch(_OVERUSED)
        ),
        *(
            f"invoice {row['number']}: expected a payment of its debtor in its currency, got another"
            for row in await conn.fetch(_FOREIGN)
        ),
    ]


async def _remitted(conn: Connection) -> list[str]:
    wrong = []
    for row in await conn.fetch(_REMITTANCES):
        name, cent = f"remittance {row['id']}", money.smallest(row["currency"])
        if (row["added"], row["found"], row["before"]) != (row["total"], row["lines"], row["carried_in"]):
            wrong.append(
                f"{name}: expected {row['lines']} lines of {row['total']} and {row['before']} carried in, got "
                f"{row['found']} of {row['added']} and {row['carried_in']}"
            )
        if row["amount"] % cent or abs(row["carried_out"]) >= cent:
            wrong.append(f"{name}: expected an amount that banks move, got {row['amount']}")
    for each in await conn.fetch(_NAMES):
        owner = identifiers.from_uuid(each["kind"], each["account"])
        wrong += [
            f"transfer {row['transfer']}: expected {row['amount']} payable to {owner}, got {row['entered']}"
            for row in await conn.fetch(_REMITTED, [f"payable:{owner}"], each["account"])
            if row["entered"] != row["amount"] or row["what"] == "remittance"
        ]
    moving = {
        (f"transit:{identifiers.from_uuid(row['kind'], row['account'])}", row["currency"]): int(row["amount"])
        for row in await conn.fetch(_ON_ITS_WAY)
    }
    found = {(row["name"], row["currency"]): int(row["amount"]) for row in await conn.fetch(_TRANSIT) if row["amount"]}
    if moving != found:
        wrong.append(f"transit: expected what the bank has not booked, {moving}, got {found}")
    for row in await conn.fetch(_MOVED):
        kept = await conn.fetchval(_KEPT, kept_key(row["entry"]), CHARGES)
        if not row["fits"] or kept <= 0 or kept != (row["less"] if row["credit"] else -row["less"]):
            wrong.append(f"remittance {row['id']}: expected the bank's entries of its amount, and what the bank kept")
    return wrong


async def _parts(conn: Connection) -> list[str]:
    """Works left escrow with what their uses came to, shared as their split says."""
    wrong = []
    async for row in conn.cursor(escrow_queries.ALL_PARTS, prefetch=500):
        charge = charge_of(row)
        name = f"transfer {identifiers.from_uuid('tra', row['posted'])}"
        if charge is None:
            wrong.append(f"{name}: expected a part of what a charge put into escrow, got one of {row['key']}")
            continue
        part = await conn.fetchrow(escrow_queries.PART, *charge.uses, row["works"])
        assert part is not None  # it counts
        gross, fee = int(part["gross"]), int(part["fee"])
        found = {each["name"]: each["amount"] for each in await conn.fetch(escrow_queries.ENTRIES_OF, row["posted"])}
        others = {each: amount for each, amount in found.items() if not each.startswith(ESCROW)}
        if row["outcome"] == "shared":
            shares = (await shares_of(conn, [row["split"]]))[row["split"]]
            expected = {ESCROW + charge.payee: gross - fee}
            for owner, amount in divide(gross - fee, shares).items():
                expected[ESCROW + owner] = expected.get(ESCROW + owner, 0) - amount
            holds = found == {each: amount for each, amount in expected.items() if amount}
        elif row["outcome"] == "awarded":
            holds = list(others.values()) == [fee - gross]
        else:
            holds = others.pop(FEE, 0) == fee and list(others.values()) == [-gross]
        if not holds:
            wrong.append(f"{name}: expected {gross} less the fee of {fee}, {row['outcome']}, got {found}")
    return wrong
