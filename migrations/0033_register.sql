-- The register: models with their versions, as runs name them and their organisations describe them; datasets in versions.

create table models (
    id uuid primary key,
    organisation uuid not null references accounts (id),
    name text not null,
    stated_at timestamptz not null,
    unique (organisation, name)
);
create index models_stated on models (stated_at, id);
create trigger models_keep before update or delete or truncate on models
    for each statement execute function refuse_change();

-- What the latest card in the log says; before the first one nothing is said of how far the version is, and it is listed.
create table model_versions (
    id uuid primary key,
    model uuid not null references models (id),
    version text not null,
    stated_at timestamptz not null,
    card uuid,
    status text not null default 'undescribed'
    check (status in ('undescribed', 'in-training', 'released', 'retired')),
    listed boolean not null default true,
    unique (model, version),
    check ((card is null) = (status = 'undescribed')),
    check (listed or status = 'in-training')
);

create table model_cards (
    id uuid primary key,
    model_version uuid not null references model_versions (id),
    pending bigint not null unique references log_pending (id),
    payload_digest bytea not null unique check (length(payload_digest) = 32),
    status text not null check (status in ('in-training', 'released', 'retired')),
    listed boolean not null,
    base uuid references model_versions (id),
    issued_at timestamptz not null
);
create index model_cards_version on model_cards (model_version, pending);
create trigger model_cards_keep before update or delete or truncate on model_cards
    for each statement execute function refuse_change();

insert into models (id, organisation, name, stated_at)
select gen_random_uuid(), r.organisation, r.model, min(r.issued_at) from runs r group by r.organisation, r.model;
insert into model_versions (id, model, version, stated_at)
select gen_random_uuid(), m.id, r.version, min(r.issued_at)
from runs r join models m on m.organisation = r.organisation and m.name = r.model
group by m.id, r.version;

-- What the register shows of a version of a dataset. `about`: out of the manifest, null where a service of the release
-- before logged it. `terms`: the works under its licences by price model, counted once, for licences never change.
alter table datasets add column listed boolean not null default true;
alter table datasets add column about jsonb;
alter table datasets add column terms jsonb;
alter table datasets disable trigger datasets_keep;
update datasets d set about = jsonb_build_object(
    'stage', s.payload -> 'stage', 'use', s.payload -> 'use', 'unknown_policy', s.payload -> 'unknown_policy',
    'match', s.payload -> 'match', 'min_claim_level', s.payload -> 'min_claim_level',
    'snapshot', s.payload -> 'snapshot', 'log_size', s.payload -> 'log_size',
    'decisions_root', s.payload -> 'decisions_root', 'row_root', s.payload -> 'row_root',
    'parts', jsonb_array_length(s.payload -> 'parts'), 'licences', jsonb_array_length(s.payload -> 'licences')
) || case when s.payload ? 'after' then jsonb_build_object('after', s.payload -> 'after') else '{}'::jsonb end
from (
    select
        p.id,
        convert_from(decode(convert_from(p.envelope, 'utf8')::jsonb ->> 'payload', 'base64'), 'utf8')::jsonb as payload
    from log_pending p where p.kind = 'dataset-manifest' and p.envelope is not null
) s
where s.id = d.pending;
alter table datasets enable trigger datasets_keep;
