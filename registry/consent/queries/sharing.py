"""SQL of co-owners (semantics 8): works of other accounts, in whose split in force somebody has a share."""

from __future__ import annotations

from typing import Final

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
