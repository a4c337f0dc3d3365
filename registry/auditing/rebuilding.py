"""The SQL of `registry.auditing.verification`: whole tables read through once."""

from __future__ import annotations

from typing import Final

from registry.consent.queries.conflicting import IN_DISPUTE

HEAD: Final = "select size, root, frontier, checkpoint, published_size from log_head"
ENTRIES: Final = """
select e.index, e.entry, e.leaf_hash, p.kind, p.envelope, p.salt
from log_entries e join log_pending p on p.id = e.pending order by e.index
"""
# by log_tiles primary key: those that are finished, as the tree grows past them, then those at its right edge
TILES: Final = """
select l.level, l.tile, l.hashes from unnest($1::int[], $2::bigint[]) as w (level, tile)
join log_tiles l on l.level = w.level and l.tile = w.tile
"""
TILES_KEPT: Final = "select count(*) from log_tiles"

# The newest statement says the level, and it is that of the best ground; what an account proves by itself goes with it
# when it is erased, its level stays.
LEVELS: Final = """
with newest as (
    select distinct on (account) account, level from account_levels order by account, pending desc
), domains as (
    select distinct on (account) account, coalesce(backed, level) as backed from account_levels
    where basis = 'domain' order by account, pending desc
), grounds as (
    select a.id, a.level, coalesce(n.level, 0) as stated, greatest(
        coalesce(d.backed, 0),
        coalesce((
            select max(coalesce(l.backed, l.level)) from account_levels l
            where l.account = a.id and l.basis = 'attested'
        ), 0)
    ) as claimed,
    coalesce(d.backed, 0) as backed,
    case when exists (select from domain_claims c where c.account = a.id and c.state = 'proven') then 2 else 0 end
        as proven,
    a.erased_at is not null as erased
    from accounts a left join newest n on n.account = a.id left join domains d on d.account = a.id
)
select id, level, claimed, stated, backed, proven from grounds
where (level, level) <> (claimed, stated) or not erased and backed <> proven
"""
GENESES: Final = """
select distinct on (a.id) a.id, a.genesis, p.envelope
from accounts a join account_keys k on k.account = a.id join log_pending p on p.id = k.pending
where a.genesis is not null and p.envelope is not null order by a.id, k.pending
"""
WORKS: Final = """
select w.id, w.account, a.kind, w.mode, w.sha256, w.pixels, w.pdq, w.quality, w.urls, w.site, w.iscc, w.files,
    w.digest
from works w join accounts a on a.id = w.account
where w.url_keys is null and not (w.sha256 is null and w.site is null and cardinality(w.urls) = 0)
"""

