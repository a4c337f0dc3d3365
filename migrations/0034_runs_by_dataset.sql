-- licet: no-transaction
-- What was trained on a version of a dataset: it is in the register once a listed version of a model was.
create index concurrently if not exists runs_dataset on runs (dataset, id);
