-- What auditors found not to hold: signed by them, countersigned by the registry's office, and in the log.

create table audit_findings (
    id uuid primary key,
    auditor uuid not null references accounts (id),
    account uuid not null references accounts (id),
    pending bigint not null unique references log_pending (id),
    digest bytea not null unique check (length(digest) = 32),
    period text not null check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    check_name text not null,
    about text,
    summary text not null check (char_length(summary) <= 2000),
    examined bigint not null,
    failed bigint not null check (failed between 1 and examined),
    found_at timestamptz not null
);
create index audit_findings_auditor on audit_findings (auditor, id);
create index audit_findings_account on audit_findings (account, id);
create trigger audit_findings_keep before update or delete or truncate on audit_findings
    for each statement execute function refuse_change();
