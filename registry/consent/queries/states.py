"""SQL of states of works: what is in force on each, what waits, and whose word is still awaited."""

from __future__ import annotations

from typing import Final

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

# by works primary key; for works registered under a standing catalogue statement
COVER: Final = """
insert into work_states (work, account, statement, catalogue, terms, waiting, version)
select w.id, $1, c.statement, c.terms, c.terms, c.waiting, $3
from catalogues c join works w on w.account = $1 and w.id = any($2::uuid[])
where c.account = $1
on conflict (work) do nothing
"""

# by works primary key; work_states primary key: works that this statement speaks for first
NEW_AMONG: Final = """
select w.id, w.compared_at
from unnest($2::uuid[]) as covered (work)
join works w on w.id = covered.work left join work_states s on s.work = w.id
where w.account = $1 and w.withdrawn_at is null and s.own is null
order by w.id
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
