"""All SQL of restoring, one constant a statement, with the index it relies on."""

from __future__ import annotations

from typing import Final

RECOVERY_LOCK: Final = 0x6C69_6365_7471  # advisory: one process brings a database up to date
TRY_LOCK: Final = "select pg_try_advisory_lock($1)"
UNLOCK: Final = "select pg_advisory_unlock($1)"

KNOWS_ARCHIVE: Final = "select to_regclass('archive_mark') is not null"
HAS_SCHEMA: Final = "select to_regclass('log_head') is not null"
# A database that nobody has used: the registry's own keys are the first statements.
IS_NEW: Final = "select not exists (select from log_pending)"
SIZE: Final = "select size from log_head"

# The table of the migration `restored`, which a copy of an older schema does not reach before everything is in it.
MAKE_COPY: Final = """
create table if not exists log_restored (
    one boolean primary key default true check (one),
    at timestamptz not null default now()
);
comment on table log_restored is 'not archived: it is about this copy alone';
insert into log_restored default values on conflict do nothing
"""
KNOWS_COPIES: Final = "select to_regclass('log_restored') is not null"
REPLACES: Final = "delete from log_restored"

# by log_entries primary key
ENTRIES: Final = """
select e.index, e.entry, e.leaf_hash, e.at from log_entries e where e.index >= $1 order by e.index limit $2
"""
LET_OUT: Final = "update log_head set published_size = $1, published_checkpoint = $2 where published_size < $1"

# by log_entries unique (pending), log_queue primary key
LEAVE_QUEUE: Final = "delete from log_queue q using log_entries e where e.pending = q.pending"
JOIN_QUEUE: Final = """
insert into log_queue (pending)
select p.id from log_pending p
where p.envelope is not null and not exists (select from log_entries e where e.pending = p.id)
on conflict do nothing
"""

# by log_queue primary key
WAITING: Final = """
select p.id, p.kind, p.envelope, p.salt from log_queue q join log_pending p on p.id = q.pending order by p.id
"""
LOST: Final = """
insert into log_pending (kind, subject, account, envelope, salt) values ($1, $2, null, null, null) returning id
"""
# Of shared works everybody is awaited who has a share by the split in force.
# By split_works (work, since), split_parties primary key
AWAIT_OWNERS: Final = """
insert into awaited_words (work, account)
select s.work, y.account
from work_states s
cross join lateral (
    select k.split from split_works k where k.work = s.work and k.since is not null order by k.since desc limit 1
) f
cross join lateral (
    select p.account from split_parties p join accounts a on a.id = p.account and a.erased_at is null
    where p.split = f.split and p.bps > 0
    union select s.account
) y
where not s.withdrawn
on conflict do nothing
"""
FREEZE: Final = """
with next as (update consent_version set version = version + $1 returning version)
update work_states s set frozen = true, version = next.version from next where not s.withdrawn
"""
