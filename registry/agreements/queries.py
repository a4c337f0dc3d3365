"""All SQL of agreements, one constant a statement, with the index it relies on.

A request is seen by the organisation that made it and by the account that it asks: ``$1`` is the caller.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.http.paging import Key, orders
from registry.licensing.queries import NOTICE

# by licence_requests unique (digest), licence_answers and licence_replies primary keys
ASKED: Final = "select id, organisation, pending from licence_requests where digest = $1"
ANSWERED: Final = "select id, request, account, pending from licence_answers where digest = $1"
REPLIED: Final = "select id, request, pending from licence_replies where digest = $1"
# by licence_requests primary key
REQUEST: Final = "select account, organisation, digest, expires_at from licence_requests where id = $1"
# by account_events_account (account, id)
TOLD: Final = """
select exists (select from account_events where account = $1 and kind = $2 and subject = $3 and detail = $4)
"""
# by works primary key
WORKS: Final = "select id, withdrawn_at from works where account = $1 and id = any($2::uuid[])"
# by accounts primary key
ACCOUNT: Final = "select id, kind, erased_at from accounts where id = $1"
# Whoever is asked has one as long as it has works; by consent_heads primary key. None is made for who was erased.
HOLD_HEAD: Final = "select account from consent_heads where account = $1 for no key update"

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
KEEP_REPLY: Final = """
insert into licence_replies (digest, id, request, reply, offer, pending) values ($1, $2, $3, $4, $5, $6)
"""

# What a request has become; the last answer counts, and what was replied to it. By agreements (request),
# licence_answers (request, pending), licence_replies unique (request, offer)
_STATE: Final = """
case when g.licence is not null then 'accepted'
    when d.reply = 'withdraw' then 'withdrawn'
    when d.reply = 'decline' then 'declined'
    when n.answer = 'refuse' then 'refused'
    when n.answer = 'withdraw' then 'retracted'
    when n.answer = 'offer' then case when n.offered_until > now() then 'offered' else 'lapsed' end
    when r.expires_at > now() then 'open' else 'expired' end
"""
_SEEN: Final = f"""
select r.id, r.organisation, o.name, r.account, a.kind, r.digest, r.works, r.model, r.version, r.asked_at, r.expires_at,
    r.pending, n.digest as answer, n.offered_until, n.pending as answered, d.pending as replied, g.licence, e.index,
    {_STATE} as state
from licence_requests r join accounts o on o.id = r.organisation join accounts a on a.id = r.account
left join log_entries e on e.pending = r.pending
left join lateral (
    select x.digest, x.answer, x.offered_until, x.pending from licence_answers x
    where x.request = r.id order by x.pending desc limit 1
) n on true
left join lateral (
    select z.reply, z.pending from licence_replies z
    where z.request = r.id and (z.offer is null or z.offer = n.digest) order by z.pending desc limit 1
) d on true
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
# by licence_requests (account, id); what can no longer be answered is not looked into
WAITING: Final = f"""
select count(*) from ({_SEEN} and r.account = $1 and r.expires_at > now()) s where s.state = 'open'
"""  # noqa: S608
# by licence_request_works, works and work_states primary keys
REQUESTED: Final = """
select k.work, case when w.account = $1 then w.title end as title, s.statement
from licence_request_works k left join works w on w.id = k.work left join work_states s on s.work = k.work
where k.request = $2 order by k.work
"""

# -- closes ------------------------------------------------------------------------------------------------------------

