"""All SQL of claims that accounts prove by themselves. Every one but the worker's is held to one account."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.http.paging import Key, orders

# by domain_claims unique (account, domain): the same domain again is the same claim
ASK: Final = """
insert into domain_claims (id, account, domain, value, asked_at, next_check_at) values ($1, $2, $3, $4, $5, $6)
on conflict (account, domain) do nothing
"""
COUNT: Final = "select count(*) from domain_claims where account = $1 and domain <> $2"
FOUND: Final = "select id from domain_claims where account = $1 and domain = $2"
# by domain_claims primary key, log_pending primary key, log_entries unique (pending); domain_claims (domain)
_CLAIM: Final = """
select c.id, c.account, c.domain, c.value, c.state, c.method, c.problem, c.asked_at, c.proven_at, c.checked_at,
    c.failing_since, c.next_check_at, p.subject as statement, e.index,
    case when c.state = 'proven' then array(
        select a.kind || '_' || a.id from domain_claims o join accounts a on a.id = o.account
        where o.domain = c.domain and o.state = 'proven' and o.account <> c.account order by o.proven_at, o.id limit 100
    ) else '{}' end as others
from domain_claims c
left join log_pending p on p.id = c.proven_by
left join log_entries e on e.pending = c.proven_by
where c.account = $1
"""
CLAIM: Final = _CLAIM + " and c.id = $2"
CLAIMS: Final = orders(
    _CLAIM
    + """
    and ($2::text is null or $2 = case when c.failing_since is not null then 'failing' else c.state end)
    and ($3::text is null or c.domain = $3)
""",
    asked=(Key("c.id", "id", UUID),),
    domain=(Key("c.domain", "domain", str),),
)
LOCK: Final = """
select id, domain, value, state, method, failing_since, asked_at from domain_claims
where id = $1 and account = $2 for update
"""
LEVEL: Final = "select level from accounts where id = $1"
BESIDE: Final = "select exists (select from domain_claims where account = $1 and state = 'proven' and id <> $2)"
# by domain_claims (domain): whoever has proven the same domain
OTHERS: Final = "select account from domain_claims where domain = $1 and state = 'proven' and account <> $2 limit 100"
PROVEN: Final = """
update domain_claims
set state = 'proven', method = $3, problem = null, proven_at = $4, checked_at = $4, failing_since = null,
    next_check_at = $5, proven_by = $6
where id = $1 and account = $2
"""
STILL_PROVEN: Final = """
update domain_claims
set method = $3, problem = null, checked_at = $4, failing_since = null, next_check_at = $5
where id = $1 and account = $2
"""
MISSED: Final = """
update domain_claims
set problem = $3, checked_at = coalesce($4, checked_at), failing_since = $5, next_check_at = $6
where id = $1 and account = $2
"""
LAPSED: Final = """
update domain_claims
set state = 'lapsed', problem = $3, checked_at = $4, failing_since = null, next_check_at = null
where id = $1 and account = $2
"""
DROP: Final = "delete from domain_claims where id = $1 and account = $2"

# by domain_claims (next_check_at): taken for a while, so that no two workers look at one domain at a time
DUE: Final = """
update domain_claims set next_check_at = $2 where id in (
    select id from domain_claims where next_check_at <= $1 order by next_check_at limit $3 for update skip locked
) returning id, account, domain, value
"""
# What was asked for and never shown is forgotten.
FORGET: Final = "delete from domain_claims where next_check_at <= $1 and state = 'asked' and asked_at < $2"
