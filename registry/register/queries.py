"""All SQL of the register, one constant a statement, with the index it relies on.

Every statement that shows something is there twice: for the public, where rows that are held back are none, and for an
organisation, which sees its own and nobody else's. A version of a dataset is listed if its manifest does not hold it
back, and in any case once a listed version of a model was trained on it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from registry.http.paging import Key, Order, orders
from registry.licensing.queries import OVER

# Whether licence ``l`` came with a run that nothing else counts: accepting it posted uses, and no reported run is what
# they are of. Events of a run have the same identifiers whoever posts them: it is one run with that of its name
# which names the licence, or is of the dataset that it was taken for. No acceptance posts outputs.
# by licence_works primary key, runs unique (organisation, model, version, name, manifest), run_licences (licence)
_CAME: Final = """
exists (select from licence_works w where w.licence = l.id and w.model <> 'per-output')
and not exists (
    select from runs o
    where o.organisation = l.organisation and o.model = l.model and o.version = l.version and o.name = l.run
        and (l.dataset is null or o.dataset = l.dataset)
)
and not exists (
    select from run_licences k join runs o on o.id = k.run where k.licence = l.id and o.name = l.run
)
"""
# Every run of version ``v`` of model ``m`` once. Licences taken for one run are one, one that names no dataset with
# those that do.
# by runs unique (organisation, model, version, name, manifest), licences (organisation, id)
_RUNS: Final = f"""
(
    select r.id, r.dataset, r.pending from runs r
    where r.organisation = m.organisation and r.model = m.name and r.version = v.version
    union all
    select null, t.dataset, t.pending
    from (
        select array_agg(distinct l.dataset) filter (where l.dataset is not null) as taken, max(l.pending) as pending
        from licences l
        where l.organisation = m.organisation and l.model = m.name and l.version = v.version and {_CAME}
        group by l.run
    ) g cross join lateral (
        select dataset, g.pending from unnest(coalesce(g.taken, array[null::uuid])) as dataset
    ) t
)
"""  # noqa: S608  # made of constants
# Whether a listed version was trained on dataset ``d``. by runs (dataset, id), licences (organisation, id), models
# unique (organisation, name), model_versions unique (model, version)
TRAINED: Final = f"""
exists (
    select from (
        select r.organisation, r.model, r.version from runs r where r.dataset = d.id
        union all
        select l.organisation, l.model, l.version from licences l
        where l.organisation = d.organisation and l.dataset = d.id and {_CAME}
    ) t
    join models m on m.organisation = t.organisation and m.name = t.model
    join model_versions v on v.model = m.id and v.version = t.version
    where v.listed
)
"""  # noqa: S608  # made of constants
# Whether a licence that a run names does not cover it. by run_licences primary key
_OUTSIDE: Final = "exists (select from run_licences k where k.run = r.id and k.outside is not null)"
# by datasets (organisation, name, pending)
_NUMBER: Final = """
(
    select count(*) from datasets n
    where n.organisation = d.organisation and n.name = d.name and n.pending <= d.pending
)
"""


class Seen(NamedTuple):
    """The statements as one kind of reader may use them; ``$1`` is the organisation that reads, null for the public."""

    models: dict[str, Order]
    model: str
    versions: dict[str, Order]
    trained_on: str
    runs: dict[str, Order]
    datasets: dict[str, Order]
    dataset: str
    other: str
    before: str
    models_of: str


def _seen(version: str, model: str, dataset: str, run: str) -> Seen:
    """Return all statements with these conditions on versions ``v``, models ``m``, datasets ``d``, runs ``r``."""
    shown = f"""
select m.id, m.name, m.organisation, m.stated_at, a.name as organisation_name, v.version, v.status, p.envelope,
    (select count(*) from model_versions v where v.model = m.id and {version}) as versions,
    (
        select count(*) from model_versions v cross join lateral {_RUNS} r where v.model = m.id and {version}
    ) as runs
from models m
join accounts a on a.id = m.organisation
cross join lateral (
    select v.version, v.status, v.card from model_versions v
    where v.model = m.id and {version} order by v.stated_at desc, v.id desc limit 1
) v
left join model_cards c on c.id = v.card
left join log_pending p on p.id = c.pending
where {model}
"""  # noqa: S608  # made of constants
    columns = f"""
    d.id, d.name, d.organisation, a.name as organisation_name, d.listed, d.rows, d.kept, d.counts::text as counts,
    d.about::text as about, d.decided_at, d.pending, e.index, {_NUMBER} as version
"""
    tables = """
from datasets d join accounts a on a.id = d.organisation left join log_entries e on e.pending = d.pending
"""
    rows = f"select {columns} {tables} where {dataset}"
    return Seen(
        # by models (stated_at, id), model_versions unique (model, version)
        models=orders(
            shown
            + """
    and ($2::text is null or strpos(lower(m.name), lower($2)) > 0 or strpos(lower(a.name), lower($2)) > 0)
    and ($3::uuid is null or m.organisation = $3) and ($4::text is null or v.status = $4)
