"""All SQL of accounts, keys, tokens, levels and repeated requests, with the index each statement relies on."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from registry.http.paging import Key, orders

# by accounts primary key, accounts unique (genesis): two at once may meet on either
CREATE_ACCOUNT: Final = """
insert into accounts (id, kind, name, genesis) values ($1, $2, $3, $4) on conflict do nothing returning id
"""
ACCOUNT: Final = "select id, kind, name, genesis, level, created_at from accounts where id = $1"
# Not FOR UPDATE: rows that refer to the account may be written meanwhile, its level may not.
LOCK_ACCOUNT: Final = ACCOUNT + " for no key update"
SET_LEVEL: Final = "update accounts set level = $2 where id = $1"
ADD_LEVEL: Final = """
insert into account_levels (account, level, evidence, pending, basis, backed) values ($1, $2, $3, $4, $5, $6)
"""
# by account_levels (account, pending): an account has few
_ATTESTED: Final = "coalesce(backed, level)"
ATTESTED: Final = f"""
select pending, evidence, {_ATTESTED} as backed from account_levels
where account = $1 and basis = 'attested' order by {_ATTESTED} desc, pending limit 1
"""  # noqa: S608
ATTESTED_LEVEL: Final = f"""
select coalesce(max({_ATTESTED}), 0) from account_levels where account = $1 and basis = 'attested'
"""  # noqa: S608
PROVEN_LEVEL: Final = """
select coalesce((
    select coalesce(backed, level) from account_levels where account = $1 and basis = 'domain'
    order by pending desc limit 1
), 0)
"""

# by account_keys primary key, account_keys unique (credential)
ADD_KEY: Final = """
insert into account_keys (keyid, account, public, class, pending, alg, credential) values ($1, $2, $3, $4, $5, $6, $7)
on conflict do nothing returning keyid
"""
REVOKE_KEY: Final = """
update account_keys set revoked_by = coalesce(revoked_by, $3), revoked_from = least(revoked_from, $4)
where keyid = $1 and account = $2
"""
# Taken before a place in the log is: what relies on the key then comes before what changes it, or after, never between.
LOCK_KEY: Final = "select keyid from account_keys where keyid = $1 and account = $2 for no key update"
HOLD_KEY: Final = "select keyid from account_keys where keyid = $1 and account = $2 for share"
_KEY: Final = """
select k.keyid, k.class, k.alg, k.pending, e.index, case
    when k.revoked_by is null then k.revoked_from
    else least(k.revoked_from, coalesce(r.index, (select size from log_head)))
end as revoked_from
from account_keys k left join log_entries e on e.pending = k.pending
left join log_entries r on r.pending = k.revoked_by
where k.account = $1
"""
# by account_keys (account); log_entries unique (pending)
KEYS: Final = _KEY + " order by k.pending"
# by account_keys (account): an account has few; one is active until something ends it
KEY_PAGES: Final = orders(
    _KEY
    + """ and e.index is not null and ($2::text is null or k.class = $2)
    and ($3::boolean is null or (k.revoked_by is null and k.revoked_from is null) = $3)
""",
    registered=(Key("k.pending", "pending", int),),
)
KEYS_SAID: Final = """
select (select count(*) from account_keys where account = $1 and revoked_by is null) as live,
    (select count(*) from key_statements where account = $1) as statements
"""
# by key_statements unique (digest)
KEY_STATEMENT: Final = "select id, account, pending, keyid from key_statements where digest = $1"
KEEP_KEY_STATEMENT: Final = """
insert into key_statements (id, account, kind, keyid, digest, pending) values ($1, $2, $3, $4, $5, $6)
"""
# by log_pending (account, kind, id); log_entries unique (pending)
KEY_HISTORY: Final = """
select p.envelope, e.index, e.at from log_pending p left join log_entries e on e.pending = p.id
where p.account = $1 and p.kind in ('key-register', 'key-rotate', 'key-revoke', 'delegation')
    and p.envelope is not null
