-- licet: no-transaction
-- Uses without a licence, by the statement that they go against: erasure asks what somebody still owes.
create index concurrently if not exists usage_events_statement on usage_events (statement) where statement is not null;
