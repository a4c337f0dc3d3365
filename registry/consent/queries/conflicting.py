"""SQL of works that show the same: challenges, disputes, who else claims one."""

from __future__ import annotations

from typing import Final

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