""",
            stated=(Key("m.stated_at", "stated_at", datetime), Key("m.id", "id", UUID)),
            name=(Key('m.name collate "C"', "name", str), Key("m.id", "id", UUID)),
        ),
        model=shown + " and m.id = $2",
        versions=orders(
            f"""
select v.id, m.id as model, m.name, v.version, v.status, v.listed, v.stated_at, c.id as card, p.envelope, e.index,
    (select count(*) from model_cards k where k.model_version = v.id) as cards, t.runs, t.granted, t.datasets
from models m
join model_versions v on v.model = m.id
left join model_cards c on c.id = v.card
left join log_pending p on p.id = c.pending
left join log_entries e on e.pending = c.pending
cross join lateral (
    select count(*) as runs, count(*) filter (where r.id is null) as granted, count(distinct d.id) as datasets
    from {_RUNS} r left join datasets d on d.id = r.dataset and d.organisation = m.organisation
) t
where m.id = $2 and {model} and {version} and ($3::text is null or v.version = $3)
""",  # noqa: S608  # made of constants
            stated=(Key("v.stated_at", "stated_at", datetime), Key("v.id", "id", UUID)),
        ),
        # What a visible version was trained on is visible.
        trained_on=f"""
select v.id as of, t.runs, t.outside, d.id, d.name, d.rows, d.kept, d.counts::text as counts,
    d.about ->> 'unknown_policy' as policy, {_NUMBER} as version
from models m join model_versions v on v.model = m.id
cross join lateral (
    select r.dataset, count(*) as runs, count(*) filter (where {_OUTSIDE}) as outside, max(r.pending) as last
    from {_RUNS} r join datasets x on x.id = r.dataset and x.organisation = m.organisation
    group by r.dataset order by last desc limit $3
) t
join datasets d on d.id = t.dataset
where v.id = any($2::uuid[]) and {model} and {version}
order by v.id, t.last desc
""",  # noqa: S608  # made of constants
        runs=orders(
            f"""
select r.id, r.name, r.organisation, a.name as organisation_name, m.id as model, m.name as model_name, r.version,
    r.dataset, d.name as dataset_name, {_NUMBER} as dataset_version, r.manifest, r.issued_at, e.index, p.envelope,
    {_OUTSIDE} as outside
from runs r
join models m on m.organisation = r.organisation and m.name = r.model
join model_versions v on v.model = m.id and v.version = r.version
join accounts a on a.id = r.organisation
join datasets d on d.id = r.dataset
join log_pending p on p.id = r.pending
left join log_entries e on e.pending = r.pending
where {run} and ($2::uuid is null or m.id = $2) and ($3::text is null or r.version = $3)
    and ($4::uuid is null or r.dataset = $4)
""",  # noqa: S608  # made of constants
            accepted=(Key("r.id", "id", UUID),),
        ),
        # by datasets primary key
        datasets=orders(
            rows
            + """
    and ($2::text is null or strpos(lower(d.name), lower($2)) > 0 or strpos(lower(a.name), lower($2)) > 0)
    and ($3::uuid is null or d.organisation = $3) and ($4::text is null or d.name = $4)
""",
            made=(Key("d.id", "id", UUID),),
            decided=(Key("d.decided_at", "decided_at", datetime), Key("d.id", "id", UUID)),
            name=(Key('d.name collate "C"', "name", str), Key("d.id", "id", UUID)),
        ),
        dataset=f"""
select {columns}, d.terms::text as terms, d.payload_digest, p.envelope
{tables} join log_pending p on p.id = d.pending
where {dataset} and d.id = $2
""",
        other=rows + " and d.id = $2 and d.organisation = $3",
        before=rows + " and d.organisation = $3 and d.name = $4 and d.pending < $2 order by d.pending desc limit 1",
        models_of=f"""
select m.id, m.name, m.organisation, a.name as organisation_name, v.version, v.status, count(*) as runs,
    count(*) over () as total
