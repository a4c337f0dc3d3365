"""All SQL of uploads and works, one constant a statement, with the index it relies on."""

from __future__ import annotations

from typing import Final

from licet.derivative.features import MAGIC

#: The version of the features that are made and looked in now.
FEATURES_FORM: Final = MAGIC.decode()

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

# by thumbnails primary key; by works (account, sha256) where not withdrawn: a work's thumbnail has no end
KEEP_THUMBNAIL: Final = """
insert into thumbnails (account, sha256, content, expires_at)
select $1, $2, $3, case when not exists (
    select from works where account = $1 and sha256 = $2 and mode = 'upload' and withdrawn_at is null
) then now() + $4::interval end
on conflict (account, sha256) do update
set content = excluded.content,
    expires_at = case when thumbnails.expires_at is not null then excluded.expires_at end
"""
SETTLE_THUMBNAILS: Final = """
update thumbnails set expires_at = null where account = $1 and sha256 = any($2::bytea[]) and expires_at is not null
"""
# by works primary key, thumbnails primary key
THUMBNAIL: Final = """
select t.content from works w join thumbnails t on t.account = w.account and t.sha256 = w.sha256
where w.id = $2 and w.account = $1 and w.mode = 'upload' and w.withdrawn_at is null
"""
# by works and thumbnails primary keys: the first bytes of a WEBP say how large it is
THUMBNAIL_HEADS: Final = """
select w.id, substring(t.content for 30) as head
from unnest($2::uuid[]) as asked (work) join works w on w.id = asked.work
join thumbnails t on t.account = w.account and t.sha256 = w.sha256
where w.account = $1 and w.mode = 'upload' and w.withdrawn_at is null
"""
# by thumbnails (expires_at)
FORGET_THUMBNAILS: Final = "delete from thumbnails where expires_at <= now()"

# by features primary key; by works (account, sha256) where not withdrawn. What is the same keeps its name and its place
# in the segments; the trigger sees to what does not.
KEEP_FEATURES: Final = """
insert into features (account, sha256, form, content, expires_at)
select $1, $2, $3, $4, case when not exists (
    select from works where account = $1 and sha256 = $2 and mode = 'upload' and withdrawn_at is null
) then now() + $5::interval end
on conflict (account, sha256) do update
set form = excluded.form, content = excluded.content,
    id = case when (features.form, features.content) is not distinct from (excluded.form, excluded.content)
        then features.id else excluded.id end,
    indexed = features.indexed
        and (features.form, features.content) is not distinct from (excluded.form, excluded.content),
    expires_at = case when features.expires_at is not null then excluded.expires_at end
"""
SETTLE_FEATURES: Final = """
update features set expires_at = null where account = $1 and sha256 = any($2::bytea[]) and expires_at is not null
"""
# by features (expires_at)
FORGET_FEATURES: Final = "delete from features where expires_at <= now()"
# by features primary key: a work is found by the file that it is now
DROP_FEATURES: Final = "delete from features where account = $1 and sha256 = any($2::bytea[])"
#: Whether parts of work ``w`` are found, beside the features ``p`` of its file; null of a text or a site, which have
#: none.
HAS_PARTS: Final = f"""
case when w.withdrawn_at is not null or w.site is not null
    or (w.pixels is null and (w.iscc is not null or w.mode = 'upload')) then null
    when w.mode <> 'upload' or w.sha256 is null then 'not-sent'
    when p.id is null or p.form <> '{FEATURES_FORM}' then 'not-looked-at'
    when p.content is null then 'too-plain' else 'found' end
"""
# by works primary key, features primary key
PARTS: Final = f"""
select w.id, {HAS_PARTS.strip()} as parts
from works w left join features p on p.account = w.account and p.sha256 = w.sha256
where w.account = $1 and w.id = any($2::uuid[]) and w.withdrawn_at is null
"""  # noqa: S608

# by domain_claims unique (account, domain)
PROVEN_DOMAINS: Final = "select domain from domain_claims where account = $1 and state = 'proven'"
# by accounts primary key: one registration of an account at a time, so that its own duplicates are found
LOCK_OWNER: Final = "select level from accounts where id = $1 and erased_at is null for no key update"