# They begin when the log takes them: anybody can see that moment.
# By agreements and licences primary keys, log_entries unique (pending), licence_works primary key
_ALLOCATING: Final = """
select l.id, l.organisation, l.fee_bps, e.at as granted_at, l.valid_until, g.since, g.weigh, exists (
    select from licence_works w where w.licence = l.id and w.model in ('pool', 'revenue-share')
) as reported
from agreements g join licences l on l.id = g.licence join log_entries e on e.pending = l.pending where g.allocates
"""
ALLOCATING: Final = f"{_ALLOCATING} and e.at < $1 order by l.id"  # those that began before $1
ANY_AGREEMENT: Final = f"{_ALLOCATING} and l.id = $1"
OWN_AGREEMENT: Final = f"{_ALLOCATING} and l.id = $1 and l.organisation = $2"
# Whoever holds a licence sees it whole, whoever has works in it (claim level 2 or above) what they are owed.
# By agreements and licences primary keys, licence_works (account, licence)
SHARED_WITH: Final = f"""
select s.*, case when s.organisation = $1 then null else $1 end as part
from ({_ALLOCATING} and l.id = $2) s
where s.organisation = $1 or exists (
    select from licence_works w join accounts a on a.id = w.account
    where w.account = $1 and w.licence = $2 and w.agreed is not null and a.level >= 2
)
"""  # noqa: S608
# Agreements that were charged in month $1, also for months before; and those charged for it. By transfers (period, id)
CHARGED_IN: Final = "select distinct source from transfers where period = $1 and kind = 'allocation'"
ALREADY: Final = f"{CHARGED_IN} and memo = $1"
# What a licence's agreement was charged for months: whoever gives it back or contests it takes the same locks first.
# By transfers (source)
LOCK_CHARGES: Final = """
select id from transfers where source = $1 and kind = 'allocation' and memo = any($2::text[])
order by id for update
"""
# The first month of those that such charges are for of which any was given back, or waits for a decision.
# By transfers (reverses), contested_charges (transfer)
GIVEN_BACK: Final = """
select min(t.memo) from transfers t where t.id = any($1::uuid[]) and (
    exists (select from transfers r where r.reverses = t.id)
    or exists (select from contested_charges c where c.transfer = t.id and c.outcome is null)
    or exists (select from escrow_ends x where x.transfer = t.id and x.outcome = 'returned')
    or exists (select from escrow_parts x where x.transfer = t.id and x.outcome = 'returned')
)
"""
# -- what a close could not charge: by allocations_left_out primary key and (period, licence) where posted is null
LEAVE_OUT: Final = """
insert into allocations_left_out (licence, period, why, since, tried) values ($1, $2, $3, $4, $5)
on conflict (licence, period) do update set why = excluded.why, tried = excluded.tried
where allocations_left_out.posted is null
"""
LEFT_OUT_BEFORE: Final = """
select licence, period from allocations_left_out where posted is null and period < $1 order by period, licence
"""
POSTED_LATE: Final = """
update allocations_left_out set posted = $3 where licence = $1 and period = $2 and posted is null
"""
# A close that was taken up again got further than it did before.
IN_TIME: Final = "delete from allocations_left_out where licence = $1 and period = $2 and posted is null"
LEFT_OUT: Final = """
select licence, period, why, since from allocations_left_out where posted is null order by period, licence limit $1
"""
LEFT_OUT_COUNT: Final = """
select count(*) as count, min(period) as first, min(since) as since from allocations_left_out where posted is null
"""
LATE: Final = "select period, posted from allocations_left_out where licence = $1"
# What a licence agrees, work by work, and how the works stand today.
# By licence_works, work_states, accounts primary keys
ALLOCATED: Final = """
select w.work, w.account, a.kind, w.statement, w.terms_hash, w.atom, w.model, w.currency, w.amount, w.match, w.escrow,
    w.agreed, a.level < 2 or coalesce(s.contested or s.challenged, false) as held_back
from licence_works w join accounts a on a.id = w.account left join work_states s on s.work = w.work
where w.licence = $1 and w.agreed is not null order by w.work
"""
# What each work has of what goes into escrow. By transfers unique (key)
KEEP_ESCROWED: Final = """
insert into escrow_works (transfer, work, amount, fee)
select t.id, x.work, x.amount, x.fee
from unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[]) as x (key, work, amount, fee)
join transfers t on t.key = x.key
"""
# Outputs, and other uses, by the month in which they were posted, less those that corrections take back.
# By usage_events (licence), licence_works primary key
USED: Final = """
select v.work, v.unit, to_char(v.posted_at at time zone 'UTC', 'YYYY-MM') as month,
    sum(v.quantity - coalesce(v.was, 0)) as quantity
from usage_events v join licence_works w on w.licence = v.licence and w.work = v.work and w.atom = v.atom
where v.licence = $1 and v.memorandum is null and w.agreed is not null
    and v.unit = case when w.model = 'per-output' then 'output' else 'run' end
group by v.work, v.unit, month
"""
# When the notices are over with which works were taken back; one that the log has not taken yet ends nothing.
# By duties (licence), log_entries unique (pending), duty_works (duty)
REVOKED: Final = f"""
select x.work, e.at + {NOTICE} as over_at
from duties d join log_entries e on e.pending = d.pending join duty_works x on x.duty = d.id where d.licence = $1
"""  # noqa: S608  # made of constants
# by revenue_reports (licence, pending)
REPORTS: Final = """
select period, counts_at, revenue, pool, weights from revenue_reports where licence = $1 order by pending
"""
# by transfers (source), entries primary key: what a licence was charged at closes, by the month that it is for
CHARGED: Final = """
select t.memo as period, t.period as posted, e.currency, sum(e.amount) as amount
from transfers t join entries e on e.transfer = t.id join ledger_accounts a on a.id = e.account
where t.source = $1 and t.kind = 'allocation' and a.name like 'receivable:%'
group by t.memo, t.period, e.currency
"""
# What works have of charges in escrow, beside what these come to. By transfers (source), escrow_works primary key
ESCROWED: Final = """
select t.id, t.memo as period, t.key, x.work, x.amount, x.fee,
    sum(x.amount) over whole as gross, sum(x.fee) over whole as fees,
    (
        select sum(e.amount) from entries e join ledger_accounts a on a.id = e.account
        where e.transfer = t.id and a.name like 'receivable:%'
    ) as charged, (
        select -coalesce(sum(e.amount), 0) from entries e join ledger_accounts a on a.id = e.account
        where e.transfer = t.id and a.name = 'fee:registry'
    ) as kept
from transfers t join escrow_works x on x.transfer = t.id
where t.source = $1 and t.kind = 'allocation' window whole as (partition by t.id) order by t.id, x.work
"""
# by periods primary key
SEALED: Final = "select period from periods where sealed_at is not null order by period"

