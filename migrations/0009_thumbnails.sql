-- A small picture of each work whose file was sent, made anew from its pixels: of the file itself nothing is kept.
create table thumbnails (
    account uuid not null references accounts (id),
    sha256 bytea not null check (length(sha256) = 32),
    -- WEBP of at most 512 pixels a side.
    content bytea not null check (length(content) between 1 and 1048576),
    -- An upload that no work needs goes with its day; null once a work is registered with it.
    expires_at timestamptz,
    primary key (account, sha256)
);
-- It is compressed already.
alter table thumbnails alter column content set storage external;
create index thumbnails_expiry on thumbnails (expires_at) where expires_at is not null;
