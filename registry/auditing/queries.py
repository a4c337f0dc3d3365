"""All SQL of auditing, one constant a statement, with the index it relies on.

Who may see a row is decided here: ``$1`` is the account whose part is shown (null: everything), and where uses are
read ``$2`` says whether those of its own works are shown to it.
"""

from __future__ import annotations

from typing import Final

from registry.accounts.queries import audits
from registry.licensing.queries import NOTICE

# What an account earns from beside its own works: works that are under a split in which it has a share.
# by split_parties (account, split), split_works primary key
_SHARED: Final = """
select k.work from split_parties sp join split_works k on k.split = sp.split and k.since is not null
where sp.account = $1 and sp.bps > 0
"""
_SHARES: Final = "select split from split_parties where account = $1 and bps > 0"
# Works that were decided to be the account's: licences on them are hers to see and take back. By work_states (lost_to)
_WON: Final = "select s.work from work_states s where s.lost_to = $1"
_OWN_WORK: Final = f"(w.account = $1 or w.work in ({_SHARED}) or w.work in ({_WON}))"
# A use that nothing is owed for before the close has no split; whoever shares the work is shown what counts then.
_OWN_USE: Final = f"""(v.artist = $1 or v.split in ({_SHARES}) or (v.unit in ('output', 'run') and v.work in ({_SHARED})
    and exists (
        select from licence_works q where q.licence = v.licence and q.work = v.work and q.agreed is not null
    )))"""
SHARED: Final = f"{_SHARED} union {_WON}"
SHARES: Final = _SHARES
# accounts primary key
ACCOUNT: Final = "select id, kind, level from accounts where id = $1"
# Whose part an auditor ($1) may be shown of month $2, one account ($3) or all: accounts and audit_scopes primary keys
AUDITED: Final = f"""
select a.id, a.kind, a.level from accounts a where a.id = $3 and {audits("$1", "a.id", "$2")}
union all
select null, null, null where $3::uuid is null and {audits("$1", "null::uuid", "$2")}
"""  # noqa: S608
# by audit_scopes primary key: the accounts that are all of an auditor's scope in month $2
AUDITED_ALONE: Final = """
select distinct a.id, a.kind, a.level from audit_scopes s join accounts a on a.id = s.subject
where s.auditor = $1 and (s.since is null or s.since <= $2) and (s.until is null or s.until >= $2) order by a.id
"""
KINDS: Final = "select id, kind from accounts where id = any($1::uuid[])"

# by log_entries primary key
ENTRIES: Final = "select entry from log_entries where index >= $1 and index < $2 order by index"
# log_pending and log_entries by their keys; never a statement after the closing size
PROVEN: Final = """
select p.id, p.envelope, p.salt, e.index, e.entry
from log_pending p join log_entries e on e.pending = p.id
where p.id = any($1::bigint[]) and e.index < $2
"""
# by log_queue primary key, log_entries primary key: what is posted and not yet in the published log
UNPUBLISHED: Final = """
select p.subject from log_queue q join log_pending p on p.id = q.pending where p.kind in ('licence', 'usage-batch')
union
select p.subject from log_entries e join log_pending p on p.id = e.pending
where e.index >= $1 and p.kind in ('licence', 'usage-batch')
"""

