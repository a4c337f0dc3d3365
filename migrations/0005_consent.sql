-- Consent: signed statements, what is in force for each work, what waits, and the version that readers compare.

-- Terms by their hash; `encoded` is their canonical form.
create table terms (
    hash bytea primary key check (length(hash) = 32),
    encoded bytea not null
);

-- One row. It counts accepted changes; its row lock orders them, so whoever reads version N sees every change up to N.
create table consent_version (
    one boolean primary key default true check (one),
    version bigint not null
);
insert into consent_version (version) values (0);
create function consent_version_advance() returns trigger language plpgsql as $$
begin
    if new.version <= old.version then
        raise exception 'the consent version never goes back' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger consent_version_update before update on consent_version
    for each row execute function consent_version_advance();

-- The end of each account's chain of consents. Consent locks it exclusively, a licence over its works shares the lock.
create table consent_heads (
    account uuid primary key references accounts (id),
    seq bigint not null default 0 check (seq >= 0),
    digest bytea check (length(digest) = 32),
    check ((seq = 0) = (digest is null))
);

-- `hold`: how long after its log entry that part takes effect which loosens; null where nothing has to wait. `over`:
-- nothing waits for it any more, it matured or was cancelled everywhere.
create table statements (
    id uuid primary key,
    account uuid not null references accounts (id),
    pending bigint not null unique references log_pending (id),
    payload_digest bytea not null unique check (length(payload_digest) = 32),
    kind text not null check (kind in ('consent', 'work-update')),
    seq bigint,
    effect text not null check (effect in ('initial', 'tighten', 'loosen', 'withdraw')),
    scope text not null check (scope in ('works', 'catalogue')),
    works bigint not null check (works >= 0),
    terms bytea references terms (hash),
    hold interval,
    over boolean not null default false,
    accepted_at timestamptz not null,
    unique (account, seq),
    check ((kind = 'consent') = (seq is not null)),
    check ((kind = 'consent') = (terms is not null))
);
create index statements_own on statements (account, id);
create index statements_holding on statements (id) where hold is not null and not over;

-- Written only from a select over the account's own works, 100,000 at a time: no foreign keys on purpose.
create table statement_works (
    statement uuid not null,
    work uuid not null,
    primary key (statement, work)
);
create index statement_works_work on statement_works (work);

-- What an account says of all its works, future ones too; it can only restrict.
create table catalogues (
    account uuid primary key references accounts (id),
    statement uuid not null references statements (id),
    terms bytea not null references terms (hash),
    waiting uuid references statements (id)
);

-- What is in force. `own` comes from the latest works statement, `catalogue` from the latest catalogue statement, `terms`
-- is the strictest of both, use by use. `waiting` is the one statement whose looser part is on hold here; `pending` says
-- that the license and allow of `terms` themselves deny until it matures (a first statement on a work that matches
-- somebody's), else the looser terms are not in `terms` yet.
-- Written only from a select over works, 100,000 at a time: no foreign keys on purpose.
create table work_states (
    work uuid primary key,
    account uuid not null,
    statement uuid not null,
    own bytea,
    catalogue bytea,
    terms bytea not null,
    waiting uuid,
    pending boolean not null default false check (not pending or waiting is not null),
    contested boolean not null default false,
    challenged boolean not null default false,
    withdrawn boolean not null default false check (not withdrawn or waiting is null),
    version bigint not null,
    check (own is not null or catalogue is not null)
);
create index work_states_version on work_states (version);
create index work_states_account on work_states (account, work);
create index work_states_waiting on work_states (waiting) where waiting is not null;
