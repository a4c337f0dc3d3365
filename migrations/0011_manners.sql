-- What callers have used of their quotas, shared by all processes; and the order in which offers are listed.

-- Lost after a crash of the server, as every count of the last minutes may be: unlogged on purpose. `taken` is what was
-- lent to processes in the window that ends at `until`, `lent` what went to the last that asked.
create unlogged table quotas (
    who text not null,
    quota text not null,
    until timestamptz not null,
    taken bigint not null check (taken >= 0),
    lent bigint not null check (lent >= 0),
    primary key (who, quota)
);
create index quotas_until on quotas (until);

-- Offers are forgotten a day after they ran out, so the table is small and the lock short.
-- squawk-ignore require-concurrent-index-creation
create index quotes_own on quotes (organisation, id);
