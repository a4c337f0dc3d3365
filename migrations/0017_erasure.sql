-- Erasure: what an account was is taken away; the log's tree, evidence that others rely on, and a bare deny stay.

alter table accounts add column erased_at timestamptz;

-- A work of an erased account has no words left, and its addresses are kept as the keys that find them alone.
alter table works add column erased_at timestamptz;
alter table works add column url_keys bytea [];
-- A service of the release before never writes an erased row.
-- squawk-ignore ban-drop-constraint
alter table works drop constraint works_known_by;
alter table works add constraint works_known_by check (
    case
        when sha256 is not null then addresses is null
        else
            addresses is not null and length(addresses) = 32 and mode = 'fingerprint-only'
            and (cardinality(urls) > 0 or erased_at is not null)
            and pixels is null and pdq is null and quality is null
    end
) not valid;
-- It asks for less than the one before, so it holds.
-- squawk-ignore constraint-missing-not-valid
alter table works validate constraint works_known_by;

create or replace function works_keep() returns trigger language plpgsql as $$
begin
    if (new.id, new.account, new.mode, new.digest, new.registered_at)
        = (old.id, old.account, old.mode, old.digest, old.registered_at)
        and (new.sha256, new.addresses, new.pixels, new.pdq, new.quality)
        is not distinct from (old.sha256, old.addresses, old.pixels, old.pdq, old.quality)
        and (old.withdrawn_at is null or new.withdrawn_at = old.withdrawn_at)
        and (
            (new.urls, new.url_keys) is not distinct from (old.urls, old.url_keys)
            or old.erased_at is null and new.erased_at is not null and new.withdrawn_at is not null
            and cardinality(new.urls) = 0
        )
        and (old.erased_at is null or new.erased_at = old.erased_at)
    then
        return new;
    end if;
    raise exception 'what a work is matched by never changes, and a withdrawn work stays withdrawn'
        using errcode = 'restrict_violation';
end
$$;

-- The registry's own statement stands behind the deny that is left.
-- squawk-ignore ban-drop-constraint
alter table statements drop constraint statements_kind_check;
alter table statements add constraint statements_kind_check check (
    kind in ('consent', 'work-update', 'erase')
) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table statements validate constraint statements_kind_check;

-- Every erasure, and whether snapshots have been written anew without what it took.
create table erasures (
    id uuid primary key,
    account uuid not null unique references accounts (id),
    pending bigint not null unique references log_pending (id),
    denies boolean not null,
    works bigint not null check (works >= 0),
    erased bigint not null check (erased >= 0),
    restricted bigint not null check (restricted >= 0),
    version bigint not null,
    at timestamptz not null,
    compacted boolean not null default false
);
create index erasures_uncompacted on erasures (at) where not compacted;

-- Works that left without a deny: the next snapshot says that they are gone.
create table removed_works (
    work uuid primary key,
    version bigint not null
);
create index removed_works_version on removed_works (version);

-- Statements of erased accounts that others rely on: for the parties and auditors, until nothing can be claimed from them.
create table restricted_statements (
    pending bigint primary key references log_pending (id),
    account uuid not null references accounts (id),
    why text not null check (why in ('licence', 'use', 'dispute', 'evidence')),
    ends_at timestamptz not null
);
create index restricted_statements_account on restricted_statements (account);
create index restricted_statements_ends on restricted_statements (ends_at);
