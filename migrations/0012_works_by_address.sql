-- Works that are known by their addresses alone: no file, no pixels, no hash. They can deny and never license.

-- What such a work is found by when it is registered again: SHA-256 of its addresses (licet.statements.works).
alter table works add column addresses bytea;
alter table works add constraint works_known_by check (
    case
        when sha256 is not null then addresses is null
        else
            addresses is not null and length(addresses) = 32 and mode = 'fingerprint-only' and cardinality(urls) > 0
            and pixels is null and pdq is null and quality is null
    end
) not valid;
-- Every row that was there has a file and no addresses, so it holds; reading the table is a matter of moments.
-- squawk-ignore constraint-missing-not-valid
alter table works validate constraint works_known_by;
-- A service of the release before never writes such a row, and needs no `not null` to go on.
-- squawk-ignore ban-drop-not-null
alter table works alter column sha256 drop not null;
-- squawk-ignore require-concurrent-index-creation
create unique index works_own_addresses on works (account, addresses)
where withdrawn_at is null and addresses is not null;

create or replace function works_keep() returns trigger language plpgsql as $$
begin
    if (new.id, new.account, new.mode, new.urls, new.digest, new.registered_at)
        = (old.id, old.account, old.mode, old.urls, old.digest, old.registered_at)
        and (new.sha256, new.addresses, new.pixels, new.pdq, new.quality)
        is not distinct from (old.sha256, old.addresses, old.pixels, old.pdq, old.quality)
        and (old.withdrawn_at is null or new.withdrawn_at = old.withdrawn_at)
    then
        return new;
    end if;
    raise exception 'what a work is matched by never changes, and a withdrawn work stays withdrawn'
        using errcode = 'restrict_violation';
end
$$;
