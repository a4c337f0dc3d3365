-- Addresses of an erased work that others relied on become the keys that find them once limitation has ended.
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
                or old.url_keys is null and new.erased_at is not null and new.withdrawn_at is not null
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
