"""A search among a hundred thousand works reads an index, whoever else has works."""

from __future__ import annotations

import pytest

from registry.consent.queries import owned
from registry.database import Connection
from registry.works.searching import grams, searchable
from tests.registry.catalogue import artist
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio

COUNT = 100_000
# Works put straight into the table, with the pieces of their titles: 000001, 000002, …; every 10,000th has a name.
_FILL = """
insert into works (
    id, account, mode, sha256, title, tags, urls, digest, haystack, grams, words, compared_at, registered_at
)
select gen_random_uuid(), $1, 'fingerprint-only', sha256(convert_to($2 || n, 'UTF8')), t, '{}', '{}',
    sha256(convert_to(t, 'UTF8')), t,
    (select array_agg(distinct substr(t, p, s)) from generate_series(1, length(t)) p, generate_series(1, 2) s),
    1, 0, now() - n * interval '1 second'
from generate_series(1, $3::integer) n,
    lateral (select to_char(n, 'FM000000') || case when n % 10000 = 7777 then '江山' else '' end) x (t)
"""


async def test_a_search_reads_the_index_of_pieces(lone: Running) -> None:
    ada, eve = await artist(lone), await artist(lone, "Eve")
    async with lone.services.database.acquire() as conn:
        made = await conn.fetchval("select indexdef from pg_indexes where indexname = 'works_grams'")
        await conn.execute("drop index works_grams")  # built at once it is the same, and sooner
        for who in (ada, eve):
            await conn.execute(_FILL, who.uuid, who.id, COUNT // 2)
        await conn.execute(made)
        await conn.execute("analyze works")
        for q in ("江山", "江", "7777江"):
            asked = (ada.uuid, *[None] * 5, grams(searchable(q)), searchable(q), 51)
            for sort in ("-registered", "title"):
                plan = await planned(conn, owned.OWN_WORKS_WITH[sort].first, asked)
                assert "on works_grams" in plan, (q, sort, plan)
                assert "Seq Scan on works" not in plan
                assert len(await conn.fetch(owned.OWN_WORKS_WITH[sort].first, *asked)) == 5, q
        plan = await planned(conn, owned.OWN_WORKS["-registered"].first, (ada.uuid, *[None] * 5, 51))
        assert "using works_newest" in plan
        assert plan.count("Sort Key: w.registered_at") == 1  # of the page: which works it has is no matter of sorting


async def planned(conn: Connection, statement: str, values: tuple[object, ...]) -> str:
    """Return the plan of ``statement`` with ``values`` in it."""
    for number in range(len(values), 0, -1):
        value = values[number - 1]
        if value is None:
            text = "null"
        elif isinstance(value, list):
            text = "array[" + ",".join(f"'{each}'" for each in value) + "]"
        else:
            text = str(value) if isinstance(value, int) else f"'{value}'"
        statement = statement.replace(f"${number}", text)
    return "\n".join(row[0] for row in await conn.fetch(f"explain {statement}"))
