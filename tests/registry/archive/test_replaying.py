"""Whatever happens to rows, a copy of any age ends equal to the database once the archive was replayed."""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from registry.archive import Archive, is_aside, put_back, replay
from registry.archive.places import segment_name, segment_numbers
from registry.archive.queries import COLUMNS, FOLLOWED
from registry.database import Connection
from registry.errors import ArchiveError, Unavailable
from tests.registry.archive.conftest import OWNER, content, contents
from tests.registry.schema import dump

pytestmark = pytest.mark.anyio

# Every type that a column of the registry has, a unique key that moves between rows, a reference, and values so large
# that an update which leaves them alone does not carry them.
THINGS = (
    (
        "create table kinds (id uuid primary key, n bigint not null, t text, a text [] not null, b bytea, j jsonb, "
        "at timestamptz not null, i interval, yes boolean not null, r bigint generated always as identity, "
        "twice bigint generated always as (n * 2) stored, several bytea [] default '{\"\\\\x01\", null}', day date, "
        "sums bigint [] default '{7, null, -3}', "
        "ids uuid [] default array['01a22440-a60b-7b72-b0d7-bab76264b158'::uuid], unique (r))"
    ),
    "create unique index kinds_own on kinds (t) where yes",
    "create table parts (kind uuid not null references kinds (id), place bigint not null, primary key (kind, place))",
    "alter table kinds alter column b set storage external",
    "select archive_follow()",
)


async def change(conn: Connection, chance: random.Random, ids: list[UUID]) -> None:
    """Do one of everything that can happen to rows, in a transaction that may be rolled back."""
    what = chance.choice(["insert", "insert", "update", "update", "touch", "move", "delete", "parts", "rename", "many"])
    chosen = chance.choice(ids) if ids else None
    if what == "insert" or chosen is None:
        made = UUID(int=chance.getrandbits(128))
        ids.append(made)
        await conn.execute(
            "insert into kinds (id, n, t, a, b, j, at, i, yes, day) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            *values(made, chance),
        )
    elif what == "update":
        fields = values(chosen, chance)
        await conn.execute("update kinds set n = $2, a = $3, j = $4, i = $5 where id = $1", chosen, *fields[1:2], *fields[3:4], *fields[5:6], fields[7])  # fmt: skip # noqa: E501
    elif what == "touch":
        await conn.execute("update kinds set n = n + 1 where id = $1", chosen)  # leaves a large value as it was
    elif what == "move":
        moved = UUID(int=chance.getrandbits(128))
        await conn.execute("delete from parts where kind = $1", chosen)
        await conn.execute("update kinds set id = $2, b = b || '\\x00' where id = $1", chosen, moved)
        ids[ids.index(chosen)] = moved
    elif what == "delete":
        await conn.execute("delete from parts where kind = $1", chosen)
        await conn.execute("delete from kinds where id = $1", chosen)
        ids.remove(chosen)
    elif what == "parts":
        await conn.execute("insert into parts select id, $2 from kinds where id = $1 on conflict do nothing", chosen, chance.randrange(9))  # fmt: skip # noqa: E501
    elif what == "rename":  # the unique name goes from one row to another
        await conn.execute("update kinds set yes = false where t = 'name'")
        await conn.execute("update kinds set t = 'name', yes = true where id = $1", chosen)
    else:
        await conn.execute("update kinds set at = at + interval '1 second' where yes")


def values(made: UUID, chance: random.Random) -> list[Any]:
    texts = ["", "x", "Ö\n\t\\N", "允" * chance.randrange(1, 900), "\U0001f600"]
    large = chance.randbytes(chance.choice([0, 3, 9000])) if chance.random() < 0.8 else None
    return [
        made,
        chance.randrange(-(2**40), 2**40),
        f"{chance.choice(texts)}{made}" if chance.random() < 0.8 else None,
        [chance.choice(texts) for _ in range(chance.randrange(3))],
        large,
        chance.choice([None, '{"a": [1, null, "\\u00e9"]}', "3.25"]),
        datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=chance.randrange(10**15)),
        chance.choice([None, timedelta(hours=24), timedelta(days=-3, microseconds=7)]),
        chance.random() < 0.5,
        chance.choice([None, date(1899, 12, 31), date(2026, 2, 28)]),
    ]


async def life(conn: Connection, chance: random.Random, ids: list[UUID], steps: int) -> None:
    for _ in range(steps):
        kept = list(ids)
        try:
            async with conn.transaction():
                for _ in range(chance.randrange(1, 5)):
                    await change(conn, chance, ids)
                if chance.random() < 0.1:
                    raise Undone
        except Undone:
            ids[:] = kept


class Undone(Exception):
    """The transaction is rolled back."""


