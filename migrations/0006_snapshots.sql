-- Snapshots: every signed manifest, and which files each one still kept needs.
create table snapshots (
    sequence bigint primary key check (sequence > 0),
    consent_version bigint not null,
    pending bigint not null unique references log_pending (id),
    envelope bytea not null,
    digest bytea not null unique check (length(digest) = 32),
    issued_at timestamptz not null,
    expires_at timestamptz not null
);

-- Rows leave when a manifest is no longer kept; a file goes when no row names it.
create table snapshot_segments (
    sequence bigint not null references snapshots (sequence),
    digest bytea not null check (length(digest) = 32),
    tier text not null check (tier in ('exact', 'near')),
    size bigint not null check (size >= 0),
    primary key (sequence, digest)
);
create index snapshot_segments_digest on snapshot_segments (digest);
