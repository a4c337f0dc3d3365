-- What an account is told of is read or not; what is told while no column says so was told before and counts as read.
alter table account_events add column read_at timestamptz default now();
-- squawk-ignore ban-drop-default
alter table account_events alter column read_at drop default;
-- squawk-ignore require-concurrent-index-creation
create index account_events_unread on account_events (account, kind) where read_at is null;

-- Topics that an account does not want to be alerted of; what is told of them is kept all the same.
create table alerts_off (
    account uuid not null references accounts (id),
    topic text not null check (topic ~ '^[a-z]{3,20}$'),
    primary key (account, topic)
);
