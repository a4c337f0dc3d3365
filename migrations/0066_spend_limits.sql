-- What a token may charge at most in a calendar month (UTC), in one currency and none in others; null is no limit.
-- `spent` is what it charged in the month `spent_in`, in micro-units.
alter table tokens
    add column spend_limit bigint check (spend_limit >= 0),
    add column spend_currency text check (spend_currency ~ '^[A-Z]{3}$'),
    add column spent bigint not null default 0 check (spent >= 0),
    add column spent_in text check (spent_in ~ '^[0-9]{4}-[0-9]{2}$');
