-- What organisations report of agreements, month by month: pools and shares of revenue follow from it (semantics 19).

-- `digest`: SHA-256 of the payload, which a correction names. `counts_at`: the first month whose close counts it.
-- Amounts are micro-units by currency, weights are by work. The last of a month is the one of the greatest `pending`.
create table revenue_reports (
    digest bytea primary key check (length(digest) = 32),
    id uuid not null unique,
    organisation uuid not null references accounts (id),
    licence uuid not null references licences (id),
    period text not null check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    counts_at text not null check (counts_at >= period),
    supersedes bytea unique references revenue_reports (digest),
    pending bigint not null unique references log_pending (id),
    revenue jsonb not null,
    pool jsonb not null,
    weights jsonb not null,
    accepted_at timestamptz not null
);
create unique index revenue_reports_first on revenue_reports (licence, period) where supersedes is null;
create index revenue_reports_licence on revenue_reports (licence, pending);
create index revenue_reports_organisation on revenue_reports (organisation, id);
create trigger revenue_reports_keep before update or delete or truncate on revenue_reports
    for each statement execute function refuse_change();

-- A work may also weigh what the organisation reports that it weighs.
-- squawk-ignore ban-drop-constraint
alter table agreements drop constraint agreements_weigh_check;
alter table agreements add constraint agreements_weigh_check check (weigh in ('work', 'use', 'report')) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table agreements validate constraint agreements_weigh_check;
