-- licet: no-transaction
-- The corrections of an event, the last of them first.
create index concurrently if not exists usage_events_corrects on usage_events (corrects, seq) where corrects is not null;
