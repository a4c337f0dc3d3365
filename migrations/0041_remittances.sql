-- Remittances: what artists are paid, and where to; escrow that was released or given back; charges that are contested.

-- Where an account is paid: name, IBAN and country are sealed with a key that is not in the database. The latest counts,
-- from `usable_at` on: whoever takes over an account is not paid before its owner has had days to notice.
create table payouts (
    id uuid primary key,
    account uuid not null references accounts (id),
    sealed bytea not null,
    ends text not null check (ends ~ '^[A-Z0-9]{4}$'),
    given_at timestamptz not null,
    usable_at timestamptz not null
);
create index payouts_account on payouts (account, id);

-- `file`: the payment order that it is part of. `posted` moved the amount from payable to transit; `paid_by` is the
-- bank's entry that took it, `returned_by` the one that brought it back, `cancelled` the transfer that undid it.
create table remittances (
    id uuid primary key,
    file uuid not null,
    account uuid not null references accounts (id),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    period text not null check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    total bigint not null,
    carried_in bigint not null,
    amount bigint not null check (amount > 0),
    carried_out bigint not null,
    lines bigint not null check (lines >= 1),
    payout uuid not null,
    bank text not null check (bank ~ '^[A-Z0-9]{1,34}$'),
    prepared_at timestamptz not null,
    posted uuid not null unique references transfers (id),
    paid_by uuid unique references bank_entries (id),
    returned_by uuid unique references bank_entries (id),
    cancelled uuid unique references transfers (id),
    reason text check (char_length(reason) between 1 and 500),
    check (total + carried_in = amount + carried_out),
    check (cancelled is null or paid_by is null and returned_by is null)
);
create index remittances_account on remittances (account, id);
create index remittances_chain on remittances (account, currency, id);
create index remittances_file on remittances (file);

-- Every transfer that an account was credited by is paid by one remittance at most.
create table remittance_lines (
    transfer uuid not null references transfers (id),
    account uuid not null,
    currency text not null,
    remittance uuid not null references remittances (id),
    amount bigint not null check (amount <> 0),
    primary key (transfer, account, currency)
);
create index remittance_lines_remittance on remittance_lines (remittance, transfer);
create trigger remittance_lines_keep before update or delete or truncate on remittance_lines
    for each statement execute function refuse_change();

-- What became of what a transfer put into escrow: each once.
create table escrow_ends (
    transfer uuid primary key references transfers (id),
    outcome text not null check (outcome in ('released', 'returned')),
    posted uuid not null unique references transfers (id),
    at timestamptz not null
);
create trigger escrow_ends_keep before update or delete or truncate on escrow_ends
    for each statement execute function refuse_change();

-- A charge that its licensee contests: what it credited is held in escrow (`held`) until the office has decided.
create table contested_charges (
    id uuid primary key,
    transfer uuid not null unique references transfers (id),
    reason text not null check (char_length(reason) between 1 and 500),
    held uuid not null unique references transfers (id),
    opened_at timestamptz not null,
    outcome text check (outcome in ('stands', 'refunded')),
    decided_at timestamptz,
    check ((outcome is null) = (decided_at is null))
);