# $3 first and $4 last log index to look at, $5 and $6 those of the month, $7 and $8 its first and last moment.
# by log_entries primary key, licences unique (pending), licence_works primary key
LICENCES: Final = f"""
select l.id, l.organisation, l.pending, e.index, e.at
from log_entries e join licences l on l.pending = e.pending
where e.index >= $3 and e.index < $4
    and ((e.index >= $5 and e.index < $6) or (l.granted_at >= $7 and l.granted_at < $8))
    and ($1::uuid is null or l.organisation = $1
        or ($2 and exists (select from licence_works w where w.licence = l.id and {_OWN_WORK})))
order by l.id
"""  # noqa: S608
# by licences primary key; $4 size of the published log
LICENCES_NAMED: Final = f"""
select l.id, l.organisation, l.pending, e.index, e.at
from licences l join log_entries e on e.pending = l.pending
where l.id = any($3::uuid[]) and e.index < $4
    and ($1::uuid is null or l.organisation = $1
        or ($2 and exists (select from licence_works w where w.licence = l.id and {_OWN_WORK})))
order by l.id
"""  # noqa: S608
# by log_entries primary key, usage_batches unique (pending), usage_events (batch, artist)
BATCHES: Final = f"""
select b.id, b.organisation, b.pending, b.secret, b.accepted_at, e.index, e.at
from log_entries e join usage_batches b on b.pending = e.pending
where e.index >= $3 and e.index < $4
    and ((e.index >= $5 and e.index < $6) or (b.accepted_at >= $7 and b.accepted_at < $8))
    and ($1::uuid is null or b.organisation = $1
        or ($2 and exists (select from usage_events v where v.batch = b.id and {_OWN_USE})))
order by b.id
"""  # noqa: S608
# by usage_batches primary key, usage_events (batch): for events that its own organisation reported again, and for
# outputs of earlier months that somebody earns from
BATCHES_NAMED: Final = f"""
select b.id, b.organisation, b.pending, b.secret, b.accepted_at, e.index, e.at
from usage_batches b join log_entries e on e.pending = b.pending
where b.id = any($3::uuid[]) and e.index < $4 and ($1::uuid is null or b.organisation = $1
    or ($2 and exists (select from usage_events v where v.batch = b.id and {_OWN_USE})))
order by b.id
"""  # noqa: S608
# by log_entries primary key; runs and datasets unique (pending)
RUNS: Final = """
select r.id, r.organisation, r.pending, e.index, e.at
from log_entries e join runs r on r.pending = e.pending
where e.index >= $2 and e.index < $3 and ($1::uuid is null or r.organisation = $1)
order by r.id
"""
# Of the month ($2 to $3), and those that runs of the month name; $4 size of the published log.
DATASETS: Final = """
select d.id, d.organisation, d.pending, e.index, e.at
from log_entries e join datasets d on d.pending = e.pending
where ((e.index >= $2 and e.index < $3) or d.id in (
        select r.dataset from log_entries x join runs r on r.pending = x.pending where x.index >= $2 and x.index < $3
    )) and e.index < $4 and ($1::uuid is null or d.organisation = $1)
order by d.id
"""
# Kinds of statements that have no query of their own: a condition says whom one concerns beside who signed it.
CONCERNED: Final[dict[str, str]] = {
    "revenue-report": "false",  # with the agreements that they are of
    "model-card": "false",
    "licence-revoke": "exists (select from duties d where d.pending = p.id and d.organisation = $1)",
    "duty-done": """exists (
        select from duties_done n join duties d on d.id = n.duty where n.pending = p.id and d.account = $1
    )""",
    "dispute-step": """exists (
        select from dispute_steps s join disputes d on d.id = s.dispute
        where s.pending = p.id and (d.account = $1 or d.against = $1)
    )""",
    "audit-finding": "exists (select from audit_findings f where f.pending = p.id and f.account = $1)",
}
# by log_entries primary key, log_pending primary key
STATED: Final = f"""
select p.kind, p.subject, p.account, p.id as pending, e.index, e.at
from log_entries e join log_pending p on p.id = e.pending
where e.index >= $2 and e.index < $3 and p.kind in ({", ".join(f"'{kind}'" for kind in CONCERNED)})
    and ($1::uuid is null or p.account = $1
        or case p.kind {" ".join(f"when '{kind}' then {whom}" for kind, whom in CONCERNED.items())} end)
order by p.kind, p.subject
"""  # noqa: S608
# Splits with all answers to them: of the month for everybody's bundle ($1 null), else those ever in force on the works
# ($2) whose uses are shown, and those that one of them replaces. $3, $4 log indices of the month, $5 published size.
# With the erasures of who has a share in them: of those nobody asks an answer.
# by split_works (work, since), splits unique (digest), split_answers (split), log_entries unique (pending)
SPLITS: Final = """
with recursive wanted as (
    select s.id, s.account, s.pending, s.replaces from splits s
    where s.id in (
        select k.split from split_works k where k.since is not null and k.work = any($2::uuid[])
        union
        select s.id from log_entries e join splits s on s.pending = e.pending
        where $1::uuid is null and e.index >= $3 and e.index < $4
        union
        select a.split from log_entries e join split_answers a on a.pending = e.pending
        where $1::uuid is null and e.index >= $3 and e.index < $4
    )
    union
    select s.id, s.account, s.pending, s.replaces from splits s join wanted w on s.digest = w.replaces
)
select 'split' as kind, w.id, w.account, w.pending, e.index, e.at
from wanted w join log_entries e on e.pending = w.pending where e.index < $5
union all
select 'split-answer', a.id, a.account, a.pending, e.index, e.at
from wanted w join split_answers a on a.split = w.id join log_entries e on e.pending = a.pending where e.index < $5
union all
select 'erase', x.id, x.account, x.pending, e.index, e.at
from erasures x join log_entries e on e.pending = x.pending
where e.index < $5 and x.account in (select p.account from wanted w join split_parties p on p.split = w.id)
order by kind, id
"""
# Agreements from before $4 that run on after $3 or were charged in the month ($5); $6 size of the published log.
# by agreements and licences primary keys, log_entries unique (pending), licence_works primary key
AGREEMENTS: Final = f"""
select l.id, l.organisation, l.pending, g.since, g.weigh, e.index, e.at
from agreements g join licences l on l.id = g.licence join log_entries e on e.pending = l.pending
where g.allocates and e.at < $4 and e.index < $6
    and (l.valid_until is null or l.valid_until > $3 or l.id = any($5::uuid[]))
    and ($1::uuid is null or l.organisation = $1
        or ($2 and exists (
            select from licence_works w where w.licence = l.id and w.agreed is not null and {_OWN_WORK}
        )))
order by l.id
"""  # noqa: S608
# Charges of agreements ($1) that the close of month $2, or one before it, left out, and that none before it made good.
# ``posted`` is what the close of $2 charged. By allocations_left_out primary key
LEFT_OUT: Final = """
select licence, period, since, case when posted = $2 then posted end as posted
from allocations_left_out where licence = any($1::uuid[]) and period <= $2 and (posted is null or posted >= $2)
order by licence, period
"""
# by licence_works and licences primary keys; $3 an agreement
AGREED_LINES: Final = f"""
select w.work, w.account, a.kind, w.statement, w.terms_hash, w.atom, w.model, w.currency, w.amount, w.match, w.escrow,
    w.agreed
from licence_works w join licences l on l.id = w.licence join accounts a on a.id = w.account
where w.licence = $3 and w.agreed is not null and ($1::uuid is null or l.organisation = $1 or ($2 and {_OWN_WORK}))
order by w.work
"""  # noqa: S608
# Whether corrections of a month before $2 took back more outputs of a work under agreement $1 than it had.
# by usage_events (licence), licence_works primary key
OUTPUTS_TAKEN_BACK: Final = """
select exists (
    select from usage_events v join licence_works w on w.licence = v.licence and w.work = v.work and w.atom = v.atom
    where v.licence = $1 and v.unit = 'output' and v.memorandum is null and v.posted_at < $2 and w.agreed is not null
    group by v.work, date_trunc('month', v.posted_at at time zone 'UTC')
    having sum(v.quantity - coalesce(v.was, 0)) < 0
)
"""
# Outputs, or with $6 other uses that give works weight, under agreement $3 that were posted from $4 on, before $5.
# by usage_events (licence), licence_works primary key
EARLIER_USES: Final = f"""
select v.batch, v.id from usage_events v join licence_works w on w.licence = v.licence and w.work = v.work
where v.licence = $3 and v.atom = w.atom and v.memorandum is null and v.batch is not null
    and case when $6 then w.model in ('pool', 'revenue-share') and v.unit = 'run' else v.unit = 'output' end
    and v.posted_at >= $4 and v.posted_at < $5 and w.agreed is not null
    and ($1::uuid is null or v.organisation = $1 or ($2 and {_OWN_WORK}))
"""  # noqa: S608
# What was reported of agreements ($1), below log index $2. By revenue_reports (licence, pending), log_entries unique
REPORTS: Final = """
select r.id, r.organisation, r.pending, r.licence, r.period, r.counts_at, e.index, e.at
from revenue_reports r join log_entries e on e.pending = r.pending
where r.licence = any($1::uuid[]) and e.index < $2 order by r.id
"""
# The revocations of agreement $1 that name one of its works $2, below log index $3.
# By duties (licence), log_entries unique (pending), duty_works primary key
REVOCATIONS: Final = """
select d.id, d.account, d.pending, e.index, e.at from duties d join log_entries e on e.pending = d.pending
where d.licence = $1 and e.index < $3
    and exists (select from duty_works x where x.licence = d.licence and x.duty = d.id and x.work = any($2::uuid[]))
order by d.id
"""
# How works that revocations ($1) took back were decided to be of whoever revoked, for the parties of that ($3) and for
# bundles of everything. By duties, licence_works primary keys, disputes (work), dispute_steps (dispute, step)
DECIDED: Final = """
select distinct y.id, p.account, y.pending, e.index, e.at
from duties d join duty_works x on x.duty = d.id
join licence_works w on w.licence = d.licence and w.work = x.work and w.account <> d.account
join disputes q on q.work = x.work and q.account = d.account and q.outcome = 'upheld'
join dispute_steps y on y.dispute = q.id and y.step in ('open', 'decide', 'accept', 'review', 'end')
join log_pending p on p.id = y.pending join log_entries e on e.pending = y.pending
where d.id = any($1::uuid[]) and e.index < $2 and ($3::uuid is null or $3 in (q.account, q.against)) order by y.id
"""
# Duties that were caused before log index $3 and not stated to be done before $2, with what was stated by $3.
# By duties (organisation, id) and (account, id), duties_done primary key, log_entries unique (pending)
DUTIES: Final = f"""
select d.id, d.digest, d.licence, d.organisation, d.account, a.kind, d.pending, d.works, d.notice_days, d.effect,
    e.index, e.at, e.at + {NOTICE} as due_at, case when x.index < $3 then n.done_at end as done_at
from duties d join accounts a on a.id = d.account join log_entries e on e.pending = d.pending
left join duties_done n on n.duty = d.id left join log_entries x on x.pending = n.pending
where e.index < $3 and (x.index is null or x.index >= $2)
    and ($1::uuid is null or d.organisation = $1 or d.account = $1)
order by d.id
"""  # noqa: S608
# Requests with all answers to them and what was replied: those that licences ($2) accept, and for everybody's bundle
# ($1 null) those of the month. $3, $4 log indices of the month, $5 published size.
# by agreements primary key; licence_requests, licence_answers and licence_replies primary keys and unique (pending);
# licence_replies unique (request, offer), log_entries unique
REQUESTS: Final = """
with wanted as (
    select r.id, r.organisation, r.pending from agreements g join licence_requests r on r.id = g.request
    where g.licence = any($2::uuid[])
    union
    select r.id, r.organisation, r.pending from log_entries e join licence_requests r on r.pending = e.pending
    where $1::uuid is null and e.index >= $3 and e.index < $4
    union
    select r.id, r.organisation, r.pending from log_entries e join licence_answers a on a.pending = e.pending
    join licence_requests r on r.id = a.request where $1::uuid is null and e.index >= $3 and e.index < $4
    union
    select r.id, r.organisation, r.pending from log_entries e join licence_replies d on d.pending = e.pending
    join licence_requests r on r.id = d.request where $1::uuid is null and e.index >= $3 and e.index < $4
)
select 'licence-request' as kind, w.id, w.organisation as account, w.pending, e.index, e.at
from wanted w join log_entries e on e.pending = w.pending where e.index < $5
union all
select 'licence-answer', a.id, a.account, a.pending, e.index, e.at
from wanted w join licence_answers a on a.request = w.id join log_entries e on e.pending = a.pending where e.index < $5
union all
select 'licence-reply', d.id, w.organisation, d.pending, e.index, e.at
from wanted w join licence_replies d on d.request = w.id join log_entries e on e.pending = d.pending where e.index < $5
order by kind desc, id
"""
# by log_pending and log_entries primary keys
CLOSE: Final = """
select p.subject, e.at from log_pending p join log_entries e on e.pending = p.id where p.id = $1 and e.index = $2
"""
# by usage_events (batch, artist), (licence)
EARNING: Final = """
select distinct work from usage_events where batch = any($1::uuid[]) and amount <> 0
union
select distinct work from usage_events where licence = any($2::uuid[]) and batch is null and amount <> 0
"""

