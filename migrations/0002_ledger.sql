-- The ledger: double entry in micro-units. Entries are the only truth; a balance is their sum.

-- Names say what is counted and for whom (`payable:art_…`); what they mean is for other domains to know.
create table ledger_accounts (
    id bigint generated always as identity primary key,
    name text not null unique check (name ~ '^[a-z]{1,20}:[a-z0-9_]{1,64}$')
);
create trigger ledger_accounts_keep before update or delete or truncate on ledger_accounts
    for each statement execute function refuse_change();

-- `key` makes posting idempotent. `lines` is how many entries the transfer came with: nothing can be slipped in later
-- without being found. `reverses` names the one transfer that this one negates.
create table transfers (
    id uuid primary key,
    key text not null unique check (char_length(key) between 1 and 255),
    kind text not null check (kind ~ '^[a-z-]{1,40}$'),
    at timestamptz not null,
    period text not null generated always as (
        lpad(extract(year from at at time zone 'UTC')::integer::text, 4, '0') || '-'
        || lpad(extract(month from at at time zone 'UTC')::integer::text, 2, '0')
    ) stored,
    source text not null check (char_length(source) between 1 and 255),
    memo text not null check (char_length(memo) <= 500),
    lines bigint not null check (lines >= 2),
    reverses uuid unique references transfers (id) check (reverses <> id)
);
create index transfers_period on transfers (period, id);
create index transfers_source on transfers (source);
create trigger transfers_keep before update or delete or truncate on transfers
    for each statement execute function refuse_change();

-- Debit is positive, credit negative. A transfer's entries come in one statement and add up to nothing per currency.
create table entries (
    transfer uuid not null references transfers (id),
    account bigint not null references ledger_accounts (id),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    amount bigint not null check (amount <> 0 and amount between -9007199254740991 and 9007199254740991),
    primary key (transfer, account, currency)
);
create index entries_account on entries (account, transfer, currency) include (amount);
create trigger entries_keep before update or delete or truncate on entries
    for each statement execute function refuse_change();

-- Looks at the rows of the statement alone: joining back to the table costs six times as much.
create function entries_balance() returns trigger language plpgsql as $$
declare
    wrong record;
begin
    select a.transfer, a.currency, sum(a.amount) as amount into wrong
    from added a group by a.transfer, a.currency having sum(a.amount) <> 0 limit 1;
    if found then
        raise exception 'transfer % is out of balance by % micro-units of %', wrong.transfer, wrong.amount, wrong.currency
            using errcode = 'check_violation';
    end if;
    return null;
end
$$;
create trigger entries_balanced after insert on entries referencing new table as added
    for each statement execute function entries_balance();
