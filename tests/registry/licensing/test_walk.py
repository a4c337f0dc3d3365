"""Lists of licences read what they show, however many works of the artist's each licence is on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from licet import identifiers
from registry.database import Connection
from registry.licensing import queries
from tests.registry.catalogue import PAID
from tests.registry.harness import Running
from tests.registry.market import shelf, trainer

pytestmark = pytest.mark.anyio
LICENCES, LINES = 4, 20_000
# Lines of a licence put straight into the table, as if that many works were under it.
_FILL = """
insert into licence_works (licence, work, account, statement, terms_hash, atom, model, currency, amount, match, escrow)
select licence, gen_random_uuid(), account, statement, terms_hash, atom, model, currency, amount, match, escrow
from licence_works, generate_series(1, $2::integer) where licence = $1
"""


async def test_a_licence_costs_a_step_however_many_works_it_is_on(site: Running) -> None:
    works = await shelf(site, PAID, LICENCES)
    lab = await trainer(site)
    licences = [await lab.license([each]) for each in works.wanted()]
    numbers = sorted(identifiers.to_uuid(each.licence) for each in licences)
    async with site.services.database.transaction() as conn:
        await conn.execute("set local session_replication_role = replica")  # these works are nobody's
        for number in numbers:
            await conn.execute(_FILL, number, LINES)
        await conn.execute("analyze licence_works")
        for sort, expected in (("granted", numbers), ("-granted", numbers[::-1])):
            page = queries.LICENCES[sort]
            wanted = (works.owner.uuid, None, None, None, None)
            assert [row["id"] for row in await conn.fetch(page.first, *wanted, 11)] == expected
            assert [row["id"] for row in await conn.fetch(page.after, *wanted, 2, expected[0])] == expected[1:3]
            for statement, values in ((page.first, (*wanted, 11)), (page.after, (*wanted, 11, expected[0]))):
                assert await rows_read(conn, statement, values, "licence_works") <= 2 * LICENCES
        named = (works.owner.uuid, numbers[0])
        assert await rows_read(conn, queries.VISIBLE, named, "licence_works") <= 2


async def rows_read(conn: Connection, statement: str, values: tuple[object, ...], table: str) -> int:
    """Return how many rows of ``table`` are read for ``statement``."""
    names = ", ".join(["unknown"] * len(values))
    await conn.execute(f"prepare counted ({names}) as {statement}")
    given = ", ".join("null" if each is None else f"'{each}'" for each in values)
    try:
        plan = json.loads(await conn.fetchval(f"explain (analyze, format json) execute counted ({given})"))
    finally:
        await conn.execute("deallocate counted")
    return _read(plan[0]["Plan"], table)


def _read(node: dict[str, Any], table: str) -> int:
    own = 0
    if node.get("Relation Name") == table or table in node.get("Index Name", ""):
        own = node["Actual Loops"] * round(node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
    return int(own) + sum(_read(each, table) for each in node.get("Plans", ()))
