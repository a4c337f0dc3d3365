-- Licences that artists revoke, what whoever holds them owes then, and what licences a run was stated to be under
-- (semantics 22, 23).

-- One a `licence-revoke`, whose payload has the SHA-256 `digest`. The notice runs from its log entry; when it is over,
-- `effect` is due.
create table duties (
    id uuid primary key,
    licence uuid not null references licences (id),
    organisation uuid not null references accounts (id),
    account uuid not null references accounts (id),
    pending bigint not null unique references log_pending (id),
    digest bytea not null unique check (length(digest) = 32),
    notice_days bigint not null check (notice_days between 0 and 3650),
    effect text not null check (effect in ('stop-new-runs', 'retire-model', 'unlearn')),
    works bigint not null check (works >= 1),
    revoked_at timestamptz not null
);
create index duties_organisation on duties (organisation, id);
create index duties_account on duties (account, id);
create index duties_licence on duties (licence);
create trigger duties_keep before update or delete or truncate on duties
    for each statement execute function refuse_change();

-- A work under a licence is revoked once.
create table duty_works (
    licence uuid not null,
    work uuid not null,
    duty uuid not null references duties (id),
    primary key (licence, work),
    foreign key (licence, work) references licence_works (licence, work)
);
create index duty_works_duty on duty_works (duty);
create trigger duty_works_keep before update or delete or truncate on duty_works
    for each statement execute function refuse_change();

create table duties_done (
    duty uuid primary key references duties (id),
    id uuid not null unique,
    pending bigint not null unique references log_pending (id),
    digest bytea not null unique check (length(digest) = 32),
    done_at timestamptz not null,
    accepted_at timestamptz not null
);
create trigger duties_done_keep before update or delete or truncate on duties_done
    for each statement execute function refuse_change();

-- The licences that a run names; `outside` says why one does not cover it.
create table run_licences (
    run uuid not null references runs (id),
    licence uuid not null references licences (id),
    outside text,
    primary key (run, licence)
);
create index run_licences_licence on run_licences (licence);
create trigger run_licences_keep before update or delete or truncate on run_licences
    for each statement execute function refuse_change();