from (
    select organisation, model, version, pending from runs where dataset = $2
    union all
    select l.organisation, l.model, l.version, max(l.pending)
    from datasets d join licences l on l.organisation = d.organisation and l.dataset = d.id
    where d.id = $2 and {_CAME}
    group by l.organisation, l.model, l.version, l.run
) r
join models m on m.organisation = r.organisation and m.name = r.model
join model_versions v on v.model = m.id and v.version = r.version
join accounts a on a.id = m.organisation
where {run}
group by m.id, a.id, v.id
order by max(r.pending) desc limit $3
""",  # noqa: S608  # made of constants
    )


PUBLIC: Final = _seen(
    version="v.listed",
    model="$1::uuid is null and exists (select from model_versions v where v.model = m.id and v.listed)",
    dataset=f"$1::uuid is null and (d.listed or {TRAINED})",
    run="$1::uuid is null and v.listed",
)
OWN: Final = _seen(
    version="true", model="m.organisation = $1", dataset="d.organisation = $1", run="r.organisation = $1"
)

# Open duties of versions or of a dataset that the reader has been shown, those due first: by revoked licences that were
# taken for it, or that runs of it name; $2 at most of each.
# by licences (organisation, id), duties (licence), run_licences (licence), log_entries unique (pending)
_DUTIES: Final = f"""
select {{of}} as of, t.effect, t.works, t.due_at, t.due_at <= now() as overdue
from {{tables}} cross join lateral (
    select d.effect, d.works, {OVER} as due_at
    from licences l join duties d on d.licence = l.id join log_entries e on e.pending = d.pending
    where l.organisation = {{owner}} and ({{taken}} or exists (
        select from run_licences k join runs r on r.id = k.run where k.licence = l.id and {{used}}
    )) and not exists (select from duties_done n where n.duty = d.id)
    order by due_at, d.id limit $2
) t order by t.due_at
"""  # noqa: S608  # made of constants
DUTIES_OF_VERSIONS: Final = _DUTIES.format(
    of="v.id",
    tables="(select * from model_versions where id = any($1::uuid[])) v join models m on m.id = v.model",
    owner="m.organisation",
    taken="(l.model = m.name and (l.model_key = m.name or l.version = v.version))",
    used="(r.model = m.name and r.version = v.version)",
)
DUTIES_OF_DATASET: Final = _DUTIES.format(
    of="s.id",
    tables="(select * from datasets where id = $1) s",
    owner="s.organisation",
    taken="l.dataset = s.id",
    used="r.dataset = s.id",
)

# by model_cards unique (payload_digest), model_versions primary key
CARD: Final = "select id, pending from model_cards where payload_digest = $1"
STANDING: Final = "select status, listed, card from model_versions where id = $1"
ADD_CARD: Final = """
insert into model_cards (id, model_version, pending, payload_digest, status, listed, base, issued_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
SET_CARD: Final = "update model_versions set card = $2, status = $3, listed = $4 where id = $1"
# A base that the caller may name: listed, or the caller's own. by models unique (organisation, name)
BASE: Final = """
select v.id from models m join model_versions v on v.model = m.id
where m.organisation = $1 and m.name = $2 and v.version = $3 and (v.listed or m.organisation = $4)
"""
# Whether $2 comes, by the cards that count, from $1. by model_versions, model_cards primary keys
COMES_FROM: Final = """
with recursive made_from (version) as (
    select $2::uuid
    union
    select c.base from made_from f join model_versions v on v.id = f.version join model_cards c on c.id = v.card
    where c.base is not null
)
select exists (select from made_from where version = $1)
"""
# The models that bases of cards are, if they are listed. by models unique (organisation, name)
BASES: Final = """
select m.id, m.organisation, m.name, v.version
from unnest($1::uuid[], $2::text[], $3::text[]) as wanted (organisation, name, version)
join models m on m.organisation = wanted.organisation and m.name = wanted.name
join model_versions v on v.model = m.id and v.version = wanted.version
where v.listed or m.organisation = $4
"""

# A statement that the register shows. by primary keys of datasets, runs, model_cards, model_versions
STATEMENT: Final = f"""
select p.id as pending, p.kind from datasets d join log_pending p on p.id = d.pending
where d.id = $1 and p.kind = $2 and (d.listed or {TRAINED})
union all
select p.id, p.kind from runs r join log_pending p on p.id = r.pending
join models m on m.organisation = r.organisation and m.name = r.model
join model_versions v on v.model = m.id and v.version = r.version
where r.id = $1 and p.kind = $2 and v.listed
union all
select p.id, p.kind from model_cards c join log_pending p on p.id = c.pending
join model_versions v on v.id = c.model_version
where c.id = $1 and p.kind = $2 and v.listed
"""  # noqa: S608  # made of constants

# The whole of it, read through once.
VERSIONS_DERIVED: Final = """
select v.version, m.name, v.status
from model_versions v join models m on m.id = v.model
left join lateral (
    select c.id, c.status, c.listed from model_cards c where c.model_version = v.id order by c.pending desc limit 1
) c on true
where (v.card, v.status, v.listed)
    is distinct from (c.id, coalesce(c.status, 'undescribed'), coalesce(c.listed, true))
"""
RUNS_UNNAMED: Final = """
select r.id from runs r
where not exists (
    select from models m join model_versions v on v.model = m.id
    where m.organisation = r.organisation and m.name = r.model and v.version = r.version
)
"""
CARDS: Final = """
select c.id, c.status, c.listed, c.payload_digest, m.name, v.version, p.envelope, b.version as base_version,
    x.name as base_model
from model_cards c join model_versions v on v.id = c.model_version join models m on m.id = v.model
join log_pending p on p.id = c.pending
left join model_versions b on b.id = c.base left join models x on x.id = b.model
where p.envelope is not null
"""
DATASETS: Final = """
select d.id, d.organisation, d.listed, d.about::text as about, d.terms::text as terms, p.envelope
from datasets d join log_pending p on p.id = d.pending
where p.envelope is not null and d.about is not null
"""
