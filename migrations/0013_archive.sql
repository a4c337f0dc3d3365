-- The archive: which changes leave for it, how far it holds them, and works whose last word was lost.

-- One row. The archive's segments up to `segment` hold nothing that is not in this database: it is raised before each is
-- written, so a restored copy knows from where to go on. `since` is where the present stream of changes began, `base`
-- the copy of everything that it continues; null until that is complete.
create table archive_mark (
    one boolean primary key default true check (one),
    segment bigint not null default 0 check (segment >= 0),
    since bigint not null default 0 check (since >= 0),
    base text,
    at timestamptz not null default now()
);
insert into archive_mark default values;
comment on table archive_mark is 'not archived: it says how far the archive reaches';

-- Constraints that are set aside while changes are replayed, and the statements that put them back.
create table archive_aside (
    place bigint generated always as identity primary key,
    statement text not null
);
comment on table archive_aside is 'not archived: it is empty but for a replay';

comment on table schema_migrations is 'not archived: restoring applies the migrations themselves';
comment on table log_queue is 'not archived: what has no entry is in the queue';
comment on table log_tiles is 'not archived: they follow from the entries';
comment on table log_head is 'not archived: it follows from the entries';
comment on table idempotency is 'not archived: answers are kept for a day';
comment on table quotes is 'not archived: an offer lasts minutes';
comment on table uploads is 'not archived: an upload lasts a day';

-- Every table of the registry is in the publication, unless its comment says that it is not archived. The migrator calls
-- this after each step, so no row of a new table is missed.
create function archive_follow() returns void language plpgsql as $$
declare
    wanted text;
    present text;
begin
    select string_agg(quote_ident(c.relname), ', ' order by c.relname) into wanted
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.relpersistence = 'p'
        and coalesce(obj_description(c.oid, 'pg_class'), '') not like 'not archived%';
    select string_agg(quote_ident(tablename), ', ' order by tablename) into present
    from pg_publication_tables where pubname = 'licet_archive';
    if not exists (select from pg_publication where pubname = 'licet_archive') then
        execute 'create publication licet_archive for table ' || wanted;
    elsif present is distinct from wanted then
        execute 'alter publication licet_archive set table ' || wanted;
    end if;
end
$$;

-- A statement about the work may be lost: until its account signs for it again, its license and allow deny.
alter table work_states add column frozen boolean not null default false;
