"""SQL of what an artist's money was earned with, with the index each statement relies on. ``$1`` is the artist.

Who used a picture is shown to its account from claim level 2 on (semantics 26): decided in here, row by row.
"""

from __future__ import annotations

from typing import Final

from registry.http.paging import Key, Order

_TRUSTED: Final = "exists (select from accounts z where z.id = $1 and z.level >= 2)"
# Its name where the public register has it, else no more than that there is one. By datasets primary key
_DATASET: Final = "left join datasets d on d.id = {}.dataset and d.listed"

# What charges came of, among licences ($2) and batches ($3), with what was signed where it is asked for ($4). By their
# primary keys, log_pending primary key, log_entries unique (pending), licence_works (account, licence), usage_events
# (batch, artist) for those of a batch
SOURCES: Final = f"""
select l.id, 'lic' as kind, l.organisation, o.name, array[l.model || '@' || l.version] as models, l.dataset,
    d.name as title, n.uses, l.issued_at as at, e.index, case when $4 then p.envelope end as envelope
from licences l join accounts o on o.id = l.organisation join log_pending p on p.id = l.pending
left join log_entries e on e.pending = l.pending {_DATASET.format("l")}
cross join lateral (select count(*) as uses from licence_works w where w.licence = l.id and w.account = $1) n
where l.id = any($2::uuid[]) and n.uses > 0 and {_TRUSTED}
union all
select b.id, 'bat', b.organisation, o.name, n.models, b.dataset, d.name, n.uses, b.accepted_at, e.index,
    case when $4 then p.envelope end
from usage_batches b join accounts o on o.id = b.organisation join log_pending p on p.id = b.pending
left join log_entries e on e.pending = b.pending {_DATASET.format("b")}
cross join lateral (
    select coalesce(sum(u.uses), 0)::bigint as uses,
        coalesce(array_agg(distinct l.model || '@' || l.version) filter (where l.id is not null), '{{}}') as models
    from (
        select v.licence, count(*) as uses from usage_events v
        where v.batch = b.id and v.artist = $1 and v.memorandum is null group by v.licence
    ) u left join licences l on l.id = u.licence
) n
where b.id = any($3::uuid[]) and n.uses > 0 and {_TRUSTED}
"""  # noqa: S608


def _uses(of: str) -> dict[str, Order]:
    """Return the uses that one source ($2) was charged by; only what is shown is joined."""
    page = f"""
select encode(v.id, 'hex') as id, v.work, w.title, v.atom, v.run, v.unit, v.quantity, v.at, v.currency, v.amount, v.fee,
    coalesce(v.statement, k.statement) as statement
from (
    select * from usage_events v
    where v.artist = $1 and v.memorandum is null and {_TRUSTED} and {of} {{behind}}
    order by v.id limit $3
) v join works w on w.id = v.work left join licence_works k on k.licence = v.licence and k.work = v.work
order by v.id
"""  # noqa: S608
    after = page.format(behind="and v.id > decode($4, 'hex')")
    return {"id": Order(page.format(behind=""), after, (Key("v.id", "id", str),))}


# by usage_events (batch, artist), works and licence_works primary keys
BATCH_USES: Final = _uses("v.batch = $2")
# by usage_events (licence, artist, id) without a batch, works and licence_works primary keys
LICENCE_USES: Final = _uses("v.batch is null and v.licence = $2")
# What came to one's own accounts ($1) on days ($2), each from the first id of its transfers ($3) to that of the next
# day ($4), by the kinds that one is told of ($5), and was not taken back. By ledger_accounts unique (name), entries
# (account, transfer, currency), transfers primary key and unique (reverses)
CAME_ON: Final = """
select d.day, e.currency, -sum(e.amount)::bigint as amount
from unnest($2::text[], $3::uuid[], $4::uuid[]) as d (day, first, behind)
join ledger_accounts a on a.name = any($1::text[])
join entries e on e.account = a.id and e.transfer >= d.first and e.transfer < d.behind and e.amount < 0
join transfers t on t.id = e.transfer and t.kind = any($5::text[]) and t.reverses is null
where not exists (select from transfers r where r.reverses = t.id)
group by d.day, e.currency order by d.day, e.currency
"""
# Which of one's own transfers ($1) are charges. By transfers primary key
CHARGES_AMONG: Final = (
    "select id from transfers where id = any($1::uuid[]) and kind = any($2::text[]) and reverses is null"
)
