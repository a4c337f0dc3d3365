-- Claims that accounts prove by themselves: of a domain, by a record or a file that is put up there.

-- Every level that was ever stated, in its order: it can fall, and be stated again. `basis` says what it came from and
-- `backed` which level that alone backs (null: written by a release before, the same as `level`).
-- A service of the release before never states a level twice.
-- squawk-ignore ban-drop-constraint
alter table account_levels drop constraint account_levels_pkey;
-- squawk-ignore ban-drop-constraint
alter table account_levels drop constraint account_levels_pending_key;
-- There are few enough to build it in a moment.
-- squawk-ignore constraint-missing-not-valid, adding-serial-primary-key-field
alter table account_levels add constraint account_levels_pkey primary key (pending);
-- squawk-ignore require-concurrent-index-creation
create index account_levels_account on account_levels (account, pending);
alter table account_levels add column basis text not null default 'attested';
alter table account_levels add constraint account_levels_basis check (basis in ('attested', 'domain')) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table account_levels validate constraint account_levels_basis;
alter table account_levels add column backed bigint;

-- `value` is what the account puts up; whoever looks there can read it, so it is no secret. `next_check_at` is null where
-- nobody looks any more unless asked to. `proven_by` is the claim statement of the last proof.
create table domain_claims (
    id uuid primary key,
    account uuid not null references accounts (id),
    domain text not null check (char_length(domain) between 3 and 245),
    value text not null check (char_length(value) between 40 and 200),
    state text not null default 'asked' check (state in ('asked', 'proven', 'lapsed')),
    method text check (method in ('dns', 'file')),
    problem text check (char_length(problem) between 1 and 500),
    asked_at timestamptz not null,
    proven_at timestamptz,
    checked_at timestamptz,
    failing_since timestamptz,
    next_check_at timestamptz,
    proven_by bigint references log_pending (id),
    unique (account, domain),
    check ((state = 'asked') = (proven_at is null)),
    check (failing_since is null or state = 'proven')
);
create index domain_claims_domain on domain_claims (domain) where state = 'proven';
create index domain_claims_due on domain_claims (next_check_at) where next_check_at is not null;
