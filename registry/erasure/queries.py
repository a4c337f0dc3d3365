"""All SQL of erasure, one constant a statement, with the index it relies on. Every one is held to one account."""

from __future__ import annotations

from typing import Final

# It may take minutes for a million works; nothing of it is done unless all of it is.
PATIENT: Final = "set local statement_timeout = 0"
# by accounts primary key: registrations and levels of the account come before or after, never between
ACCOUNT: Final = "select kind, genesis, erased_at from accounts where id = $1"
LOCK_ACCOUNT: Final = ACCOUNT + " for no key update"
# by log_queue and log_pending primary keys: the queue is short
WAITING: Final = """
select exists (select from log_queue q join log_pending p on p.id = q.pending where p.account = $1)
"""

# Works that somebody relies on, also those of others that it restricts. By licence_works (account, licence), (work),
# statements (account, id), usage_events (statement), work_states and co_owner_states (account, work).
HELD: Final = """
select work, min(why) as why from (
    select work, 'licence' as why from licence_works where account = $1
    union all
    select l.work, 'licence' from co_owner_states o join licence_works l on l.work = o.work where o.account = $1
    union all
    select u.work, 'use' from usage_events u join statements s on s.id = u.statement where s.account = $1
    union all
    select work, 'dispute' from work_states where account = $1 and (contested or challenged)
) relied_on group by work
"""
# by log_pending (account, kind, id), log_entries and statements unique (pending), statement_works primary key
STATEMENTS: Final = """
select p.id, p.kind, p.subject, sha256(p.envelope) as digest, e.index, s.id as statement, s.scope,
    (
        select min(h.why) from unnest($2::uuid[], $3::text[]) as h (work, why)
        join statement_works k on k.statement = s.id and k.work = h.work
    ) as why
from log_pending p
join log_entries e on e.pending = p.id
left join statements s on s.pending = p.id
where p.account = $1 and p.envelope is not null
order by e.index
"""
# by work_states and co_owner_states (account, work), works primary key
COUNTS: Final = """
select count(*) as works,
    count(s.work) + (select count(*) from co_owner_states where account = $1 and not ended) as stated
from works w left join work_states s on s.work = w.id
where w.account = $1
"""
DENIED: Final = """
select w.id as work, w.digest from works w where w.id in (
    select work from work_states where account = $1
    union all select work from co_owner_states where account = $1 and not ended
) order by w.id
"""
# by co_owner_states (account, work), works primary key
RESTRICTED_WORKS: Final = """
select o.work, w.account from co_owner_states o join works w on w.id = o.work where o.account = $1 order by o.work
"""

# Terms in which somebody is named. By statements (account, id), work_states (account, work), catalogues primary key.
NAMING_TERMS: Final = """
with own as (
    select terms as hash from statements where account = $1
    union select own from work_states where account = $1
    union select catalogue from work_states where account = $1
    union select terms from work_states where account = $1
    union select terms from catalogues where account = $1
    union select unnest(array[own, catalogue, terms]) from co_owner_states where account = $1
    union select unnest(array[s.shared, s.terms])
        from co_owner_states o join work_states s on s.work = o.work where o.account = $1
)
select t.hash from own join terms t using (hash) where position('"attribution"'::bytea in t.encoded) > 0
"""
# Reads whole tables, and is asked only where terms name somebody: nobody else's terms may go with them.
DROP_TERMS: Final = """
delete from terms t where t.hash = any($1::bytea[])
    and not exists (select from statements s where s.terms = t.hash)
    and not exists (select from catalogues c where c.terms = t.hash)
    and not exists (select from work_states w where t.hash in (w.own, w.catalogue, w.terms, w.shared))
    and not exists (select from co_owner_states o where t.hash in (o.own, o.catalogue, o.terms))
    and not exists (select from licence_works l where l.terms_hash = t.hash)
"""
KEEP_TERMS: Final = "insert into terms (hash, encoded) values ($1, $2) on conflict (hash) do nothing"

# -- works ---------------------------------------------------------------------------------------------------------

# by works (account, registered_at, id)
ADDRESSES: Final = """
select id, urls from works
where account = $1 and cardinality(urls) > 0 and erased_at is null and not id = any($2::uuid[])
"""
_BARE: Final = """
title = null, creator = null, created = null, tags = '{}', external_id = null, haystack = '', grams = '{}', site = null,
    withdrawn_at = coalesce(withdrawn_at, $2), erased_at = $2
"""
BARE_ADDRESSES: Final = f"update works set urls = '{{}}', url_keys = $4, {_BARE} where account = $1 and id = $3"  # noqa: S608
BARE: Final = f"update works set {_BARE} where account = $1 and erased_at is null"  # noqa: S608
# by work_versions primary key: how held works were before is still to be shown
DROP_VERSIONS: Final = """
delete from work_versions v using works w where w.id = v.work and w.account = $1 and not w.id = any($2::uuid[])
"""
# works that nobody relies on: those without a state, or all of them, whose states go in the same transaction
DROP_WORKS: Final = """
delete from works w where w.account = $1 and not w.id = any($2::uuid[])
    and not ($3 and exists (select from work_states s where s.work = w.id))
"""
# by thumbnails, features and uploads primary keys
DROP_THUMBNAILS: Final = "delete from thumbnails where account = $1"
DROP_FEATURES: Final = "delete from features where account = $1"
DROP_UPLOADS: Final = "delete from uploads where account = $1"

