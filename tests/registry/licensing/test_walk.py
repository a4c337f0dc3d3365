"""Lists of licences read what they show, however many works of the artist's each licence is on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from licet import identifiers
from licet.terms import Price, preset
from registry.database import Connection
from registry.licensing import licences, queries
from tests.registry.catalogue import PAID
from tests.registry.harness import Running
from tests.registry.market import shelf, trainer

pytestmark = pytest.mark.anyio
LICENCES, LINES = 4, 20_000
FEW = LINES // 100  # rows: where a plan finds one of many, it may pass some others on its way
PER_RUN = preset("paid", Price(model="per-training-run", amount="0.333333", currency="USD"))
PER_OUTPUT = preset("paid", Price(model="per-output", amount="0.01", currency="USD"))
BUDGET = "1000USD 1000EUR"
EUROS = preset("paid", Price(model="per-work", amount="2", currency="EUR"))
# Lines of a licence put straight into the table, as if that many works were under it.
_FILL = """
insert into licence_works (licence, work, account, statement, terms_hash, atom, model, currency, amount, match, escrow)
select licence, gen_random_uuid(), account, statement, terms_hash, atom, model, currency, amount, match, escrow
from licence_works, generate_series(1, $2::integer) where licence = $1
"""
# As if that many uses had been reported under it.
_REPORTED = """
insert into usage_events
select r.* from (select u from usage_events u where batch is not null and licence = $1 limit 1) v (one),
    generate_series(1, $2::integer) n, lateral jsonb_populate_record(
        v.one, jsonb_build_object('id', '\\x' || encode(sha256(convert_to(n::text, 'UTF8')), 'hex'))
    ) r
"""


async def test_a_licence_costs_a_step_however_many_works_it_is_on(site: Running) -> None:
    works = await shelf(site, PAID, LICENCES)
    lab = await trainer(site)
    licences = [await lab.license([each]) for each in works.wanted()]
    numbers = sorted(identifiers.to_uuid(each.licence) for each in licences)
    async with undone(site) as conn:
        for number in numbers:
            await conn.execute(_FILL, number, LINES)
        await conn.execute("analyze licence_works")
        for sort, expected in (("granted", numbers), ("-granted", numbers[::-1])):
            page = queries.LICENCES[sort]
            wanted = (works.owner.uuid, None, None, None, None)
            assert [row["id"] for row in await conn.fetch(page.first, *wanted, 11)] == expected
            assert [row["id"] for row in await conn.fetch(page.after, *wanted, 2, expected[0])] == expected[1:3]
            for statement, values in ((page.first, (*wanted, 11)), (page.after, (*wanted, 11, expected[0]))):
                assert await rows_read(conn, statement, values, "licence_works") <= FEW
        named = (works.owner.uuid, numbers[0])
        assert await rows_read(conn, queries.VISIBLE, named, "licence_works") <= FEW


async def test_what_was_posted_with_a_licence_costs_nothing_of_what_was_reported_since(site: Running) -> None:
    works = await shelf(site, PER_RUN, 3)
    lab = await trainer(site)
    licence = await lab.license(works.wanted())
    await lab.report(licence, "2")
    number = identifiers.to_uuid(licence.licence)
    before = (await lab.http.get(f"/v1/licences/{licence.licence}")).json()["posted"]
    async with undone(site) as conn:
        await conn.execute(_REPORTED, number, LINES)
        await conn.execute("analyze usage_events")
        for whole, part in ((True, None), (False, works.owner.uuid)):
            statement = queries.POSTED[False, whole]
            assert await rows_read(conn, statement, (number, part), "usage_events") == 3
            assert [dict(each) for each in await conn.fetch(statement, number, part)] == [
                dict(each) for each in await conn.fetch(queries.POSTED[True, whole], number, part)
            ]
    assert [(each["account"], each["works"]) for each in before] == [(works.owner.id, 3)]


async def test_lists_say_of_large_licences_what_was_signed_and_that_is_what_their_lines_add_up_to(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = await trainer(site)
    for terms in (PAID, PER_RUN, PER_OUTPUT, EUROS):
        await lab.license((await shelf(site, terms, 2)).wanted(), BUDGET)
    await lab.license([*(await shelf(site, PER_OUTPUT, 1)).wanted(), *(await shelf(site, EUROS, 2)).wanted()], BUDGET)
    listed = []
    for most in (licences._MOST_ADDED, 0):
        monkeypatch.setattr(licences, "_MOST_ADDED", most)
        listed.append((await lab.http.get("/v1/licences")).json()["items"])
    assert listed[0] == listed[1]
    assert [each["works"] for each in listed[1]] == [3, 2, 2, 2, 2]


@asynccontextmanager
async def undone(site: Running) -> AsyncIterator[Connection]:
    """Yield a connection on which rows can be put straight into tables; nothing of it stays."""
    async with site.services.database.acquire() as conn:
        await conn.execute("begin; set local session_replication_role = replica")
        try:
            yield conn
        finally:
            await conn.execute("rollback")


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
