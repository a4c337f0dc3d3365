-- What a close could not charge an agreement for. Each later close tries it again, and posts it into the month that it
-- closes. A row stays when that is done: it says what a transfer of a later month is for.

create table allocations_left_out (
    licence uuid not null references agreements (licence),
    period text collate "C" not null check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    why text not null check (why <> ''),
    since timestamptz not null,
    -- The last month whose close tried it, and the one into which it was posted.
    tried text collate "C" not null check (tried >= period),
    posted text collate "C" check (posted > period),
    primary key (licence, period)
);
create index allocations_left_out_open on allocations_left_out (period, licence) where posted is null;
