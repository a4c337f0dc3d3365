"""All SQL of agreements, one constant a statement, with the index it relies on.

A request is seen by the organisation that made it and by the account that it asks: ``$1`` is the caller.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.http.paging import Key, orders

# by licence_requests unique (digest), licence_answers primary key
ASKED: Final = "select id, organisation, pending from licence_requests where digest = $1"
ANSWERED: Final = "select id, request, account, pending from licence_answers where digest = $1"
# by licence_requests primary key
REQUEST: Final = "select account, organisation, digest, expires_at from licence_requests where id = $1"
# by works primary key
WORKS: Final = "select id, withdrawn_at from works where account = $1 and id = any($2::uuid[])"
# by accounts primary key
ACCOUNT: Final = "select id, kind, erased_at from accounts where id = $1"
# by agreements (request)
TAKEN: Final = "select licence from agreements where request = $1 limit 1"

KEEP_REQUEST: Final = """
insert into licence_requests (
    id, organisation, account, pending, digest, use_key, model_key, model, version, works, asked_at, expires_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (id) do nothing returning id
"""
KEEP_WORKS: Final = "insert into licence_request_works (request, work) select $1, unnest($2::uuid[])"
KEEP_ANSWER: Final = """
insert into licence_answers (digest, id, request, account, answer, pending, offered_until)
values ($1, $2, $3, $4, $5, $6, $7)
"""

# What a request has become; the last answer counts. By agreements (request), licence_answers (request, pending)
_STATE: Final = """
case when g.licence is not null then 'accepted'
    when n.answer = 'refuse' then 'refused'
    when n.answer = 'offer' then case when n.offered_until > now() then 'offered' else 'lapsed' end
    when r.expires_at > now() then 'open' else 'expired' end
"""
_SEEN: Final = f"""
select r.id, r.organisation, o.name, r.account, a.kind, r.digest, r.works, r.model, r.version, r.asked_at, r.expires_at,
    r.pending, n.offered_until, n.pending as answered, g.licence, e.index, {_STATE} as state
from licence_requests r join accounts o on o.id = r.organisation join accounts a on a.id = r.account
left join log_entries e on e.pending = r.pending
left join lateral (
    select x.answer, x.offered_until, x.pending from licence_answers x
    where x.request = r.id order by x.pending desc limit 1
) n on true
left join lateral (select y.licence from agreements y where y.request = r.id limit 1) g on true
where (r.organisation = $1 or r.account = $1)
"""  # noqa: S608
SEEN: Final = f"{_SEEN} and r.id = $2"
# by licence_requests (organisation, id), (account, id)
REQUESTS: Final = orders(
    f"{_SEEN} and ($2::text is null or {_STATE} = $2)\n"
    " and ($3::uuid is null or exists (select from licence_request_works k where k.request = r.id and k.work = $3))\n",
    asked=(Key("r.id", "id", UUID),),
)
# by licence_request_works, works and work_states primary keys
REQUESTED: Final = """
select k.work, case when w.account = $1 then w.title end as title, s.statement
from licence_request_works k left join works w on w.id = k.work left join work_states s on s.work = k.work
where k.request = $2 order by k.work
"""

# -- closes ------------------------------------------------------------------------------------------------------------

# Those that the log took before $1, when they began: anybody can see that moment.
# By agreements and licences primary keys, log_entries unique (pending)
ALLOCATING: Final = """
select l.id, l.organisation, l.fee_bps, e.at as granted_at, l.valid_until, g.since
from agreements g join licences l on l.id = g.licence join log_entries e on e.pending = l.pending
where g.allocates and e.at < $1 order by l.id
"""
# by transfers (period, id)
ALREADY: Final = "select distinct source from transfers where period = $1 and kind = 'allocation'"
# What a licence agrees, work by work, and how the works stand today.
# By licence_works, work_states, accounts primary keys
ALLOCATED: Final = """
select w.work, w.account, a.kind, w.statement, w.terms_hash, w.atom, w.model, w.currency, w.amount, w.match, w.escrow,
    w.agreed, a.level < 2 or coalesce(s.contested or s.challenged, false) as held_back
from licence_works w join accounts a on a.id = w.account left join work_states s on s.work = w.work
where w.licence = $1 and w.agreed is not null order by w.work
"""
# Outputs by the month in which they were posted, before $2, less those that corrections take back.
# By usage_events (licence), licence_works primary key
OUTPUTS: Final = """
select v.work, to_char(v.posted_at at time zone 'UTC', 'YYYY-MM') as month,
    sum(v.quantity - coalesce(v.was, 0)) as quantity
from usage_events v join licence_works w on w.licence = v.licence and w.work = v.work and w.atom = v.atom
where v.licence = $1 and v.unit = 'output' and v.memorandum is null and v.posted_at < $2 and w.agreed is not null
group by v.work, month
"""
# by transfers (source), entries primary key: what a licence was charged at closes
CHARGED: Final = """
select t.period, e.currency, sum(e.amount) as amount
from transfers t join entries e on e.transfer = t.id join ledger_accounts a on a.id = e.account
where t.source = $1 and t.kind = 'allocation' and a.name like 'receivable:%' group by t.period, e.currency
"""
# by periods primary key
SEALED: Final = "select period from periods where sealed_at is not null order by period"

# The whole of it, read through once, beside what was signed.
ALL_REQUESTS: Final = """
select r.id, r.digest, r.organisation, r.account, a.kind, r.use_key, r.model_key, r.model, r.version, r.works,
    r.expires_at, array(select k.work from licence_request_works k where k.request = r.id order by k.work) as named,
    p.envelope
from licence_requests r join accounts a on a.id = r.account join log_pending p on p.id = r.pending order by r.id
"""
ALL_ANSWERS: Final = """
select n.id, n.digest, n.request, r.digest as document, n.answer, n.offered_until, p.envelope
from licence_answers n join licence_requests r on r.id = n.request join log_pending p on p.id = n.pending order by n.id
"""
ALL_AGREEMENTS: Final = """
select l.id as licence, g.since, g.weigh, g.allocates, r.digest as document, p.envelope
from licences l join log_pending p on p.id = l.pending
left join agreements g on g.licence = l.id left join licence_requests r on r.id = g.request
order by l.id
"""
