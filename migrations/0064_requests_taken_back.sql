-- Requests that are taken back, offers that are declined, and offers that the artist takes back (semantics 22).

-- `withdraw` ends the request, of which nothing stands then. `decline` is of one answer, by its digest: the artist can
-- offer anew. Each comes once; the index is also what requests are looked up by.
create table licence_replies (
    digest bytea primary key check (length(digest) = 32),
    id uuid not null unique,
    request uuid not null references licence_requests (id),
    reply text not null check (reply in ('withdraw', 'decline')),
    offer bytea references licence_answers (digest),
    pending bigint not null unique references log_pending (id),
    check ((reply = 'decline') = (offer is not null)),
    unique nulls not distinct (request, offer)
);
create trigger licence_replies_keep before update or delete or truncate on licence_replies
    for each statement execute function refuse_change();

-- `withdraw`: an offer that nobody has accepted is taken back; the request can be answered as before.
-- squawk-ignore ban-drop-constraint
alter table licence_answers drop constraint licence_answers_answer_check;
alter table licence_answers add constraint licence_answers_answer_check
    check (answer in ('offer', 'refuse', 'withdraw')) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table licence_answers validate constraint licence_answers_answer_check;
