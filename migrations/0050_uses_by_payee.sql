-- licet: no-transaction
-- Uses by batch, and within it by whose work it was. Every index writes a record for each use into the server's log,
-- which is read again for the archive; this one stands for those by batch and by artist (0051 removes them).
create index concurrently if not exists usage_events_payee on usage_events (batch, artist) where batch is not null;