@pytest.mark.parametrize("seed", range(3))
async def test_random_changes_replay_to_an_equal_database(database, archive, restored, store, key, seed, monkeypatch):
    chance = random.Random(seed)
    monkeypatch.setattr("registry.archive.feed.SEGMENT", chance.choice([2000, 100_000]))
    monkeypatch.setattr("registry.archive.applying.AT_A_TIME", chance.choice([3000, 1 << 25]))
    ids: list[UUID] = []
    async with database.dedicated() as conn:
        for statement in THINGS:
            await conn.execute(statement)
        await life(conn, chance, ids, 10)
        await archive.open(conn)
        for _ in range(5):
            await life(conn, chance, ids, 15)
            await archive.keep(conn)
        first = await restored(*THINGS)
        assert await contents(first) == await contents(database)
        await life(conn, chance, ids, 20)
        await archive.keep(conn)
    # The copy, which knows how far it came, goes on from there; its identities go on, too.
    async with first.dedicated() as behind:
        await replay(first, behind, store, key, OWNER.origin)
        await put_back(behind)
    assert await contents(first) == await contents(database)


async def test_a_copy_made_in_the_middle_catches_up_though_names_have_moved(database, archive, restored, store, key):
    """What the copy holds is later than what it replays first: the name is free there, and taken here."""
    async with database.dedicated() as conn:
        for statement in THINGS:
            await conn.execute(statement)
        await archive.open(conn)
        one, two = UUID(int=1), UUID(int=2)
        add = "insert into kinds (id, n, t, a, at, yes) values ($1, 1, 'name', '{}', now(), true)"
        await conn.execute(add, one)
        await archive.keep(conn)
        copy = await restored(*THINGS)
        await conn.execute("update kinds set yes = false")
        await conn.execute(add, two)
        await archive.keep(conn)
        rows = await conn.fetch("select id, n, t, a, b, j, at, i, yes from kinds")
    async with copy.dedicated() as ahead:
        await ahead.execute("delete from kinds")
        await ahead.executemany(
            "insert into kinds (id, n, t, a, b, j, at, i, yes) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            [tuple(row) for row in rows],
        )
        await ahead.execute("update archive_mark set segment = 1")  # where the base was taken
        await replay(copy, ahead, store, key, OWNER.origin)
        assert await is_aside(ahead)
        await put_back(ahead)
    assert {row[:30] for row in (await contents(copy))["kinds"]} == {row[:30] for row in (await contents(database))["kinds"]}  # fmt: skip # noqa: E501


async def test_constraints_are_the_same_after_a_replay(database, archive, restored):
    async with database.dedicated() as conn:
        await archive.open(conn)
        await conn.execute("insert into accounts (id, kind, name) values (gen_random_uuid(), 'opr', 'Ö')")
        await archive.keep(conn)
        copy = await restored()
        async with copy.acquire() as other:
            assert await dump(other) == await dump(conn)
            assert await other.fetchval("select count(*) from archive_aside") == 0


async def test_a_transaction_that_was_archived_in_part_is_left_out(database, archive, restored, store, monkeypatch):
    monkeypatch.setattr("registry.archive.feed.SEGMENT", 20_000)

    def cut(step: str) -> None:
        if step == "stored" and len(stored) == 2:
            raise Killed
        if step == "stored":
            stored.append(step)

    class Killed(Exception): ...

    stored: list[str] = []
    many = "insert into log_pending (kind, subject, envelope) select 'consent', 'stm_' || n, decode(repeat('ab', 500), 'hex') from generate_series(1, 300) n"  # fmt: skip # noqa: E501
    async with database.dedicated() as conn:
        await archive.open(conn)
        archive._reach = cut
        await conn.execute(many)
        with pytest.raises(Killed):
            await archive.keep(conn)
        assert len(await segment_numbers(store)) == 3
        copy = await restored()
        assert (await contents(copy))["log_pending"] == []
        archive._reach = lambda step: None
        await archive.open(conn)
        await archive.keep(conn)
        again = await restored()
        assert await contents(again) == await content(conn)
        assert len((await contents(again))["log_pending"]) == 300


async def test_a_store_that_fails_in_the_middle_never_leaves_the_archive_waiting(
    database, archive, restored, monkeypatch
):
    monkeypatch.setattr("registry.archive.feed.SEGMENT", 20_000)

    def fails(step: str) -> None:
        if step == "marked":
            raise Unavailable("the store does not answer")

    async with database.dedicated() as conn:
        await archive.open(conn)
        for count in (1, 40, 300, 3_000):
            await conn.execute(
                "insert into log_pending (kind, subject, envelope) select 'consent', 'stm_' || $1 || '_' || n, "
                "decode(repeat('ab', 500), 'hex') from generate_series(1, $1::int) n",
                count,
            )
            archive._reach = fails
            async with asyncio.timeout(60):
                for _ in range(5):
                    with pytest.raises(Unavailable):
                        await archive.keep(conn)
            archive._reach = lambda step: None
            await archive.keep(conn)
        again = await restored()
        assert await contents(again) == await content(conn)