# What the events of some batches refer to: licences, consents, and the batches that reported repeated events first.
# by usage_events (batch, artist), usage_repeats primary key
REFERENCES: Final = f"""
select distinct v.licence, v.statement, v.work, null::uuid as batch, null::bytea as event
from usage_events v
where v.batch = any($3::uuid[]) and ($1::uuid is null or v.organisation = $1 or ($2 and {_OWN_USE}))
union
select v.licence, v.statement, v.work, v.batch, case when v.batch is not null then v.id end
from usage_repeats r join usage_events v on v.id = r.event
where r.batch = any($3::uuid[]) and ($1::uuid is null or v.organisation = $1)
"""  # noqa: S608
# by usage_events (batch, artist), usage_repeats primary key: the whole batch, which its root is over
BATCH_EVENTS: Final = """
select v.id, v.organisation, v.licence, v.statement, v.work, v.atom, v.run, v.unit, v.seq, v.quantity, v.at, v.match,
    v.artist, a.kind, v.split, v.currency, v.amount, v.fee, v.escrow, v.memorandum, v.corrects, v.was,
    null::uuid as first_batch, null::uuid as first_licence
from usage_events v left join accounts a on a.id = v.artist where v.batch = $1
union all
select v.id, v.organisation, v.licence, v.statement, v.work, v.atom, v.run, v.unit, v.seq, r.quantity, r.at, r.match,
    null, null, null, null, 0, 0, false, null, v.corrects, v.was,
    v.batch, case when v.batch is null then v.licence end
from usage_repeats r join usage_events v on v.id = r.event where r.batch = $1
order by id
"""
# by usage_events (licence): of every work whose line is shown
LICENCE_EVENTS: Final = f"""
select v.id, v.licence, v.statement, v.work, v.atom, v.run, v.unit, v.seq, v.quantity, v.at, v.match,
    v.artist, a.kind, v.split, v.currency, v.amount, v.fee, v.escrow, v.memorandum, v.corrects, v.was, v.posted_at,
    null::uuid as first_batch, null::uuid as first_licence
from usage_events v join accounts a on a.id = v.artist
where v.licence = $3 and v.batch is null and (
    $1::uuid is null or v.organisation = $1 or ($2 and (v.artist = $1 or v.work in ({_SHARED}) or v.work in ({_WON})))
)
order by v.id
"""  # noqa: S608

