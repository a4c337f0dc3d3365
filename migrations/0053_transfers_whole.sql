-- A transfer and its entries come in one statement: a later one of the same transaction adds nothing to it either, and no
-- transfer is without entries. Rows of one statement have one (xmin, cmin), which no other statement has, so the time at
-- which a transfer was made is looked up no more. The rest is as 0049 has it.
create or replace function entries_balance() returns trigger language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    wrong record;
    reversals uuid [];
begin
    select a.transfer, a.currency, sum(a.amount) as amount into wrong
    from added a group by a.transfer, a.currency having sum(a.amount) <> 0 limit 1;
    if found then
        raise exception 'transfer % is out of balance by % micro-units of %', wrong.transfer, wrong.amount, wrong.currency
            using errcode = 'check_violation';
    end if;
    -- A sub-select, so that each account is found by its index whatever plan is kept.
    select a.account into wrong from (select distinct account from added) a
    where (select true from ledger_accounts l where l.id = a.account) is null limit 1;
    if found then
        raise exception 'there is no account % for an entry on it', wrong.account
            using errcode = 'foreign_key_violation';
    end if;
    -- All that was added is of this statement, so one row of it says which one that is.
    select min(t.id::text) filter (
            where t.lines <> a.lines or not (t.xmin = this.xmin and t.cmin = this.cmin)
        ) as id,
        array_agg(t.id) filter (where t.reverses is not null) as reversals,
        min(a.transfer::text) filter (where t.id is null) as missing
    into wrong
    from (
        select e.xmin, e.cmin from (select * from added limit 1) one
        join entries e on (e.transfer, e.account, e.currency) = (one.transfer, one.account, one.currency)
    ) this
    cross join (select e.transfer, count(*) as lines from added e group by e.transfer) a
    left join transfers t on t.id = a.transfer;
    if wrong.missing is not null then
        raise exception 'there is no transfer % for an entry of it', wrong.missing
            using errcode = 'foreign_key_violation';
    end if;
    if wrong.id is not null then
        raise exception 'transfer %: its entries come with it, all of them at once', wrong.id
            using errcode = 'restrict_violation';
    end if;
    reversals := wrong.reversals;
    if reversals is not null then
        select r.id into wrong
        from transfers r join transfers t on t.id = r.reverses
        where r.id = any(reversals) and (t.reverses is not null or t.lines <> r.lines or exists (
            select from entries e where e.transfer = t.id and not exists (
                select from entries n
                where n.transfer = r.id and (n.account, n.currency, n.amount) = (e.account, e.currency, -e.amount)
            )
        )) limit 1;
        if found then
            raise exception 'transfer %: expected exactly the negation of a transfer that is no reversal', wrong.id
                using errcode = 'check_violation';
        end if;
    end if;
    return null;
end
$$;

-- That all of them came is for the entries to say: here one is enough.
create function transfers_have_entries() returns trigger language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    wrong record;
begin
    select a.id into wrong from added a
    where (select true from entries e where e.transfer = a.id limit 1) is null limit 1;
    if found then
        raise exception 'transfer %: its entries come with it, all of them at once', wrong.id
            using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;
create trigger transfers_whole after insert on transfers referencing new table as added
    for each statement execute function transfers_have_entries();
