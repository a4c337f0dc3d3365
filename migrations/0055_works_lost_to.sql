-- licet: no-transaction
create index concurrently if not exists work_states_lost_to on work_states (lost_to, work) where lost_to is not null;
