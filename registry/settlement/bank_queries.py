"""All SQL of what the bank booked, with the index each relies on."""

from __future__ import annotations

from typing import Final

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
