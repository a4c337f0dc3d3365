"""All SQL of uploads and works, one constant a statement, with the index it relies on."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from registry.paging import Key, orders

# by uploads primary key
KEEP_UPLOAD: Final = """
insert into uploads (account, sha256, fingerprint, orientations, expires_at)
values ($1, $2, $3::jsonb, $4, now() + $5::interval)
on conflict (account, sha256) do update
set fingerprint = excluded.fingerprint, orientations = excluded.orientations, expires_at = excluded.expires_at
"""
UPLOADS: Final = """
select sha256, fingerprint, orientations from uploads
where account = $1 and sha256 = any($2::bytea[]) and expires_at > now()
"""
# by uploads (expires_at)
FORGET_UPLOADS: Final = "delete from uploads where expires_at <= now()"

# by accounts primary key: one registration of an account at a time, so that its own duplicates are found
LOCK_OWNER: Final = "select level from accounts where id = $1 for no key update"

# by works primary key; of a foreign work nothing comes out but that the identifier is taken
TAKEN: Final = """
select id, account = $1 as own,
    case when account = $1 then digest end as digest,
    case when account = $1 then sha256 end as sha256,
    case when account = $1 then mode end as mode,
    account = $1 and withdrawn_at is not null as withdrawn
from works where id = any($2::uuid[])
"""
# by works (account, sha256) and (account, pixels), both where not withdrawn
OWN_KEYS: Final = """
select id, sha256, pixels, digest from works
where account = $1 and withdrawn_at is null and sha256 = any($2::bytea[])
union
select id, sha256, pixels, digest from works
where account = $1 and withdrawn_at is null and pixels = any($3::bytea[])
"""
WORK_COLUMNS: Final = (
    "id",
    "account",
    "mode",
    "sha256",
    "pixels",
    "pdq",
    "quality",
    "title",
    "creator",
    "created",
    "tags",
    "external_id",
    "urls",
    "digest",
    "haystack",
    "grams",
    "compared_at",
    "registered_at",
)

# by work_matches primary key
KEEP_MATCHES: Final = """
insert into work_matches (work, other, account, other_account, key, distance)
select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[])
on conflict (work, other) do nothing
"""
# by work_matches primary key and (other): an existing work's owner hears of those who claimed it, too
SIMILAR: Final = """
select work, other from work_matches where account = $1 and work = any($2::uuid[])
union
select other, work from work_matches where other_account = $1 and other = any($2::uuid[]) and claimed_at is not null
"""

_ROW: Final = """
select id, mode, sha256, pixels, pdq, quality, title, creator, created, tags, external_id, urls, digest, registered_at,
    withdrawn_at
from works
"""
# by works primary key
WORK: Final = _ROW + "where id = $2 and account = $1"
# by works (account, registered_at, id) and works (account, title, id); with a search, works (grams)
PAGES: Final = orders(
    _ROW
    + """
where account = $1 and ($2 = '' or (grams @> $3::text[] and strpos(haystack, $2) > 0))
    and ($4::text is null or external_id = $4) and ($5::boolean is null or (withdrawn_at is not null) = $5)
    and ($6::text is null or mode = $6)
""",
    registered=(Key("registered_at", "registered_at", datetime), Key("id", "id", UUID)),
    title=(Key("coalesce(title, '') collate \"C\"", "title", str), Key("id", "id", UUID)),
)

# by works primary key; the order of UUIDs is that of work ids as text
COVERED: Final = """
select id, digest from works where account = $1 and id = any($2::uuid[]) and withdrawn_at is null order by id
"""
COVERED_KEYS: Final = """
select id, mode, sha256, pixels, pdq, quality, urls from works
where account = $1 and id = any($2::uuid[]) and withdrawn_at is null order by id
"""
OLDEST_COMPARISON: Final = """
select min(compared_at) from works where account = $1 and id = any($2::uuid[])
"""
WITHDRAW: Final = """
update works set withdrawn_at = $3 where account = $1 and id = any($2::uuid[]) and withdrawn_at is null
"""
# by work_matches primary key
CLAIM_MATCHES: Final = """
update work_matches set claimed_at = $3 where account = $1 and work = any($2::uuid[]) and claimed_at is null
"""
