"""SQL of what others see of works: records of snapshots, what the public is shown."""

from __future__ import annotations

from typing import Final

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
PROVEN: Final = """exists (
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
    case when w.site is not null and {PROVEN} then w.site end as site
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

# by work_states primary key
CURRENT: Final = _RECORD + "where s.work = any($1::uuid[])"

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
    case when w.site is not null then {PROVEN} end as site_proven
from works w join accounts a on a.id = w.account
join work_states s on s.work = w.id join terms t on t.hash = s.terms
join statements c on c.id = s.statement join log_entries e on e.pending = c.pending
where w.id = any($1::uuid[]) and e.index < (select published_size from log_head)
"""  # noqa: S608
# How an account's works stand, those that stand alike once; by works (account, …), work_states, terms primary keys
STANDINGS: Final = f"""
select t.encoded as terms, a.level, x.*
from (
    select s.terms as hash, w.account, w.mode, w.site, case when w.site is not null then {PROVEN} end as site_proven,
        s.contested, s.challenged, s.own is not null as signed, w.sha256 is null as by_address,
        s.frozen or s.pending or s.disputed or s.lost_to is not null and not s.challenged as held, count(*) as works
    from works w join work_states s on s.work = w.id
    where w.account = $1 and w.withdrawn_at is null
    group by s.terms, w.account, w.mode, w.site, s.contested, s.challenged, signed, by_address, held
) x
join terms t on t.hash = x.hash join accounts a on a.id = x.account
"""  # noqa: S608
