-- Passkey ceremonies: challenges that are answered once, and the sessions of browsers.

-- Only digests are kept. `account`: for whom the challenge is; of a registration possibly one that is yet to be.
create table challenges (
    digest bytea primary key check (length(digest) = 32),
    purpose text not null check (purpose in ('register', 'sign-in', 'step-up')),
    account uuid,
    kind text check (kind in ('art', 'org')),
    expires_at timestamptz not null,
    check ((purpose = 'sign-in') = (account is null))
);
create index challenges_expires_at on challenges (expires_at);

create table sessions (
    id uuid primary key,
    digest bytea not null unique check (length(digest) = 32),
    account uuid not null references accounts (id),
    keyid text not null references account_keys (keyid),
    created_at timestamptz not null default now(),
    stepped_up_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index sessions_account on sessions (account, id);
