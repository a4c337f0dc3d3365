"""A registry that passes over what an artist signed: found by the artist's monitor, shown to anybody by its file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from licet import identifiers
from registry.database.instance import dsn
from tests.whole.conftest import People
from tests.whole.stage import Person, Service

PAID = ("--preset", "paid", "--price", "0.05", "--currency", "USD")
_UNSEEN = "set local session_replication_role = replica"  # whoever lies switches triggers off
NEXT = "update consent_version set version = version + 1 returning version"


class Lying:
    """Rows of what is in force, changed behind the registry's back, and all as it was at the end."""

    def __init__(self, service: Service) -> None:
        postmaster = service.data / "postgres" / "postmaster.pid"
        self._address = dsn(Path(postmaster.read_text().splitlines()[4]))
        self._before: dict[UUID, Any] = {}

    def leaves_out(self, work: str) -> None:
        """The next snapshot says nothing of ``work``."""

        async def tell(conn: asyncpg.Connection[Any], row: UUID) -> None:
            await conn.execute("delete from work_states where work = $1", row)
            await conn.execute("insert into removed_works (work, version) values ($1, $2)", row, await _next(conn))

        self._tells(work, tell)

    def remembers(self, work: str) -> Callable[[], None]:
        """What is returned has the next snapshot say of ``work`` what is in force now, whatever is signed meanwhile."""
        old = asyncio.run(self._row(_uuid(work)))

        async def tell(conn: asyncpg.Connection[Any], row: UUID) -> None:
            await _put(conn, row, old)

        return lambda: self._tells(work, tell)

    def hides(self, work: str, column: str) -> Callable[[], None]:
        """The next snapshot lacks this key of ``work``; what is returned has the registry know it again."""

        async def tell(conn: asyncpg.Connection[Any], row: UUID) -> None:
            kept[column] = await conn.fetchval(f"select {column} from works where id = $1", row)
            other = 0 if column == "quality" else bytes(32)
            await conn.execute(_UNSEEN)
            await conn.execute(f"update works set {column} = $2 where id = $1", row, other)
            version = await _next(conn)
            await conn.execute("update work_states set version = $2 where work = $1", row, version)

        async def again() -> None:
            conn = await asyncpg.connect(self._address)
            try:
                async with conn.transaction():
                    await conn.execute(_UNSEEN)
                    await conn.execute(f"update works set {column} = $2 where id = $1", _uuid(work), kept[column])
            finally:
                await conn.close()

        kept: dict[str, Any] = {}
        self._tells(work, tell)
        return lambda: asyncio.run(again())

    def ends(self) -> None:
        """Everything is in force again as it was signed, in the next snapshot too."""

        async def told() -> None:
            conn = await asyncpg.connect(self._address)
            try:
                async with conn.transaction():
                    for row, before in self._before.items():
                        await conn.execute("delete from removed_works where work = $1", row)
                        await _put(conn, row, before)
            finally:
                await conn.close()

        asyncio.run(told())

    def _tells(self, work: str, tell: Callable[[asyncpg.Connection[Any], UUID], Any]) -> None:
        async def told() -> None:
            row = _uuid(work)
            self._before.setdefault(row, await self._row(row))
            conn = await asyncpg.connect(self._address)
            try:
                async with conn.transaction():
                    await tell(conn, row)
            finally:
                await conn.close()

        asyncio.run(told())

    async def _row(self, row: UUID) -> Any:
        conn = await asyncpg.connect(self._address)
        try:
            return await conn.fetchrow("select * from work_states where work = $1", row)
        finally:
            await conn.close()


def _uuid(work: str) -> UUID:
    return identifiers.to_uuid(work, "wrk")


async def _next(conn: asyncpg.Connection[Any]) -> int:
    return int(await conn.fetchval(NEXT))


