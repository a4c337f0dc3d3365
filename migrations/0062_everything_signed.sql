-- licet: no-transaction
-- Everything that an account signed, whatever its kind, the newest first.
create index concurrently if not exists log_pending_signed on log_pending (account, id);
