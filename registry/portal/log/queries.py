"""SQL of the log's pages, with the index each statement relies on.

The entries are public as they are: time, kind and commitment. Which statement one of them commits to is not said by its
number alone, or whoever counts through the log would have a list of everybody's statements. It is said of what the
registry itself signed, of what the public register shows, and to whoever signed it.
"""

from __future__ import annotations

from typing import Final

from registry.register.queries import TRAINED

# by log_entries primary key: only what a published checkpoint covers
ENTRIES: Final = """
select index, entry, at from log_entries
where index >= $1 and index < least($2, (select published_size from log_head)) order by index desc
"""

# by log_entries, log_pending, datasets, runs, model_cards and accounts primary keys; datasets, runs and model_cards
# unique (pending); log_pending (subject, id): a statement file is of the first statement about its subject
ABOUT: Final = f"""
select
    case when p.kind in ('registry-key', 'registry-key-revoke', 'snapshot', 'period-close') then p.envelope end as own,
    d.id as dataset, d.name as name, r.id as run, c.id as card, coalesce(r.model, c.model) as model,
    case when p.account = $2 and p.envelope is not null
        and p.id = (select min(f.id) from log_pending f where f.subject = p.subject)
    then p.subject end as yours
from log_entries e
join log_pending p on p.id = e.pending
left join datasets d on d.pending = p.id and (d.listed or {TRAINED})
left join lateral (
    select r.id, m.id as model from runs r
    join models m on m.organisation = r.organisation and m.name = r.model
    join model_versions v on v.model = m.id and v.version = r.version
    where r.pending = p.id and v.listed
) r on true
left join lateral (
    select c.id, v.model from model_cards c join model_versions v on v.id = c.model_version
    where c.pending = p.id and v.listed
) c on true
where e.index = $1 and e.index < (select published_size from log_head)
"""  # noqa: S608  # made of constants

# by periods primary key, log_entries unique (pending): months that the log says are closed, the newest first
MONTHS: Final = """
select p.period, p.log_first, p.log_end, e.index, e.at
from periods p join log_entries e on e.pending = p.pending
where e.index < (select published_size from log_head) order by p.period desc limit $1
"""
