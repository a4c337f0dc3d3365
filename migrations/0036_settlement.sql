-- Settlement: what organisations are asked to pay, what a bank says was paid, and what was paid by what.

-- `number` has no gaps. An invoice asks for whole cents: what is less is carried to the next one of the organisation and
-- currency. A credit note is of less than nothing. Amounts are micro-units.
create table invoices (
    id uuid primary key,
    number bigint not null unique check (number >= 1),
    kind text not null check (kind in ('invoice', 'credit-note')),
    organisation uuid not null references accounts (id),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    period text not null check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    reference text not null unique check (reference ~ '^RF[0-9]{2}[A-Z0-9]{1,21}$'),
    total bigint not null,
    carried_in bigint not null,
    due bigint not null,
    carried_out bigint not null,
    lines bigint not null check (lines >= 1),
    issued_at timestamptz not null,
    due_at timestamptz not null,
    check (total + carried_in = due + carried_out),
    check (due <> 0 and (kind = 'invoice') = (due > 0))
);
create index invoices_own on invoices (organisation, id);
create index invoices_chain on invoices (organisation, currency, number);
create trigger invoices_keep before update or delete or truncate on invoices
    for each statement execute function refuse_change();

-- Every transfer that an organisation owes by is on one of its invoices at most.
create table invoice_lines (
    transfer uuid not null references transfers (id),
    organisation uuid not null,
    currency text not null,
    invoice uuid not null references invoices (id),
    amount bigint not null check (amount <> 0),
    primary key (transfer, organisation, currency)
);
create index invoice_lines_invoice on invoice_lines (invoice, transfer);
create trigger invoice_lines_keep before update or delete or truncate on invoice_lines
    for each statement execute function refuse_change();

-- A page of a bank's statement is recorded once; `digest` is of what it says, however it is written.
create table bank_statements (
    id uuid primary key,
    account text not null check (account ~ '^[A-Z0-9]{1,34}$'),
    name text not null check (char_length(name) between 1 and 35),
    page bigint not null check (page >= 0),
    digest bytea not null check (length(digest) = 32),
    entries bigint not null check (entries >= 0),
    recorded_at timestamptz not null,
    unique (account, name, page)
);
create trigger bank_statements_keep before update or delete or truncate on bank_statements
    for each statement execute function refuse_change();

-- What was booked on an account of the registry's, each movement once: `key` is the bank's name for it, or the office's
-- for what it recorded by hand, with its `reason`. `posted` is the transfer between `bank:ACCOUNT` and what stood against
-- it then; `contra` is what stands against it now, `cleared` the transfer that took it out of suspense. `returns`: the
-- movement that this one takes back. `why`: why it is in suspense.
create table bank_entries (
    id uuid primary key,
    account text not null check (account ~ '^[A-Z0-9]{1,34}$'),
    key text not null check (char_length(key) between 1 and 200),
    statement uuid references bank_statements (id),
    digest bytea not null check (length(digest) = 32),
    credit boolean not null,
    amount bigint not null check (amount between 1 and 9007199254740991),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    booked_on date not null,
    reversal boolean not null,
    names text[] not null,
    tokens text[] not null,
    end_to_end text,
    party text,
    about text not null check (char_length(about) <= 1000),
    reason text check (char_length(reason) between 1 and 500),
    recorded_at timestamptz not null,
    posted uuid not null unique references transfers (id),
    contra text not null references ledger_accounts (name),
    cleared uuid unique references transfers (id),
    organisation uuid references accounts (id),
    returns uuid unique references bank_entries (id) check (returns <> id),
    why text check (why ~ '^[a-z-]{1,40}$'),
    unique (account, key)
);
create index bank_entries_open on bank_entries (booked_on, id) where why is not null;
create index bank_entries_organisation on bank_entries (organisation, id) where organisation is not null;
create index bank_entries_amount on bank_entries (account, currency, amount) where credit;

-- What an invoice was paid with: a movement on the account, or a credit note. Less than nothing where it was taken back.
create table invoice_payments (
    id uuid primary key,
    invoice uuid not null references invoices (id),
    payment uuid references bank_entries (id),
    credit uuid references invoices (id) check (credit <> invoice),
    amount bigint not null check (amount <> 0),
    at timestamptz not null,
    check ((payment is null) <> (credit is null))
);
create index invoice_payments_invoice on invoice_payments (invoice, id);
create index invoice_payments_payment on invoice_payments (payment) where payment is not null;
create index invoice_payments_credit on invoice_payments (credit) where credit is not null;
create trigger invoice_payments_keep before update or delete or truncate on invoice_payments
    for each statement execute function refuse_change();
