-- The transparency log: what waits for a place, what has one, and the tree over it.

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'rows of % are never changed or removed (%)', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation';
end
$$;

-- A signed statement and the salt of its commitment. Identity values may commit out of order; statements that could
-- contradict each other are ordered by the row lock that their domain takes before it inserts here.
create table log_pending (
    id bigint generated always as identity primary key,
    kind text not null,
    subject text not null,
    account uuid,
    envelope bytea,
    salt bytea,
    submitted_at timestamptz not null default now()
);
create index log_pending_subject on log_pending (subject, id);
create index log_pending_account on log_pending (account, kind, id);

-- Erasure takes envelope and salt away and nothing else; everything else stays as submitted.
create function log_pending_keep() returns trigger language plpgsql as $$
begin
    if new.envelope is null and new.salt is null
        and (new.id, new.kind, new.subject, new.submitted_at) = (old.id, old.kind, old.subject, old.submitted_at)
        and new.account is not distinct from old.account
    then
        return new;
    end if;
    raise exception 'a submitted statement is never changed, only erased' using errcode = 'restrict_violation';
end
$$;
create trigger log_pending_update before update on log_pending for each row execute function log_pending_keep();
create trigger log_pending_delete before delete or truncate on log_pending
    for each statement execute function refuse_change();

-- What the sequencer has yet to take; a row lives from the submitter's COMMIT to the sequencer's.
create table log_queue (
    pending bigint primary key references log_pending (id)
);

create table log_entries (
    index bigint primary key check (index >= 0),
    pending bigint not null unique references log_pending (id),
    entry bytea not null check (length(entry) between 1 and 65535),
    leaf_hash bytea not null check (length(leaf_hash) = 32),
    at timestamptz not null
);
create trigger log_entries_keep before update or delete or truncate on log_entries
    for each statement execute function refuse_change();

-- Tiles of 256 hashes at their widest so far; a tile only ever grows at its end.
create table log_tiles (
    level bigint not null check (level between 0 and 63),
    tile bigint not null check (tile >= 0),
    width bigint not null check (width between 1 and 256),
    hashes bytea not null check (length(hashes) = width * 32),
    primary key (level, tile)
);
create function log_tiles_grow() returns trigger language plpgsql as $$
begin
    if (new.level, new.tile) = (old.level, old.tile)
        and substring(new.hashes for length(old.hashes)) = old.hashes
    then
        return new;
    end if;
    raise exception 'a tile only grows at its end' using errcode = 'restrict_violation';
end
$$;
create trigger log_tiles_update before update on log_tiles for each row execute function log_tiles_grow();
create trigger log_tiles_delete before delete or truncate on log_tiles
    for each statement execute function refuse_change();

-- The one row that is the log's state. `published_*` is what has left the building: files written, guard advanced.
create table log_head (
    one boolean primary key default true check (one),
    size bigint not null,
    root bytea not null,
    frontier bytea not null,
    checkpoint text not null,
    at timestamptz not null,
    published_size bigint not null,
    published_checkpoint text not null,
    check (published_size between 0 and size)
);
create function log_head_advance() returns trigger language plpgsql as $$
begin
    if new.size < old.size or new.at < old.at or new.published_size < old.published_size
        or (new.size = old.size and new.root <> old.root)
    then
        raise exception 'the log never goes back' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger log_head_update before update on log_head for each row execute function log_head_advance();
create trigger log_head_delete before delete or truncate on log_head
    for each statement execute function refuse_change();
insert into log_head (size, root, frontier, checkpoint, at, published_size, published_checkpoint)
    values (0, sha256(''), decode('0000000000000000', 'hex'), '', '2000-01-01 00:00:00+00', 0, '');
