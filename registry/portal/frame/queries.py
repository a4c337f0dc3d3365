"""SQL of what several rooms show, with the index each statement relies on."""

from __future__ import annotations

from typing import Final

# Who took licences on a work is for the work's account, from claim level 2 on (semantics 26): it is in the WHERE.
# A dataset has its name where the public register has it, else it is as if it had none.
# by licence_works (work), licences, datasets and accounts primary keys
USES_OF: Final = """
select l.id as licence, l.model, l.version, l.granted_at, a.name as organisation, d.id as dataset, d.name as name
from licence_works w join licences l on l.id = w.licence join accounts a on a.id = l.organisation
left join datasets d on d.id = l.dataset and d.listed
where w.work = $1 and w.account = $2 and (select level from accounts where id = $2) >= 2
order by l.id desc limit 50
"""
