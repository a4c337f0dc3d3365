"""SQL of what a team's pages ask of it alone, with the index each statement relies on. Each is held to one account."""

from __future__ import annotations

from typing import Final

# What a team has done of what comes first, and how many ask to join it.
# by models unique (organisation, name), account_keys (account), member_invitations (account, id); licences,
# licence_requests and datasets have an index by organisation and id
FIRST: Final = """
select exists (select from models where organisation = $1) as named,
    exists (select from account_keys where account = $1 and alg <> 'webauthn' and revoked_by is null) as started,
    (
        select count(*) from account_keys
        where account = $1 and alg = 'webauthn' and revoked_by is null and class <> 'delegate'
    ) > 1 or exists (
        select from member_invitations
        where account = $1 and withdrawn_at is null and (asked_at is not null or expires_at > now())
    ) as invited,
    exists (select from licences where organisation = $1)
        or exists (select from licence_requests where organisation = $1) as found,
    exists (select from datasets where organisation = $1) as filtered,
    (
        select count(*) from member_invitations i where i.account = $1 and i.asked_at is not null
            and not exists (select from account_keys k where k.keyid = i.keyid and k.account = i.account)
    ) as asking
"""
# What they are called whom a team has asked for a licence, as their public pages said then; nobody who was erased.
# by accounts primary key, licence_requests (account, id)
ARTISTS: Final = """
select a.id, a.name from accounts a where a.id = any($2::uuid[]) and a.erased_at is null
    and exists (select from licence_requests r where r.account = a.id and r.organisation = $1)
"""
# What they are called whose works a team has a licence ($2) on; nobody who was erased, or has but a share of a work.
# by accounts and licences primary keys, licence_works (account, licence)
LICENSORS: Final = """
select a.id, a.name from accounts a where a.id = any($3::uuid[]) and a.erased_at is null
    and exists (select from licences l where l.id = $2 and l.organisation = $1)
    and exists (select from licence_works w where w.account = a.id and w.licence = $2)
"""
