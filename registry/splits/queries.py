"""All SQL of splits, one constant a statement, with the index it relies on.

A split is seen by who proposed it and by those whose answer it needs: ``$1`` is the caller where one asks.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.http.paging import Key, orders

# by splits unique (digest), split_answers primary key
PROPOSED: Final = "select id, account, pending from splits where digest = $1"
ANSWERED: Final = "select id, split, account, pending from split_answers where digest = $1"
# by splits primary key; log_entries unique (pending)
OWNER: Final = "select account from splits where id = $1"
SPLIT: Final = """
select s.id, s.account, s.digest, s.replaces, s.agreed, s.declined, e.at
from splits s left join log_entries e on e.pending = s.pending where s.id = $1
"""
# Another split than the one it replaces is in force on a work of it. By split_works primary key, (work, since).
_OVERTAKEN: Final = """
exists (
    select from split_works x left join lateral (
        select b.digest from split_works y join splits b on b.id = y.split
        where y.work = x.work and y.since is not null order by y.since desc limit 1
    ) f on true
    where x.split = s.id and f.digest is distinct from s.replaces
)
"""
OVERTAKEN: Final = f"select {_OVERTAKEN} from splits s where s.id = $1"  # noqa: S608
# A split ``s``, with its log entry ``e``, that everybody may still sign: it was proposed after {since}.
UNSIGNED: Final = f"s.agreed is null and s.declined is null and (e.at is null or e.at > {{since}}) and not {_OVERTAKEN}"
_OPEN: Final = f"""
from splits s left join log_entries e on e.pending = s.pending
where s.account = $1 and {UNSIGNED.format(since="$2")}
"""
# by splits (account, id)
OPEN_COUNT: Final = f"select count(*) {_OPEN}"
# One over exactly these works, as they are, with exactly these shares. By splits (account, id), split_works,
# split_parties and works primary keys
SAME_OPEN: Final = f"""
select s.id {_OPEN}
    and s.replaces is not distinct from $3 and s.works = cardinality($4::uuid[])
    and not exists (
        select from split_works k left join works w on w.id = k.work
        where k.split = s.id and (not k.work = any($4::uuid[]) or w.updated > s.pending)
    )
    and not exists (
        select from (select account, bps from split_parties where split = s.id) p
        full join unnest($5::uuid[], $6::bigint[]) as q (account, bps) on (p.account, p.bps) = (q.account, q.bps)
        where p.account is null or q.account is null
    )
limit 1
"""  # noqa: S608
# by accounts primary key
ACCOUNTS: Final = "select id, kind, genesis, erased_at from accounts where id = any($1::uuid[])"
# by works primary key
WORKS: Final = """
select w.id, w.digest, w.withdrawn_at from works w where w.account = $1 and w.id = any($2::uuid[])
"""
# by split_works (work, since); splits and split_parties primary keys: the one in force on each
IN_FORCE: Final = """
select w.id as work, s.id as split, s.digest
from unnest($1::uuid[]) as w (id)
cross join lateral (
    select split from split_works x where x.work = w.id and x.since is not null order by x.since desc limit 1
) f join splits s on s.id = f.split
"""
# Works ($2) of accounts ($1) that nobody shares yet, and over which the first split waits for somebody's signature.
# By splits (account, id), log_entries unique (pending), split_works primary key
AWAITING: Final = f"""
with open as materialized (
    select s.id from splits s left join log_entries e on e.pending = s.pending
    where s.account = any($1::uuid[]) and s.replaces is null and {UNSIGNED.format(since="$3")}
)
select distinct k.work from open join split_works k on k.split = open.id where k.work = any($2::uuid[])
"""  # noqa: S608
# `waived`: of one that was erased before, nobody asks an answer to a split that leaves it the share that it has.
# by split_parties and splits primary keys, splits unique (digest), erasures (account)
PARTIES: Final = """
select p.split, p.account, a.kind, a.genesis, a.erased_at, p.bps, p.proposes, p.accepted,
    a.erased_at is not null and p.bps > 0 and exists (
        select from splits s join erasures x on x.account = p.account and x.pending < s.pending
        join splits b on b.digest = s.replaces
        join split_parties q on q.split = b.id and q.account = p.account and q.bps = p.bps
        where s.id = p.split
    ) as waived