# by licence_works primary key
LINE_CONSENTS: Final = f"""
select distinct w.statement, w.account, w.work, w.terms_hash
from licence_works w join licences l on l.id = w.licence
where w.licence = any($3::uuid[]) and ($1::uuid is null or l.organisation = $1 or ($2 and {_OWN_WORK}))
"""  # noqa: S608
# by statements primary key; consents are public
CONSENTS: Final = """
select s.id, s.account, s.pending, s.terms, s.scope, e.index, e.at
from statements s join log_entries e on e.pending = s.pending
where s.id = any($1::uuid[]) and s.kind = 'consent' and e.index < $2
order by s.id
"""
# A statement that a licence or an accepted free use goes by, and that is no more: limitation has ended.
# By statements primary key, usage_events (statement)
ENDED: Final = """
select exists (
    select from unnest($1::uuid[]) as n (id) where not exists (select from statements s where s.id = n.id)
        and (n.id = any($2::uuid[]) or exists (
            select from usage_events u where u.statement = n.id and u.memorandum is null
        ))
)
"""
# by statements (account, id)
CATALOGUES: Final = """
select s.id, s.account, s.pending, s.terms, s.scope, e.index, e.at
from statements s join log_entries e on e.pending = s.pending
where s.account = any($1::uuid[]) and s.kind = 'consent' and s.scope = 'catalogue' and e.index < $2
order by s.id
"""
# What those have said of the works ($1) who ever had a share in them beside their accounts, below log index $2.
# by split_works (work, since), split_parties primary key, statements (account, id), statement_works primary key
OWNER_CONSENTS: Final = """
select distinct s.id, s.account, s.pending, s.terms, s.scope, e.index, e.at, k.work
from unnest($1::uuid[]) as line (work)
join works w on w.id = line.work
join split_works x on x.work = w.id and x.since is not null
join split_parties p on p.split = x.split and p.bps > 0 and p.account <> w.account
join statements s on s.account = p.account and s.kind = 'consent'
join log_entries e on e.pending = s.pending and e.index < $2
left join statement_works k on k.statement = s.id and k.work = w.id
where s.scope = 'catalogue' or k.work is not null
"""
# What a work was when the statement was signed, where an update came after. By work_versions primary key.
_THEN: Final = """
left join lateral (
    select v.digest, v.keys from work_versions v where v.work = w.id and v.ended_by > s.pending
    order by v.ended_by limit 1
) v on w.updated > s.pending
"""
# by statement_works and statements primary key; works primary key
SCOPE: Final = f"""
select w.id, coalesce(v.digest, w.digest) as digest
from statement_works c join statements s on s.id = c.statement join works w on w.id = c.work {_THEN}
where c.statement = $1 order by w.id
"""  # noqa: S608
SCOPE_WORKS: Final = f"""
select w.id, w.account, a.kind, w.mode, w.sha256, w.pixels, w.pdq, w.quality, w.urls, w.site, w.iscc, w.files, v.keys
from statement_works c join statements s on s.id = c.statement
join works w on w.id = c.work join accounts a on a.id = w.account {_THEN}
where c.statement = $1 and w.id = any($2::uuid[]) order by w.id
"""  # noqa: S608

