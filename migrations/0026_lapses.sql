-- Challenges that lapse (semantics 6). `challenged_by`: the statement by which the claim became challenged; 14 days from
-- its log entry on are for reaching the other's level. `ended_by`: the statement by which it was no longer challenged.
-- `lapsed`: by the times of their entries it was not ended in time; without effect until the work is signed for anew.
alter table work_matches add column challenged_by bigint;
alter table work_matches add column ended_by bigint;
alter table work_matches add column lapsed boolean not null default false;
alter table work_matches add constraint work_matches_challenge
    check (challenged_by is not null or (ended_by is null and not lapsed)) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table work_matches validate constraint work_matches_challenge;
-- Few works are challenged: it is built in a moment.
-- squawk-ignore require-concurrent-index-creation
create index work_matches_challenged on work_matches (challenged_by) where challenged_by is not null and not lapsed;
-- Of a claim that is challenged already the 14 days begin with the statement that speaks for the work.
update work_matches m set challenged_by = c.pending
from work_states w
join statements c on c.id = w.statement, work_states o, accounts a, accounts b
where w.work = m.work and o.work = m.other and a.id = m.account and b.id = m.other_account
    and m.claimed_at is not null and w.challenged and not w.withdrawn and not o.withdrawn
    and b.level >= 2 and a.level < b.level;