from split_parties p join accounts a on a.id = p.account where p.split = any($1::uuid[]) order by p.split, p.account
"""
OF_DIGEST: Final = "select id from splits where digest = $1 and account = $2 and agreed is not null"

KEEP_SPLIT: Final = """
insert into splits (id, account, pending, digest, replaces, works, proposed_at) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (id) do nothing returning id
"""
KEEP_PARTIES: Final = """
insert into split_parties (split, account, bps, proposes)
select $1, p.account, p.bps, p.account = $4 from unnest($2::uuid[], $3::bigint[]) as p (account, bps)
"""
KEEP_WORKS: Final = "insert into split_works (split, work) select $1, unnest($2::uuid[])"
KEEP_ANSWER: Final = """
insert into split_answers (digest, id, split, account, answer, pending) values ($1, $2, $3, $4, $5, $6)
"""
# by split_parties and splits primary keys; split_works primary key
ACCEPT: Final = "update split_parties set accepted = $3 where split = $1 and account = $2 and accepted is null"
DECLINE: Final = "update splits set declined = $2 where id = $1"
AGREE: Final = "update splits set agreed = $2 where id = $1"
IN_FORCE_FROM: Final = "update split_works set since = $2 where split = $1"
WORKS_OF: Final = "select work from split_works where split = $1 order by work"

# What a split has become, as of now and $2, how long a proposal lasts.
_STATE: Final = f"""
case when s.declined is not null then 'declined'
    when s.agreed is not null then case when exists (
        select from split_works x where x.split = s.id and not exists (
            select from split_works y where y.work = x.work and y.since > x.since
        )
    ) then 'in-force' else 'replaced' end
    when {_OVERTAKEN} then 'overtaken' when e.at + $2 < now() then 'lapsed' else 'open' end
"""  # noqa: S608
_SEEN: Final = f"""
select s.id, s.account, a.kind, s.digest, s.replaces, s.works, s.proposed_at, e.index, e.at, g.index as agreed_index,
    {_STATE} as state
from splits s join accounts a on a.id = s.account
left join log_entries e on e.pending = s.pending left join log_entries g on g.pending = s.agreed
where (s.account = $1 or exists (select from split_parties p where p.split = s.id and p.account = $1))
"""  # noqa: S608
SEEN: Final = _SEEN + "and s.id = $3"
# by splits (account, id), split_parties (account, split): an account has few; split_works primary key
SPLITS: Final = orders(
    f"{_SEEN} and ($3::text is null or {_STATE} = $3)"
    " and ($4::uuid is null or exists (select from split_works k where k.split = s.id and k.work = $4))\n",
    proposed=(Key("s.id", "id", UUID),),
)
# by splits, log_pending and split_works primary keys; works and work_states primary keys
DOCUMENT: Final = "select p.envelope from splits s join log_pending p on p.id = s.pending where s.id = $1"
SHARED_WORKS: Final = """
select k.work, w.title, case when w.withdrawn_at is null then w.digest end as registered, s.terms,
    coalesce(s.frozen, false) as frozen
from split_works k left join works w on w.id = k.work left join work_states s on s.work = k.work
where k.split = $1 order by k.work
"""

# The whole of it, read through once, in the order of the log.
ALL: Final = """
select k.pending, k.kind, p.envelope, e.index, e.at
from (
    select pending, 'split' as kind from splits
    union all select pending, 'split-answer' from split_answers
    union all select pending, 'erase' from erasures x where exists (select from split_parties where account = x.account)
) k
join log_pending p on p.id = k.pending left join log_entries e on e.pending = k.pending
order by e.index nulls last, k.pending
"""
ALL_IN_FORCE: Final = """
select k.work, s.digest, k.since, s.account = w.account as registered
from split_works k join splits s on s.id = k.split left join works w on w.id = k.work
where k.since is not null or s.agreed is not null
"""
ALL_PARTIES: Final = """
select s.digest, a.kind, p.account, p.bps from split_parties p join splits s on s.id = p.split
join accounts a on a.id = p.account where p.bps > 0 order by s.digest, p.account
"""
