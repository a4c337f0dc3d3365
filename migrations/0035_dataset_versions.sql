-- licet: no-transaction
-- The versions of a dataset, by its name, in the order of the log.
create index concurrently if not exists datasets_versions on datasets (organisation, name, pending);