# -- reports of revenue ------------------------------------------------------------------------------------------------

# by revenue_reports primary key
KNOWN_REPORT: Final = "select id, pending from revenue_reports where digest = $1 and organisation = $2"
# by revenue_reports (licence, pending)
LAST_REPORT: Final = """
select digest from revenue_reports where licence = $1 and period = $2 order by pending desc limit 1
"""
KEEP_REPORT: Final = """
insert into revenue_reports (
    digest, id, organisation, licence, period, counts_at, supersedes, pending, revenue, pool, weights, accepted_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10::jsonb, $11::jsonb, $12)
on conflict (id) do nothing returning id
"""
# Seen by whoever made them, and by accounts of claim level 2 that have works which share in what is reported.
# By revenue_reports (organisation, id), (licence, pending), licence_works (account, licence)
_SHARES_IN: Final = """
exists (
    select from licence_works w join accounts a on a.id = w.account
    where w.account = $1 and w.licence = l.id and w.model in ('pool', 'revenue-share') and a.level >= 2
)
"""
_REVENUE: Final = f"""
select r.id, r.licence, r.organisation, r.period, r.counts_at, r.digest, r.supersedes, r.pending, r.revenue, r.pool,
    (select count(*) from jsonb_object_keys(r.weights)) as weights, r.accepted_at, e.index,
    not exists (select from revenue_reports n where n.supersedes = r.digest) as current
from revenue_reports r join licences l on l.id = r.licence left join log_entries e on e.pending = r.pending
where (r.organisation = $1 or {_SHARES_IN})
"""  # noqa: S608
REVENUE: Final = f"{_REVENUE} and r.id = $2"
REVENUES: Final = orders(
    f"{_REVENUE} and ($2::uuid is null or r.licence = $2) and ($3::text is null or r.period = $3)\n",
    reported=(Key("r.id", "id", UUID),),
)
# Months that are over ($2: the first that is not), in which an agreement ran, and of which nothing was reported. It ran
# while a work that shares in what is reported was not revoked, or its notice not over: a close owes nothing for more.
# By licences (organisation, id), licence_works (account, licence), revenue_reports unique (licence, period);
# duty_works and duties primary keys, log_entries unique (pending)
AWAITED: Final = orders(
    f"""
select to_char(g.month, 'YYYY-MM') collate "C" as period, l.id, l.organisation, l.model, l.version,
    p.sealed_at is not null as closed
from agreements a join licences l on l.id = a.licence
cross join lateral generate_series(
    a.since at time zone 'UTC', coalesce(least(l.valid_until, $2::timestamptz), $2) at time zone 'UTC'
        - interval '1 microsecond', interval '1 month'
) as g (month)
left join periods p on p.period = to_char(g.month, 'YYYY-MM')
where (l.organisation = $1 or {_SHARES_IN})
    and exists (
        select from licence_works w
        left join duty_works x on x.licence = w.licence and x.work = w.work
        left join duties d on d.id = x.duty left join log_entries e on e.pending = d.pending
        where w.licence = l.id and w.model in ('pool', 'revenue-share') and (l.organisation = $1 or w.account = $1)
            and (e.at is null or g.month < (e.at + {NOTICE}) at time zone 'UTC')
    )
    and not exists (select from revenue_reports r where r.licence = l.id and r.period = to_char(g.month, 'YYYY-MM'))
    and ($3::uuid is null or l.id = $3)
""",  # noqa: S608
    period=(Key("to_char(g.month, 'YYYY-MM') collate \"C\"", "period", str), Key("l.id", "id", UUID)),
)

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
ALL_REPLIES: Final = """
select d.id, d.digest, d.request, r.digest as document, r.organisation, d.reply, d.offer, p.envelope
from licence_replies d join licence_requests r on r.id = d.request join log_pending p on p.id = d.pending order by d.id
"""
ALL_AGREEMENTS: Final = """
select l.id as licence, g.since, g.weigh, g.allocates, r.digest as document, p.envelope
from licences l join log_pending p on p.id = l.pending
left join agreements g on g.licence = l.id left join licence_requests r on r.id = g.request
order by l.id
"""
# With the last month that was stated before each report entered the log. By periods primary key
ALL_REPORTS: Final = """
select r.digest, r.id, o.kind, r.organisation, r.licence, r.period, r.counts_at, r.supersedes, r.revenue, r.pool,
    r.weights, p.envelope, (select max(m.period) from periods m where m.pending < r.pending) as closed
from revenue_reports r join accounts o on o.id = r.organisation join log_pending p on p.id = r.pending order by r.id
"""
