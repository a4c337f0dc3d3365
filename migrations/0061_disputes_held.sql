-- What a work's dispute holds once it holds until it ends (semantics 6): `held` since claim levels, or a decision for
-- whoever opened it, made it hold. A later rise of whoever registered the work takes nothing out. False of a charge,
-- which is contested by itself, and of what ended before this.
alter table disputes add column held boolean not null default false;
update disputes d set held = true
from accounts o, accounts r
where d.work is not null and d.outcome is null and o.id = d.account and r.id = d.against
    and (
        r.level < 2 or o.level >= r.level or d.decided is not distinct from 'upheld'
        -- What its owner took out by rising since it was opened waits again.
        or coalesce((
            select l.level from account_levels l
            where l.account = d.against and l.pending < d.pending order by l.pending desc limit 1
        ), 0) < greatest(2, 1 + coalesce((
            select l.level from account_levels l
            where l.account = d.account and l.pending < d.pending order by l.pending desc limit 1
        ), 0))
    );

-- Every reader sees the works that this holds anew.
create temporary table held_now on commit drop as
select s.work from work_states s join disputes d on d.work = s.work and d.outcome is null and d.held
where not s.disputed;
update consent_version set version = version + 1 where exists (select from held_now);
update work_states s set disputed = true, contested = true, version = v.version
from held_now h, consent_version v where s.work = h.work;
