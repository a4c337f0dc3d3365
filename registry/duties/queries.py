"""All SQL of duties, one constant a statement, with the index it relies on.

A duty is seen by the organisation that owes it, by the account that caused it, and by auditors whose scope has either
in a month in which it was open: ``$1`` is the caller.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.http.paging import Key, orders
from registry.licensing.queries import NOTICE

# Works of a licence that are an account's ($1): those that it registered and did not lose, and those that a dispute was
# decided to be its. By licence_works (account, licence) and primary key, work_states primary key and (lost_to, work)
_ITS: Final = """
select w.* from licence_works w where w.licence = {licence} and w.account = {account}
    and not exists (select from work_states s where s.work = w.work and s.lost_to is not null)
union all
select w.* from work_states s join licence_works w on w.licence = {licence} and w.work = s.work
where s.lost_to = {account}
"""
# by licences primary key
LICENCE: Final = f"""
select l.id, l.organisation, o.name, l.model, l.version, l.atoms, l.valid_until
from licences l join accounts o on o.id = l.organisation
where l.id = $2 and exists ({_ITS.format(licence="$2", account="$1")})
"""  # noqa: S608
# Some of them ($3), with what their condition is read from. By duty_works primary key
LINES: Final = f"""
select w.work, w.terms_hash, w.agreed, x.duty from ({_ITS.format(licence="$1", account="$2")}) w
left join duty_works x on x.licence = w.licence and x.work = w.work
where w.work = any($3::uuid[])
"""  # noqa: S608


def _alike(what: str) -> str:
    return f"""
select w.terms_hash, w.agreed, x.duty is not null as revoked, {what} as works
from ({_ITS.format(licence="$1", account="$2")}) w
left join duty_works x on x.licence = w.licence and x.work = w.work
group by w.terms_hash, w.agreed, revoked
"""  # noqa: S608


# All of them, those together that one condition holds for: how many, or which. By duty_works primary key
COUNTED: Final = _alike("count(*)")
GROUPED: Final = _alike("array_agg(w.work)")
# The works of a duty that were its account's when it revoked: who registered them, or whom they were lost to.
# By duty_works (duty), licence_works and work_states primary keys
REVOKED_LINES: Final = """
select w.terms_hash, w.agreed from duties d join duty_works x on x.duty = d.id
join licence_works w on w.licence = d.licence and w.work = x.work
left join work_states s on s.work = w.work
where d.id = $1 and d.account in (w.account, s.lost_to)
"""
TERMS: Final = "select hash, encoded from terms where hash = any($1::bytea[])"

# by duties unique (digest), duties_done unique (digest)
REVOKED: Final = "select id, licence, account, pending from duties where digest = $1"
DONE: Final = "select duty, id, pending from duties_done where digest = $1"
KEEP: Final = """
insert into duties (
    id, licence, organisation, account, pending, digest, notice_days, effect, works, revoked_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (id) do nothing returning id
"""
KEEP_WORKS: Final = "insert into duty_works (licence, work, duty) select $1, unnest($3::uuid[]), $2"
# `began`: with the log entry of the revocation. By duties and duties_done primary keys, log_entries unique (pending)
OWED: Final = """
select d.account, d.digest, d.effect, d.licence, n.pending as done, coalesce(e.at, d.revoked_at) as began
from duties d left join duties_done n on n.duty = d.id left join log_entries e on e.pending = d.pending
where d.id = $2 and d.organisation = $1
"""
KEEP_DONE: Final = """
insert into duties_done (duty, id, pending, digest, done_at, accepted_at) values ($1, $2, $3, $4, $5, $6)
"""

_DUE: Final = f"e.at + {NOTICE}"
_STATE: Final = f"case when n.duty is not null then 'done' when {_DUE} <= now() then 'overdue' else 'open' end"
_MONTH: Final = "to_char({} at time zone 'utc', 'YYYY-MM')"
# by audit_scopes primary key
_AUDITS: Final = f"""exists (
    select from audit_scopes z where z.auditor = $1
        and (z.subject is null or z.subject = d.organisation or z.subject = d.account)
        and (z.since is null or z.since <= {_MONTH.format("coalesce(n.accepted_at, now())")})
        and (z.until is null or z.until >= {_MONTH.format("d.revoked_at")})
)"""
_SEEN: Final = f"""
select d.id, d.licence, d.organisation, o.name, d.account, a.kind, l.model, l.version, d.effect, d.notice_days, d.works,
    d.digest, d.pending, e.at as began, {_DUE} as due, n.done_at, n.pending as answered, e.index, {_STATE} as state
from duties d join licences l on l.id = d.licence join accounts o on o.id = d.organisation
join accounts a on a.id = d.account
left join log_entries e on e.pending = d.pending left join duties_done n on n.duty = d.id
where (d.organisation = $1 or d.account = $1 or {_AUDITS})
"""  # noqa: S608
SEEN: Final = f"{_SEEN} and d.id = $2"
# by duties (organisation, id), (account, id)
DUTIES: Final = orders(
    f"{_SEEN} and ($2::text is null or {_STATE} = $2) and ($3::uuid is null or d.licence = $3)\n",
    revoked=(Key("d.id", "id", UUID),),
)
# by duty_works (duty)
WORKS: Final = "select work from duty_works where duty = $1 order by work"

# The whole of it, read through once, beside what was signed.
ALL: Final = """
select d.id, d.licence, d.organisation, d.account, a.kind, d.digest, d.notice_days, d.effect, d.works, l.atoms,
    array(select x.work from duty_works x where x.duty = d.id and x.licence = d.licence order by x.work) as named,
    p.envelope
from duties d join licences l on l.id = d.licence join accounts a on a.id = d.account
join log_pending p on p.id = d.pending order by d.id
"""
ALL_DONE: Final = """
select n.duty, n.digest, n.done_at, d.digest as document, d.organisation, p.envelope
from duties_done n join duties d on d.id = n.duty join log_pending p on p.id = n.pending order by n.duty
"""