# $1 month, $2 sources that are not published, $3 the names of the ledger accounts that are shown, null for all, and of
# balances $4 the kinds of transfers by which something comes to be owed, $5 size of the published log.
# What the last month closed with whose close is in it, and so all that this close counts; and what was posted since.
# by periods primary key, log_entries unique (pending), period_balances primary key, transfers (period, id)
BALANCES: Final = """
with counted as materialized (
    select p.period collate "default" as period from periods p join log_entries e on e.pending = p.pending
    where p.period < $1 and e.index < $5 order by p.period desc limit 1
), shown as materialized (
    select id, name from ledger_accounts where $3::text[] is null or name = any($3)
), parts as (
    select b.account, b.currency, b.closing as opening, 0 as accrued, 0 as reversed, 0 as settled
    from counted c join period_balances b on b.period = c.period
    union all
    select e.account, e.currency,
        coalesce(sum(e.amount) filter (where t.period < $1), 0),
        coalesce(sum(e.amount) filter (where t.period = $1 and t.kind = any($4::text[])), 0),
        coalesce(sum(e.amount) filter (where t.period = $1 and t.kind = 'reversal'), 0),
        coalesce(sum(e.amount) filter (where t.period = $1 and t.kind <> all($4::text[]) and t.kind <> 'reversal'), 0)
    from transfers t join entries e on e.transfer = t.id
    where t.period > coalesce((select period from counted), '') and t.period <= $1 and t.source <> all($2::text[])
        and ($3::text[] is null or e.account in (select id from shown))
    group by e.account, e.currency
)
select s.name, p.currency, sum(p.opening) as opening, sum(p.accrued) as accrued, sum(p.reversed) as reversed,
    sum(p.settled) as settled
from parts p join shown s on s.id = p.account
group by s.name, p.currency
"""
# The month's transfers; those that one of them reverses; and those of sources that the log took in the month.
# by transfers (period, id), (source), primary key; entries primary key and (account, transfer, currency)
TRANSFERS: Final = """
select t.id, t.key, t.kind, t.at, t.source, t.memo, t.reverses, a.name, e.currency, e.amount
from transfers t join entries e on e.transfer = t.id join ledger_accounts a on a.id = e.account
where t.id in (
    select id from transfers where period = $1 and source <> all($2::text[])
    union select reverses from transfers where period = $1 and source <> all($2::text[]) and reverses is not null
    union select id from transfers where source = any($4::text[]) and kind in ('licence', 'usage')
) and ($3::text[] is null or exists (
    select from entries x join ledger_accounts y on y.id = x.account where x.transfer = t.id and y.name = any($3)
))
order by t.id, a.name collate "C", e.currency collate "C"
"""
