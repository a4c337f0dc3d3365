-- Signed work-updates: a work may be recognised by more than before, and what it was recognised by stays.

-- Further files, as `licet.statements.kinds.FileDigest` with their quality, by rising digest; null for most works. The
-- digests and pixels of them again, to be found by. `updated` is the last statement that added something.
alter table works add column files jsonb;
alter table works add column file_keys bytea [];
alter table works add column updated bigint;
-- squawk-ignore require-concurrent-index-creation
create index works_file_keys on works using gin (file_keys) where file_keys is not null;

create or replace function works_keep() returns trigger language plpgsql as $$
begin
    if (new.id, new.account, new.mode, new.registered_at) = (old.id, old.account, old.mode, old.registered_at)
        and (old.withdrawn_at is null or new.withdrawn_at = old.withdrawn_at)
        and (old.erased_at is null or new.erased_at = old.erased_at)
        and (
            (new.digest, new.sha256, new.addresses, new.pixels, new.pdq, new.quality, new.files, new.file_keys)
            is not distinct from
            (old.digest, old.sha256, old.addresses, old.pixels, old.pdq, old.quality, old.files, old.file_keys)
            and new.updated is not distinct from old.updated
            and (
                (new.urls, new.url_keys) is not distinct from (old.urls, old.url_keys)
                or old.erased_at is null and new.erased_at is not null and new.withdrawn_at is not null
                and cardinality(new.urls) = 0
            )
            or new.updated > coalesce(old.updated, 0)
            and old.withdrawn_at is null and new.withdrawn_at is null and new.erased_at is null
            and new.url_keys is not distinct from old.url_keys and new.urls @> old.urls
            and coalesce(new.file_keys, '{}') @> coalesce(old.file_keys, '{}')
            and (old.sha256 is not distinct from new.sha256 or old.sha256 = any(new.file_keys))
        )
    then
        return new;
    end if;
    raise exception 'what a work is matched by only grows, by a signed work-update; a withdrawn work stays withdrawn'
        using errcode = 'restrict_violation';
end
$$;

-- What a work was matched by until statement `ended_by`: the digests that earlier statements are over. `keys` as
-- `registry.works.types.Keys`.
create table work_versions (
    work uuid not null,
    ended_by bigint not null references log_pending (id),
    digest bytea not null check (length(digest) = 32),
    keys jsonb not null,
    primary key (work, ended_by)
);

-- Counts the account's work-updates: a statement over digests that one of them changed meanwhile is not accepted.
alter table consent_heads add column updates bigint not null default 0;

-- squawk-ignore ban-drop-constraint
alter table statements drop constraint statements_effect_check;
alter table statements add constraint statements_effect_check check (
    effect in ('initial', 'tighten', 'loosen', 'withdraw', 'update')
) not valid;
-- It asks for less than the one before, so it holds.
-- squawk-ignore constraint-missing-not-valid
alter table statements validate constraint statements_effect_check;
