"""All SQL of findings. One is seen by the auditor who stated it and by the account that it concerns: ``$1`` is the
caller, ``$2`` whether it is an operator, who sees all."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.accounts.queries import audits
from registry.http.paging import Key, orders

# by audit_findings unique (digest)
FINDING: Final = "select id, pending from audit_findings where digest = $1 and auditor = $2"
# by accounts and audit_scopes primary keys: whom an auditor ($1) may look at in month $3
CONCERNED: Final = f"""
select a.kind from accounts a where a.id = $2 and a.kind in ('art', 'org') and {audits("$1", "a.id", "$3")}
"""  # noqa: S608
ADD: Final = """
insert into audit_findings (
    id, auditor, account, pending, digest, period, check_name, about, summary, examined, failed, found_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (id) do nothing returning id
"""
_SEEN: Final = """
select f.id, f.auditor, f.account, a.kind, f.period, f.check_name, f.about, f.summary, f.examined, f.failed, f.found_at,
    f.pending, e.index
from audit_findings f join accounts a on a.id = f.account left join log_entries e on e.pending = f.pending
where (f.auditor = $1 or f.account = $1 or $2::boolean)
"""
SEEN: Final = f"{_SEEN} and f.id = $3"
# by audit_findings (auditor, id), (account, id)
FINDINGS: Final = orders(
    f"{_SEEN} and ($3::uuid is null or f.account = $3) and ($4::text is null or f.period = $4)\n",
    found=(Key("f.id", "id", UUID),),
)