# by works primary key; of a foreign work nothing comes out but that the identifier is taken
TAKEN: Final = """
select id, account = $1 as own,
    case when account = $1 then digest end as digest,
    case when account = $1 then sha256 end as sha256,
    case when account = $1 then mode end as mode,
    account = $1 and withdrawn_at is not null as withdrawn
from works where id = any($2::uuid[])
"""
# by works (account, sha256), (account, pixels), (account, addresses), all where not withdrawn, and (file_keys)
OWN_KEYS: Final = """
select id, sha256, pixels, addresses, digest, files from works where id in (
    select id from works where account = $1 and withdrawn_at is null and sha256 = any($2::bytea[])
    union
    select id from works where account = $1 and withdrawn_at is null and pixels = any($3::bytea[])
    union
    select id from works where account = $1 and withdrawn_at is null and addresses = any($4::bytea[])
    union
    select id from works
    where account = $1 and withdrawn_at is null and file_keys is not null
        and file_keys && ($2::bytea[] || $3::bytea[])
)
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
    "site",
    "iscc",
    "addresses",
    "digest",
    "haystack",
    "grams",
    "words",
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

# Those of them that an erased account left a deny for: it stands, and nobody takes it back.
# By work_matches primary key, (other), works and work_states primary keys
LEFT_DENIES: Final = f"""
select p.work, p.other from ({SIMILAR.strip()}) p
join works w on w.id = p.other and w.erased_at is not null join work_states s on s.work = p.other and not s.challenged
"""  # noqa: S608

# What may change of a work, and what tells who changed it first; by works primary key, in the order of ids
CHANGING: Final = """
select id, title, creator, created, tags, external_id, revision from works
where account = $1 and id = any($2::uuid[]) order by id for no key update
"""
CHANGE: Final = """
update works
set title = $3, creator = $4, created = $5, tags = $6, external_id = $7, haystack = $8, grams = $9, words = $10,
    revision = revision + 1
where account = $1 and id = $2
"""
# by works primary key: works whose words are in an older form, of all accounts
OLD_WORDS: Final = """
select id, account, title, creator, tags, external_id from works
where id > $1 and words < $2 order by id limit $3 for no key update
"""
RENEW_WORDS: Final = "update works set haystack = $3, grams = $4, words = $5 where account = $1 and id = $2"

# by works primary key; the order of UUIDs is that of work ids as text
COVERED: Final = """
select w.id, w.digest from unnest($2::uuid[]) as covered (work) join works w on w.id = covered.work
where w.account = $1 and w.withdrawn_at is null order by w.id
"""
COVERED_KEYS: Final = """
select w.id, w.mode, w.sha256, w.pixels, w.pdq, w.quality, w.urls, w.site, w.iscc, w.files
from unnest($2::uuid[]) as covered (work) join works w on w.id = covered.work
where w.account = $1 and w.withdrawn_at is null order by w.id
"""
OLDEST_COMPARISON: Final = """
select min(compared_at) from works where account = $1 and id = any($2::uuid[])
"""
# The trigger lets nothing else happen to keys. By works primary key.
UPDATE: Final = """
update works
set sha256 = $3, pixels = $4, pdq = $5, quality = $6, urls = $7, addresses = $8, files = $9::jsonb, file_keys = $10,
    digest = $11, updated = $12, iscc = $13, revision = revision + 1
where account = $1 and id = $2 and withdrawn_at is null
"""
KEEP_VERSION: Final = "insert into work_versions (work, ended_by, digest, keys) values ($1, $2, $3, $4::jsonb)"
# by thumbnails primary key: a work shows the file that it is now
DROP_THUMBNAILS: Final = "delete from thumbnails where account = $1 and sha256 = any($2::bytea[])"
# A withdrawn work leaves no picture behind, nor what its parts are found by: by thumbnails and features primary keys.
WITHDRAW: Final = """
with gone as (
    update works set withdrawn_at = $3 from unnest($2::uuid[]) as covered (work)
    where account = $1 and id = covered.work and withdrawn_at is null
    returning account, sha256
), parts as (
    delete from features f using gone g where f.account = g.account and f.sha256 = g.sha256
)
delete from thumbnails t using gone g where t.account = g.account and t.sha256 = g.sha256
"""
# by work_matches primary key
CLAIM_MATCHES: Final = """
update work_matches m set claimed_at = $3 from unnest($2::uuid[]) as covered (work)
where m.account = $1 and m.work = covered.work and m.claimed_at is null
"""
