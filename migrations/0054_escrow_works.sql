-- What each work has of a charge that a close put into escrow: with uses that is told by the uses, here by nothing else.
-- Charges of before have no rows: they leave escrow whole.

create table escrow_works (
    transfer uuid not null references transfers (id),
    work uuid not null,
    amount bigint not null,
    fee bigint not null,
    primary key (transfer, work)
);
create trigger escrow_works_keep before update or delete or truncate on escrow_works
    for each statement execute function refuse_change();
