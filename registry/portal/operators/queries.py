"""SQL of operators' pages beyond what the rooms below have, with the index each statement relies on."""

from __future__ import annotations

from typing import Final

# by accounts primary key; nothing of an account that was erased
PARTIES: Final = """
select id, kind, level, case when erased_at is null then name end as name from accounts where id = any($1::uuid[])
"""
# The work that is disputed, and those of whoever disputes it that are like it, each with when it was registered.
# By works primary key, work_matches primary key and (other)
LIKE_IT: Final = """
select w.id, w.account, w.registered_at, w.withdrawn_at is not null as withdrawn,
    case when w.erased_at is null then w.title end as title
from works w
where w.id = $1 or w.account = $2 and w.id in (
    select other from work_matches where work = $1 union select work from work_matches where other = $1
)
order by w.id <> $1, w.registered_at, w.id limit 20
"""
