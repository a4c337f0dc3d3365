-- What a charge holds in escrow for one of its works can end apart from the rest: shared by a split that all its owners
-- have signed since (`split`), awarded to whom a dispute was decided for, or returned to whoever paid.

create table escrow_parts (
    transfer uuid not null references transfers (id),
    work uuid not null,
    outcome text not null check (outcome in ('shared', 'awarded', 'returned')),
    split uuid references splits (id),
    posted uuid not null references transfers (id),
    at timestamptz not null,
    primary key (transfer, work, outcome),
    check ((outcome = 'shared') = (split is not null))
);
create index escrow_parts_posted on escrow_parts (posted);
create trigger escrow_parts_keep before update or delete or truncate on escrow_parts
    for each statement execute function refuse_change();

-- `parted`: all of it left by its parts; `posted` is the last of them.
-- squawk-ignore ban-drop-constraint
alter table escrow_ends drop constraint escrow_ends_outcome_check;
alter table escrow_ends add constraint escrow_ends_outcome_check
    check (outcome in ('released', 'returned', 'parted')) not valid;
-- It asks for less than the one before, so it holds.
-- squawk-ignore constraint-missing-not-valid
alter table escrow_ends validate constraint escrow_ends_outcome_check;

-- `held` is null where all that the charge credited was in escrow when it was contested: it stays there. A service of the
-- release before refuses to decide on such a one, and never makes one.
-- squawk-ignore ban-drop-not-null
alter table contested_charges alter column held drop not null;

-- `disputed`: somebody says that the work is hers, and nobody has decided: it denies, and what it earns waits. `lost_to`:
-- it was decided that the work is that account's.
alter table work_states add column disputed boolean not null default false;
alter table work_states add column lost_to uuid;
