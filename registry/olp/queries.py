"""All SQL of licence tokens, one constant a statement, with the index it relies on."""

from __future__ import annotations

from typing import Final

from registry.licensing.queries import OVER

ADD: Final = """
insert into licence_tokens (
    digest, organisation, resource, uses, purpose, territory, model, works, issued_at, expires_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
# by licence_tokens (expires_at)
FORGET: Final = """
delete from licence_tokens where digest in (
    select digest from licence_tokens where expires_at < $1 order by expires_at limit 100 for update skip locked
)
"""
# Who holds it may ask, and who owns a work that it is about; licence_tokens and works primary keys.
STANDS_FOR: Final = """
select t.organisation, t.resource, t.uses, t.purpose, t.territory, t.model, t.issued_at, t.expires_at
from licence_tokens t join accounts a on a.id = t.organisation
where t.digest = $1 and t.expires_at > now() and a.erased_at is null
    and (t.organisation = $2 or exists (select from works w where w.id = any(t.works) and w.account = $2))
"""
# Works by what finds them: their file, or where they lie; whether their account has proven one of the domains $2.
# By works primary key, domain_claims unique (account, domain)
WORKS: Final = """
select w.sha256, w.urls, exists (
    select from domain_claims c where c.account = w.account and c.domain = any($2::text[]) and c.state = 'proven'
) as proven
from works w where w.id = any($1::uuid[]) and w.withdrawn_at is null and w.erased_at is null order by w.id
"""
# Licences in force on these works; one that was revoked holds until its notice is over.
# licence_works (work); licences, duty_works, duties primary keys, log_entries unique (pending)
LICENCES: Final = f"""
select w.work, l.id, l.valid_until, p.envelope
from licence_works w join licences l on l.id = w.licence join log_pending p on p.id = l.pending
where w.work = any($2::uuid[]) and l.organisation = $1 and l.atoms @> $3::text[]
    and (l.valid_until is null or l.valid_until > $4)
    and not exists (
        select from duty_works x join duties d on d.id = x.duty left join log_entries e on e.pending = d.pending
        where x.licence = w.licence and x.work = w.work and {OVER} <= $4
    )
order by l.id desc limit 1000
"""  # noqa: S608  # made of constants