order by p.id
"""
# by log_pending (subject, id)
REGISTRY_KEYS: Final = """
select p.kind, p.envelope, e.index from log_pending p left join log_entries e on e.pending = p.id
where p.subject = 'registry' and p.kind in ('registry-key', 'registry-key-revoke') order by p.id
"""
LOG_SIZE: Final = "select size from log_head"
# by log_pending (account, kind, id): what an account has said since index $2, newest first
SINCE: Final = """
select p.envelope, p.subject, e.index from log_pending p left join log_entries e on e.pending = p.id
where p.account = $1 and p.envelope is not null and (e.index is null or e.index >= $2)
    and p.kind not in ('key-register', 'key-rotate', 'key-revoke', 'delegation', 'claim', 'consent-mature')
order by p.id desc
"""
# by key_statements (account, id)
DELEGATIONS: Final = orders(
    """
select s.id, s.keyid, s.at, p.envelope, e.index from key_statements s
join log_pending p on p.id = s.pending join log_entries e on e.pending = s.pending
where s.account = $1 and s.kind = 'delegation' and p.envelope is not null and ($2::text is null or s.keyid = $2)
""",
    given=(Key("s.id", "id", UUID),),
)

# by recovery_codes primary key, recovery_codes (account)
NEWEST_CODES: Final = "select max(issued_at) from recovery_codes where account = $1"
FORGET_CODES: Final = "delete from recovery_codes where account = $1 and used_at is null"
KEEP_CODES: Final = """
insert into recovery_codes (digest, account, issued_at) select code, $1, $2 from unnest($3::bytea[]) as code
on conflict (digest) do nothing returning digest
"""
USE_CODE: Final = """
update recovery_codes set used_at = now() where digest = $1 and account = $2 and used_at is null returning digest
"""

# by account_keys unique (credential), account_keys (account)
PASSKEY: Final = """
select k.keyid, k.account, a.kind from account_keys k join accounts a on a.id = k.account where k.credential = $1
"""
CREDENTIALS: Final = """
select credential from account_keys where account = $1 and credential is not null and revoked_by is null
order by pending
"""
# by account_keys (account): passkeys that may sign, with their key ids
PASSKEYS: Final = """
select keyid, credential from account_keys
where account = $1 and credential is not null and revoked_by is null order by pending
"""
# by account_keys (account): those of them that may do everything
ROOT_PASSKEYS: Final = """
select keyid, credential from account_keys
where account = $1 and credential is not null and revoked_by is null and revoked_from is null and class <> 'delegate'
order by pending
"""
# by challenges primary key, challenges (expires_at)
KEEP_CHALLENGE: Final = """
insert into challenges (digest, purpose, account, kind, expires_at) values ($1, $2, $3, $4, $5)
"""
TAKE_CHALLENGE: Final = """
delete from challenges where digest = $1 and purpose = $2 and expires_at > now() returning account, kind
"""
FORGET_CHALLENGES: Final = """
delete from challenges where digest in (
    select digest from challenges where expires_at <= now() limit 100 for update skip locked
)
"""
# by sessions primary key, sessions unique (digest); a session ends with the key that opened it
OPEN_SESSION: Final = """
insert into sessions (id, digest, account, keyid, staff_key, expires_at)
values ($1, $2, $3, case when $6 then null else $4 end, case when $6 then $4 end, $5)
"""
SESSION: Final = """
select s.id, s.account, s.expires_at, s.stepped_up_at, a.kind, a.name, a.level
from sessions s join accounts a on a.id = s.account left join account_keys k on k.keyid = s.keyid
left join staff_passkeys p on p.keyid = s.staff_key
where s.digest = $1 and s.ended_at is null and s.expires_at > now() and k.revoked_by is null and p.ended_at is null
"""
RAISE_SESSION: Final = "update sessions set stepped_up_at = now() where id = $1 and account = $2 and ended_at is null"
# by sessions (account, id): those that still open something, the newest first
SESSIONS: Final = """
select s.id, s.keyid, s.created_at, s.stepped_up_at, s.expires_at
from sessions s join account_keys k on k.keyid = s.keyid
where s.account = $1 and s.ended_at is null and s.expires_at > now() and k.revoked_by is null
order by s.id desc limit 100
"""
END_SESSION_OF: Final = """
update sessions set ended_at = now() where id = $1 and account = $2 and ended_at is null returning id
"""
END_SESSION: Final = "update sessions set ended_at = coalesce(ended_at, now()) where id = $1"

# by account_keys (account): whether a key came by a recovery not longer than $2 ago
RECOVERING: Final = """
select exists (
    select from account_keys k left join log_entries e on e.pending = k.pending
    where k.account = $1 and k.class = 'recovered' and k.revoked_by is null
        and coalesce(e.at, now()) > now() - $2::interval
)
"""

TELL: Final = "insert into account_events (id, account, kind, subject, detail) values ($1, $2, $3, $4, $5)"
# Of many accounts the same, but of those that have left; for $6 also but of those for whom an alert of this kind waits
# already that tells of the same day. by accounts primary key, account_events_unread (account, kind)
TELL_MANY: Final = """
insert into account_events (id, account, kind, subject, detail, at)
select t.id, t.account, $3, $4, $5, coalesce($7, now())
from unnest($1::uuid[], $2::uuid[]) as t (id, account) join accounts a on a.id = t.account and a.erased_at is null
where not $6 or not exists (
    select from account_events e where e.account = t.account and e.kind = $3 and e.read_at is null
        and date_trunc('day', e.at, 'UTC') = date_trunc('day', coalesce($7, now()), 'UTC')
)
"""
# by account_events (account, id)
EVENTS: Final = orders(
    """
