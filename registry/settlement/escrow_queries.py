"""All SQL of charges in escrow, their parts, and what is contested, with the index each relies on."""

from __future__ import annotations

from typing import Final

from registry.splits.queries import UNSIGNED

# Charges that hold something in escrow, unless somebody contests them.
# by ledger_accounts unique (name), entries (account, transfer, currency), escrow_ends and transfers primary keys
IN_ESCROW: Final = """
select t.id, t.key, t.kind, t.source, t.at from transfers t
where t.id in (
    select e.transfer from ledger_accounts a join entries e on e.account = a.id
    where a.name >= 'escrow:' and a.name < 'escrow;'
) and t.reverses is null and t.kind = any($3::text[]) and t.id > $1
    and not exists (select from escrow_ends x where x.transfer = t.id)
    and not exists (select from transfers r where r.reverses = t.id)
    and not exists (select from contested_charges c where c.transfer = t.id and c.outcome is null)
order by t.id limit $2
"""
# The uses behind a charge: $2 its batch ($1) or licence, $4 its payee or split ($5). Of an agreement's ($7): its works.
# By usage_events (batch), (licence), escrow_works and licence_works primary keys
_USES: Final = """(
    select v.work, v.artist, v.split, v.amount, v.fee from usage_events v
    where not $7 and v.escrow and v.currency = $3
        and case when $1 then v.batch = $2 else v.batch is null and v.licence = $2 end
        and case when $5 then v.split = $4 else v.split is null and v.artist = $4 end
    union all
    select y.work, l.account, case when $5 then $4::uuid end, y.amount, y.fee
    from escrow_works y join licence_works l on l.licence = $2 and l.work = y.work
    where $7 and y.transfer = $6
)"""
# Whose part left for good: nobody asks any more how its work stands.
_GONE: Final = """
exists (select from escrow_parts x where x.transfer = $6 and x.work = u.work and x.outcome in ('awarded', 'returned'))
"""
# What stands behind a charge in escrow: whoever registered the works, and how these stand.
# By accounts, work_states and escrow_parts primary keys, split_works (work, since), splits (account, id)
BEHIND: Final = f"""
select count(*) as events, coalesce(min(a.level), 0) as level,
    coalesce(bool_or(s.lost_to is null and (s.contested or s.challenged)), false) as contested,
    coalesce(bool_or(s.lost_to is not null), false) as lost,
    coalesce(bool_or(u.split is null and u.amount <> 0 and exists (
        select from split_works k where k.work = u.work and k.since is not null
    ) and not exists (
        select from escrow_parts x where x.transfer = $6 and x.work = u.work and x.outcome = 'shared'
    )), false) as shareable,
    coalesce(bool_or(u.split is null and exists (
        select from splits s left join log_entries e on e.pending = s.pending
        join split_works k on k.split = s.id and k.work = u.work
        where s.account = u.artist and s.replaces is null and {UNSIGNED.format(since="$8")}
    )), false) as unsigned,
    coalesce(sum(u.amount), 0) as gross, coalesce(sum(u.fee), 0) as fee
from {_USES} u join accounts a on a.id = u.artist left join work_states s on s.work = u.work
where not {_GONE}
"""  # noqa: S608  # made of constants
# The same of what an agreement owed at a close before it was kept what each work has of it: as those of its licence
# stand, any of which may be behind it. By escrow_works, licence_works primary keys, split_works (work, since)
WORKS_KEPT: Final = "select exists (select from escrow_works where transfer = $1)"
BEHIND_WHOLE: Final = """
select count(*) as events, coalesce(min(a.level), 0) as level,
    coalesce(bool_or(s.contested or s.challenged), false) as contested, false as lost, false as shareable,
    false as unsigned, 0 as gross, 0 as fee
from licence_works w join accounts a on a.id = w.account left join work_states s on s.work = w.work
where w.licence = $1 and w.agreed is not null and case
    when $3 then exists (select from split_works k where k.work = w.work and k.split = $2) else w.account = $2 end
"""
# What a charge comes to work by work, for works that leave it now: those that were lost, or those that are shared.
# By work_states and escrow_parts primary keys, split_works (work, since)
PARTING: Final = f"""
select u.work, s.lost_to, w.kind as winner_kind, w.level as winner_level,
    sum(u.amount) as gross, sum(u.fee) as fee,
    bool_or(u.split is null and not exists (
        select from escrow_parts x where x.transfer = $6 and x.work = u.work and x.outcome = 'shared'
    )) as unshared,
    coalesce(u.split, (
        select x.split from escrow_parts x where x.transfer = $6 and x.work = u.work and x.outcome = 'shared'
    )) as shared_by
from {_USES} u left join work_states s on s.work = u.work left join accounts w on w.id = s.lost_to
where not {_GONE} and u.amount <> 0
group by u.work, s.lost_to, w.kind, w.level, u.split order by u.work
"""  # noqa: S608  # made of constants
ADD_PARTS: Final = """
insert into escrow_parts (transfer, work, outcome, split, posted, at)
select $1, p.work, $3, $4, $5, $6 from unnest($2::uuid[]) as p (work)
"""
# Every part that left escrow, with what its works came to. By escrow_parts, transfers and usage_events by their batch
ALL_PARTS: Final = """
select x.transfer as id, t.key, t.at, t.source, x.outcome, x.split, x.posted, array_agg(x.work order by x.work) as works
from escrow_parts x join transfers t on t.id = x.transfer
group by x.transfer, t.key, t.at, t.source, x.outcome, x.split, x.posted order by x.posted
"""
PART: Final = f"""
select coalesce(sum(u.amount), 0) as gross, coalesce(sum(u.fee), 0) as fee from {_USES} u
where u.work = any($8::uuid[])
"""  # noqa: S608  # made of constants
# by escrow_parts primary key
PARTED: Final = "select exists (select from escrow_parts where transfer = $1 and outcome in ('awarded', 'returned'))"
# What a charge and its parts hold in escrow now, by account. By escrow_parts and entries primary keys
HELD: Final = """
select a.name, e.currency, sum(e.amount) as amount
from entries e join ledger_accounts a on a.id = e.account
where e.transfer in (select $1::uuid union select posted from escrow_parts where transfer = $1)
    and a.name >= 'escrow:' and a.name < 'escrow;'
group by a.name, e.currency having sum(e.amount) <> 0 order by a.name, e.currency
"""
# by entries primary key
ENTRIES_OF: Final = """
select a.name, e.currency, e.amount from entries e join ledger_accounts a on a.id = e.account
where e.transfer = $1 order by a.name, e.currency
"""
# What followed from a charge, the newest first, but what negates it. By escrow_ends and escrow_parts primary keys
FOLLOWED: Final = """
select t.id, t.kind from transfers t
where t.reverses is null and t.id in (
    select posted from escrow_ends where transfer = $1 union select posted from escrow_parts where transfer = $1
)
order by t.id desc
"""
# What of a charge is payable by now, by account. By entries primary key
PAYABLE_OF: Final = """
select a.name, e.currency, sum(e.amount) as amount
from entries e join ledger_accounts a on a.id = e.account
where e.transfer = any($1::uuid[]) and a.name >= 'payable:' and a.name < 'payable;'
group by a.name, e.currency having sum(e.amount) <> 0 order by a.name, e.currency
"""
END_ESCROW: Final = "insert into escrow_ends (transfer, outcome, posted, at) values ($1, $2, $3, $4)"
# by transfers primary key, unique (reverses)
CHARGE: Final = """
select t.id, t.key, t.kind, t.source, t.at, t.reverses, r.id as reversed from transfers t
left join transfers r on r.reverses = t.id where t.id = $1
"""
# By transfers primary key; whoever corrects its uses waits for it
LOCK_CHARGE: Final = "select id from transfers where id = $1 for update"
# What corrections gave back of the uses that a charge of a batch is for: what is given back with it would be, twice.
# By usage_events (batch), (corrects)
CORRECTED: Final = """
select coalesce(sum(c.amount), 0) from usage_events v join usage_events c on c.corrects = v.id
where v.batch = $1 and v.currency = $2 and v.corrects is null
    and case when $4 then v.split = $3 else v.split is null and v.artist = $3 end
"""
ADD_CONTESTED: Final = """
insert into contested_charges (id, transfer, turn, reason, held, opened_at) values ($1, $2, $3, $4, $5, $6)
"""
# The last time that a charge was contested. By contested_charges unique (transfer, turn)
CONTESTED: Final = """
select id, turn, held, outcome from contested_charges where transfer = $1 order by turn desc limit 1
"""
# by disputes unique (transfer) where outcome is null: what is in dispute is decided there
DISPUTED: Final = "select id from disputes where transfer = $1 and outcome is null"
DECIDE: Final = "update contested_charges set outcome = $2, decided_at = $3 where id = $1 and outcome is null"
LIST_CONTESTED: Final = """
select c.transfer, t.source, c.reason, c.opened_at, c.outcome, c.decided_at
from contested_charges c join transfers t on t.id = c.transfer order by c.id
"""
