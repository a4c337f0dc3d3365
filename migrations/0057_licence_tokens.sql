-- Tokens of RSL's Open License Protocol: what was asked, by whom, and which works it was about then. What they are worth
-- is decided whenever somebody asks.
create table licence_tokens (
    digest bytea primary key check (length(digest) = 32),
    organisation uuid not null references accounts (id),
    resource text not null,
    uses text [] not null,
    purpose text [] not null,
    territory text [],
    model text,
    works uuid [] not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > issued_at)
);
create index licence_tokens_expiry on licence_tokens (expires_at);
create index licence_tokens_own on licence_tokens (organisation, issued_at, digest);
comment on table licence_tokens is 'not archived: a token lasts an hour';
