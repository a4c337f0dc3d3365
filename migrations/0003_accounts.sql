-- People and organisations, their keys and tokens, and the answers that a repeated request gets again.

create table accounts (
    id uuid primary key,
    kind text not null check (kind in ('art', 'org', 'aud', 'opr')),
    name text not null check (char_length(name) between 1 and 200),
    -- SHA-256 of the first key-register's payload: the account's identity. Staff have tokens only.
    genesis text unique check (genesis ~ '^[0-9a-f]{64}$'),
    level bigint not null default 0 check (level between 0 and 4),
    created_at timestamptz not null default now(),
    check ((genesis is null) = (kind in ('aud', 'opr')))
);

create table account_keys (
    keyid text primary key check (keyid ~ '^[0-9a-f]{64}$'),
    account uuid not null references accounts (id),
    public bytea not null check (length(public) = 32),
    class text not null check (class in ('root', 'delegate', 'recovered')),
    pending bigint not null unique references log_pending (id),
    revoked_from bigint
);
create index account_keys_account on account_keys (account);

-- Only the digest of a token is kept. `request` and `payload` are digests of the Idempotency-Key that asked for it and
-- of what it asked for.
create table tokens (
    id uuid primary key,
    account uuid not null references accounts (id),
    digest bytea not null unique check (length(digest) = 32),
    scopes text [] not null,
    request bytea check (length(request) = 32),
    payload bytea check (length(payload) = 32),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz,
    unique (account, request)
);
create index tokens_account on tokens (account, created_at);

-- Every level an account ever had, and the claim statement behind it.
create table account_levels (
    account uuid not null references accounts (id),
    level bigint not null,
    evidence text not null,
    pending bigint not null unique references log_pending (id),
    at timestamptz not null default now(),
    primary key (account, level)
);

-- `status` is null while the first request is under way.
create table idempotency (
    account uuid not null references accounts (id),
    key text not null check (length(key) between 1 and 255),
    request bytea not null check (length(request) = 32),
    attempt uuid not null,
    started_at timestamptz not null default now(),
    status bigint,
    content_type text,
    body bytea,
    primary key (account, key)
);
create index idempotency_started_at on idempotency (started_at);
