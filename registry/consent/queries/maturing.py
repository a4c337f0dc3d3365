"""SQL of what waits out its time: statements that are due, and what their works come to."""

from __future__ import annotations

from typing import Final

# by statements (id) where something may wait, work_states (waiting), co_owner_states (waiting)
CLOSE: Final = """
update statements s set over = true
where s.hold is not null and not s.over
    and not exists (select from work_states w where w.waiting = s.id)
    and not exists (select from co_owner_states o where o.waiting = s.id)
    and not exists (select from catalogues c where c.waiting = s.id)
"""
# Rule 12: what counts is the entry's time.
DUE: Final = """
select s.id, s.account from statements s join log_entries e on e.pending = s.pending
where s.hold is not null and not s.over and e.at + s.hold <= $1
    and (
        exists (
            select from work_states w
            where w.waiting = s.id and not w.contested and not w.challenged and not w.withdrawn
        )
        or exists (
            select from co_owner_states o join work_states w on w.work = o.work
            where o.waiting = s.id and not w.contested and not w.challenged and not w.withdrawn
        )
        or exists (select from catalogues c where c.waiting = s.id)
    )
order by s.id limit $2
"""
DUE_STATEMENT: Final = """
select s.id, s.scope, s.terms, a.kind, a.genesis from statements s join accounts a on a.id = s.account
where s.id = $1 and s.account = $2
"""
# by work_states (waiting); works primary key
MATURING: Final = """
select w.id, w.digest, s.own, s.catalogue, s.pending, s.shared
from work_states s join works w on w.id = s.work
where s.waiting = $1 and s.account = $2 and not s.contested and not s.challenged and not s.withdrawn
order by w.id
"""
MATURE: Final = """
with plan as (
    select * from unnest(
        $4::bytea[], $5::bytea[], $6::boolean[], $7::bytea[], $8::bytea[], $9::bytea[], $10::boolean[], $11::bytea[]
    ) as p (own, catalogue, pending, next_own, next_catalogue, next_terms, speaks, shared)
)
update work_states s
set own = nullif(p.next_own, ''), catalogue = nullif(p.next_catalogue, ''), terms = p.next_terms,
    statement = case when p.speaks then $1 else s.statement end, waiting = null, pending = false, version = $3
from plan p
where s.waiting = $1 and s.account = $2 and not s.contested and not s.challenged and not s.withdrawn
    and (coalesce(s.own, ''), coalesce(s.catalogue, ''), s.pending, coalesce(s.shared, ''))
        = (p.own, p.catalogue, p.pending, p.shared)
"""
MATURE_CATALOGUE: Final = """
update catalogues set statement = $1, terms = $2, waiting = null where waiting = $1 and account = $3
"""
