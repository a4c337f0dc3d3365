"""All SQL of quotas, one constant a statement, with the index it relies on."""

from __future__ import annotations

from typing import Final

# by quotas primary key. $1 who, $2 quota, $3 wanted at least, $4 wanted at best, $5 most, $6 seconds of a window.
# Nothing is lent where less than $3 is left; a quarter of what is left at best. The row's lock orders processes.
_LENT: Final = """
    case when q.until <= now() then excluded.lent when $5::bigint - q.taken < $3::bigint then 0
        else greatest($3::bigint, least($4::bigint, ($5::bigint - q.taken) / 4)) end
"""
LEND: Final = f"""
insert into quotas as q (who, quota, until, taken, lent)
values ($1, $2, now() + make_interval(secs => $6::float8), $4::bigint, $4::bigint)
on conflict (who, quota) do update set
    until = case when q.until <= now() then excluded.until else q.until end,
    taken = case when q.until <= now() then 0 else q.taken end + {_LENT},
    lent = {_LENT}
returning lent, taken, extract(epoch from until - now())::float8 as seconds
"""  # noqa: S608  # made of constants
# by quotas (until)
FORGET_QUOTAS: Final = "delete from quotas where until <= now()"