select id, kind, subject, detail, at, read_at from account_events
where account = $1 and ($2::text is null or kind = $2)
    and ($3::text[] is null or kind = any($3)) and ($4::text[] is null or kind <> all($4))
""",
    told=(Key("id", "id", UUID),),
)
# $2 and $3: kinds of events and the topic of each. By account_events_unread (account, kind), alerts_off primary key
UNREAD: Final = """
select count(*) from (
    select from account_events where account = $1 and read_at is null and kind <> all(
        select k.kind from unnest($2::text[], $3::text[]) as k (kind, topic)
        join alerts_off o on o.account = $1 and o.topic = k.topic
    ) limit $4
) as found
"""
# by account_events_unread (account, kind)
READ: Final = """
update account_events set read_at = now()
where account = $1 and read_at is null and id <= $2 and ($3 or id = $2)
"""
# by alerts_off primary key
OFF: Final = "select topic from alerts_off where account = $1 order by topic"
SWITCH_OFF: Final = "insert into alerts_off (account, topic) values ($1, $2) on conflict do nothing"
SWITCH_ON: Final = "delete from alerts_off where account = $1 and topic = $2"

# by staff_invitations primary key, staff_invitations (account)
INVITE: Final = "insert into staff_invitations (digest, account, expires_at) values ($1, $2, $3)"
FORGET_INVITATIONS: Final = "delete from staff_invitations where account = $1 and used_at is null"
INVITATION: Final = """
select i.account, a.kind, a.name from staff_invitations i join accounts a on a.id = i.account
where i.digest = $1 and i.used_at is null and i.expires_at > now()
"""
USE_INVITATION: Final = "update staff_invitations set used_at = now() where digest = $1"
# by staff_passkeys unique (credential), staff_passkeys (account); account_keys unique (credential)
KEEP_STAFF_KEY: Final = """
insert into staff_passkeys (keyid, account, credential, passkey)
select $1, $2, $3, $4 where not exists (select from account_keys where credential = $3)
on conflict do nothing returning keyid
"""
END_STAFF_KEYS: Final = "update staff_passkeys set ended_at = now() where account = $1 and ended_at is null"
STAFF_KEY: Final = """
select p.keyid, p.account, p.passkey, a.kind from staff_passkeys p join accounts a on a.id = p.account
where p.credential = $1 and p.ended_at is null
"""
STAFF_CREDENTIALS: Final = "select credential from staff_passkeys where account = $1 and ended_at is null"
# by staff_passkeys (account), staff_invitations (account), tokens (account, created_at): staff are few
STAFF: Final = """
select a.id, a.name, a.kind, a.created_at,
    (select max(p.created_at) from staff_passkeys p where p.account = a.id and p.ended_at is null) as passkey,
    (
        select max(i.expires_at) from staff_invitations i
        where i.account = a.id and i.used_at is null and i.expires_at > now()
    ) as invited,
    (
        select count(*) from tokens t where t.account = a.id and t.revoked_at is null and t.expires_at > now()
    ) as tokens
