"""SQL of what an account sees of its own works: a page of them, a choice of them, each with its state."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from registry.consent.queries.published import PROVEN
from registry.http.paging import Key, Order, orders
from registry.works.queries import HAS_PARTS

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
    case when w.site is not null then {PROVEN} end as site_proven,
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
