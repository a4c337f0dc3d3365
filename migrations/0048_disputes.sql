-- Disputes: about a work that somebody else registered, or about a charge; opened, answered, decided (semantics 6, 18).

-- `digest`: SHA-256 of the payload that opened it, which every later step names. `against`: the other party. At most one
-- is open on the same thing. `ended_by`: the operator who decided, null where whoever opened it took it back.
create table disputes (
    id uuid primary key,
    account uuid not null references accounts (id),
    against uuid not null references accounts (id),
    work uuid,
    transfer uuid references transfers (id),
    digest bytea not null unique check (length(digest) = 32),
    pending bigint not null unique references log_pending (id),
    opened_at timestamptz not null,
    outcome text check (outcome in ('upheld', 'dismissed', 'withdrawn')),
    ended_at timestamptz,
    ended_by uuid references accounts (id),
    check (num_nonnulls(work, transfer) = 1),
    check (account <> against),
    check ((outcome is null) = (ended_at is null)),
    check ((ended_by is not null) = (outcome is not null and outcome <> 'withdrawn'))
);
create index disputes_opened on disputes (account, id);
create index disputes_against on disputes (against, id);
create index disputes_work on disputes (work) where work is not null;
create unique index disputes_one_of_a_work on disputes (work) where outcome is null and work is not null;
create unique index disputes_one_of_a_charge on disputes (transfer) where transfer is not null;

create table dispute_steps (
    id uuid primary key,
    dispute uuid not null references disputes (id),
    step text not null check (step in ('open', 'answer', 'withdraw', 'decide')),
    digest bytea not null unique check (length(digest) = 32),
    account uuid references accounts (id),
    pending bigint not null unique references log_pending (id),
    check ((account is null) = (step = 'decide'))
);
create unique index dispute_steps_once on dispute_steps (dispute, step);
create trigger dispute_steps_keep before update or delete or truncate on dispute_steps
    for each statement execute function refuse_change();
