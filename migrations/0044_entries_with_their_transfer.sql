-- Entries come with the transfer that they belong to, all of them in one statement, in the transaction that makes it: so
-- nothing is added later to what was posted, though it be in balance, neither in a closed month nor in an open one. And
-- a reversal negates exactly, and is not reversed.
-- A connection keeps the plan that it made when the ledger was empty, which must not read all transfers later on.
create or replace function entries_balance() returns trigger language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    wrong record;
    newest constant bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
    reversals uuid [];
begin
    select a.transfer, a.currency, sum(a.amount) as amount into wrong
    from added a group by a.transfer, a.currency having sum(a.amount) <> 0 limit 1;
    if found then
        raise exception 'transfer % is out of balance by % micro-units of %', wrong.transfer, wrong.amount, wrong.currency
            using errcode = 'check_violation';
    end if;
    -- What this transaction has made is in progress, and of what others have not committed nothing is seen. `xmin` has
    -- the lower half of a number that is near `newest`.
    select min(t.id::text) filter (where t.lines <> a.lines or not coalesce(pg_xact_status((
            newest + ((t.xmin::text::bigint - newest) & 4294967295) - case
                when (t.xmin::text::bigint - newest) & 4294967295 >= 2147483648 then 4294967296 else 0 end
        )::text::xid8) = 'in progress', false)) as id,
        array_agg(t.id) filter (where t.reverses is not null) as reversals
    into wrong
    from (select e.transfer, count(*) as lines from added e group by e.transfer) a join transfers t on t.id = a.transfer;
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
