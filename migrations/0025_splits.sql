-- How co-owners share what works earn: proposed by who registered them, in force once all have answered (semantics 21).

-- `digest`: SHA-256 of the payload, which every answer names. `replaces`: that of the split that was in force on its
-- works. `agreed`: the answer with which it came into force, `declined`: the one that ended it.
create table splits (
    id uuid primary key,
    account uuid not null references accounts (id),
    pending bigint not null unique references log_pending (id),
    digest bytea not null unique check (length(digest) = 32),
    replaces bytea check (length(replaces) = 32),
    works bigint not null check (works >= 1),
    proposed_at timestamptz not null,
    agreed bigint unique references log_pending (id),
    declined bigint unique references log_pending (id),
    check (agreed is null or declined is null)
);
create index splits_own on splits (account, id);

-- Whose answer a split needs, and its proposer where that one has a share. `bps` 0: has a share in the split before.
create table split_parties (
    split uuid not null references splits (id),
    account uuid not null references accounts (id),
    bps bigint not null check (bps between 0 and 10000),
    proposes boolean not null,
    accepted bigint unique references log_pending (id),
    primary key (split, account),
    check (not proposes or accepted is null)
);
create index split_parties_account on split_parties (account, split);

-- `since`: the answer with which the split came into force on the work; the latest is the one in force.
create table split_works (
    split uuid not null references splits (id),
    work uuid not null,
    since bigint references log_pending (id),
    primary key (split, work)
);
create index split_works_in_force on split_works (work, since) where since is not null;
create index split_works_since on split_works (since) where since is not null;

-- Answers by their payload, so that one that is sent again has no second effect.
create table split_answers (
    digest bytea primary key check (length(digest) = 32),
    id uuid not null unique,
    split uuid not null references splits (id),
    account uuid not null references accounts (id),
    answer text not null check (answer in ('accept', 'decline')),
    pending bigint not null unique references log_pending (id)
);
create index split_answers_split on split_answers (split);
create trigger split_answers_keep before update or delete or truncate on split_answers
    for each statement execute function refuse_change();

-- The split that was in force when the use was posted: by it, not by a later one, what it owes is shared.
alter table usage_events add column split uuid;
