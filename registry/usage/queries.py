"""All SQL of usage, one constant a statement, with the index it relies on."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from registry.http.paging import Key, orders
from registry.licensing.queries import OVER

# By datasets primary key, unique (payload_digest)
ADD_DATASET: Final = """
insert into datasets (
    id, organisation, name, pending, payload_digest, rows, kept, counts, decided_at, accepted_at, listed, about, terms
) values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11, $12::jsonb, $13::jsonb)
"""
OWN_DATASET: Final = "select pending, payload_digest from datasets where id = $1 and organisation = $2"
DATASET_TAKEN: Final = "select exists (select from datasets where id = $1)"
# By licences primary key, licence_works primary key
TERMS: Final = """
select w.model, count(distinct w.work) as works
from licences l join licence_works w on w.licence = l.id
where l.id = any($2::uuid[]) and l.organisation = $1 group by w.model order by w.model
"""
# By datasets (organisation, id), datasets (organisation, name, pending); log_entries unique (pending)
DATASETS: Final = orders(
    """
select d.id, d.name, d.rows, d.kept, d.counts::text as counts, d.decided_at, e.index,
    (
        select count(*) from datasets v
        where v.organisation = d.organisation and v.name = d.name and v.pending <= d.pending
    ) as version
from datasets d left join log_entries e on e.pending = d.pending
where d.organisation = $1 and ($2::text is null or strpos(d.name, $2) > 0) and ($3::text is null or d.name = $3)
""",
    made=(Key("d.id", "id", UUID),),
    # An organisation has few datasets: these two orders read all of them.
    decided=(Key("d.decided_at", "decided_at", datetime), Key("d.id", "id", UUID)),
    name=(Key('d.name collate "C"', "name", str), Key("d.id", "id", UUID)),
)

# By runs unique (organisation, model, version, name, manifest)
OWN_RUN: Final = """
select id, pending from runs
where organisation = $1 and model = $2 and version = $3 and name = $4 and manifest = $5
"""
ADD_RUN: Final = """
insert into runs (
    id, organisation, model, version, name, dataset, manifest, pending, payload_digest, issued_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
# By runs (organisation, id); log_entries unique (pending)
RUNS: Final = orders(
    """
select r.id, r.name, r.model, r.version, r.dataset, r.issued_at, e.index
from runs r left join log_entries e on e.pending = r.pending
where r.organisation = $1 and ($2::text is null or r.model = $2) and ($3::text is null or r.version = $3)
    and ($4::uuid is null or r.dataset = $4)
    and ($5::text is null or strpos(r.name, $5) > 0 or strpos(r.model, $5) > 0)
""",
    accepted=(Key("r.id", "id", UUID),),
)

# By models unique (organisation, name), model_versions unique (model, version)
MODEL: Final = "select id from models where organisation = $1 and name = $2"
ADD_MODEL: Final = "insert into models (id, organisation, name, stated_at) values ($1, $2, $3, $4)"
MODEL_VERSION: Final = "select id from model_versions where model = $1 and version = $2"
ADD_MODEL_VERSION: Final = "insert into model_versions (id, model, version, stated_at) values ($1, $2, $3, $4)"

# By snapshots unique (digest)
SNAPSHOT: Final = "select expires_at from snapshots where digest = $1"
# By duties (licence), duty_works (duty), log_entries unique (pending)
REVOKED: Final = f"""
select x.licence, x.work, d.effect, {OVER} as over_at
from duties d left join log_entries e on e.pending = d.pending join duty_works x on x.duty = d.id
where d.licence = any($2::uuid[]) and d.organisation = $1
"""  # noqa: S608  # made of constants
# What runs of one name said of a licence: a reason only where each of them is outside of it.
# By run_licences (licence), runs primary key, log_entries unique (pending)
RUNS_UNDER: Final = """
select k.licence, r.name, case when bool_and(k.outside is not null) then min(k.outside) end as outside,
    min(e.at) filter (where k.outside is null) as began
from run_licences k join runs r on r.id = k.run left join log_entries e on e.pending = r.pending
where k.licence = any($2::uuid[]) and r.organisation = $1 and r.name = any($3::text[]) group by k.licence, r.name
"""
# By licences primary key
FIRST_RUNS: Final = "select id, run from licences where id = any($2::uuid[]) and organisation = $1"
# By datasets, log_pending primary keys
DECLARED: Final = """
select d.about, case when d.about -> 'use' is null then p.envelope end as envelope
from datasets d join log_pending p on p.id = d.pending where d.id = $1
"""
# ``revoked``: all works of the licence, and every notice over by $3.
# By licences, duty_works, duties, log_pending primary keys, log_entries unique (pending)
NAMED: Final = f"""
select l.id, p.envelope, l.works = (
    select count(*) from duty_works x join duties d on d.id = x.duty left join log_entries e on e.pending = d.pending
    where x.licence = l.id and {OVER} <= $3
) as revoked
from licences l join log_pending p on p.id = l.pending
where l.id = any($1::uuid[]) and l.organisation = $2 order by l.id
"""  # noqa: S608
RUN_LICENCES: Final = ("run", "licence", "outside")
# By run_licences primary key
OUTSIDE: Final = """
select run, licence, outside from run_licences where run = any($1::uuid[]) and outside is not null order by run, licence
"""
# By licences primary key
OWN_LICENCES: Final = "select id from licences where id = any($1::uuid[]) and organisation = $2"

# By usage_batches primary key
BATCH: Final = """
select organisation, pending, payload_digest, new, known, memorandum from usage_batches where id = $1
"""
ADD_BATCH: Final = """
insert into usage_batches (
    id, organisation, dataset, pending, payload_digest, secret, count, new, known, memorandum, totals,
    first_at, last_at, accepted_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13, $14)
"""
# By usage_batches (organisation, id); log_entries unique (pending)
BATCHES: Final = orders(
    """
select b.id, b.dataset, b.count, b.new, b.known, b.memorandum, b.totals::text as totals, b.accepted_at, e.index
from usage_batches b left join log_entries e on e.pending = b.pending
where b.organisation = $1 and ($2::uuid is null or b.dataset = $2)
""",
    made=(Key("b.id", "id", UUID),),
)
REPEATS: Final = ("batch", "event", "quantity", "at", "match")

# By usage_events primary key, one id after the other: for tens of thousands at once the planner would read every event
# that was ever reported, and what a batch costs would grow with them. ``limit`` keeps it from that.
KNOWN: Final = """
select k.id from unnest($1::bytea[]) as k (id)
cross join lateral (select from usage_events v where v.id = k.id limit 1) v
"""

# What is corrected, and what was said of it last.
# By usage_events primary key, usage_events (corrects, seq)
CORRECTED: Final = """
select v.id, v.organisation, v.licence, v.statement, v.work, v.atom, v.run, v.unit, v.seq, v.quantity, v.at, v.match,
    v.batch, v.escrow, v.corrects, v.was, coalesce(c.seq, 0) as number, coalesce(c.quantity, v.quantity) as last
from usage_events v left join lateral (
    select seq, quantity from usage_events where corrects = v.id order by seq desc limit 1
) c on true
where v.id = any($1::bytea[])
"""
# What charged events ($1) and their corrections, each by what its transfer's key is made of.
# By usage_events primary key, (corrects), accounts primary key
CHARGED: Final = """
select coalesce(u.corrects, u.id) as event, u.batch, u.artist, a.kind, u.split, u.currency, u.escrow, u.work
from usage_events u join accounts a on a.id = u.artist
where (u.id = any($1::bytea[]) or u.corrects = any($1::bytea[])) and u.amount <> 0
"""
# Whoever gives charges back or contests them takes the same locks first. By transfers unique (key)
LOCK_CHARGES: Final = "select id from transfers where key = any($1::text[]) order by id for update"
# Which of the charges were taken back, wait for a decision, or went back out of escrow, whole or for some works.
# By transfers unique (key), (reverses), contested_charges (transfer), escrow_ends and escrow_parts primary keys
GIVEN_BACK: Final = """
select t.key, null::uuid as work from transfers t where t.key = any($1::text[]) and (
    exists (select from transfers r where r.reverses = t.id)
    or exists (select from contested_charges c where c.transfer = t.id and c.outcome is null)
    or exists (select from escrow_ends x where x.transfer = t.id and x.outcome = 'returned')
) union all
select t.key, x.work from transfers t join escrow_parts x on x.transfer = t.id
where t.key = any($1::text[]) and x.outcome = 'returned'
"""
# By usage_events primary key
MADE: Final = "select id, quantity, was from usage_events where id = any($1::bytea[])"

# What the caller's licences say of the works that were used, and how those works stand today.
# By licences, licence_works, work_states, accounts primary keys
COVERED: Final = """
select w.licence, w.work, w.account, a.kind, w.statement, w.terms_hash, w.atom, w.model, w.currency, w.amount, w.match,
    w.escrow, w.agreed, l.atoms, l.run, l.fee_bps, l.issued_at, l.valid_until,
    a.level < 2 or coalesce(s.contested or s.challenged, false) as held_back
from unnest($2::uuid[], $3::uuid[]) as used (licence, work)
join licences l on l.id = used.licence and l.organisation = $1
join licence_works w on w.licence = used.licence and w.work = used.work
join accounts a on a.id = w.account
left join work_states s on s.work = w.work
"""
# The same for many at once: what is each work's own, and apart from it what is their licence's.
# What is allocated when months close owes nothing by the use (`licet.statements.owed.allocated`); it is counted by runs
# unless by outputs. By licences, licence_works, work_states, accounts primary keys
_ALLOCATED: Final = """
(w.agreed is not null and (w.model in ('subscription', 'pool', 'revenue-share')
    or num_nonnulls(w.agreed ->> 'minimum', w.agreed ->> 'cap', w.agreed ->> 'period') > 0))
"""
COVERED_PAIRS: Final = f"""
select used.place::int4, w.account, a.kind, w.atom,
    case when w.model in ('subscription', 'pool', 'revenue-share') then 'per-training-run' else w.model end as model,
    w.currency, case when {_ALLOCATED} then 0 else w.amount end as amount,
    a.level < 2 or coalesce(s.contested or s.challenged, false) as held_back
from unnest($2::uuid[], $3::uuid[]) with ordinality as used (licence, work, place)
join licences l on l.id = used.licence and l.organisation = $1
join licence_works w on w.licence = used.licence and w.work = used.work
join accounts a on a.id = w.account
left join work_states s on s.work = w.work
"""  # noqa: S608  # made of constants
# By licences primary key
HELD: Final = """
select id, atoms, run, fee_bps, issued_at, valid_until from licences where id = any($2::uuid[]) and organisation = $1
"""
# What waits is not in force: nobody may use a work by terms that are held back from it, nor by a co-owner's alone.
# By statement_works, statements, works, terms, work_states primary keys
STATED: Final = """
select used.statement, used.work, t.encoded
from unnest($1::uuid[], $2::uuid[]) as used (statement, work)
join statement_works c on c.statement = used.statement and c.work = used.work
join statements s on s.id = used.statement
join works o on o.id = used.work and o.account = s.account
join terms t on t.hash = s.terms
where not exists (select from work_states w where w.work = used.work and w.waiting = used.statement)
"""
# By works, accounts primary keys
OWNERS: Final = """
select w.id, w.account, a.kind from works w join accounts a on a.id = w.account where w.id = any($1::uuid[])
"""

# The whole of it, read through once.
ALL_BATCHES: Final = """
select b.id, b.secret, b.count, b.new, b.known, b.memorandum, p.envelope
from usage_batches b join log_pending p on p.id = b.pending order by b.id
"""
# By usage_events (corrects, seq), usage_events primary key
WRONG_CORRECTIONS: Final = """
select c.id from usage_events c left join usage_events v on v.id = c.corrects
left join usage_events p on p.corrects = c.corrects and p.seq = c.seq - 1
where c.corrects is not null and (
    v.id is null or v.corrects is not null
    or c.was is distinct from case when c.seq = 1 then v.quantity else p.quantity end
    or (c.organisation, c.work, c.atom, c.run, c.unit, c.at, c.match)
        is distinct from (v.organisation, v.work, v.atom, v.run, v.unit, v.at, v.match)
    or c.licence is distinct from v.licence or c.statement is distinct from v.statement
)
order by c.id
"""
# By usage_events (batch, artist); usage_repeats primary key, usage_events primary key
EVENTS_OF_BATCH: Final = """
select id, licence, statement, work, atom, run, unit, seq, quantity, at, match, amount, memorandum, corrects, was,
    false as repeated
from usage_events where batch = $1
union all
select v.id, v.licence, v.statement, v.work, v.atom, v.run, v.unit, v.seq, r.quantity, r.at, r.match, v.amount,
    v.memorandum, v.corrects, v.was, true
from usage_repeats r join usage_events v on v.id = r.event where r.batch = $1
order by id
"""
# What closes could not charge the caller's agreements for, which it will owe.
# By allocations_left_out (period, licence) where posted is null, licences primary key
NOT_COMPUTED: Final = """
select x.licence, x.period, x.since from allocations_left_out x join licences l on l.id = x.licence
where x.posted is null and l.organisation = $1 order by x.period, x.licence limit 500
"""
