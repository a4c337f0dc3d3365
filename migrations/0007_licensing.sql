-- Licensing: offers, licences, and every use that was reported, with what it is owed.

-- `body` is the offer exactly as it was sent. Offers that nobody took are forgotten a day after they ran out.
create table quotes (
    id uuid primary key,
    organisation uuid not null references accounts (id),
    body bytea not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null
);
create index quotes_expiry on quotes (expires_at);

-- `use_key` is the digest of the declared use without its model; `model_key` is NAME@VERSION, or NAME for a family.
-- Together with a work and its terms they say what is held already (semantics 16).
create table licences (
    id uuid primary key,
    organisation uuid not null references accounts (id),
    pending bigint not null unique references log_pending (id),
    payload_digest bytea not null unique check (length(payload_digest) = 32),
    quote bytea not null check (length(quote) = 32),
    use_key bytea not null check (length(use_key) = 32),
    model_key text not null,
    atoms text [] not null,
    model text not null,
    version text not null,
    run text not null,
    dataset uuid,
    fee_bps bigint not null check (fee_bps between 0 and 10000),
    works bigint not null check (works > 0),
    issued_at timestamptz not null,
    valid_until timestamptz,
    granted_at timestamptz not null
);
create index licences_own on licences (organisation, id);
create trigger licences_keep before update or delete or truncate on licences
    for each statement execute function refuse_change();

-- The lines of a licence. Written with it, 100,000 at a time: no foreign keys on purpose.
create table licence_works (
    licence uuid not null,
    work uuid not null,
    account uuid not null,
    statement uuid not null,
    terms_hash bytea not null check (length(terms_hash) = 32),
    atom text not null,
    model text not null,
    currency text,
    amount bigint not null check (amount >= 0),
    match text not null check (match in ('exact', 'near')),
    escrow boolean not null,
    primary key (licence, work)
);
create index licence_works_work on licence_works (work);
create index licence_works_account on licence_works (account, licence);
create trigger licence_works_keep before update or delete or truncate on licence_works
    for each statement execute function refuse_change();

-- One row per use, whoever reported it first: a usage batch, or (batch null) the acceptance of the licence. `amount` is
-- gross; the fees of one posting add up to the fee of its transfer. A memorandum says why nothing is owed.
create table usage_events (
    id bytea primary key check (length(id) = 32),
    organisation uuid not null,
    licence uuid,
    statement uuid,
    work uuid not null,
    atom text not null,
    run text not null,
    unit text not null,
    seq bigint not null check (seq >= 0),
    quantity bigint not null check (quantity > 0),
    at timestamptz not null,
    match text not null check (match in ('exact', 'near')),
    batch uuid,
    artist uuid,
    currency text,
    amount bigint not null check (amount >= 0),
    fee bigint not null check (fee between 0 and amount),
    escrow boolean not null,
    memorandum text,
    posted_at timestamptz not null,
    check ((licence is null) <> (statement is null)),
    check (amount = 0 or (artist is not null and currency is not null and memorandum is null)),
    check (batch is not null or licence is not null)
);
create index usage_events_batch on usage_events (batch) where batch is not null;
create index usage_events_licence on usage_events (licence) where licence is not null;
create index usage_events_artist on usage_events (artist, posted_at) where artist is not null;
create index usage_events_organisation on usage_events (organisation, posted_at);
create trigger usage_events_keep before update or delete or truncate on usage_events
    for each statement execute function refuse_change();
