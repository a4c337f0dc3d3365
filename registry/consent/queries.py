"""All SQL of statements, states and the consent version, one constant a statement, with the index it relies on."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from registry.http.paging import Key, Order, orders
from registry.works.queries import HAS_PARTS

VERSION: Final = "select version from consent_version"
HOLD_VERSION: Final = "select version from consent_version for update"
# Its row lock orders all changes of states: whoever holds it is alone until COMMIT, so levels and matches stand still.
NEXT_VERSION: Final = "update consent_version set version = version + 1 returning version"

# A list whose filters may all be absent: one plan for every filter cannot know that most are, and reads all works of
# the account (270 ms of 10,000) where a page is 49 steps along an index (4 ms).
PLANNED_ANEW: Final = "set local plan_cache_mode = force_custom_plan"
# A million works take longer than one statement may, and are sorted and joined in memory; the answer has its own limit
# of time.
PATIENT: Final = "set local statement_timeout = '240s'; set local work_mem = '128MB'"

# by consent_heads primary key
HEAD: Final = "select seq, digest from consent_heads where account = $1"
UPDATES: Final = "select updates from consent_heads where account = $1"
COUNT_UPDATE: Final = "update consent_heads set updates = updates + 1 where account = $1"
LOCK_HEAD: Final = """
insert into consent_heads (account) values ($1)
on conflict (account) do update set seq = consent_heads.seq
returning seq, digest, updates
"""
# In the order of accounts, so that two licences over the same artists never wait for each other in a circle.
SHARE_HEADS: Final = """
select account from consent_heads where account = any($1::uuid[]) order by account for share
"""
ERASED: Final = "select erased_at is not null from accounts where id = $1"
MOVE_HEAD: Final = "update consent_heads set seq = $2, digest = $3 where account = $1"

# by terms primary key
KEEP_TERMS: Final = """
insert into terms (hash, encoded) select * from unnest($1::bytea[], $2::bytea[]) on conflict (hash) do nothing
"""
TERMS: Final = "select hash, encoded from terms where hash = any($1::bytea[])"

# by statements unique (payload_digest)
KNOWN: Final = "select id from statements where account = $1 and payload_digest = $2"
# by statements primary key
ACCEPTED: Final = "select pending, effect, works, hold from statements where id = $1 and account = $2"
KEEP_STATEMENT: Final = """
insert into statements (
    id, account, pending, payload_digest, kind, seq, effect, scope, works, terms, hold, accepted_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
# by work_states primary key
STATED: Final = "select exists (select from work_states where work = any($1::uuid[]))"
KEEP_COVERED: Final = "insert into statement_works (statement, work) select $1, unnest($2::uuid[])"
# by statements (account, id); log_entries unique (pending); work_states (waiting), co_owner_states (waiting)
STATEMENTS: Final = orders(
    """
select s.id, s.effect, s.scope, s.works, s.terms, s.accepted_at, e.index,
    case when s.hold is not null and not s.over and (
        exists (select from work_states w where w.waiting = s.id)
        or exists (select from co_owner_states o where o.waiting = s.id)
        or exists (select from catalogues c where c.waiting = s.id)
    ) then coalesce(e.at, s.accepted_at) + s.hold end as pending_until
from statements s left join log_entries e on e.pending = s.pending
where s.account = $1 and ($2::text is null or s.effect = $2) and ($3::text is null or s.scope = $3)
""",
    accepted=(Key("s.id", "id", UUID),),
)

# by catalogues primary key
CATALOGUE: Final = "select statement, terms, waiting from catalogues where account = $1"
KEEP_CATALOGUE: Final = """
insert into catalogues (account, statement, terms, waiting) values ($1, $2, $3, $4)
on conflict (account) do update
set statement = excluded.statement, terms = excluded.terms, waiting = excluded.waiting
"""

# Works are joined to what an array holds, never looked up with `= any`: planning that costs a step for each element and
# path, which for a million is far more than the look-up itself.
_ALL: Final = ""
_AMONG: Final = "join unnest($2::uuid[]) as covered (work) on covered.work = w.id"
_STANDING: Final = """
    from works w {among} left join work_states s on s.work = w.id
    where w.account = $1 and w.withdrawn_at is null and ($2::uuid[] is null) = {all}
"""
_MATCHED: Final = """
s.own is null and exists (
    select from work_matches m join work_states o on o.work = m.other and not o.withdrawn where m.work = w.id
)
"""
# What is in force on the covered works, and on how many. `_ALL`, with $2 null: all of the account not withdrawn.
# by works primary key or (account, registered_at, id); work_states primary key; work_matches primary key
_PRESENT: Final = f"""
select s.own, s.catalogue, coalesce(s.pending, false) as pending, {_MATCHED} as matched, count(*) as works, s.shared
{_STANDING}
group by 1, 2, 3, 4, 6
"""
# What a draft is made of, of works of one's own: their digests, and what was said of each before.
# by works primary key, work_states primary key
DRAFTED: Final = """
select w.digest, s.own
from unnest($2::uuid[]) as covered (work) join works w on w.id = covered.work left join work_states s on s.work = w.id
where w.account = $1 and w.withdrawn_at is null order by w.id
"""
# The same groups again, each with what becomes of it. Empty bytes stand for none, so that groups can be joined.
_APPLY: Final = f"""
with plan as (
    select * from unnest(
        $5::bytea[], $6::bytea[], $7::boolean[], $8::boolean[],
        $9::bytea[], $10::bytea[], $11::bytea[], $12::boolean[], $13::boolean[], $14::boolean[], $15::bytea[]
    ) as p (
        own, catalogue, pending, matched, next_own, next_catalogue, next_terms, speaks, next_waiting, next_pending,
        shared
    )
), present as (
    select w.id, s.statement, coalesce(s.own, '') as own, coalesce(s.catalogue, '') as catalogue,
        coalesce(s.pending, false) as pending, {_MATCHED} as matched, coalesce(s.shared, '') as shared
    {_STANDING}
)
insert into work_states (work, account, statement, own, catalogue, terms, waiting, pending, version)
select c.id, $1, case when p.speaks then $3 else c.statement end, nullif(p.next_own, ''),
    nullif(p.next_catalogue, ''), p.next_terms, case when p.next_waiting then $3 end, p.next_pending, $4
from present c
join plan p on (p.own, p.catalogue, p.pending, p.matched, p.shared)
    = (c.own, c.catalogue, c.pending, c.matched, c.shared)
on conflict (work) do update
set statement = excluded.statement, own = excluded.own, catalogue = excluded.catalogue, terms = excluded.terms,
    waiting = excluded.waiting, pending = excluded.pending, version = excluded.version,
    frozen = work_states.frozen and ($2::uuid[] is null or exists (
        select from awaited_words a where a.work = work_states.work and a.account <> $1
    ))
"""  # noqa: S608
PRESENT: Final = _PRESENT.format(among=_ALL, all="true")
PRESENT_AMONG: Final = _PRESENT.format(among=_AMONG, all="false")
APPLY: Final = _APPLY.format(among=_ALL, all="true")
APPLY_AMONG: Final = _APPLY.format(among=_AMONG, all="false")
# A conflict outlives the withdrawal: what a challenged work says stays without effect, and what a contested one earned
# and earns under licences stays in escrow.
# by work_states primary key
WITHDRAW: Final = """
update work_states set withdrawn = true, waiting = null, pending = false, statement = $3, version = $4
from unnest($2::uuid[]) as covered (id) where account = $1 and work = covered.id
"""
# What is awaited of $2 on works $1 is there, or not awaited any more; one that nobody else is awaited on is not frozen.
# by awaited_words primary key; work_states primary key
HEARD: Final = """
with heard as (
    delete from awaited_words a using unnest($1::uuid[]) as covered (work)
    where a.work = covered.work and a.account = any($2::uuid[]) returning a.work
)
update work_states s set frozen = false, version = $3
from (select distinct work from heard) h
where s.work = h.work and s.frozen
    and not exists (select from awaited_words a where a.work = s.work and not a.account = any($2::uuid[]))
"""
# by awaited_words primary key, works primary key
AWAITED: Final = """
select distinct a.account from awaited_words a join works w on w.id = a.work and w.account <> a.account
where a.work = any($1::uuid[])
"""
# by awaited_words (account)
AWAITED_OF: Final = "select work from awaited_words where account = $1"
# by co_owner_states primary key: what waits there was signed over a work as it is no more
UNWAIT_OWNERS: Final = "update co_owner_states set waiting = null where work = any($1::uuid[]) and waiting is not null"

# -- co-owners (semantics 8): works of other accounts, in whose split in force $1 has a share

# The split in force on a work, and who has a share in it. By split_works (work, since), split_parties primary key.
_PARTY: Final = """
join lateral (
    select k.split from split_works k where k.work = w.id and k.since is not null order by k.since desc limit 1
) f on true
join split_parties y on y.split = f.split and y.account = $1 and y.bps > 0
"""
# by works primary key; the order of UUIDs is that of work ids as text
SHARED_AMONG: Final = f"""
select w.id, w.digest, w.account, o.own
from unnest($2::uuid[]) as covered (work) join works w on w.id = covered.work
{_PARTY}
left join co_owner_states o on o.work = w.id and o.account = $1
where w.account <> $1 and w.withdrawn_at is null order by w.id
"""  # noqa: S608
# by split_parties (account, split), split_works primary key
SHARED_OF: Final = f"""
select w.id, w.account from (
    select distinct x.work from split_parties p join split_works x on x.split = p.split and x.since is not null
    where p.account = $1 and p.bps > 0
) covered join works w on w.id = covered.work
{_PARTY}
where w.account <> $1 and w.withdrawn_at is null order by w.id
"""  # noqa: S608
# by co_owner_states primary key
OWNER_GROUPS: Final = """
select coalesce(o.own, '') as own, coalesce(o.catalogue, '') as catalogue, array_agg(covered.work) as works
from unnest($2::uuid[]) as covered (work)
left join co_owner_states o on o.work = covered.work and o.account = $1
group by 1, 2
"""
KEEP_OWNER: Final = """
insert into co_owner_states (work, account, statement, own, catalogue, terms, waiting)
select covered.work, $1, $3, nullif($4::bytea, ''), nullif($5::bytea, ''), $6, case when $8 then $3::uuid end
from unnest($2::uuid[]) as covered (work)
on conflict (work, account) do update
set statement = case when $7 then excluded.statement else co_owner_states.statement end, own = excluded.own,
    catalogue = excluded.catalogue, terms = excluded.terms, waiting = excluded.waiting, ends = null, ended = false
"""
# by co_owner_states (waiting), works and work_states primary keys
OWNERS_MATURING: Final = """
select w.id, w.digest, o.own, o.catalogue
from co_owner_states o join works w on w.id = o.work join work_states s on s.work = o.work
where o.waiting = $1 and o.account = $2 and not s.contested and not s.challenged and not s.withdrawn
order by w.id
"""
# How works stand beside what their co-owners say, in groups; `statement`: the newest of those, where they alone speak.
# By work_states and co_owner_states primary keys.
BESIDE: Final = """
select coalesce(s.own, '') as own, coalesce(s.catalogue, '') as catalogue, said.terms as owners,
    said.statement, array_agg(w.id) as works
from unnest($1::uuid[]) as covered (work) join works w on w.id = covered.work
left join work_states s on s.work = w.id
left join lateral (
    select coalesce(array_agg(distinct o.terms), '{}') as terms,
        case when s.own is null and s.catalogue is null then max(o.statement::text)::uuid end as statement
    from co_owner_states o where o.work = w.id and not o.ended
) said on true
where w.withdrawn_at is null
    and (s.co_owned or exists (select from co_owner_states o where o.work = w.id))
group by 1, 2, 3, 4
"""
RESTRICT: Final = """
insert into work_states (work, account, statement, own, catalogue, shared, co_owned, terms, version)
select w.id, w.account, coalesce($2, s.statement), s.own, s.catalogue, nullif($3::bytea, ''), true, $4, $5
from unnest($1::uuid[]) as covered (work) join works w on w.id = covered.work
left join work_states s on s.work = w.id
on conflict (work) do update
set statement = excluded.statement, shared = excluded.shared, co_owned = true, terms = excluded.terms,
    version = excluded.version
"""
# by co_owner_states and statements primary keys, log_entries unique (pending)
RESTRICTIONS: Final = """
select o.work, o.account, a.kind, o.statement, e.index, o.terms, o.own, o.waiting, he.at + h.hold as until,
    case when o.ended then 'ended' when o.ends is not null then 'ending' else 'in-force' end as state
from co_owner_states o join accounts a on a.id = o.account
left join statements c on c.id = o.statement left join log_entries e on e.pending = c.pending
left join statements h on h.id = o.waiting left join log_entries he on he.pending = h.pending
where o.work = any($1::uuid[]) order by o.work, o.account
"""
# What a co-owner has said of all its works counts from the agreement on, and what it had said of these before.
# by catalogues and co_owner_states primary keys, (account, work)
JOIN_OWNERS: Final = """
insert into co_owner_states (work, account, statement, catalogue, terms, waiting)
select covered.work, c.account, c.statement, c.terms, c.terms, c.waiting
from unnest($1::uuid[]) as covered (work) cross join catalogues c where c.account = any($2::uuid[])
on conflict (work, account) do nothing
"""
# by co_owner_states primary key
WAIT_OWNER: Final = """
update co_owner_states set waiting = $3 where account = $1 and work = any($2::uuid[])
"""
REJOIN_OWNERS: Final = """
update co_owner_states set ends = null, ended = false
where work = any($1::uuid[]) and account = any($2::uuid[]) and (ended or ends is not null)
returning work, account, own, catalogue
"""
END_OWNERS: Final = """
update co_owner_states set ends = $3, waiting = null
where work = any($1::uuid[]) and not account = any($2::uuid[]) and not ended
"""
# A co-owner has said something of its whole catalogue that does not count on a work yet: it shared the work before
# releases let what co-owners say count. By split_parties (account, split), split_works (work, since), co_owner_states
# primary key.
UNJOINED: Final = """
select x.work, w.account as registered, c.account
from catalogues c join split_parties p on p.account = c.account and p.bps > 0
join split_works x on x.split = p.split and x.since is not null
join works w on w.id = x.work and w.account <> c.account and w.withdrawn_at is null
left join co_owner_states o on o.work = x.work and o.account = c.account
where o.work is null and ($1::uuid is null or c.account = $1)
    and not exists (select from split_works y where y.work = x.work and y.since > x.since)
"""
# A work of which nobody else has said anything goes on as it is: what ends would leave it without any terms.
# by co_owner_states (ends), log_entries unique (pending), work_states primary key
_ENDING: Final = """
from co_owner_states o join log_entries e on e.pending = o.ends join work_states s on s.work = o.work
where e.at + $2::interval <= $1 and not s.contested and not s.challenged and not s.withdrawn
    and (
        s.own is not null or s.catalogue is not null
        or exists (select from co_owner_states b where b.work = o.work and b.ends is null and not b.ended)
    )
"""
ENDING: Final = f"select distinct o.account, o.ends {_ENDING} order by 1, 2 limit $3"
ENDING_WORKS: Final = f"""
select w.id, w.digest {_ENDING.replace("where", "join works w on w.id = o.work where", 1)}
    and o.account = $3 and o.ends = $4 order by w.id
"""
END: Final = """
update co_owner_states set ended = true, ends = null, waiting = null where account = $1 and work = any($2::uuid[])
"""
# by split_answers unique (pending), accounts primary key
ENDED_BY: Final = """
select n.id, a.kind, a.genesis from split_answers n cross join accounts a where n.pending = $1 and a.id = $2
"""

# by works primary key; for works registered under a standing catalogue statement
COVER: Final = """
insert into work_states (work, account, statement, catalogue, terms, waiting, version)
select w.id, $1, c.statement, c.terms, c.terms, c.waiting, $3
from catalogues c join works w on w.account = $1 and w.id = any($2::uuid[])
where c.account = $1
on conflict (work) do nothing
"""

# by statements (id) where something may wait, work_states (waiting), co_owner_states (waiting)
CLOSE: Final = """
update statements s set over = true
where s.hold is not null and not s.over
    and not exists (select from work_states w where w.waiting = s.id)
    and not exists (select from co_owner_states o where o.waiting = s.id)
    and not exists (select from catalogues c where c.waiting = s.id)
"""
# Rule 12: what counts is the entry's time.
DUE: Final = """
select s.id, s.account from statements s join log_entries e on e.pending = s.pending
where s.hold is not null and not s.over and e.at + s.hold <= $1
    and (
        exists (
            select from work_states w
            where w.waiting = s.id and not w.contested and not w.challenged and not w.withdrawn
        )
        or exists (
            select from co_owner_states o join work_states w on w.work = o.work
            where o.waiting = s.id and not w.contested and not w.challenged and not w.withdrawn
        )
        or exists (select from catalogues c where c.waiting = s.id)
    )
order by s.id limit $2
"""
DUE_STATEMENT: Final = """
select s.id, s.scope, s.terms, a.kind, a.genesis from statements s join accounts a on a.id = s.account
where s.id = $1 and s.account = $2
"""
# by work_states (waiting); works primary key
MATURING: Final = """
select w.id, w.digest, s.own, s.catalogue, s.pending, s.shared
from work_states s join works w on w.id = s.work
where s.waiting = $1 and s.account = $2 and not s.contested and not s.challenged and not s.withdrawn
order by w.id
"""
MATURE: Final = """
with plan as (
    select * from unnest(
        $4::bytea[], $5::bytea[], $6::boolean[], $7::bytea[], $8::bytea[], $9::bytea[], $10::boolean[], $11::bytea[]
    ) as p (own, catalogue, pending, next_own, next_catalogue, next_terms, speaks, shared)
)
update work_states s
set own = nullif(p.next_own, ''), catalogue = nullif(p.next_catalogue, ''), terms = p.next_terms,
    statement = case when p.speaks then $1 else s.statement end, waiting = null, pending = false, version = $3
from plan p
where s.waiting = $1 and s.account = $2 and not s.contested and not s.challenged and not s.withdrawn
    and (coalesce(s.own, ''), coalesce(s.catalogue, ''), s.pending, coalesce(s.shared, ''))
        = (p.own, p.catalogue, p.pending, p.shared)
"""
MATURE_CATALOGUE: Final = """
update catalogues set statement = $1, terms = $2, waiting = null where waiting = $1 and account = $3
"""

# Rule 6. A newcomer of a lower level than an existing work of level 2 or more is challenged and has no effect; every
# other pair is contested on both sides, unless one side is challenged. What changes for one work can change for those
# that it meets, and for those that they meet, so two steps are looked at. A work that was withdrawn contests nothing;
# it stays contested if it was, and is challenged as others are: its deny must not outlast the claim.
# by work_matches primary key, (other); work_states and accounts primary key
TOUCHED: Final = """
with near as (
    select work as id from work_matches where claimed_at is not null and other = any($1::uuid[])
    union select other from work_matches where claimed_at is not null and work = any($1::uuid[])
    union select unnest($1::uuid[])
)
select work as id from work_matches where claimed_at is not null and other in (select id from near)
union select other from work_matches where claimed_at is not null and work in (select id from near)
union select id from near
"""
# by work_matches primary key, (other): most works resemble none
MEETING: Final = """
select covered.work from unnest($1::uuid[]) as covered (work) join work_matches m on m.work = covered.work
union
select covered.work from unnest($1::uuid[]) as covered (work) join work_matches m on m.other = covered.work
"""
# Whether an open dispute ``d`` holds its work: one by a lower level than a verified claimant's holds nothing, as a
# challenge does not, unless it was decided for whoever opened it (``o``; ``r`` registered the work). What held once
# does until it ends: whoever is about to lose a work takes nothing out by rising.
DISPUTE_HOLDS: Final = "(d.held or r.level < 2 or o.level >= r.level or d.decided is not distinct from 'upheld')"
# by disputes (work), accounts primary key
HOLD: Final = f"""
update disputes d set held = true from accounts o, accounts r
where d.work = any($1::uuid[]) and d.outcome is null and not d.held and o.id = d.account and r.id = d.against
    and {DISPUTE_HOLDS}
"""  # noqa: S608  # made of constants
# Whether a work is in dispute. By disputes (work), accounts primary key
IN_DISPUTE: Final = f"""
select coalesce(bool_or(d.outcome is null and {DISPUTE_HOLDS}), false) as disputed,
    (max(d.account::text) filter (where d.outcome = 'upheld'))::uuid as lost_to
from disputes d join accounts o on o.id = d.account join accounts r on r.id = d.against where d.work = s.work
"""  # noqa: S608  # made of constants
SETTLE: Final = f"""
with pairs as (
    select m.work, m.other, w.withdrawn, b.level >= 2 and a.level < b.level as challenged
    from work_matches m
    join work_states w on w.work = m.work
    join work_states o on o.work = m.other and not o.withdrawn
    join accounts a on a.id = m.account
    join accounts b on b.id = m.other_account
    where m.claimed_at is not null
        and (m.work = any($1::uuid[]) or m.other = any($1::uuid[])
            or m.work in (select other from work_matches where work = any($1::uuid[]))
            or m.work in (select work from work_matches where other = any($1::uuid[])))
), lost as (
    select work from pairs where challenged
    union
    select l.work from work_matches l
    where l.lapsed and (
        l.work = any($1::uuid[]) or l.work in (select work from pairs union select other from pairs)
    )
    union
    select d.work from disputes d join pairs on d.work in (pairs.work, pairs.other)
    where d.outcome = 'upheld' and not (pairs.withdrawn and d.work = pairs.other)
), fought as (
    select work, other from pairs
    where not challenged and not withdrawn
        and work not in (select work from lost) and other not in (select work from lost)
), now as (
    select s.work,
        exists (select from lost where lost.work = s.work) or s.withdrawn and s.challenged as challenged,
        f.fought or d.disputed or d.lost_to is not null as contested, f.fought, s.contested as was_contested,
        d.disputed, d.lost_to, s.disputed or s.lost_to is not null as was_in_dispute
    from work_states s cross join lateral ({IN_DISPUTE}) d cross join lateral (
        select exists (select from fought where s.work in (fought.work, fought.other)) or s.withdrawn and s.contested
            as fought
    ) f where s.work = any($1::uuid[])
)
update work_states s set challenged = now.challenged, contested = now.contested, disputed = now.disputed,
    lost_to = now.lost_to, version = $2
from now
where s.work = now.work and (s.challenged, s.contested, s.disputed, s.lost_to)
    is distinct from (now.challenged, now.contested, now.disputed, now.lost_to)
returning s.work, s.account, s.contested, now.was_contested, now.fought, now.was_in_dispute
"""  # noqa: S608  # made of constants
# by work_matches (account): open until it is ended, or has lapsed
OPEN_CHALLENGES: Final = """
select count(distinct m.work) as open, coalesce(bool_or(m.work = any($2::uuid[])), false) as added
from work_matches m
where m.account = $1 and m.challenged_by is not null and m.ended_by is null and not m.lapsed
"""
# Withdrawing what is challenged and registering it again begins the 14 days anew: how often, has an end.
# by work_matches (account), log_entries unique (pending)
CHALLENGED_OFTEN: Final = """
select m.other from work_matches m left join log_entries e on e.pending = m.challenged_by
where m.account = $1 and m.challenged_by is not null and (e.at is null or e.at > $3)
    and m.other in (
        select other from work_matches
        where account = $1 and work = any($2::uuid[]) and challenged_by is not null and ended_by is null
    )
group by m.other having count(distinct m.work) > $4 limit 1
"""
# The statement that a change of conflicts comes from: the last one of the account, which this transaction holds.
# by log_pending (account, kind, id)
LAST_SAID: Final = """
select max(s.id) from unnest('{consent,work-update,claim,erase}'::text[]) as k (kind)
cross join lateral (
    select id from log_pending where account = $1 and log_pending.kind = k.kind order by id desc limit 1
) s
"""
# Challenges of the works $1 that begin or end with statement $2. One that lapsed stays so.
# by work_matches primary key, (other); work_states and accounts primary key
CHALLENGE: Final = """
with pairs as (
    select m.work, m.other, m.challenged_by, m.ended_by, b.level as wanted,
        not w.withdrawn and not o.withdrawn and b.level >= 2 and a.level < b.level as challenged
    from work_matches m
    join work_states w on w.work = m.work
    join work_states o on o.work = m.other
    join accounts a on a.id = m.account
    join accounts b on b.id = m.other_account
    where m.claimed_at is not null and not m.lapsed and (m.work = any($1::uuid[]) or m.other = any($1::uuid[]))
)
update work_matches m
set challenged_by = case when p.challenged then $2 else m.challenged_by end,
    ended_by = case when p.challenged then null else $2 end
from pairs p
where m.work = p.work and m.other = p.other and case
    when p.challenged then p.challenged_by is null or p.ended_by is not null
    else p.challenged_by is not null and p.ended_by is null end
returning m.work, m.other, m.account, m.other_account, p.challenged, p.wanted
"""
# What was not ended within 14 days, by the times of the log; what has no place in it yet counts as of now, $1.
# by work_matches (challenged_by), log_entries unique (pending)
LAPSE: Final = """
update work_matches m set lapsed = true
from log_entries s
where s.pending = m.challenged_by and not m.lapsed
    and coalesce((select e.at from log_entries e where e.pending = m.ended_by), $1) >= s.at + interval '14 days'
returning m.work, m.other, m.account, m.other_account
"""
LAPSING: Final = """
select exists (
    select from work_matches m join log_entries s on s.pending = m.challenged_by
    where m.challenged_by is not null and not m.lapsed
        and coalesce((select e.at from log_entries e where e.pending = m.ended_by), $1) >= s.at + interval '14 days'
)
"""
# by work_matches (account): works whose claim has lapsed, signed for anew
RENEW: Final = """
update work_matches m set lapsed = false, challenged_by = null, ended_by = null
where m.account = $1 and m.work = any($2::uuid[]) and m.lapsed
returning m.work
"""
# by work_matches (account), (other_account)
MATCHED_WORKS: Final = """
select work from work_matches where account = $1 and claimed_at is not null
union select other from work_matches where other_account = $1 and claimed_at is not null
union select work from disputes where work is not null and outcome is null and (account = $1 or against = $1)
"""
# by works (account, addresses) where not withdrawn; work_states primary key
HAS_SITES: Final = """
select exists (
    select from works where account = $1 and addresses is not null and withdrawn_at is null and site is not null
)
"""
TOUCH_SITES: Final = """
update work_states s set version = $2 from works w
where w.account = $1 and w.addresses is not null and w.withdrawn_at is null and w.site is not null and s.work = w.id
"""
# by work_states (account, work)
TOUCH_ACCOUNT: Final = "update work_states set version = $2 where account = $1"

# Rule 5: the rule of a site counts while its account has proven the domain. By domain_claims unique (account, domain)
_PROVEN: Final = """exists (
        select from domain_claims d
        where d.account = w.account and d.state = 'proven'
            and right('.' || split_part(w.site, '/', 1), length(d.domain) + 1) = '.' || d.domain
    )"""
_RECORD: Final = f"""
select s.work, s.account, t.encoded as terms, a.level, s.contested, s.challenged, s.withdrawn,
    s.pending or s.frozen or s.disputed or s.lost_to is not null and not s.challenged as pending,
    s.own is not null as signed, s.statement, s.version,
    case when e.index is not null and (w.updated is null or u.index is not null) and not coalesce(o.unlogged, false)
        then greatest(e.index, u.index, o.index) end as index,
    w.mode, w.sha256, w.pixels, w.pdq, w.quality, w.iscc, w.urls, w.url_keys, w.files,
    case when w.site is not null and {_PROVEN} then w.site end as site
from work_states s
join works w on w.id = s.work
join accounts a on a.id = s.account
join terms t on t.hash = s.terms
join statements c on c.id = s.statement
left join log_entries e on e.pending = c.pending
left join log_entries u on u.pending = w.updated
left join lateral (
    select max(oe.index) as index, bool_or(oe.index is null) as unlogged
    from co_owner_states x join statements os on os.id = x.statement
    left join log_entries oe on oe.pending = os.pending where x.work = s.work and s.co_owned
) o on true
"""  # noqa: S608  # made of constants
# by work_states (version); of works that co-owners have spoken of, co_owner_states primary key
CHANGED: Final = _RECORD + "where s.version > $1"
ALL: Final = _RECORD
# by work_states primary key
ALL_ORDERED: Final = _RECORD + "order by s.work"
CHANGED_COUNT: Final = """
select count(*) from (select from work_states where version > $1 limit $2) as newer
"""
# by works primary key; work_states primary key: works that this statement speaks for first
NEW_AMONG: Final = """
select w.id, w.compared_at
from unnest($2::uuid[]) as covered (work)
join works w on w.id = covered.work left join work_states s on s.work = w.id
where w.account = $1 and w.withdrawn_at is null and s.own is null
order by w.id
"""
# by work_states primary key
CURRENT: Final = _RECORD + "where s.work = any($1::uuid[])"

# by work_matches primary key and (other); work_states primary key: who else claims what these works show, both alive
RIVALS: Final = """
with pairs as (
    select work, other from work_matches where claimed_at is not null and work = any($1::uuid[])
    union select other, work from work_matches where claimed_at is not null and other = any($1::uuid[])
)
select p.work, p.other as rival, r.account
from pairs p join work_states s on s.work = p.work join work_states r on r.work = p.other
where s.contested and r.contested and not s.withdrawn and not r.withdrawn
order by p.work, p.other
"""

# by work_states primary key; frozen: what was said of the work last is not known for certain
STANDING_AMONG: Final = """
select s.work, s.frozen from unnest($2::uuid[]) as covered (work) join work_states s on s.work = covered.work
where s.account = $1 and s.own is not null and not s.withdrawn
"""
# by work_states (account) where frozen, awaited_words (account) and primary key: those that wait for this account
COUNT_FROZEN: Final = """
select (
    select count(*) from work_states s where s.account = $1 and s.frozen
        and not exists (select from awaited_words a where a.work = s.work)
) + (select count(*) from awaited_words where account = $1)
"""
CHALLENGED_AMONG: Final = "select work from work_states where work = any($1::uuid[]) and challenged limit 1"
# by work_states primary key
SIGNED: Final = "select work from work_states where account = $1 and work = any($2::uuid[]) and own is not null"

# by log_queue and statements unique (pending): the queue is short
UNLOGGED: Final = "select exists (select from log_queue q join statements s on s.pending = q.pending)"

# What the owner sees: a work, what is in force, what waits, and whether the published snapshot knows.
# By works, accounts, work_states, statements, work_matches, features primary key, log_entries unique (pending),
# split_works (work, since); of snapshots there are few.
_STATE: Final = """
case when w.withdrawn_at is not null then 'withdrawn' when s.work is null then 'unsigned'
    when s.frozen then 'frozen' when s.disputed or s.lost_to is not null then 'disputed'
    when s.challenged then 'challenged' when s.contested then 'contested'
    when s.waiting is not null then 'pending' else 'in-force' end
"""
_OWNED: Final = f"""
select w.id, w.mode, w.sha256, w.pixels, w.pdq, w.quality, w.title, w.creator, w.created, w.tags, w.external_id,
    w.urls, w.iscc, w.files, w.digest, w.site,
    case when w.site is not null then {_PROVEN} end as site_proven,
    w.registered_at, w.withdrawn_at, w.revision, a.level, s.statement, s.own, s.terms,
    coalesce(s.contested, false) as contested, coalesce(s.challenged, false) as challenged, e.index,
    s.waiting, coalesce(h.terms, s.own) as waiting_terms, he.at + h.hold as waiting_until, {_STATE} as state,
    coalesce(s.version <= (
        select max(p.consent_version) from snapshots p join log_entries pe on pe.pending = p.pending
        where pe.index < (select published_size from log_head)
    ), false) as in_snapshot, sp.split, sp.index as split_index, ch.wanted, ch.until, ch.lapsed,
    us.id as changed_by, ue.index as changed_index, {HAS_PARTS.strip()} as parts
from {{works}}
join accounts a on a.id = w.account
left join features p on p.account = w.account and p.sha256 = w.sha256
left join lateral (
    select k.split, ke.index from split_works k left join log_entries ke on ke.pending = k.since
    where k.work = w.id and k.since is not null order by k.since desc limit 1
) sp on true
left join lateral (
    select max(b.level) as wanted, bool_or(m.lapsed) as lapsed,
        min(ce.at) filter (where not m.lapsed) + interval '14 days' as until
    from work_matches m join accounts b on b.id = m.other_account
    left join log_entries ce on ce.pending = m.challenged_by
    where m.work = w.id and (m.lapsed or m.challenged_by is not null and m.ended_by is null)
) ch on true
left join work_states s on s.work = w.id
left join statements c on c.id = s.statement left join log_entries e on e.pending = c.pending
left join statements h on h.id = s.waiting left join log_entries he on he.pending = h.pending
left join statements us on us.pending = w.updated left join log_entries ue on ue.pending = w.updated
where w.account = $1
"""  # noqa: S608
_OF_ALL: Final = _OWNED.format(works="works w")
OWN_WORK: Final = _OF_ALL + "and w.id = $2"
# Counted apart, each by an index of the account alone: for many works that is a fraction of joining them.
# by works unique (account, sha256), (account, addresses), both of those not withdrawn; work_states (account, work)
TALLY: Final = """
with w as materialized (
    select (select count(*) from works where account = $1 and withdrawn_at is null and sha256 is not null)
        + (select count(*) from works where account = $1 and withdrawn_at is null and addresses is not null) as works
)
select w.works, w.works - s.signed as unsigned, s.pending, s.contested
from w, (
    select count(*) as signed, count(waiting) filter (where not (contested or challenged or frozen)) as pending,
        count(*) filter (where contested and not (challenged or frozen or disputed or lost_to is not null)) as contested
    from work_states where account = $1 and not withdrawn
) s
"""
# Works of one's own that are chosen together, at most $2 of them; all in no order, as more than can be signed for are
# refused. By works (account, registered_at, id) and primary key, work_states (account, work), (waiting)
_CHOSEN: Final = {
    "all": "select w.id, w.digest from works w where w.account = $1 and w.withdrawn_at is null limit $2",
    "unsigned": """
    select w.id, w.digest from works w left join work_states s on s.account = w.account and s.work = w.id
    where w.account = $1 and w.withdrawn_at is null and s.work is null order by w.registered_at, w.id limit $2
""",
    # those on which $3 waits, and where $4 is in force meanwhile
    "waiting": """
    select w.id, w.digest from work_states s join works w on w.id = s.work and w.withdrawn_at is null
    where s.account = $1 and s.waiting = $3::uuid and s.own = $4::bytea and not s.withdrawn order by s.work limit $2
""",
}
# What was said of them before. By work_states (account, work)
_SAID: Final = {
    "all": """array(
    select distinct own from work_states where account = $1 and own is not null and not withdrawn and lost_to is null
)""",
    "unsigned": "'{}'::bytea[]",
    "waiting": "array[$4::bytea]",
}
# What somebody else claims of a work holds it, or will once it is signed for. By work_matches, work_states primary keys
_HELD: Final = """case when s.work is not null then s.contested or s.challenged else exists (
        select from work_matches m join work_states o on o.work = m.other and not o.withdrawn and o.lost_to is null
        where m.work = w.id
    ) end"""
# What a draft over them says of them, and the account's last statement where it is of these works and no others, and
# still what was last said of each: their digests in the order of ids, end to end; lost ones are counted apart.
# By the same, statements (account, id)
SUMMED: Final = {
    which: f"""
with last as materialized (
    select id, accepted_at, works from statements where account = $1 order by id desc limit 1
), summed as materialized (
    select count(*) filter (where s.lost_to is null) as works,
        coalesce(array_agg(w.id) filter (where s.lost_to is not null), '{{}}') as lost,
        count(*) filter (where s.lost_to is null and {_HELD}) as met,
        count(*) filter (where s.lost_to is null and (select id from last) in (s.statement, s.waiting)) as still
    from ({chosen}) w left join work_states s on s.account = $1 and s.work = w.id
)
select s.works, cardinality(s.lost) as lost, s.met, {_SAID[which]} as said, l.id as statement, l.accepted_at, (
    select string_agg(c.digest, ''::bytea order by c.id) from ({chosen}) c
    where c.id <> all((select lost from summed)::uuid[])
) as digests
from summed s left join last l on l.works = s.works and s.still = s.works
"""  # noqa: S608  # made of constants
    for which, chosen in _CHOSEN.items()
}
# by the same: their ids alone
NAMED: Final = {
    which: f"""
select w.id, s.lost_to is not null as lost
from ({chosen}) w left join work_states s on s.account = $1 and s.work = w.id order by w.id
"""  # noqa: S608  # made of constants
    for which, chosen in _CHOSEN.items()
}
# by work_states (waiting): the first of the terms that are in force where a statement waits
WAITING_ON: Final = """
select own from work_states where waiting = $1 and account = $2 and not withdrawn and own is not null
order by own limit 1
"""
# by statements (account, id), statement_works primary key: an account has few statements, however many works
SAID_OF: Final = """
select s.id, s.effect, s.scope, t.encoded as terms, s.accepted_at, e.index
from statements s left join log_entries e on e.pending = s.pending left join terms t on t.hash = s.terms
where s.account = $1 and (
    s.scope = 'catalogue' or exists (select from statement_works c where c.statement = s.id and c.work = $2)
)
order by s.id desc limit 50
"""
# What the public sees of a work: nothing before a statement about it is in the log.
# by works, accounts, work_states, terms and statements primary keys; log_entries unique (pending); disputes (work)
SHOWN: Final = f"""
select w.id, w.title, w.creator, w.created, w.site, w.registered_at, w.withdrawn_at is not null as withdrawn,
    w.erased_at is not null or a.erased_at is not null as erased, a.name, a.kind, a.level, w.account, w.mode,
    s.statement, t.encoded as terms, s.contested, s.challenged, s.own is not null as signed,
    w.sha256 is null as by_address,
    s.frozen or s.pending or s.disputed or s.lost_to is not null and not s.challenged as held, e.index, e.at,
    s.disputed, case when s.lost_to is not null then (
        select max(d.ended_at) from disputes d where d.work = s.work and d.outcome = 'upheld'
    ) end as lost_at,
    case when w.site is not null then {_PROVEN} end as site_proven
from works w join accounts a on a.id = w.account
join work_states s on s.work = w.id join terms t on t.hash = s.terms
join statements c on c.id = s.statement join log_entries e on e.pending = c.pending
where w.id = any($1::uuid[]) and e.index < (select published_size from log_head)
"""  # noqa: S608
# How an account's works stand, those that stand alike once; by works (account, …), work_states, terms primary keys
STANDINGS: Final = f"""
select t.encoded as terms, a.level, x.*
from (
    select s.terms as hash, w.account, w.mode, w.site, case when w.site is not null then {_PROVEN} end as site_proven,
        s.contested, s.challenged, s.own is not null as signed, w.sha256 is null as by_address,
        s.frozen or s.pending or s.disputed or s.lost_to is not null and not s.challenged as held, count(*) as works
    from works w join work_states s on s.work = w.id
    where w.account = $1 and w.withdrawn_at is null
    group by s.terms, w.account, w.mode, w.site, s.contested, s.challenged, signed, by_address, held
) x
join terms t on t.hash = x.hash join accounts a on a.id = x.account
"""  # noqa: S608
_FILTERS: Final = f"""
and ($2::text is null or w.external_id = $2) and ($3::text is null or $3 = any(w.tags))
and ($4::boolean is null or (w.withdrawn_at is not null) = $4) and ($5::text is null or w.mode = $5)
and ($6::text is null or {_STATE} = $6)
"""
_KEYS: Final = {
    "registered": (Key("w.registered_at", "registered_at", datetime), Key("w.id", "id", UUID)),
    "title": (Key("coalesce(w.title, '') collate \"C\"", "title", str), Key("w.id", "id", UUID)),
}
_CHOSEN_WORKS: Final = """
select w.id from works w left join work_states s on s.account = w.account and s.work = w.id where w.account = $1
"""


def _pages(filters: str) -> dict[str, Order]:
    """Return lists of one's own works: which are on a page is found first, and only of those all is read."""
    return {
        sort: Order(_page(order.first, sort, order.keys), _page(order.after, sort, order.keys), order.keys)
        for sort, order in orders(_CHOSEN_WORKS + filters, **_KEYS).items()
    }


def _page(chosen: str, sort: str, keys: tuple[Key, ...]) -> str:
    way = "desc" if sort.startswith("-") else "asc"
    order = ", ".join(f"{key.expression} {way}" for key in keys)
    return _OWNED.format(works=f"({chosen}) chosen join works w on w.id = chosen.id") + f"order by {order}"


# by works (account, registered_at, id), works (account, title, id); an external id by works (account, external_id)
OWN_WORKS: Final = _pages(_FILTERS)
# by works (grams), a text being looked for where all its pieces are; or as those of an account are in order, if few
OWN_WORKS_WITH: Final = _pages(f"{_FILTERS} and strpos(w.haystack, $8) > 0 and w.grams @> $7::text[]\n")
# by works (account, sha256), (account, addresses), (account, external_id), (file_keys), primary key
OWN_WORKS_BY_KEYS: Final = f"""{_OF_ALL}
and w.id in (
    select unnest($2::uuid[])
    union
    select id from works where account = $1 and withdrawn_at is null and sha256 = any($3::bytea[])
    union
    select id from works where account = $1 and withdrawn_at is null and addresses = any($5::bytea[])
    union
    select id from works
    where account = $1 and withdrawn_at is null and file_keys is not null and file_keys && $3::bytea[]
    union
    select f.id from unnest($4::text[]) wanted (external_id) cross join lateral (
        select id from works
        where account = $1 and withdrawn_at is null and external_id = wanted.external_id order by id desc limit 3
    ) f
)
order by w.id
"""  # noqa: S608
