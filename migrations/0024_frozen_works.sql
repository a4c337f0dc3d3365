-- licet: no-transaction
-- What an account asks of itself counts its frozen works: none of most, and a few after a loss.
create index concurrently if not exists work_states_frozen on work_states (account) where frozen;
