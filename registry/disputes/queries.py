"""All SQL of disputes, one constant a statement, with the index it relies on.

A dispute is seen by its two parties, by auditors whose scope has one of them in a month in which it was open, and by
the office (null): ``$1`` is who asks.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.consent.queries.conflicting import DISPUTE_HOLDS
from registry.http.paging import Key, orders

# by dispute_steps unique (digest)
TAKEN: Final = "select id, dispute, account, pending from dispute_steps where digest = $1"
# What an account has open, and what of it was wrong since $2: dismissed, or taken back once the other party objected.
# By disputes (account, id), dispute_steps (dispute, step)
OPENED: Final = """
select count(*) filter (where d.outcome is null) as open,
    count(*) filter (where d.ended_at > $2 and (d.outcome = 'dismissed' or d.outcome = 'withdrawn' and exists (
        select from dispute_steps x where x.dispute = d.id and x.position = 'contest'
    ))) as wrong
from disputes d where d.account = $1
"""
# by disputes (work), (transfer, pending)
ON_THE_SAME: Final = """
select account, outcome from disputes where work = $1::uuid or transfer = $2::uuid
"""
# by works, work_states primary keys
WORK: Final = """
select w.account, a.kind, w.withdrawn_at, s.work is not null as signed, s.lost_to
from works w join accounts a on a.id = w.account left join work_states s on s.work = w.id where w.id = $1
"""
# What a charge takes from whoever owes by it or is owed by it; what is below zero it gives. By entries primary key
SIDES: Final = """
select split_part(a.name, ':', 2) as name, sum(e.amount) as taken, bool_or(a.name like 'receivable:%') as owes
from entries e join ledger_accounts a on a.id = e.account
where e.transfer = $1 and (a.name like 'receivable:%' or a.name like 'payable:%' or a.name like 'escrow:%')
group by 1 order by 1
"""
# by splits primary key
SHARED_BY: Final = "select s.account, a.kind from splits s join accounts a on a.id = s.account where s.id = $1"
# Whether a charge has uses, and all of them by near matches: of a batch ($1), else of a licence. By usage_events
# (batch, artist), and (licence, artist, id) without a batch
NEAR: Final = """
select count(*) > 0 and bool_and(u.match = 'near') from (
    select match, amount, currency, split, artist from usage_events where $1::boolean and batch = $2
    union all
    select match, amount, currency, split, artist from usage_events
    where not $1::boolean and batch is null and licence = $2
) u
where u.amount <> 0 and u.currency = $3
    and case when $5 then u.split = $4 else u.split is null and u.artist = $4 end
