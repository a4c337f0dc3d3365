-- After a loss that nothing made good, a shared work is frozen until everybody has signed for it again whose last word of
-- it may be lost: its account and its co-owners. Of a work that nobody shares `work_states.frozen` alone says so.
create table awaited_words (
    work uuid not null references work_states (work) on delete cascade,
    account uuid not null references accounts (id),
    primary key (work, account)
);
create index awaited_words_account on awaited_words (account);
