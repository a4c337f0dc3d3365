-- What an auditor may see: the part of an account, or everybody's, in a span of months. Without a row, nothing.
create table audit_scopes (
    auditor uuid not null references accounts (id),
    number bigint not null check (number >= 0),
    -- An organisation or an artist; null: everybody.
    subject uuid references accounts (id),
    since text check (since ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    until text check (until ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    primary key (auditor, number),
    check (since is null or until is null or since <= until)
);
create index audit_scopes_subject on audit_scopes (subject) where subject is not null;

-- Those who were invited before may see everything, as they were told.
insert into audit_scopes (auditor, number) select id, 0 from accounts where kind = 'aud';
