"""All SQL of the transparency log, one constant a statement, with the index it relies on."""

from __future__ import annotations

from typing import Final

PENDING_CHANNEL: Final = "log_pending"
PUBLISHED_CHANNEL: Final = "log_published"
SEQUENCER_LOCK: Final = 0x6C69_6365_7402  # advisory: at most one sequencer works (liveness; the row lock is safety)
KEYS_LOCK: Final = 0x6C69_6365_7403  # advisory: one process registers the registry's keys

# The queue row travels in the submitter's transaction: it exists exactly if the statement does.
SUBMIT: Final = """
with submitted as (
    insert into log_pending (kind, subject, account, envelope, salt) values ($1, $2, $3, $4, $5) returning id
), queued as (
    insert into log_queue (pending) select id from submitted
)
select id from submitted
"""
RING: Final = "select pg_notify('log_pending', $1::text)"  # ids of requests, separated by spaces

# by log_queue primary key, then log_pending primary key: in one statement the planner may walk all that was ever logged
WAITING_FIRST: Final = "select pending from log_queue order by pending limit $1"
TAKE: Final = """
select id, kind, salt, sha256(envelope) as digest from log_pending where id = any($1::bigint[]) order by id
"""
TAKEN: Final = "delete from log_queue where pending = any($1::bigint[])"
WAITING: Final = """
select count(*) as waiting, extract(epoch from now() - min(p.submitted_at))::float8 as oldest
from log_queue q join log_pending p on p.id = q.pending
"""

HEAD: Final = "select size, root, frontier, checkpoint, at, published_size, published_checkpoint from log_head"
DURABLE: Final = "set synchronous_commit = on"  # whatever the server's own setting is: what is signed is kept
IS_COPY: Final = "select exists (select from log_restored)"
ENTRY_AT: Final = "select at from log_entries where index = $1"  # by log_entries primary key
PUBLISHED_SIZE: Final = "select published_size from log_head"
LOCK_HEAD: Final = HEAD + " for update"
ADVANCE: Final = "update log_head set size = $1, root = $2, frontier = $3, checkpoint = $4, at = $5"
PUBLISH: Final = """
with published as (
    update log_head set published_size = $1, published_checkpoint = $2 where published_size <= $1 returning 1
)
select pg_notify('log_published', $1::text) from published
"""

# by log_tiles primary key
TILES: Final = """
select t.level, t.tile, t.hashes
from unnest($1::bigint[], $2::bigint[]) as wanted (level, tile) join log_tiles t using (level, tile)
"""
PUT_TILES: Final = """
insert into log_tiles (level, tile, width, hashes)
select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])
on conflict (level, tile) do update set width = excluded.width, hashes = excluded.hashes
"""

# by log_entries primary key
ENTRIES: Final = "select entry from log_entries where index >= $1 and index < $2 order by index"

# by log_pending primary key; log_entries unique (pending)
EVIDENCE: Final = """
select p.id, p.kind, p.subject, p.envelope, p.salt, e.index, e.entry, e.at, h.published_size, h.published_checkpoint
from log_pending p join log_entries e on e.pending = p.id cross join log_head h
where p.id = any($1::bigint[]) and e.index < h.published_size
"""
INDICES: Final = "select pending, index from log_entries where pending = any($1::bigint[])"

# by log_pending (subject, id)
SUBJECT: Final = "select id, kind, account from log_pending where subject = $1 order by id limit 1"
REGISTRY_KEYS: Final = """
select p.id, p.kind, p.envelope, e.index
from log_pending p left join log_entries e on e.pending = p.id
where p.subject = $1 and p.kind in ('registry-key', 'registry-key-revoke') order by p.id
"""
NEWEST_ABOUT: Final = "select coalesce(max(id), 0) from log_pending where subject = $1"
HOLD_KEYS: Final = "select pg_advisory_xact_lock_shared($1)"
ANY_STATEMENT: Final = "select exists (select from log_pending)"
