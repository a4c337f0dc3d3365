-- Auditors and operators come in by passkey. No consent rests on it, so nothing of it is in the log: the key opens sessions
-- and signs no statement.

create table staff_passkeys (
    keyid text primary key,
    account uuid not null references accounts (id),
    credential bytea not null unique check (length(credential) between 1 and 1023),
    passkey text not null,
    created_at timestamptz not null default now(),
    ended_at timestamptz
);
create index staff_passkeys_account on staff_passkeys (account);

-- Of the secret in an invitation's link only the digest is kept; it is used up in the transaction that keeps the passkey.
create table staff_invitations (
    digest bytea primary key check (length(digest) = 32),
    account uuid not null references accounts (id),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index staff_invitations_account on staff_invitations (account);

-- A session was opened by a key of the log or by one of staff.
-- squawk-ignore ban-drop-not-null
alter table sessions alter column keyid drop not null;
-- squawk-ignore adding-foreign-key-constraint
alter table sessions add column staff_key text references staff_passkeys (keyid);
alter table sessions add constraint sessions_one_key check (num_nonnulls(keyid, staff_key) = 1) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table sessions validate constraint sessions_one_key;
-- squawk-ignore require-concurrent-index-creation
create index sessions_staff_key on sessions (staff_key) where staff_key is not null;

-- squawk-ignore ban-drop-constraint
alter table challenges drop constraint challenges_kind_check;
alter table challenges add constraint challenges_kind_check check (kind in ('art', 'org', 'aud', 'opr')) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table challenges validate constraint challenges_kind_check;
