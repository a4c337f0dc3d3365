-- What organisations say they did: datasets, training runs, usage batches.

create table datasets (
    id uuid primary key,
    organisation uuid not null references accounts (id),
    name text not null,
    pending bigint not null unique references log_pending (id),
    payload_digest bytea not null unique check (length(payload_digest) = 32),
    rows bigint not null check (rows >= 0),
    kept bigint not null check (kept between 0 and rows),
    counts jsonb not null,
    decided_at timestamptz not null,
    accepted_at timestamptz not null
);
create index datasets_own on datasets (organisation, id);
create trigger datasets_keep before update or delete or truncate on datasets
    for each statement execute function refuse_change();

-- `name` is the caller's own; `manifest` the digest of the dataset manifest's payload.
create table runs (
    id uuid primary key,
    organisation uuid not null references accounts (id),
    model text not null,
    version text not null,
    name text not null,
    dataset uuid not null references datasets (id),
    manifest bytea not null check (length(manifest) = 32),
    pending bigint not null unique references log_pending (id),
    payload_digest bytea not null unique check (length(payload_digest) = 32),
    issued_at timestamptz not null,
    unique (organisation, model, version, name, manifest)
);
create index runs_own on runs (organisation, id);
create trigger runs_keep before update or delete or truncate on runs
    for each statement execute function refuse_change();

-- `secret` salts the leaves under the batch's event root: with it, events can be shown one by one.
create table usage_batches (
    id uuid primary key,
    organisation uuid not null references accounts (id),
    dataset uuid,
    pending bigint not null unique references log_pending (id),
    payload_digest bytea not null unique check (length(payload_digest) = 32),
    secret bytea not null check (length(secret) = 32),
    count bigint not null check (count between 1 and 65536),
    new bigint not null,
    known bigint not null,
    memorandum bigint not null,
    totals jsonb not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    accepted_at timestamptz not null,
    check (count = new + known + memorandum)
);
create index usage_batches_own on usage_batches (organisation, id);
create trigger usage_batches_keep before update or delete or truncate on usage_batches
    for each statement execute function refuse_change();

-- Events of a batch that were known before it, with what their id does not fix: batch and event root stay checkable.
create table usage_repeats (
    batch uuid not null,
    event bytea not null,
    quantity bigint not null,
    at timestamptz not null,
    match text not null,
    primary key (batch, event)
);
create trigger usage_repeats_keep before update or delete or truncate on usage_repeats
    for each statement execute function refuse_change();