async def _put(conn: asyncpg.Connection[Any], row: UUID, state: Any) -> None:
    """Put ``state`` in the place of what is in force on a work, as something new."""
    values = {**dict(state), "version": await _next(conn)}
    names = ", ".join(values)
    places = ", ".join(f"${at}" for at in range(1, len(values) + 1))
    await conn.execute("delete from work_states where work = $1", row)
    await conn.execute(f"insert into work_states ({names}) values ({places})", *values.values())


@pytest.fixture
def lying(service: Service) -> Iterator[Lying]:
    made = Lying(service)
    yield made
    made.ends()


def pulled(who: Person, index: int) -> None:
    who.does("snapshot", "pull", "--covering", str(index))


def evidence(found: dict[str, Any], kind: str = "omitted") -> Path:
    (finding,) = found["findings"]
    assert finding["kind"] == kind
    path = Path(finding["evidence"])
    assert path.stat().st_mode & 0o777 == 0o600
    return path


def test_a_work_that_a_snapshot_leaves_out_and_one_that_keeps_its_old_terms_are_found_and_shown(
    lying: Lying, person: People
) -> None:
    su = person("left-out").joins("artist", "Su Tang")
    auditor = person("auditor-left-out")
    made = su.does("register", su.draws("pictures", 711, 712), *PAID)
    pulled(su, made["log_index"])
    first, second = (each["work"] for each in made["works"])
    assert su.does("monitor", "--once")["findings"] == []

    lying.leaves_out(first)
    pulled(su, su.does("register", su.draws("more", 713), *PAID)["log_index"])
    told = su.types("monitor", "--once")
    assert told.code == 1
    assert f"WRONG: {first}: log entry {made['log_index']} speaks for it, but snapshot" in told.out
    assert "what shows it to others: " in told.out
    file = evidence(su.does("monitor", "--once", code=1))
    said = auditor.does("log", "misconduct", file, code=5)
    assert f"leaves out {first}, which log entry {made['log_index']} covers" in said["shows"]
    assert (said["result"], said["unless"]["account"]) == ("unless-erased", su.account)
    bent = json.loads(file.read_bytes())
    bent["covered"]["work"]["work"] = second
    (auditor.folder / "bent.json").write_text(json.dumps(bent))
    assert auditor.does("log", "misconduct", "bent.json", code=1)["error"]["code"] == "verification"
    lying.ends()

    as_it_was = lying.remembers(second)
    tighter = su.does("terms", "set", second, "--preset", "no-ai")["log_index"]
    as_it_was()
    pulled(su, su.does("register", su.draws("again", 714), *PAID)["log_index"])
    said = auditor.does("log", "misconduct", evidence(su.does("monitor", "--once", code=1)))
    assert f"has {second} as of entry {made['log_index']}, though entry {tighter} speaks for it" in said["shows"]
    assert (said["misconduct"], said["result"]) == (True, "shown")


@pytest.mark.parametrize(
    ("column", "told"), [("sha256", "its file "), ("quality", "what is like it, PDQ ")], ids=["exact", "near"]
)
def test_a_segment_that_does_not_find_a_work_by_what_was_signed_is_found_out(
    lying: Lying, person: People, column: str, told: str
) -> None:
    seed = {"sha256": 7721, "quality": 7724}[column]
    su = person(f"unfindable-{column}").joins("artist", "Su Tang")
    made = su.does("register", su.draws("pictures", seed), *PAID)
    pulled(su, made["log_index"])
    assert su.does("monitor", "--once")["findings"] == []
    work = made["works"][0]["work"]
    as_it_was = lying.hides(work, column)
    pulled(su, su.does("register", su.draws("more", seed + 1), *PAID)["log_index"])
    as_it_was()  # what the registry says of the work is right: only its segment lies
    findings = su.does("monitor", "--once", code=1)["findings"]
    assert {(found["kind"], found["work"]) for found in findings} == {("unfindable", work)}
    assert any(f"{work}: the snapshot does not find it by {told}" in found["message"] for found in findings)
