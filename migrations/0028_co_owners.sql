-- What co-owners say of works that another account registered (semantics 8): beside the account's own, it only restricts.

-- The columns are those of work_states: `own` from the co-owner's latest statement over the work, `catalogue` from that over
-- all its works, `terms` the strictest of both, `statement` where they are from, `waiting` the one whose looser part is on
-- hold. `ends`: the answer that brought a split without this co-owner into force, from whose entry on a hold runs until
-- its terms end. `ended`: they have; what it had said is kept, because its next statement is weighed by it.
create table co_owner_states (
    work uuid not null,
    account uuid not null references accounts (id),
    statement uuid not null,
    own bytea,
    catalogue bytea,
    terms bytea not null,
    waiting uuid,
    ends bigint references log_pending (id),
    ended boolean not null default false,
    primary key (work, account),
    check (own is not null or catalogue is not null),
    check (not ended or (ends is null and waiting is null))
);
create index co_owner_states_account on co_owner_states (account, work);
create index co_owner_states_waiting on co_owner_states (waiting) where waiting is not null;
create index co_owner_states_ends on co_owner_states (ends) where ends is not null;

-- `shared`: the strictest of what its co-owners say of the work; `terms` is the strictest of `own`, `catalogue` and this.
-- `co_owned`: a co-owner has said something of it, once at least.
alter table work_states add column shared bytea;
alter table work_states add column co_owned boolean not null default false check (co_owned or shared is null);
-- A service of the release before never writes a row that its co-owners alone have spoken of.
-- squawk-ignore ban-drop-constraint
alter table work_states drop constraint work_states_check2;
alter table work_states add constraint work_states_spoken check (
    own is not null or catalogue is not null or shared is not null
) not valid;
-- It asks for less than the one before, so it holds.
-- squawk-ignore constraint-missing-not-valid
alter table work_states validate constraint work_states_spoken;