@pytest.mark.parametrize("count", [40, 300, 3_000])
async def test_a_store_that_fails_while_everything_is_copied_leaves_nothing_waiting(
    count, database, archive, restored, store, monkeypatch
):
    monkeypatch.setattr("registry.archive.bases.PIECE", 2_000)
    kept, seen = store.create, []

    async def fails(name: str, content: bytes) -> bool:
        seen.append(name)
        if len(seen) == at:
            raise Unavailable("the store does not answer")
        return bool(await kept(name, content))

    async with database.dedicated() as conn:
        await conn.execute(
            "insert into log_pending (kind, subject, envelope) "
            "select 'consent', 'stm_' || n, decode(repeat('ab', 500), 'hex') from generate_series(1, $1::int) n",
            count,
        )
        monkeypatch.setattr(store, "create", fails)
        for at in (*range(30, 60, 5), 70):
            seen.clear()
            async with asyncio.timeout(60):
                with contextlib.suppress(Unavailable):
                    await archive.open(conn)
            if len(seen) < at:
                break
        monkeypatch.setattr(store, "create", kept)
        await archive.open(conn)
        await archive.keep(conn)
        assert await contents(await restored()) == await content(conn)


async def test_every_archived_table_has_a_primary_key_and_types_that_replay(database):
    known = {"int8", "text", "uuid", "bytea", "timestamptz", "bool", "jsonb", "interval", "date"}
    known |= {"_text", "_bytea", "_int8", "_uuid"}
    async with database.acquire() as conn:
        tables = [row["tablename"] for row in await conn.fetch(FOLLOWED)]
        assert {"works", "statements", "log_entries", "tokens", "entries"} <= set(tables)
        assert not {"log_queue", "log_head", "log_tiles", "quotas", "archive_mark", "schema_migrations"} & set(tables)
        for table in tables:
            columns = await conn.fetch(COLUMNS, f'"{table}"')
            assert any(row["key"] for row in columns), table
            names = await conn.fetch(
                "select oid::bigint as oid, typname from pg_type where oid = any($1::oid[])",
                [row["type"] for row in columns],
            )
            assert {row["typname"] for row in names} <= known, table


@pytest.mark.parametrize("harm", ["missing", "swapped", "damaged", "cut", "foreign", "renamed"])
async def test_what_is_wrong_with_a_segment_is_told_by_its_name(
    database, archive, restored, store, key, tmp_path, harm
):
    async with database.dedicated() as conn:
        await archive.open(conn)
        for place in range(4):
            await conn.execute("insert into log_pending (kind, subject) values ('consent', $1)", f"stm_{place}")
            await archive.keep(conn)
    folder = tmp_path / "archive"
    second, third = folder / segment_name(2), folder / segment_name(3)
    where = "2"
    if harm == "missing":
        second.unlink()
        where = "3"
    elif harm == "swapped":
        first, other = second.read_bytes(), third.read_bytes()
        second.write_bytes(other)
        third.write_bytes(first)
    elif harm == "damaged":
        raw = bytearray(second.read_bytes())
        raw[-20] ^= 1
        second.write_bytes(raw)
    elif harm == "cut":
        second.write_bytes(second.read_bytes()[:40])
    elif harm == "foreign":
        second.write_bytes(second.read_bytes().replace(b"log.example/licet", b"log.example/other"))
    else:
        (folder / "changes" / "notes.txt").write_bytes(b"")
        where = ""
    with pytest.raises(ArchiveError, match="notes.txt" if not where else f"changes/0*{where}:"):
        await restored()


async def test_two_writers_do_not_mix(database, archive, store, key):
    other = Archive(database, store, key, OWNER)
    async with database.dedicated() as conn:
        await archive.open(conn)
        await other.open(conn)
        await conn.execute("insert into log_pending (kind, subject) values ('consent', 'stm_1')")
        await archive.keep(conn)
        await conn.execute("insert into log_pending (kind, subject) values ('consent', 'stm_2')")
        with pytest.raises(Exception, match="another process"):
            await other.keep(conn)
        await other.open(conn)
        await other.keep(conn)
        assert await segment_numbers(store) == [2, 3]


async def test_an_older_copy_is_not_archived(database, archive, store):
    async with database.dedicated() as conn:
        await archive.open(conn)
        await conn.execute("insert into log_pending (kind, subject) values ('consent', 'stm_1')")
        await archive.keep(conn)
        await conn.execute("update archive_mark set segment = 0")
        with pytest.raises(ArchiveError, match="older copy"):
            await archive.open(conn)
