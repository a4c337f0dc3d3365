-- A database that was restored may stand beside the one that it is a copy of. It does not go on with the log until its
-- operator has said that it replaces that one: two would sign two histories. A restore makes this table first, before
-- migrations do, so that one that is cut off leaves the row too.
create table if not exists log_restored (
    one boolean primary key default true check (one),
    at timestamptz not null default now()
);
comment on table log_restored is 'not archived: it is about this copy alone';
