"""All SQL of snapshots, one constant a statement, with the index it relies on."""

from __future__ import annotations

from typing import Final

PUBLISHER_LOCK: Final = 0x6C69_6365_7460  # advisory: one process publishes

# Millions of states are read in one transaction, and sorted or joined before the first of them comes.
PATIENT: Final = "set local idle_in_transaction_session_timeout = 0; set local statement_timeout = 0"

# by snapshots primary key
LAST: Final = """
select sequence, consent_version, pending, digest, envelope, issued_at, expires_at from snapshots
order by sequence desc limit 1
"""
# by snapshots primary key, log_entries unique (pending): one that is not in the published log is nobody's business yet
PUBLISHED: Final = """
select s.sequence, s.pending, s.envelope, s.digest, s.consent_version from snapshots s
join log_entries e on e.pending = s.pending
where e.index < (select published_size from log_head)
order by s.sequence desc limit 1
"""
# by snapshots primary key, log_entries unique (pending), snapshot_segments primary key
SEGMENTS_OF_PUBLISHED: Final = """
select g.digest from snapshot_segments g where g.tier = 'exact' and g.sequence = (
    select s.sequence from snapshots s join log_entries e on e.pending = s.pending
    where e.index < (select published_size from log_head)
    order by s.sequence desc limit 1
)
"""
NEAR: Final = "select distinct digest from snapshot_segments where tier = 'near'"
VERSION: Final = "select version from consent_version"
# by log_entries primary key: the first entry from an index on that decides anything
UNCOVERED: Final = """
select e.at from log_entries e join log_pending p on p.id = e.pending
where e.index >= $1 and p.kind = any($2::text[]) order by e.index limit 1
"""
# by log_pending primary key: readers may have seen a snapshot after the last one that is kept, if it was lost
LOST: Final = """
select count(*) from log_pending where id > $1 and kind = 'snapshot' and envelope is null
"""
KEEP: Final = """
insert into snapshots (sequence, consent_version, pending, envelope, digest, issued_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
KEEP_SEGMENTS: Final = """
insert into snapshot_segments (sequence, digest, tier, size)
select $1, * from unnest($2::bytea[], $3::text[], $4::bigint[])
"""
# by snapshot_segments (digest)
SEGMENT: Final = "select tier, size from snapshot_segments where digest = $1 limit 1"

# by snapshots primary key, snapshot_segments primary key
FORGET: Final = """
delete from snapshot_segments g using snapshots s
where s.sequence = g.sequence and s.issued_at < $2
    and g.sequence not in (select sequence from snapshots order by sequence desc limit $1)
"""
NEEDED: Final = "select distinct digest from snapshot_segments"

# by removed_works (version), work_states primary key: works that left without a deny, and nobody spoke of since
REMOVED: Final = """
select r.work from removed_works r left join work_states s on s.work = r.work
where r.version > $1 and s.work is null order by r.work
"""
# by erasures (at) where not compacted
UNCOMPACTED: Final = "select exists (select from erasures where not compacted and at < $1)"
COMPACTED: Final = "update erasures set compacted = true where not compacted and version <= $1"

# One row, whatever changed: the version to compare with, the log that may be spoken of, the newest base to read from.
NOW: Final = """
select v.version, h.published_size,
    (
        select s.sequence from snapshots s join log_entries e on e.pending = s.pending
        where e.index < h.published_size order by s.sequence desc limit 1
    ) as sequence, (select coalesce(max(version), 0) from removed_works) as removed
from consent_version v cross join log_head h
"""
