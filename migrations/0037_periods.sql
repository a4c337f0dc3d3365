-- Months of the ledger that are over: ended (nobody but their own closing posts into them), sealed (nobody does), counted
-- (balances and lines are kept), stated (the close is on its way into the log). Each step is taken once, none back.
create table periods (
    period text collate "C" primary key check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    -- Salts the lines; known to the registry and to auditors.
    secret bytea not null check (length(secret) = 32),
    ended_at timestamptz not null,
    sealed_at timestamptz check (sealed_at >= ended_at),
    -- Balances are those of the month, and what transfers from this id on have posted, but for `straddling`, whose ids
    -- an older release made a moment after their month.
    boundary uuid,
    straddling uuid [],
    -- Its entries of the log, and the root over the usage batches among them.
    log_first bigint check (log_first >= 0),
    log_end bigint check (log_end >= log_first),
    batches bigint check (batches >= 0),
    batches_root bytea check (length(batches_root) = 32),
    pending bigint unique references log_pending (id),
    check (boundary is null or sealed_at is not null),
    check ((boundary is null) = (straddling is null)),
    check (log_end is null or (boundary is not null and batches is not null and batches_root is not null)),
    check (pending is null or log_end is not null)
);

create function periods_go_on() returns trigger language plpgsql as $$
declare
    newest record;
begin
    if tg_op = 'INSERT' then
        select p.period, p.pending into newest from periods p order by p.period desc limit 1;
        if new.period >= to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM') then
            raise exception 'the month % is not over', new.period using errcode = 'restrict_violation';
        end if;
        if found and (
            newest.pending is null
            or new.period <> to_char((newest.period || '-01')::date + interval '1 month', 'YYYY-MM')
        ) then
            raise exception 'the month after % ends after it and once that is closed, got %', newest.period, new.period
                using errcode = 'restrict_violation';
        end if;
    elsif (new.period, new.secret, new.ended_at) <> (old.period, old.secret, old.ended_at)
        or old.sealed_at is not null and new.sealed_at is distinct from old.sealed_at
        or old.boundary is not null
            and (new.boundary, new.straddling) is distinct from (old.boundary, old.straddling)
        or old.log_end is not null
            and (new.log_first, new.log_end, new.batches, new.batches_root)
            is distinct from (old.log_first, old.log_end, old.batches, old.batches_root)
        or old.pending is not null and new.pending is distinct from old.pending
    then
        raise exception 'what was said of the month % stays', old.period using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger periods_step before insert or update on periods for each row execute function periods_go_on();
create trigger periods_keep before delete or truncate on periods for each statement execute function refuse_change();

-- Nothing comes into a month that has ended, but what closes it says of itself that it does (`licet.closing`). Whoever
-- posts shares the lock that ending and sealing take whole, and looks after having it: a transfer either is seen by
-- whoever counts the month, or sees that it has ended. That needs each statement to see what was committed before it.
-- A transfer's id begins with its moment, so that a month is a range of ids.
create function transfers_open() returns trigger language plpgsql as $$
declare
    wrong record;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'transfers are posted at READ COMMITTED, got %', current_setting('transaction_isolation')
            using errcode = 'invalid_transaction_state';
    end if;
    perform pg_advisory_xact_lock_shared(119199894959250);
    select a.key, a.period into wrong
    from added a
    where a.period <= (select max(p.period) from periods p)
        and not exists (
            select from periods p
            where p.period = a.period and p.sealed_at is null and p.period = current_setting('licet.closing', true)
        )
    limit 1;
    if found then
        raise exception 'the month % is closed: transfer % cannot be posted into it', wrong.period, wrong.key
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    select a.key, a.at into wrong
    from added a
    where ('x' || left(replace(a.id::text, '-', ''), 12))::bit(48)::bigint <> floor(extract(epoch from a.at) * 1000)
    limit 1;
    if found then
        raise exception 'transfer %: its id does not begin with its moment %', wrong.key, wrong.at
            using errcode = 'check_violation';
    end if;
    return null;
end
$$;
create trigger transfers_opened after insert on transfers referencing new table as added
    for each statement execute function transfers_open();

-- Every account through a closed month; debit is positive. One that had and has nothing is left out.
create table period_balances (
    period text collate "C" not null references periods (period),
    account bigint not null references ledger_accounts (id),
    currency text not null,
    opening bigint not null,
    accrued bigint not null,
    reversed bigint not null,
    settled bigint not null,
    closing bigint not null check (closing = opening + accrued + reversed + settled),
    primary key (period, account, currency)
);
create trigger period_balances_keep before update or delete or truncate on period_balances
    for each statement execute function refuse_change();

-- The sum trees of a closed month. `nodes` are those above each 256 lines; `sums` as the columns of a line.
create table period_trees (
    period text collate "C" not null references periods (period),
    side text not null check (side in ('licensee', 'payee', 'registry')),
    currency text not null,
    lines bigint not null check (lines > 0),
    root bytea not null check (length(root) = 32),
    sums bigint [] not null check (cardinality(sums) = 7),
    nodes bytea not null,
    primary key (period, side, currency)
);
create trigger period_trees_keep before update or delete or truncate on period_trees
    for each statement execute function refuse_change();

create table period_lines (
    period text collate "C" not null references periods (period),
    payee text not null,
    side text not null,
    currency text not null,
    place bigint not null check (place >= 0),
    sums bigint [] not null check (cardinality(sums) = 7),
    primary key (period, payee, side, currency),
    unique (period, side, currency, place)
);
create trigger period_lines_keep before update or delete or truncate on period_lines
    for each statement execute function refuse_change();
