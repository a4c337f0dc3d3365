"""The SQL of `registry.auditing.verification`: whole tables read through once."""

from __future__ import annotations

from typing import Final

HEAD: Final = "select size, root, frontier, checkpoint, published_size from log_head"
ENTRIES: Final = """
select e.index, e.entry, e.leaf_hash, p.kind, p.envelope, p.salt
from log_entries e join log_pending p on p.id = e.pending order by e.index
"""
TILES: Final = "select level, tile, hashes from log_tiles order by level, tile"

LEVELS: Final = """
select a.id, a.level, coalesce(max(l.level), 0) as claimed
from accounts a left join account_levels l on l.account = a.id
group by a.id, a.level having a.level <> coalesce(max(l.level), 0)
"""
GENESES: Final = """
select distinct on (a.id) a.id, a.genesis, p.envelope
from accounts a join account_keys k on k.account = a.id join log_pending p on p.id = k.pending
where a.genesis is not null and p.envelope is not null order by a.id, k.pending
"""
WORKS: Final = """
select w.id, w.account, a.kind, w.mode, w.sha256, w.pixels, w.pdq, w.quality, w.urls, w.digest
from works w join accounts a on a.id = w.account
"""

TERMS: Final = "select hash, encoded from terms"
CONSENTS: Final = """
select s.id, s.payload_digest, s.terms, s.effect, s.seq, p.envelope
from statements s join log_pending p on p.id = s.pending where s.kind = 'consent' and p.envelope is not null
"""
# Each combination once: effective terms are the strictest of own and catalogue.
EFFECTIVE: Final = "select own, catalogue, terms, count(*) as works from work_states group by own, catalogue, terms"
# A work's own terms are those of a consent over it. The newest consent over it that states them is where they are from.
_SPOKEN: Final = """
select s.work, s.own, max(c.pending) as since
from work_states s
left join (statement_works k join statements c on c.id = k.statement and c.kind = 'consent')
    on k.work = s.work and c.terms = s.own
where s.own is not null and not s.withdrawn
group by s.work, s.own
"""
UNSTATED: Final = f"select work, own from ({_SPOKEN}) spoken where since is null limit 100"  # noqa: S608
# Consents over the work that came after where its terms are from: only what loosens may be without effect.
LATER: Final = f"""
select c.id as statement, spoken.own, c.terms, count(*) as works
from ({_SPOKEN}) spoken
join statement_works k on k.work = spoken.work
join statements c on c.id = k.statement and c.kind = 'consent' and c.pending > spoken.since
group by c.id, spoken.own, c.terms
"""  # noqa: S608
# While something waits on a work, its catalogue terms may be ahead of the account's.
OTHER_CATALOGUE: Final = """
select s.work from work_states s left join catalogues c on c.account = s.account
where not s.withdrawn and s.waiting is null and c.waiting is null and s.catalogue is distinct from c.terms limit 100
"""
WITHDRAWALS: Final = """
select w.id as work from works w join work_states s on s.work = w.id
where s.withdrawn <> (w.withdrawn_at is not null) limit 100
"""
NEWEST_VERSION: Final = """
select v.version, coalesce((select max(version) from work_states), 0) as changed from consent_version v
"""
