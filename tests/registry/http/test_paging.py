"""Pages of any list: each row once, whatever comes in meanwhile, and a cursor serves the question it was made for."""

from __future__ import annotations

import asyncio
import base64
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.identifiers import new_uuid
from registry.database import Database
from registry.errors import Invalid
from registry.http.paging import Asked, Key, Order, _bound, orders, page_of, to_cursor

pytestmark = pytest.mark.anyio

TABLE = "create table things (id uuid primary key, name text, at timestamptz not null, odd boolean not null)"
THINGS = orders(
    "select id, name, at from things where ($1::boolean is null or odd = $1)\n",
    at=(Key("at", "at", datetime), Key("id", "id", UUID)),
    name=(Key("coalesce(name, '') collate \"C\"", "name", str), Key("id", "id", UUID)),
)
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEYS = (Key("name", "name", str), Key("at", "at", datetime), Key("n", "n", int), Key("id", "id", UUID))


async def insert(database: Database, count: int, chance: random.Random) -> list[UUID]:
    rows = [
        (
            new_uuid(),
            chance.choice((None, "", "a", "b", "ä", "允", "z\n😀")),
            NOON + timedelta(microseconds=chance.randrange(5)),
            chance.random() < 0.5,
        )
        for _ in range(count)
    ]
    async with database.acquire() as conn:
        await conn.executemany("insert into things values ($1, $2, $3, $4)", rows)
    return [row[0] for row in rows]


@pytest.mark.parametrize("sort", sorted(THINGS))
@pytest.mark.parametrize("limit", [1, 7, 200])
async def test_a_walk_meets_every_row_that_was_there_once_while_others_come_in(
    database: Database, sort: str, limit: int
) -> None:
    chance = random.Random(f"{sort} {limit}")
    async with database.acquire() as conn:
        await conn.execute(TABLE)
    before = await insert(database, 40, chance)
    walking = True

    async def others() -> None:
        for _ in range(60):  # bounded: one row a page would never catch up with writers that do not tire
            if not walking:
                return
            await insert(database, 3, chance)
            await asyncio.sleep(0)

    writing = asyncio.create_task(others())
    seen: list[UUID] = []
    cursor: str | None = None
    try:
        for _ in range(1_000):
            async with database.acquire() as conn:
                rows, cursor = await page_of(conn, THINGS, Asked("/things", sort, limit, cursor), None)
            assert len(rows) <= limit
            seen += [row["id"] for row in rows]
            if cursor is None or set(before) <= set(seen):
                break
    finally:
        walking = False
        await writing
    assert len(seen) == len(set(seen)), "a row came twice"
    assert set(before) <= set(seen), "a row was passed over"


async def test_a_page_behind_a_place_is_a_condition_of_the_index(database: Database) -> None:
    async with database.acquire() as conn:
        await conn.execute(TABLE + "; create index things_at on things (at, id)")
        await conn.execute("set enable_seqscan = off")
        await conn.execute("set plan_cache_mode = force_generic_plan")
        await conn.execute(
            f"prepare walk (boolean, bigint, timestamptz, uuid) as {THINGS['-at'].after.replace('$1::boolean', '$1')}"
        )
        plan = await conn.fetch(f"explain execute walk (null, 10, now(), '{new_uuid()}')")
    text = "\n".join(row[0] for row in plan)
    assert "Index Cond: (ROW(at, id) < ROW($3, $4))" in text, text
    assert "Sort" not in text


place = st.fixed_dictionaries(
    {
        "name": st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
        "at": st.datetimes(timezones=st.just(UTC)),
        "n": st.integers(-(2**63), 2**63 - 1),
        "id": st.uuids(),
    }
)


class Statement:
    """Stands in for a connection: tells what it was asked with."""

    def __init__(self) -> None:
        self.asked: tuple[object, ...] = ()

    async def fetch(self, query: str, *args: object) -> list[object]:
        self.asked = args
        return []


async def ask(asked: Asked, order: Order) -> tuple[object, ...]:
    conn = Statement()
    await page_of(conn, {"name": order}, asked)  # type: ignore[arg-type]
    return conn.asked


@given(place)
def test_a_cursor_brings_back_the_place_it_was_made_from(row: dict[str, object]) -> None:
    order = Order("first", "after", KEYS)
    cursor = to_cursor(Asked("/x", "name"), order, row)
    got = asyncio.run(ask(Asked("/x", "name", 50, cursor), order))
    assert got == (51, row["name"] or "", row["at"], row["n"], row["id"])


@given(place, st.integers(0), st.text("ABCabc012_-", min_size=1, max_size=1))
def test_an_edited_cursor_is_refused_by_name(row: dict[str, object], spot: int, other: str) -> None:
    order = Order("first", "after", KEYS)
    cursor = to_cursor(Asked("/x", "name"), order, row)
    spot %= len(cursor)
    edited = cursor[:spot] + other + cursor[spot + 1 :]
    try:
        got = asyncio.run(ask(Asked("/x", "name", 50, edited), order))
    except Invalid as error:
        assert error.errors[0].pointer == "?cursor"  # noqa: PT017  # either outcome is right
    else:  # the bits that base64 leaves over at the end say nothing
        assert got == (51, row["name"] or "", row["at"], row["n"], row["id"])


@given(st.text(max_size=200))
def test_text_that_is_no_cursor_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        asyncio.run(ask(Asked("/x", "name", 50, text), Order("first", "after", KEYS)))
    assert caught.value.errors[0].pointer == "?cursor"


@pytest.mark.parametrize(
    "other",
    [
        Asked("/y", "name"),
        Asked("/x", "-name"),
        Asked("/x", "name", question=(("q", "a"),)),
    ],
)
async def test_a_cursor_of_another_list_sort_or_filter_is_refused(other: Asked) -> None:
    order = Order("first", "after", KEYS)
    row = {"name": "a", "at": NOON, "n": 1, "id": new_uuid()}
    cursor = to_cursor(Asked("/x", "name"), order, row)
    with pytest.raises(Invalid, match="cursor"):
        await page_of(Statement(), {"name": order, "-name": order}, other._replace(cursor=cursor))  # type: ignore[arg-type]
    assert await ask(Asked("/x", "name", 7, cursor), order), "another limit is the same question"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (Key("name", "name", str), "a\0b"),
        (Key("n", "n", int), str(1 << 63)),
        (Key("n", "n", int), "9" * 4000),
        (Key("at", "at", datetime), "0001-01-01T00:00:00+14:00"),
    ],
)
async def test_a_place_that_no_row_can_have_is_refused_though_its_digest_fits(
    database: Database, key: Key, text: str
) -> None:
    asked = Asked("/x", "name")
    place = msgspec.json.encode([_bound(asked, [text]), text])  # anybody can make it: the digest is no secret
    cursor = base64.urlsafe_b64encode(place).decode().rstrip("=")
    statement = (
        "select n as name, n, now() + n * interval '1 s' as at from generate_series(1, 3) n where $1::text is null"
    )
    if key.kind is str:
        statement = "select n::text as name from generate_series(1, 3) n where $1::text is null"
    listing = orders(f"select * from ({statement}) found where true\n", name=(key,))
    async with database.acquire() as conn:
        with pytest.raises(Invalid, match="cursor"):
            await page_of(conn, listing, asked._replace(cursor=cursor), None)