from accounts a where a.kind in ('aud', 'opr') order by a.id desc limit 500
"""

# by sessions and account_keys primary keys: whether the key of session $1 may do everything, which one that came by a
# recovery may after $2
MAY_ALL: Final = """
select exists (
    select from sessions s join account_keys k on k.keyid = s.keyid left join log_entries e on e.pending = k.pending
    where s.id = $1 and k.revoked_by is null
        and (k.class = 'root' or k.class = 'recovered' and e.at <= now() - $2::interval)
)
"""
# by member_invitations unique (account, request): the answer to a request that comes again was lost, and its secret
INVITE_MEMBER: Final = """
insert into member_invitations (id, account, class, note, digest, request, expires_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (account, request) do update set digest = excluded.digest, expires_at = excluded.expires_at
where member_invitations.asked_at is null and member_invitations.withdrawn_at is null
    and (member_invitations.class, member_invitations.note) = (excluded.class, excluded.note)
returning id
"""
# by member_invitations (account, id), unique (digest); account_keys primary key
_MEMBER_INVITATION: Final = """
select i.id, i.account, i.class, i.note, i.created_at, i.expires_at, i.keyid, i.envelope, i.asked_at, a.name, a.genesis,
    case
        when k.keyid is not null then 'joined'
        when i.withdrawn_at is not null then 'withdrawn'
        when i.asked_at is not null then 'asked'
        when i.expires_at <= now() then 'expired'
        else 'open'
    end as state
from member_invitations i join accounts a on a.id = i.account
left join account_keys k on k.keyid = i.keyid and k.account = i.account
"""
MEMBER_INVITATION: Final = _MEMBER_INVITATION + " where i.digest = $1"
INVITATION_OF: Final = _MEMBER_INVITATION + " where i.id = $1 and i.account = $2"
MEMBER_INVITATIONS: Final = orders(
    f"select * from ({_MEMBER_INVITATION} where i.account = $1) i where ($2::text is null or state = $2)",  # noqa: S608
    created=(Key("i.id", "id", UUID),),
)
HOLD_INVITATION: Final = "select id from member_invitations where digest = $1 for update"
ANSWER_INVITATION: Final = """
update member_invitations set keyid = $2, envelope = $3, asked_at = now() where digest = $1
"""
# Of one that somebody asked by, the request goes with it.
WITHDRAW_INVITATION: Final = """
update member_invitations i
set withdrawn_at = coalesce(withdrawn_at, now()), keyid = null, envelope = null, asked_at = null
where i.id = $1 and i.account = $2
    and not exists (select from account_keys k where k.keyid = i.keyid and k.account = i.account)
returning id
"""
# by member_invitations (account, id): beside the one that request $2 made, which may come again
WAITING_INVITATIONS: Final = """
select count(*) from member_invitations i
where i.account = $1 and i.request <> $2 and i.withdrawn_at is null
    and (i.asked_at is not null or i.expires_at > now())
    and not exists (select from account_keys k where k.keyid = i.keyid and k.account = $1)
"""

NEVER_OPENED: Final = """
select not exists (select from tokens where account = $1 and last_used_at is not null)
    and not exists (select from sessions where account = $1)
    and exists (select from accounts where id = $1 and created_at > now() - interval '10 minutes')
"""
# by log_pending (account, kind, id)
GENESIS_PENDING: Final = "select min(id) from log_pending where account = $1 and kind = 'key-register'"
KEY_STATEMENTS: Final = """
select id from log_pending
where account = $1 and kind in ('key-register', 'key-rotate', 'key-revoke', 'delegation')
    and envelope is not null order by id
"""

# by log_pending primary key
SIGNED_BY: Final = "select account from log_pending where id = $1"

# by restricted_statements primary key; licences (organisation, id), licence_works (account, licence) and primary key:
# what an erased account said is shown to those who license from it, or it from them, and to auditors
SHOWN_TO: Final = """
select $3 or not exists (
    select from restricted_statements r where r.pending = $1 and not exists (
        select from licence_works w join licences l on l.id = w.licence
        where w.account = r.account and l.organisation = $2
    ) and not exists (
        select from licences l join licence_works w on w.licence = l.id
        where l.organisation = r.account and w.account = $2
    )
)
"""

# What an auditor may see (`audits`): by audit_scopes primary key
ADD_SCOPE: Final = """
insert into audit_scopes (auditor, number, subject, since, until)
select $1, t.number - 1, t.subject, $3, $4 from unnest($2::uuid[]) with ordinality as t (subject, number)
"""
SCOPES: Final = """
select s.subject, a.kind, s.since, s.until from audit_scopes s left join accounts a on a.id = s.subject
where s.auditor = $1 order by s.number
"""


def audits(auditor: str, subject: str, month: str) -> str:
    """Return the SQL condition that ``auditor`` may see ``subject``'s part of ``month``: expressions, text `2026-11`.

    By audit_scopes primary key.
    """
    return f"""exists (
        select from audit_scopes z where (z.subject is null or z.subject = {subject}) and {in_scope(auditor, month)}
    )"""


def in_scope(auditor: str, month: str) -> str:
    """Return the SQL condition that a part ``z`` of a scope is ``auditor``'s and has ``month``."""
    return (
        f"z.auditor = {auditor} and (z.since is null or z.since <= {month}) and (z.until is null or z.until >= {month})"
    )


# by log_entries unique (pending), audit_scopes primary key: whether an auditor ($2) may see what the log took of $3
AUDITED: Final = f"""
select exists (
    select from log_entries e where e.pending = $1
        and {audits("$2", "$3", "to_char(e.at at time zone 'utc', 'YYYY-MM')")}
)
"""  # noqa: S608

# by tokens unique (digest), accounts primary key
AUTHENTICATE: Final = """
select t.id as token, t.account, t.scopes, t.expires_at, t.spend_limit is not null as limited, a.kind, a.name, a.level,
    (t.last_used_at is null or t.last_used_at < now() - interval '1 minute') as stale
from tokens t join accounts a on a.id = t.account
where t.digest = $1 and t.revoked_at is null and t.expires_at > now() and a.erased_at is null
"""
TOUCH: Final = """
update tokens set last_used_at = now()
where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')
"""
# by tokens primary key, tokens unique (account, request)
MINT: Final = """
insert into tokens (id, account, digest, scopes, expires_at, request, payload, spend_limit, spend_currency)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (account, request) do update set digest = excluded.digest
where tokens.last_used_at is null and tokens.revoked_at is null and tokens.payload = excluded.payload
returning id, scopes, expires_at
"""
MINTED: Final = "select payload from tokens where account = $1 and request = $2"
# by tokens (account, created_at): an account has few
TOKENS: Final = orders(
    """
select id, scopes, created_at, expires_at, last_used_at, revoked_at, spend_limit, spend_currency,
    case when spent_in = to_char(now() at time zone 'utc', 'YYYY-MM') then spent else 0 end as spent
from tokens
where account = $1 and ($2::boolean is null or (revoked_at is null and expires_at > now()) = $2)
    and ($3::text is null or $3 = any(scopes))
""",
    created=(Key("id", "id", UUID),),
    expires=(Key("expires_at", "expires_at", datetime), Key("id", "id", UUID)),
)
# by tokens primary key: what the token ($1) charged in the month ($2) or a later one, which no earlier one takes back
LOCK_SPENDING: Final = """
select spend_limit, spend_currency, case when spent_in >= $2 then spent else 0 end as spent
from tokens where id = $1 and spend_limit is not null for no key update
"""
SPEND: Final = """
update tokens set spent = $3, spent_in = greatest(spent_in, $2) where id = $1
"""
REVOKE: Final = """
update tokens set revoked_at = coalesce(revoked_at, now())
where id = $1 and ($2::uuid is null or account = $2) returning id
"""

REVOKE_ALL: Final = "update tokens set revoked_at = now() where account = $1 and revoked_at is null"

# by idempotency primary key
BEGIN_REQUEST: Final = """
insert into idempotency (account, key, request, attempt) values ($1, $2, $3, $4)
on conflict (account, key) do update set request = excluded.request, attempt = excluded.attempt, started_at = now()
where idempotency.status is null and idempotency.started_at < now() - interval '60 seconds'
    and idempotency.request = excluded.request
    or idempotency.started_at < now() - interval '24 hours'
returning attempt
"""
SEEN_REQUEST: Final = """
select request, status, content_type, body from idempotency where account = $1 and key = $2
"""
END_REQUEST: Final = """
update idempotency set status = $4, content_type = $5, body = $6 where account = $1 and key = $2 and attempt = $3
"""
DROP_REQUEST: Final = "delete from idempotency where account = $1 and key = $2 and attempt = $3"
# by idempotency (started_at)
FORGET_REQUESTS: Final = "delete from idempotency where started_at < now() - interval '24 hours'"