TERMS: Final = "select hash, encoded from terms"
CONSENTS: Final = """
select s.id, s.payload_digest, s.terms, s.effect, s.seq, p.envelope
from statements s join log_pending p on p.id = s.pending where s.kind = 'consent' and p.envelope is not null
"""
# Each combination once: effective terms are the strictest of own, catalogue and what co-owners say.
EFFECTIVE: Final = """
select s.own, s.catalogue, s.shared, s.terms,
    case when s.withdrawn then array_remove(array[s.shared], null) else said.owners end as owners, count(*) as works
from work_states s left join lateral (
    select array_agg(distinct o.terms) as owners from co_owner_states o where o.work = s.work and not o.ended
) said on s.co_owned
group by 1, 2, 3, 4, 5
"""
# The same of each co-owner, for itself.
OF_OWNERS: Final = """
select own, catalogue, terms, count(*) as works from co_owner_states group by own, catalogue, terms
"""
# Who has spoken of a work of others counts among its owners, and nobody but the co-owners by the split in force: one
# who left a split stays until its hold is over. A work is marked as one that co-owners have spoken of.
STRANGERS: Final = """
select o.work, o.account from co_owner_states o join works w on w.id = o.work left join work_states s on s.work = o.work
left join lateral (
    select k.split from split_works k where k.work = o.work and k.since is not null order by k.since desc limit 1
) f on true
left join split_parties p on p.split = f.split and p.account = o.account and p.bps > 0
where w.withdrawn_at is null and (
    o.account = w.account or s.work is null or not s.co_owned
    or (p.account is not null) <> (o.ends is null and not o.ended)
)
"""
# A co-owner's terms of a work are those of a consent of its own over it, or of the registry's deny in its place.
_OWNER_SPOKEN: Final = """
select o.work, o.account, o.own, max(c.pending) as since
from co_owner_states o
left join (statement_works k join statements c on c.id = k.statement and c.kind in ('consent', 'erase'))
    on k.work = o.work and c.account = o.account and (c.terms = o.own or c.kind = 'erase')
where o.own is not null
group by o.work, o.account, o.own
"""
OWNER_UNSTATED: Final = f"select work, account, own from ({_OWNER_SPOKEN}) spoken where since is null"  # noqa: S608
OWNER_LATER: Final = f"""
select c.id as statement, spoken.own, c.terms, count(*) as works
from ({_OWNER_SPOKEN}) spoken
join statement_works k on k.work = spoken.work
join statements c on c.id = k.statement and c.kind = 'consent' and c.account = spoken.account
    and c.pending > spoken.since
group by c.id, spoken.own, c.terms
"""  # noqa: S608
# Of co-owners as it is below of the account: what a catalogue says is passed over only where it loosens.
OWNER_CATALOGUE: Final = """
select c.statement, o.catalogue, c.terms, count(*) as works
from co_owner_states o join catalogues c on c.account = o.account
where o.ends is null and not o.ended and o.waiting is null and o.catalogue is distinct from c.terms
group by c.statement, o.catalogue, c.terms
"""
# A work's own terms are those of a consent over it. The newest consent over it that states them is where they are from.
_SPOKEN: Final = """
select s.work, s.account, s.own, max(c.pending) as since
from work_states s
left join (statement_works k join statements c on c.id = k.statement and c.kind = 'consent')
    on k.work = s.work and c.account = s.account and c.terms = s.own
where s.own is not null and not s.withdrawn
group by s.work, s.account, s.own
"""
UNSTATED: Final = f"select work, own from ({_SPOKEN}) spoken where since is null"  # noqa: S608
# Consents over the work that came after where its terms are from: only what loosens may be without effect.
LATER: Final = f"""
select c.id as statement, spoken.own, c.terms, count(*) as works
from ({_SPOKEN}) spoken
join statement_works k on k.work = spoken.work
join statements c on c.id = k.statement and c.kind = 'consent' and c.account = spoken.account
    and c.pending > spoken.since
group by c.id, spoken.own, c.terms
"""  # noqa: S608
# While something waits on a work, its catalogue terms may be ahead of the account's. They stay behind where a statement
# over the work came after the catalogue's, and so cancelled what waited on it.
_BEHIND: Final = """
select s.work, s.account, s.catalogue, c.statement, max(p.pending) as since
from work_states s left join catalogues c on c.account = s.account
left join statements p on p.account = s.account and p.scope = 'catalogue' and p.terms = s.catalogue
where not s.withdrawn and s.waiting is null and c.waiting is null and s.catalogue is distinct from c.terms
group by s.work, s.account, s.catalogue, c.statement
"""
OTHER_CATALOGUE: Final = f"""
select behind.work from ({_BEHIND}) behind left join statements c on c.id = behind.statement
where behind.since is null or c.pending is null or not exists (
    select from statement_works k join statements l on l.id = k.statement
    where k.work = behind.work and l.account = behind.account and l.pending > c.pending
)
"""  # noqa: S608
# Catalogue statements after the one that a work has its catalogue terms from: only what loosens may be without effect.
LATER_CATALOGUE: Final = f"""
select l.id as statement, behind.catalogue, l.terms, count(*) as works
from ({_BEHIND}) behind
join statements l on l.account = behind.account and l.scope = 'catalogue' and l.pending > behind.since
group by l.id, behind.catalogue, l.terms
"""  # noqa: S608
WITHDRAWALS: Final = """
select w.id as work from works w join work_states s on s.work = w.id
where s.withdrawn <> (w.withdrawn_at is not null)
"""
NEWEST_VERSION: Final = """
select v.version, coalesce((select max(version) from work_states), 0) as changed from consent_version v
"""

# -- what else is derived: registry.auditing.derived -------------------------------------------------------------------

