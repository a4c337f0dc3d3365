"""SQL of public pages beyond what the rooms below have, with the index each statement relies on."""

from __future__ import annotations

from typing import Final

# Who used a work is for the work's account (semantics 26): it is in the WHERE.
# by licence_works (work), licences and datasets primary keys
DATASETS_OF: Final = """
select distinct d.id, d.name, a.name as organisation
from licence_works w join licences l on l.id = w.licence join datasets d on d.id = l.dataset
join accounts a on a.id = l.organisation
where w.work = $1 and w.account = $2
order by d.name, d.id limit 50
"""
