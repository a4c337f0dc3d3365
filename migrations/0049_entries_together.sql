-- What entries refer to is looked for once a statement, beside what 0044 asks of them. Row by row it cost as much as
-- everything else about an entry, and locked the account that all of a batch's transfers share. Nothing that is
-- referred to is ever removed (`refuse_change`), so to look when an entry comes is enough.
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
    -- A sub-select, so that each account is found by its index whatever plan is kept.
    select a.account into wrong from (select distinct account from added) a
    where (select true from ledger_accounts l where l.id = a.account) is null limit 1;
    if found then
        raise exception 'there is no account % for an entry on it', wrong.account
            using errcode = 'foreign_key_violation';
    end if;
    -- What this transaction has made is in progress, and of what others have not committed nothing is seen. `xmin` has
    -- the lower half of a number that is near `newest`.
    select min(t.id::text) filter (where t.lines <> a.lines or not coalesce(pg_xact_status((
            newest + ((t.xmin::text::bigint - newest) & 4294967295) - case
                when (t.xmin::text::bigint - newest) & 4294967295 >= 2147483648 then 4294967296 else 0 end
        )::text::xid8) = 'in progress', false)) as id,
        array_agg(t.id) filter (where t.reverses is not null) as reversals,
        min(a.transfer::text) filter (where t.id is null) as missing
    into wrong
    from (select e.transfer, count(*) as lines from added e group by e.transfer) a
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
-- squawk-ignore ban-drop-constraint
alter table entries drop constraint entries_transfer_fkey;
-- squawk-ignore ban-drop-constraint
alter table entries drop constraint entries_account_fkey;