PATIENT: Final = "set local idle_in_transaction_session_timeout = 0; set local statement_timeout = 0"
# A statement waits in the queue or has its place in the log, never both and never neither.
STRAY: Final = """
select p.id, q.pending is not null as queued, e.pending is not null as logged
from log_pending p left join log_queue q on q.pending = p.id left join log_entries e on e.pending = p.id
where (q.pending is null) = (e.pending is null)
"""
PUBLISHED_HEAD: Final = "select published_size, published_checkpoint from log_head"
ACCOUNT_KEYS: Final = """
select k.keyid, k.account, a.kind, k.public, k.class, p.envelope, p.kind as statement
from account_keys k join accounts a on a.id = k.account join log_pending p on p.id = k.pending
where p.envelope is not null
"""
OLD_WORDS: Final = "select count(*) from works where words <> $1"
WORDS: Final = """
select id, title, creator, external_id, tags, haystack, grams from works where words = $1
"""
# A match by file or pixels is one of equal digests, of any two of their files.
UNLIKE: Final = """
select m.work, m.other, m.key, m.distance from work_matches m
join works w on w.id = m.work join works o on o.id = m.other
where (w.account, o.account) <> (m.account, m.other_account)
    or m.key in ('file', 'pixels') and (
        m.distance <> 0 or not (w.sha256 || (w.pixels || w.file_keys)) && (o.sha256 || (o.pixels || o.file_keys))
    )
limit 100
"""
CONSENT_HEADS: Final = """
select h.account, h.seq, h.digest, coalesce(s.seq, 0) as last, s.payload_digest as stated
from consent_heads h left join lateral (
    select seq, payload_digest from statements where account = h.account and kind = 'consent' order by seq desc limit 1
) s on true
where (h.seq, h.digest) is distinct from (coalesce(s.seq, 0), s.payload_digest)
"""
# What a catalogue says is what the statement says that it is from, and no later one over the catalogue is passed over.
CATALOGUES: Final = """
select c.account, c.terms, s.terms as stated from catalogues c join statements s on s.id = c.statement
where s.account <> c.account or s.scope <> 'catalogue' or s.terms is null
"""
COVERED: Final = """
select s.id, s.works, count(k.work) as found from statements s left join statement_works k on k.statement = s.id
where s.scope = 'works' group by s.id, s.works having s.works <> count(k.work)
"""
# As registry.consent.queries.conflicting.SETTLE decides for some works, here for all of them.
UNSETTLED: Final = f"""
with pairs as (
    select m.work, m.other, w.withdrawn, b.level >= 2 and a.level < b.level as challenged
    from work_matches m
    join work_states w on w.work = m.work
    join work_states o on o.work = m.other and not o.withdrawn
    join accounts a on a.id = m.account
    join accounts b on b.id = m.other_account
    where m.claimed_at is not null
), lost as (
    select work from pairs where challenged union select work from work_matches where lapsed
    union
    select d.work from disputes d join pairs on d.work in (pairs.work, pairs.other)
    where d.outcome = 'upheld' and not (pairs.withdrawn and d.work = pairs.other)
), fought as (
    select work, other from pairs
    where not challenged and not withdrawn
        and work not in (select work from lost) and other not in (select work from lost)
), sides as (
    select work from fought union select other from fought
), now as (
    select s.work, s.challenged as was_challenged, s.contested as was_contested,
        l.work is not null or s.withdrawn and s.challenged as challenged,
        f.work is not null or s.withdrawn and s.contested or d.disputed or d.lost_to is not null as contested,
        s.disputed as was_disputed, s.lost_to as was_lost_to, d.disputed, d.lost_to
    from work_states s left join lost l on l.work = s.work left join sides f on f.work = s.work
    cross join lateral ({IN_DISPUTE}) d
)
select * from now where (was_challenged, was_contested, was_disputed, was_lost_to)
    is distinct from (challenged, contested, disputed, lost_to)
"""  # noqa: S608  # made of constants
# By the times of the log a challenge has lapsed or not; the loop that looks has a minute.
LAPSES: Final = """
select m.work, m.other, m.lapsed from work_matches m
join log_entries s on s.pending = m.challenged_by left join log_entries e on e.pending = m.ended_by
where m.lapsed <> (coalesce(e.at, now()) >= s.at + interval '14 days')
    and (m.lapsed or coalesce(e.at, now() - interval '1 minute') >= s.at + interval '14 days')
"""
# A challenge is open where levels say so, and nowhere else.
UNCHALLENGED: Final = """
select m.work, m.other from work_matches m
join work_states w on w.work = m.work join work_states o on o.work = m.other
join accounts a on a.id = m.account join accounts b on b.id = m.other_account
where m.claimed_at is not null and not m.lapsed
    and (not w.withdrawn and not o.withdrawn and b.level >= 2 and a.level < b.level)
        <> (m.challenged_by is not null and m.ended_by is null)
"""
SNAPSHOTS: Final = """
select sequence, consent_version, envelope, digest, issued_at, expires_at from snapshots order by sequence
"""
SEGMENTS_KEPT: Final = "select digest, tier, size from snapshot_segments where sequence = $1 order by digest"
LICENCES: Final = """
select l.id, l.payload_digest, l.use_key, l.model_key, l.atoms, l.model, l.version, l.run, l.fee_bps, l.quote,
    l.valid_until, p.envelope
from licences l join log_pending p on p.id = l.pending where p.envelope is not null
"""
DATASETS: Final = """
select d.id, d.name, d.rows, d.kept, d.counts, d.payload_digest, p.envelope
from datasets d join log_pending p on p.id = d.pending where p.envelope is not null
"""
RUNS: Final = """
select r.id, r.name, r.model, r.version, r.manifest, r.payload_digest, p.envelope
from runs r join log_pending p on p.id = r.pending where p.envelope is not null
"""
BATCHES: Final = """
select b.id, b.count, b.totals, b.payload_digest, p.envelope
from usage_batches b join log_pending p on p.id = b.pending where p.envelope is not null
"""
# How many rows other domains' `rebuild` reads.
EVENTS_COUNT: Final = "select count(*) from usage_events"
TRANSFERS_COUNT: Final = "select count(*) from transfers"
CARDS_COUNT: Final = "select (select count(*) from model_cards) + (select count(*) from datasets)"
