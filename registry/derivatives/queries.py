"""All SQL of derivative look-up, one constant a statement, with the index it relies on."""

from __future__ import annotations

from typing import Final

BUILDER_LOCK: Final = 0x6C69_6365_7480  # advisory: one process writes segments

# Segments there are few of. Oldest first.
SEGMENTS: Final = "select id, digest, form, pictures, size from derivative_segments order by id"
READ: Final = "select digest from derivative_segments where form = $1 order by id"
# by features (form, id) where they wait
WAITING: Final = """
select id, content from features
where form = $1 and not indexed and expires_at is null and content is not null order by id limit $2
"""
KEEP_SEGMENT: Final = "insert into derivative_segments (digest, form, pictures, size) values ($1, $2, $3, $4)"
# What is made of segments takes the place of the oldest of them.
REPLACE_SEGMENT: Final = """
insert into derivative_segments (id, digest, form, pictures, size) overriding system value values ($1, $2, $3, $4, $5)
"""
DROP_SEGMENTS: Final = "delete from derivative_segments where id = any($1::bigint[])"
# by features unique (id)
INDEXED: Final = "update features set indexed = true where id = any($1::uuid[]) and not indexed returning id"
# They cannot be read, whatever made them: the picture has to be looked at again.
UNREADABLE: Final = "update features set form = 'unreadable' where id = $1"
# by removed_features primary key; of what was removed since the segments were written there is little
REMOVE: Final = "insert into removed_features (id) select unnest($1::uuid[]) on conflict (id) do nothing"
REMOVED: Final = "select id from removed_features"
REMOVAL: Final = "select count(*) as count, min(removed_at) as oldest from removed_features"
FORGET_REMOVED: Final = "delete from removed_features where id = any($1::uuid[])"
# All of it, read through: what is indexed is in the segments, and nothing else but what was removed.
TOTALS: Final = """
select (select count(*) from features where indexed) + (select count(*) from removed_features) as indexed,
    (select coalesce(sum(pictures), 0)::bigint from derivative_segments) as pictures
"""
INDEXED_NAMES: Final = "select id from features where indexed union all select id from removed_features"
INDEXED_COUNT: Final = "select count(*) from features where indexed"
ANEW: Final = "update features set indexed = false where indexed"
DROP_ALL: Final = "delete from derivative_segments"
FORGET_ALL: Final = "delete from removed_features"
# How many pictures are in the segments, and how many wait for their place: at most $2 are counted.
COVERED: Final = """
select (select coalesce(sum(pictures), 0)::bigint from derivative_segments where form = $1)
    - (select count(*) from removed_features) as covered,
    (select count(*) from (
        select from features
        where form = $1 and not indexed and expires_at is null and content is not null limit $2
    ) waiting) as waiting
"""
# Which works features in a segment are of at this moment; of those that are gone, none.
# by features unique (id), works (account, sha256) where not withdrawn
STANDING: Final = """
select f.id, w.id as work from features f
join works w on w.account = f.account and w.sha256 = f.sha256 and w.withdrawn_at is null and w.mode = 'upload'
where f.id = any($1::uuid[]) and f.expires_at is null
"""
