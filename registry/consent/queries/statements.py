"""SQL of the consent version, of what an account has said, and of the terms that it named."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.http.paging import Key, orders

VERSION: Final = "select version from consent_version"
HOLD_VERSION: Final = "select version from consent_version for update"
# Its row lock orders all changes of states: whoever holds it is alone until COMMIT, so levels and matches stand still.
NEXT_VERSION: Final = "update consent_version set version = version + 1 returning version"

# A list whose filters may all be absent: one plan for every filter cannot know that most are, and reads all works of
# the account (270 ms of 10,000) where a page is 49 steps along an index (4 ms).
PLANNED_ANEW: Final = "set local plan_cache_mode = force_custom_plan"
# A million works take longer than one statement may, and are sorted and joined in memory; the answer has its own limit
# of time.
PATIENT: Final = "set local statement_timeout = '240s'; set local work_mem = '128MB'"

# by consent_heads primary key
HEAD: Final = "select seq, digest from consent_heads where account = $1"
UPDATES: Final = "select updates from consent_heads where account = $1"
COUNT_UPDATE: Final = "update consent_heads set updates = updates + 1 where account = $1"
LOCK_HEAD: Final = """
insert into consent_heads (account) values ($1)
on conflict (account) do update set seq = consent_heads.seq
returning seq, digest, updates
"""
# In the order of accounts, so that two licences over the same artists never wait for each other in a circle.
SHARE_HEADS: Final = """
select account from consent_heads where account = any($1::uuid[]) order by account for share
"""
ERASED: Final = "select erased_at is not null from accounts where id = $1"
MOVE_HEAD: Final = "update consent_heads set seq = $2, digest = $3 where account = $1"

# by terms primary key
KEEP_TERMS: Final = """
insert into terms (hash, encoded) select * from unnest($1::bytea[], $2::bytea[]) on conflict (hash) do nothing
"""
TERMS: Final = "select hash, encoded from terms where hash = any($1::bytea[])"

# by statements unique (payload_digest)
KNOWN: Final = "select id from statements where account = $1 and payload_digest = $2"
# by statements primary key
ACCEPTED: Final = "select pending, effect, works, hold from statements where id = $1 and account = $2"
KEEP_STATEMENT: Final = """
insert into statements (
    id, account, pending, payload_digest, kind, seq, effect, scope, works, terms, hold, accepted_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
# by work_states primary key
STATED: Final = "select exists (select from work_states where work = any($1::uuid[]))"
KEEP_COVERED: Final = "insert into statement_works (statement, work) select $1, unnest($2::uuid[])"
# by statements (account, id); log_entries unique (pending); work_states (waiting), co_owner_states (waiting)
STATEMENTS: Final = orders(
    """
select s.id, s.effect, s.scope, s.works, s.terms, s.accepted_at, e.index,
    case when s.hold is not null and not s.over and (
        exists (select from work_states w where w.waiting = s.id)
        or exists (select from co_owner_states o where o.waiting = s.id)
        or exists (select from catalogues c where c.waiting = s.id)
    ) then coalesce(e.at, s.accepted_at) + s.hold end as pending_until
from statements s left join log_entries e on e.pending = s.pending
where s.account = $1 and ($2::text is null or s.effect = $2) and ($3::text is null or s.scope = $3)
""",
    accepted=(Key("s.id", "id", UUID),),
)

# by catalogues primary key
CATALOGUE: Final = "select statement, terms, waiting from catalogues where account = $1"
KEEP_CATALOGUE: Final = """
insert into catalogues (account, statement, terms, waiting) values ($1, $2, $3, $4)
on conflict (account) do update
set statement = excluded.statement, terms = excluded.terms, waiting = excluded.waiting
"""

# by log_queue and statements unique (pending): the queue is short
UNLOGGED: Final = "select exists (select from log_queue q join statements s on s.pending = q.pending)"
