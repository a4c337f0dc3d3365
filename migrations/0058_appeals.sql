-- Appeals (semantics 6): a decision ends a dispute once nobody can appeal it, once whoever lost accepts it, or once
-- another operator has reviewed it. `decided`, by `decided_by`, moves nothing until then. All null for what was not
-- decided yet, and for what a release before decided: that ended at once, and stays so. `ended_by`: whose decision it is
-- that ended it, of the two operators.
alter table disputes add column decided text check (decided in ('upheld', 'dismissed'));
alter table disputes add column decided_at timestamptz;
-- squawk-ignore adding-foreign-key-constraint
alter table disputes add column decided_by uuid references accounts (id);
alter table disputes add column appeal_until timestamptz;
alter table disputes add column appealed_at timestamptz;
alter table disputes add constraint disputes_decided
    check (num_nonnulls(decided, decided_at, decided_by, appeal_until) in (0, 4)) not valid;
alter table disputes add constraint disputes_appealed
    check (appealed_at is null or coalesce(appealed_at < appeal_until, false)) not valid;
-- Who lost accepts: what was decided is not taken back. And nobody overturns a decision of their own, nor one that
-- nobody appealed.
alter table disputes add constraint disputes_reviewed check (
    decided is null or outcome is null or outcome = decided and (appealed_at is not null or ended_by = decided_by)
    or outcome <> 'withdrawn' and appealed_at is not null and ended_by <> decided_by
) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table disputes validate constraint disputes_decided;
-- squawk-ignore constraint-missing-not-valid
alter table disputes validate constraint disputes_appealed;
-- squawk-ignore constraint-missing-not-valid
alter table disputes validate constraint disputes_reviewed;
-- squawk-ignore require-concurrent-index-creation
create index disputes_due on disputes (appeal_until)
where outcome is null and appealed_at is null and appeal_until is not null;

-- `appeal`, `accept`: whoever lost. `review`: the office, for another operator. `end`: the office, as nobody appealed.
-- squawk-ignore ban-drop-constraint
alter table dispute_steps drop constraint dispute_steps_step_check;
alter table dispute_steps add constraint dispute_steps_step_check check (
    step in ('open', 'answer', 'withdraw', 'decide', 'appeal', 'accept', 'review', 'end')
) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table dispute_steps validate constraint dispute_steps_step_check;
-- squawk-ignore ban-drop-constraint
alter table dispute_steps drop constraint dispute_steps_check;
alter table dispute_steps add constraint dispute_steps_check
    check ((account is null) = (step in ('decide', 'review', 'end'))) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table dispute_steps validate constraint dispute_steps_check;