"""
# by works primary key; log_head has one row
KNOWN_WORKS: Final = "select count(*) from works where id = any($1::uuid[])"
LOG_SIZE: Final = "select published_size from log_head"
# by accounts primary key
OPERATOR: Final = "select id from accounts where id = $1 and kind = 'opr' and erased_at is null"

KEEP: Final = """
insert into disputes (id, account, against, work, transfer, digest, pending, opened_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing returning id
"""
KEEP_STEP: Final = """
insert into dispute_steps (id, dispute, step, position, digest, account, pending) values ($1, $2, $3, $4, $5, $6, $7)
"""
# Nothing moves by it until the dispute ends. What a work decided for whoever opened it earns, waits from then on.
DECIDE: Final = """
update disputes set decided = $2, decided_at = $3, decided_by = $4, appeal_until = $5
where id = $1 and decided is null and outcome is null
"""
# The service was off meanwhile.
LENGTHEN: Final = """
update disputes set appeal_until = $2 where id = $1 and appealed_at is null and outcome is null and appeal_until < $2
"""
# Appealed before $1 and not reviewed: a handful, of the few that are open. By disputes_one_of_a_work, …_of_a_charge
UNREVIEWED: Final = """
select count(*) as count, min(appealed_at) as first from disputes
where outcome is null and (work is not null or transfer is not null) and appealed_at <= $1
"""
# Where the log has a decision. By dispute_steps (dispute, step), log_entries unique (pending)
DECIDED: Final = """
select e.index from dispute_steps x join log_entries e on e.pending = x.pending
where x.dispute = $1 and x.step = 'decide'
"""
APPEAL: Final = "update disputes set appealed_at = $2 where id = $1 and appealed_at is null and outcome is null"
END: Final = "update disputes set outcome = $2, ended_at = $3, ended_by = $4 where id = $1 and outcome is null"
# Whether operator $2 may review dispute $1: whoever decided it may not. By disputes primary key
MAY_REVIEW: Final = "select exists (select from disputes where id = $1 and decided_by <> $2)"
# What nobody appealed until $2, after $1. By disputes_due (appeal_until) where nobody appealed or ended it
DUE: Final = """
select id from disputes
where outcome is null and appealed_at is null and appeal_until is not null and appeal_until <= $2 and id > $1
order by id limit $3
"""

_ANSWERED: Final = "exists (select from dispute_steps x where x.dispute = d.id and x.step = 'answer')"
_STATE: Final = f"""coalesce(d.outcome, case when d.appealed_at is not null then 'appealed'
    when d.decided is not null then 'decided' when {_ANSWERED} then 'answered' else 'open' end)"""
_MONTH: Final = "to_char({} at time zone 'utc', 'YYYY-MM')"
# by audit_scopes primary key
_AUDITS: Final = f"""exists (
    select from audit_scopes z where z.auditor = $1
        and (z.subject is null or z.subject = d.account or z.subject = d.against)
        and (z.since is null or z.since <= {_MONTH.format("coalesce(d.ended_at, now())")})
        and (z.until is null or z.until >= {_MONTH.format("d.opened_at")})
)"""
# What a work's dispute holds follows from levels, and what was decided (semantics 6). By dispute_steps (dispute, step)
_SEEN: Final = f"""
select d.id, d.account, o.kind, d.against, r.kind as against_kind, d.work, d.transfer, d.digest, d.pending, d.opened_at,
    d.outcome, d.ended_at, d.decided, d.decided_at, d.decided_by, d.appeal_until, d.appealed_at, e.index,
    e.at as logged_at, {_STATE} as state,
    d.outcome is null and (d.transfer is not null or {DISPUTE_HOLDS}) as holds
from disputes d join accounts o on o.id = d.account join accounts r on r.id = d.against
left join log_entries e on e.pending = d.pending
where ($1::uuid is null or d.account = $1 or d.against = $1 or {_AUDITS})
"""  # noqa: S608
SEEN: Final = f"{_SEEN} and d.id = $2"
# by disputes (account, id), (against, id)
DISPUTES: Final = orders(
    f"""{_SEEN} and ($2::text is null or {_STATE} = $2) and ($3::uuid is null or d.work = $3)
    and ($4::uuid is null or d.transfer = $4)
""",
    opened=(Key("d.id", "id", UUID),),
)
# What waits for account $1 at $2: to be answered, or to be appealed. By disputes (account, id), (against, id)
WAITING: Final = f"""{_SEEN} and d.outcome is null and case
    when d.decided is null then d.against = $1 and not {_ANSWERED}
    else d.appealed_at is null and d.appeal_until > $2
        and case d.decided when 'upheld' then d.against else d.account end = $1 end
order by d.id limit $3
"""
# What waits for the office but is not `UNANSWERED`: to be decided, and to be reviewed by operator $1. Of disputes that
# are open there are few; by disputes_one_of_a_work, …_of_a_charge, dispute_steps (dispute, step)
FOR_OFFICE: Final = f"""
select count(*) filter (where d.decided is null and {_ANSWERED}) as answered,
    count(*) filter (where d.appealed_at is not null and d.decided_by <> $1) as review
from disputes d where d.outcome is null and (d.work is not null or d.transfer is not null)
"""  # noqa: S608
# Opened until $1, and nobody has answered. By the same indexes, log_entries unique (pending)
UNANSWERED: Final = f"""
select d.id, d.opened_at, 'open' as state, e.index, e.at as logged_at
from disputes d left join log_entries e on e.pending = d.pending
where d.outcome is null and (d.work is not null or d.transfer is not null) and d.decided is null and d.opened_at <= $1
    and not {_ANSWERED}
"""  # noqa: S608
# by dispute_steps (dispute, step)
STEPS: Final = """
select x.id, x.step, x.account, a.kind, x.pending from dispute_steps x left join accounts a on a.id = x.account
where x.dispute = $1 order by x.pending
"""
# The same with what was signed, once it is published and until it is erased.
# by dispute_steps unique (dispute, step), accounts and log_pending primary keys, log_entries unique (pending)
SAID: Final = """
select x.step, x.account, a.kind, case when e.index < h.published_size then p.envelope end as envelope
from dispute_steps x left join accounts a on a.id = x.account join log_pending p on p.id = x.pending
left join log_entries e on e.pending = x.pending cross join log_head h
where x.dispute = $1 order by x.pending
"""
# by log_pending primary key
ENVELOPE: Final = "select envelope from log_pending where id = $1"

# The whole of it, read through once, beside what was signed.
ALL_STEPS: Final = """
select x.id, x.dispute, x.step, x.position, x.digest, x.account, k.kind as step_kind, d.digest as opening,
    d.account as opener, a.kind, d.work, d.transfer, d.outcome, d.ended_by, d.decided, d.decided_by, d.appeal_until,
    p.envelope
from dispute_steps x join disputes d on d.id = x.dispute join accounts a on a.id = d.account
left join accounts k on k.id = x.account join log_pending p on p.id = x.pending order by x.dispute, x.pending
"""
# A decision of a release before appeals ended its dispute. Nobody ends one before the time to appeal is over, nor
# reviews what they decided.
WITHOUT: Final = """
select d.id from disputes d where not exists (select from dispute_steps x where x.dispute = d.id and x.step = 'open')
    or (d.outcome is not null) <> exists (
        select from dispute_steps x where x.dispute = d.id
            and (x.step in ('withdraw', 'accept', 'review', 'end') or x.step = 'decide' and d.decided is null)
    )
    or d.decided is not null and not exists (
        select from dispute_steps x where x.dispute = d.id and x.step = 'decide'
    )
    or (d.appealed_at is not null) <> exists (
        select from dispute_steps x where x.dispute = d.id and x.step = 'appeal'
    )
    or exists (
        select from dispute_steps x join log_entries e on e.pending = x.pending
        where x.dispute = d.id and x.step = 'end' and (d.appealed_at is not null or e.at < d.appeal_until)
    )
    or d.ended_by = d.decided_by and exists (
        select from dispute_steps x where x.dispute = d.id and x.step = 'review'
    )
"""
# What could be appealed: where the log has the decision, and when what ended it as nobody did was logged.
# By dispute_steps (dispute, step), log_entries unique (pending)
APPEALABLE: Final = """
select d.id, d.appeal_until, e.index, e.at, p.envelope, f.at as ended
from disputes d join dispute_steps x on x.dispute = d.id and x.step = 'decide'
join log_pending p on p.id = x.pending join log_entries e on e.pending = x.pending
left join dispute_steps y on y.dispute = d.id and y.step = 'end' left join log_entries f on f.pending = y.pending
where d.appeal_until is not null and p.envelope is not null order by e.index
"""
# A charge in dispute is contested for as long, each time anew, and what became of it is how the dispute ended.
UNHELD: Final = """
with numbered as (
    select id, transfer, outcome, row_number() over (partition by transfer order by pending) as turn
    from disputes where transfer is not null
)
select d.id, d.outcome, c.outcome as charge
from numbered d left join contested_charges c on c.transfer = d.transfer and c.turn = d.turn
where c.id is null or c.outcome is distinct from case d.outcome
    when 'upheld' then 'refunded' when 'dismissed' then 'stands' else d.outcome end
"""
# What levels or a decision made hold is kept as held: else a rise in level would let it go.
# By disputes_one_of_a_work, accounts primary key
UNLATCHED: Final = f"""
select d.id from disputes d join accounts o on o.id = d.account join accounts r on r.id = d.against
where d.work is not null and d.outcome is null and not d.held and {DISPUTE_HOLDS}
"""  # noqa: S608
