-- Rules of sites: works that are known by a host and a path alone (licet.fingerprints.sites). What such a work is found by
-- when it is registered again is in `addresses`, as for works that are known by their addresses.
alter table works add column site text;
-- The ISCC units of the present file, as they are signed: content code, then instance code.
alter table works add column iscc text;
-- It comes back at once, wider by the rules of sites, which a service of the release before never writes.
-- squawk-ignore ban-drop-constraint
alter table works drop constraint works_known_by;
alter table works add constraint works_known_by check (
    case
        when sha256 is not null then addresses is null and site is null
        else
            addresses is not null and length(addresses) = 32 and mode = 'fingerprint-only'
            and (cardinality(urls) > 0 or site is not null or erased_at is not null)
            and (site is null or cardinality(urls) = 0)
            and pixels is null and pdq is null and quality is null and iscc is null
    end
) not valid;
-- Of the rows that were there none has a site, so it holds; reading the table is a matter of moments.
-- squawk-ignore constraint-missing-not-valid
alter table works validate constraint works_known_by;

create or replace function works_keep() returns trigger language plpgsql as $$
begin
    if (new.id, new.account, new.mode, new.registered_at) = (old.id, old.account, old.mode, old.registered_at)
        and (old.withdrawn_at is null or new.withdrawn_at = old.withdrawn_at)
        and (old.erased_at is null or new.erased_at = old.erased_at)
        and (new.site is not distinct from old.site or new.site is null and new.erased_at is not null)
        and (
            (new.digest, new.sha256, new.addresses, new.pixels, new.pdq, new.quality, new.iscc, new.files, new.file_keys)
            is not distinct from
            (old.digest, old.sha256, old.addresses, old.pixels, old.pdq, old.quality, old.iscc, old.files, old.file_keys)
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
