-- Somebody joins a team by a link. Of the secret in it only the digest is kept. Whoever opens it asks once, with a key of
-- their own that has signed its `key-register` (`envelope`); it does nothing before a root key of the team signs that, too.
create table member_invitations (
    id uuid primary key,
    account uuid not null references accounts (id),
    class text not null check (class in ('root', 'delegate')),
    note text not null check (length(note) <= 100),
    digest bytea not null unique check (length(digest) = 32),
    request bytea not null check (length(request) = 32),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    withdrawn_at timestamptz,
    keyid text,
    envelope text,
    asked_at timestamptz,
    unique (account, request),
    check (num_nonnulls(keyid, envelope, asked_at) in (0, 3))
);
create index member_invitations_account on member_invitations (account, id);
