-- Corrections of usage: an event that names the one that it corrects, and owes the difference, which may be negative.
alter table usage_events add column corrects bytea;
alter table usage_events add column was bigint;
-- squawk-ignore ban-drop-constraint
alter table usage_events drop constraint usage_events_quantity_check;
-- squawk-ignore ban-drop-constraint
alter table usage_events drop constraint usage_events_amount_check;
-- squawk-ignore ban-drop-constraint
alter table usage_events drop constraint usage_events_check;
alter table usage_events add constraint usage_events_quantity_check
    check (quantity > 0 or (corrects is not null and quantity = 0)) not valid;
alter table usage_events add constraint usage_events_amount_check
    check (amount >= 0 or corrects is not null) not valid;
alter table usage_events add constraint usage_events_check
    check (abs(fee) <= abs(amount) and (fee >= 0 or corrects is not null)) not valid;
alter table usage_events add constraint usage_events_correction check (
    (corrects is null) = (was is null)
    and (corrects is null or (length(corrects) = 32 and batch is not null and was >= 0 and was <> quantity and seq > 0))
) not valid;
-- Each asks for less than the one before, or for nothing of an event that is no correction, so all hold.
-- squawk-ignore constraint-missing-not-valid
alter table usage_events validate constraint usage_events_quantity_check;
-- squawk-ignore constraint-missing-not-valid
alter table usage_events validate constraint usage_events_amount_check;
-- squawk-ignore constraint-missing-not-valid
alter table usage_events validate constraint usage_events_check;
-- squawk-ignore constraint-missing-not-valid
alter table usage_events validate constraint usage_events_correction;
