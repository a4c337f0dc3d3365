-- Requests for a licence, the artists' answers, and licences that are agreements (semantics 19, 22).

-- `digest`: SHA-256 of the payload, which answers and licences name. `use_key` and `model_key` as in `licences`.
create table licence_requests (
    id uuid primary key,
    organisation uuid not null references accounts (id),
    account uuid not null references accounts (id),
    pending bigint not null unique references log_pending (id),
    digest bytea not null unique check (length(digest) = 32),
    use_key bytea not null check (length(use_key) = 32),
    model_key text not null,
    model text not null,
    version text not null,
    works bigint not null check (works >= 1),
    asked_at timestamptz not null,
    expires_at timestamptz not null
);
create index licence_requests_asked on licence_requests (organisation, id);
create index licence_requests_answered on licence_requests (account, id);
create trigger licence_requests_keep before update or delete or truncate on licence_requests
    for each statement execute function refuse_change();

create table licence_request_works (
    request uuid not null references licence_requests (id),
    work uuid not null,
    primary key (request, work)
);
create index licence_request_works_work on licence_request_works (work);
create trigger licence_request_works_keep before update or delete or truncate on licence_request_works
    for each statement execute function refuse_change();

-- The last answer to a request is the one of the greatest `pending`.
create table licence_answers (
    digest bytea primary key check (length(digest) = 32),
    id uuid not null unique,
    request uuid not null references licence_requests (id),
    account uuid not null references accounts (id),
    answer text not null check (answer in ('offer', 'refuse')),
    pending bigint not null unique references log_pending (id),
    offered_until timestamptz,
    check ((answer = 'offer') = (offered_until is not null))
);
create index licence_answers_request on licence_answers (request, pending);
create trigger licence_answers_keep before update or delete or truncate on licence_answers
    for each statement execute function refuse_change();

-- Licences that are agreements: `request` where an artist's answer gave the price; `allocates`: a part of what it owes
-- is allocated when months close, which are counted from `since`.
create table agreements (
    licence uuid primary key references licences (id),
    request uuid references licence_requests (id),
    since timestamptz not null,
    weigh text not null check (weigh in ('work', 'use')),
    allocates boolean not null
);
create index agreements_request on agreements (request) where request is not null;
create trigger agreements_keep before update or delete or truncate on agreements
    for each statement execute function refuse_change();

-- What a line says beside one amount, as it was signed.
alter table licence_works add column agreed jsonb;
