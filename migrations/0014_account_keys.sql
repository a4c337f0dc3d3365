-- Keys that come and go: passkeys beside Ed25519 keys, delegations, recovery, and what an account is told of them.

-- A passkey's public half is a point of 65 bytes or 32 bytes; `credential` is what an authenticator calls it.
alter table account_keys add column alg text not null default 'ed25519';
alter table account_keys add column credential bytea;
-- The statement that ended the key. `revoked_from` is null where it did so from its own place in the log on.
alter table account_keys add column revoked_by bigint;
-- A service of the release before only ever writes 32 bytes.
-- squawk-ignore ban-drop-constraint
alter table account_keys drop constraint account_keys_public_check;
alter table account_keys add constraint account_keys_form check (
    case alg
        when 'ed25519' then length(public) = 32 and credential is null
        when 'webauthn' then length(public) in (32, 65) and length(credential) between 16 and 1023
        else false
    end
) not valid;
-- Every key that was there is an Ed25519 key of 32 bytes, so it holds; there are few enough to read in a moment.
-- squawk-ignore constraint-missing-not-valid
alter table account_keys validate constraint account_keys_form;
-- squawk-ignore require-concurrent-index-creation
create unique index account_keys_credential on account_keys (credential) where credential is not null;

-- Every key statement but the genesis; `digest` is of its payload, so that the same one again has no second effect.
create table key_statements (
    id uuid primary key,
    account uuid not null references accounts (id),
    kind text not null check (kind in ('key-register', 'key-rotate', 'key-revoke', 'delegation')),
    keyid text not null,
    digest bytea not null unique check (length(digest) = 32),
    pending bigint not null unique references log_pending (id),
    at timestamptz not null default now()
);
create index key_statements_account on key_statements (account, id);

-- A recovery code is random and long: its digest needs no salt and no slow hash. Used once.
create table recovery_codes (
    digest bytea primary key check (length(digest) = 32),
    account uuid not null references accounts (id),
    issued_at timestamptz not null, -- as signed: older codes never replace newer ones
    used_at timestamptz
);
create index recovery_codes_account on recovery_codes (account);

-- What an account is told: new keys, delegations, what delegates loosened, recoveries.
create table account_events (
    id uuid primary key,
    account uuid not null references accounts (id),
    kind text not null check (kind ~ '^[a-z-]{3,40}$'),
    subject text,
    detail text not null check (char_length(detail) between 1 and 1000),
    at timestamptz not null default now()
);
create index account_events_account on account_events (account, id);