# by work_states (account, work)
DENY: Final = """
update work_states
set own = $3, catalogue = null, shared = null, terms = $3, statement = $2, waiting = null, pending = false,
    frozen = false, withdrawn = true, version = $4
where account = $1
"""
COVER: Final = """
insert into statement_works (statement, work)
select $2::uuid, work from work_states where account = $1
union all select $2::uuid, work from co_owner_states where account = $1 and not ended
"""
# What co-owners say of works that are no more, or that a deny stands for. By works (account, registered_at, id).
DROP_OWNERS: Final = """
delete from co_owner_states o using works w where w.id = o.work and w.account = $1
"""
# by co_owner_states (account, work)
DENY_SHARED: Final = """
update co_owner_states set own = $3, catalogue = null, terms = $3, statement = $2, waiting = null
where account = $1 and not ended
"""
DROP_SHARED: Final = "delete from co_owner_states where account = $1 and ($2 or ended)"
# Works of which it alone had spoken: their account, or another co-owner, may speak again. By work_states primary key.
UNSPOKEN: Final = """
with gone as (
    delete from work_states s where s.work = any($1::uuid[]) and s.own is null and s.catalogue is null
        and not exists (select from co_owner_states o where o.work = s.work and not o.ended)
    returning s.work
)
insert into removed_works (work, version) select work, $2 from gone
on conflict (work) do update set version = excluded.version
"""
REMOVED: Final = """
insert into removed_works (work, version) select work, $2 from work_states where account = $1
on conflict (work) do update set version = excluded.version
"""
DROP_STATES: Final = "delete from work_states where account = $1"
# by work_matches (account), (other_account): who was in a conflict with these works
MET: Final = """
select other as work from work_matches where account = $1
union select work from work_matches where other_account = $1
"""
DROP_MATCHES: Final = "delete from work_matches where account = $1 or other_account = $1"

# -- statements ----------------------------------------------------------------------------------------------------

# by catalogues and consent_heads primary keys
DROP_CATALOGUE: Final = "delete from catalogues where account = $1"
DROP_HEAD: Final = "delete from consent_heads where account = $1"
# by statements primary key, statement_works primary key
DROP_COVERED: Final = "delete from statement_works where statement = any($1::uuid[])"
DROP_STATEMENTS: Final = "delete from statements where account = $1 and id = any($2::uuid[])"
# by log_pending primary key; its trigger lets nothing else change
ERASE: Final = "update log_pending set envelope = null, salt = null where account = $1 and id = any($2::bigint[])"
RESTRICT: Final = """
insert into restricted_statements (pending, account, why, ends_at)
select pending, $1, why, $4 from unnest($2::bigint[], $3::text[]) as r (pending, why)
"""
KEEP_STATEMENT: Final = """
insert into statements (id, account, pending, payload_digest, kind, effect, scope, works, accepted_at)
values ($1, $2, $3, $4, 'erase', 'withdraw', 'works', $5, $6)
"""
KEEP_ERASURE: Final = """
insert into erasures (id, account, pending, denies, works, erased, restricted, version, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

# -- the account ---------------------------------------------------------------------------------------------------

NAMELESS: Final = "update accounts set name = '(erased)', erased_at = $2 where id = $1"
# What an account was verified by goes, its level stays: a conflict must not be decided anew by it.
UNPROVEN: Final = "update account_levels set evidence = '' where account = $1"
DROP_KEYS: Final = "delete from account_keys where account = $1"
DROP_KEY_STATEMENTS: Final = "delete from key_statements where account = $1"
# by the primary key or an index that begins with the account; of quotes there are few
DROP_REST: Final = (
    "delete from sessions where account = $1",
    "delete from challenges where account = $1",
    "delete from tokens where account = $1",
    "delete from recovery_codes where account = $1",
    "delete from account_events where account = $1",
    "delete from alerts_off where account = $1",
    "delete from member_invitations where account = $1",
    "delete from domain_claims where account = $1",
    "delete from payouts where account = $1",
    "delete from idempotency where account = $1",
    "delete from quotes where organisation = $1",
    "delete from licence_tokens where organisation = $1",
)
# Offers of its works to others: they are small, and last for minutes.
DROP_OFFERS: Final = "delete from quotes where position($1::bytea in body) > 0"

# -- the end of limitation -----------------------------------------------------------------------------------------

# by restricted_statements (ends_at), log_pending primary key
ENDED: Final = """
with ended as (
    delete from restricted_statements where pending in (
        select pending from restricted_statements where ends_at <= $1 order by ends_at, pending limit $2
        for update skip locked
    ) returning pending, account
), emptied as (
    update log_pending p set envelope = null, salt = null from ended e where p.id = e.pending
)
select pending, account from ended
"""
# by statements unique (pending); an erase statement is the registry's own and never restricted
DROP_ENDED: Final = "delete from statements where pending = any($1::bigint[]) returning id, terms"
# by restricted_statements (account)
RELIED_ON: Final = "select distinct account from restricted_statements where account = any($1::uuid[])"
# Terms of licences over its works, merged ones too. By licence_works (account, licence).
LICENSED_TERMS: Final = "select distinct terms_hash as hash from licence_works where account = $1"
# Reads whole tables: by then a licence over the account's own works no longer shows the terms, only their hash.
DROP_ENDED_TERMS: Final = """
delete from terms t where t.hash = any($2::bytea[]) and position('"attribution"'::bytea in t.encoded) > 0
    and not exists (select from statements s where s.terms = t.hash)
    and not exists (select from catalogues c where c.terms = t.hash)
    and not exists (select from work_states w where t.hash in (w.own, w.catalogue, w.terms, w.shared))
    and not exists (select from co_owner_states o where t.hash in (o.own, o.catalogue, o.terms))
    and not exists (select from licence_works l where l.terms_hash = t.hash and l.account <> $1)
"""
# by works (account, registered_at, id)
KEPT_ADDRESSES: Final = "select id, urls from works where account = $1 and cardinality(urls) > 0"
BARE_KEPT_ADDRESSES: Final = "update works set urls = '{}', url_keys = $3 where account = $1 and id = $2"
