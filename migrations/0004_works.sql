-- Works: what artists registered, the fingerprints that find it, and which works of different accounts match.

-- The service's own fingerprints of a picture that an account sent; the picture itself is not kept.
create table uploads (
    account uuid not null references accounts (id),
    sha256 bytea not null check (length(sha256) = 32),
    fingerprint jsonb not null,
    -- The PDQ in all eight orientations, which a search asks for; the fingerprint has the first.
    orientations bytea not null check (length(orientations) = 256),
    expires_at timestamptz not null,
    primary key (account, sha256)
);
create index uploads_expiry on uploads (expires_at);

-- A row's match keys never change: `digest` covers them and is what the artist signs.
create table works (
    id uuid primary key,
    account uuid not null references accounts (id),
    mode text not null check (mode in ('upload', 'fingerprint-only')),
    sha256 bytea not null check (length(sha256) = 32),
    pixels bytea check (length(pixels) = 32),
    pdq bytea check (length(pdq) = 32),
    quality bigint check (quality between 0 and 100),
    title text,
    creator text,
    created text,
    tags text [] not null,
    external_id text,
    urls text [] not null,
    digest bytea not null check (length(digest) = 32),
    -- Title, creator, tags and external id in one form to search in, and its two-letter pieces to find it by.
    haystack text not null,
    grams text [] not null,
    -- The consent version that the work was compared at: matches with what came later are found when it is signed for.
    compared_at bigint not null,
    registered_at timestamptz not null,
    withdrawn_at timestamptz
);
create unique index works_own_file on works (account, sha256) where withdrawn_at is null;
create unique index works_own_pixels on works (account, pixels) where withdrawn_at is null and pixels is not null;
create index works_own_external on works (account, external_id) where external_id is not null;
create index works_newest on works (account, registered_at, id);
create index works_titles on works (account, (coalesce(title, '')) collate "C", id);
create index works_grams on works using gin (grams);

create function works_keep() returns trigger language plpgsql as $$
begin
    if (new.id, new.account, new.mode, new.sha256, new.urls, new.digest, new.registered_at)
        = (old.id, old.account, old.mode, old.sha256, old.urls, old.digest, old.registered_at)
        and (new.pixels, new.pdq, new.quality) is not distinct from (old.pixels, old.pdq, old.quality)
        and (old.withdrawn_at is null or new.withdrawn_at = old.withdrawn_at)
    then
        return new;
    end if;
    raise exception 'what a work is matched by never changes, and a withdrawn work stays withdrawn'
        using errcode = 'restrict_violation';
end
$$;
create trigger works_update before update on works for each row execute function works_keep();

-- `work` came later and matches `other` of another account. `claimed_at` is when `work` first got terms: from then on
-- the two claims conflict, and which of them is contested or challenged follows from the accounts' levels (semantics 6).
create table work_matches (
    work uuid not null,
    other uuid not null,
    account uuid not null,
    other_account uuid not null check (other_account <> account),
    key text not null check (key in ('file', 'pixels', 'pdq')),
    distance bigint not null check (distance between 0 and 256),
    claimed_at timestamptz,
    primary key (work, other)
);
create index work_matches_other on work_matches (other);
create index work_matches_account on work_matches (account);
create index work_matches_other_account on work_matches (other_account);
