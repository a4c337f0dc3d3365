-- A dispute that was taken back takes nobody else's right to dispute the same charge: one is open at a time, not one ever.
-- squawk-ignore require-concurrent-index-deletion
drop index disputes_one_of_a_charge;
-- squawk-ignore require-concurrent-index-creation
create unique index disputes_one_of_a_charge on disputes (transfer) where outcome is null and transfer is not null;
-- squawk-ignore require-concurrent-index-creation
create index disputes_charge on disputes (transfer, pending) where transfer is not null;

-- `turn`: the contests of a charge counted from 1, one open at a time. `withdrawn`: whoever contested it took that back, and
-- nobody has decided. So the n-th dispute of a charge is the n-th contest of it.
alter table contested_charges add column turn bigint not null default 1 check (turn > 0);
-- squawk-ignore ban-drop-constraint
alter table contested_charges drop constraint contested_charges_transfer_key;
-- squawk-ignore require-concurrent-index-creation
create unique index contested_charges_turn on contested_charges (transfer, turn);
-- squawk-ignore require-concurrent-index-creation
create unique index contested_charges_open on contested_charges (transfer) where outcome is null;
-- squawk-ignore ban-drop-constraint
alter table contested_charges drop constraint contested_charges_outcome_check;
alter table contested_charges add constraint contested_charges_outcome_check
    check (outcome in ('stands', 'refunded', 'withdrawn')) not valid;
update contested_charges c set outcome = 'withdrawn'
from disputes d where d.transfer = c.transfer and d.outcome = 'withdrawn' and c.outcome = 'stands';
-- squawk-ignore constraint-missing-not-valid
alter table contested_charges validate constraint contested_charges_outcome_check;

-- What the other party answered: null for other steps, and for an answer whose document was erased before this.
alter table dispute_steps add column position text
    check (position in ('concede', 'contest')) check (position is null or step = 'answer');
alter table dispute_steps disable trigger dispute_steps_keep;
update dispute_steps x set position =
    convert_from(decode(convert_from(p.envelope, 'utf8')::jsonb ->> 'payload', 'base64'), 'utf8')::jsonb ->> 'position'
from log_pending p where p.id = x.pending and x.step = 'answer' and p.envelope is not null;
alter table dispute_steps enable trigger dispute_steps_keep;
