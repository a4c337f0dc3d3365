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
ADD_LEVEL: Final = "insert into account_levels (account, level, evidence, pending) values ($1, $2, $3, $4)"
LEVEL: Final = "select pending, evidence from account_levels where account = $1 and level = $2"

# by account_keys primary key
ADD_KEY: Final = """
insert into account_keys (keyid, account, public, class, pending) values ($1, $2, $3, $4, $5)
on conflict (keyid) do nothing returning keyid
"""
# by account_keys (account); log_entries unique (pending)
KEYS: Final = """
select k.keyid, k.public, k.class, k.pending, k.revoked_from, e.index
from account_keys k left join log_entries e on e.pending = k.pending
where k.account = $1 order by k.pending
"""
# by account_keys (account): an account has few; whether it may sign is as of the log's size now
KEY_PAGES: Final = orders(
    """
select k.keyid, k.class, k.pending, k.revoked_from, e.index
from account_keys k join log_entries e on e.pending = k.pending
where k.account = $1 and ($2::text is null or k.class = $2)
    and ($3::boolean is null or (k.revoked_from is null or k.revoked_from > (select size from log_head)) = $3)
""",
    registered=(Key("k.pending", "pending", int),),
)
# A key that was revoked "from N" signs nothing new once the log has reached N.
LIVE_KEY: Final = """
select k.public, k.class from account_keys k
where k.account = $1 and k.keyid = $2 and (k.revoked_from is null or k.revoked_from > (select size from log_head))
"""
NEVER_OPENED: Final = """
select not exists (select from tokens where account = $1 and last_used_at is not null)
    and exists (select from accounts where id = $1 and created_at > now() - interval '10 minutes')
"""
GENESIS_PENDING: Final = "select min(pending) from account_keys where account = $1"
# by log_pending (account, kind, id)
KEY_STATEMENTS: Final = """
select id from log_pending
where account = $1 and kind in ('key-register', 'key-revoke') and envelope is not null order by id
"""

# by tokens unique (digest), accounts primary key
AUTHENTICATE: Final = """
select t.id as token, t.account, t.scopes, t.expires_at, a.kind, a.name, a.level,
    (t.last_used_at is null or t.last_used_at < now() - interval '1 minute') as stale
from tokens t join accounts a on a.id = t.account
where t.digest = $1 and t.revoked_at is null and t.expires_at > now()
"""
TOUCH: Final = """
update tokens set last_used_at = now()
where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')
"""
# by tokens primary key, tokens unique (account, request)
MINT: Final = """
insert into tokens (id, account, digest, scopes, expires_at, request, payload) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (account, request) do update set digest = excluded.digest
where tokens.last_used_at is null and tokens.revoked_at is null and tokens.payload = excluded.payload
returning id, scopes, expires_at
"""
MINTED: Final = "select payload from tokens where account = $1 and request = $2"
# by tokens (account, created_at): an account has few
TOKENS: Final = orders(
    """
select id, scopes, created_at, expires_at, last_used_at, revoked_at from tokens
where account = $1 and ($2::boolean is null or (revoked_at is null and expires_at > now()) = $2)
    and ($3::text is null or $3 = any(scopes))
""",
    created=(Key("id", "id", UUID),),
    expires=(Key("expires_at", "expires_at", datetime), Key("id", "id", UUID)),
)
REVOKE: Final = """
update tokens set revoked_at = coalesce(revoked_at, now())
where id = $1 and ($2::uuid is null or account = $2) returning id
"""

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
