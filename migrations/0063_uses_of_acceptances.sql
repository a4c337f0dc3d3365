-- Uses that came with a licence rather than with a report: of one that much was reported of, they are a few of many.
-- licet: no-transaction
create index concurrently if not exists usage_events_accepted
on usage_events (licence, artist, id) where batch is null;
