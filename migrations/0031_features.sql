-- What works are found by where only a part of them is shown (licet.derivative), made where the picture is decoded and
-- kept as its thumbnail is: with the upload for a day, with the work as long as that stands.
create table features (
    account uuid not null references accounts (id),
    sha256 bytea not null check (length(sha256) = 32),
    -- In segments a picture goes by this, so that one that is gone, or has another picture now, is found no more.
    id uuid not null default gen_random_uuid() unique,
    -- The version of their form: those of another find nothing.
    form text not null check (length(form) between 1 and 16),
    -- Null where the picture cannot be found by its parts, so there is nothing to keep.
    content bytea check (length(content) between 1 and 65536),
    -- Whether they lie in one of the segments.
    indexed boolean not null default false,
    -- An upload that no work needs goes with its day; null once a work is registered with it.
    expires_at timestamptz,
    primary key (account, sha256)
);
alter table features alter column content set storage external;
create index features_expiry on features (expires_at) where expires_at is not null;
create index features_waiting on features (form, id)
where not indexed and expires_at is null and content is not null;

-- The segments that look-ups read: files of this name. Whatever is wrong with them, they are made anew from features.
create table derivative_segments (
    id bigint generated always as identity primary key,
    digest bytea not null unique check (length(digest) = 32),
    form text not null,
    pictures bigint not null check (pictures > 0),
    size bigint not null check (size > 0)
);
comment on table derivative_segments is 'not archived: they are made from features';

-- What lies in a segment and is a work's no more: until the segments are written without it, answers leave it out.
create table removed_features (
    id uuid primary key,
    removed_at timestamptz not null default now()
);
comment on table removed_features is 'not archived: segments are made anew without it';

create function keep_removed_features() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or new.id <> old.id then
        insert into removed_features (id) values (old.id) on conflict (id) do nothing;
    end if;
    return null;
end
$$;
create trigger features_removed after delete or update on features
for each row when (old.indexed) execute function keep_removed_features();
