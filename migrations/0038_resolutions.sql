-- What became of pending transfers, each once: `released` takes back what the pending one held on accounts of its own,
-- `posted` is what it became; null where it was voided.
create table resolutions (
    pending uuid primary key references transfers (id),
    released uuid not null unique references transfers (id) check (released <> pending),
    posted uuid unique references transfers (id) check (posted <> pending and posted <> released)
);
create trigger resolutions_keep before update or delete or truncate on resolutions
    for each statement execute function refuse_change();
