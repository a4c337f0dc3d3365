"""Whatever happens to the files and to the process: the migrator agrees with a model of a few lines.

Files are added, edited, removed and change places; runs are cut off inside a file by the death of the connection.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from registry.database import Database, migrate, pending
from registry.errors import DatabaseUnavailable, MigrationError
from tests.registry.servers import Server

# Outside of what migrations see. `burn` kills the connection of whoever evaluates it while its fuse is lit.
SETUP = """
CREATE SCHEMA test;
CREATE TABLE test.fuse (n int PRIMARY KEY);
CREATE TABLE test.base (n int);
INSERT INTO test.base VALUES (1);
CREATE FUNCTION test.burn(fuse int, n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid()) FROM test.fuse WHERE fuse.n = burn.fuse;
    RETURN n;
END $$;
"""
_INDEXES = "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE"  # whatever their schema
VALID = f"{_INDEXES} i.indisvalid"
INVALID = f"{_INDEXES} NOT i.indisvalid"
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname ~ '^x'"


@dataclass
class World:
    """A database for each history, and the portal to it."""

    portal: BlockingPortal
    server: Server


WORLD: list[World] = []


def transactional(number: int, edition: int) -> str:
    return (
        f"CREATE TABLE x{number}_{edition} (n int);\n"
        f"SELECT test.burn({number}, 0);\n"
        f"CREATE TABLE xx{number}_{edition} ();\n"
    )


def alone(number: int, edition: int) -> str:
    return (
        "-- licet: no-transaction\n"
        f"CREATE INDEX CONCURRENTLY IF NOT EXISTS x{number}_{edition} ON test.base (test.burn({number}, n));\n"
    )


class MigratorMachine(RuleBasedStateMachine):
    """The files as they are, and what the database must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.portal = WORLD[0].portal
        self.folder = Path(tempfile.mkdtemp(prefix="licet-model-"))
        self.files: dict[int, tuple[str, str]] = {}  # number → name and text
        self.applied: dict[int, tuple[str, str]] = {}
        self.edition = 0
        self.fresh = self.portal.wrap_async_context_manager(WORLD[0].server.fresh("template0", "model"))
        self.database = self.portal.call(self._connect, self.fresh.__enter__())
        self.execute(SETUP)

    async def _connect(self, dsn: str) -> Database:
        return await Database.connect(dsn, connections=2)

    def teardown(self) -> None:
        self.portal.call(self.database.close)
        self.fresh.__exit__(None, None, None)
        shutil.rmtree(self.folder)

    def execute(self, sql: str) -> None:
        async def work() -> None:
            async with self.database.acquire() as connection:
                await connection.execute(sql)

        self.portal.call(work)

    def values(self, sql: str) -> list[object]:
        async def work() -> list[object]:
            async with self.database.acquire() as connection:
                return [row[0] for row in await connection.fetch(sql)]

        return self.portal.call(work)

    def write(self) -> None:
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        for number, (name, text) in self.files.items():
            (self.folder / f"{number:04d}_{name}.sql").write_text(text)

    def expected_refusal(self) -> str | None:
        """Return the first words of what is wrong with the files, None if nothing is."""
        for number, (name, text) in sorted(self.applied.items()):
            if number not in self.files:
                return f"{number:04d}_{name}.sql was applied to this database on"
            if self.files[number][0] != name:
                return f"{number:04d}_{name}.sql was applied to this database as number {number:04d}, here it is named"
            if self.files[number][1] != text:
                found = hashlib.sha256(self.files[number][1].encode()).hexdigest()[:16]
                expected = hashlib.sha256(text.encode()).hexdigest()[:16]
                changed = f"{number:04d}_{name}.sql was changed after it was applied"
                return f"{changed}: expected sha256 {expected}…, got {found}…"
        todo = self.todo()
        if todo and self.applied and todo[0] < max(self.applied):
            return f"{todo[0]:04d}_{self.files[todo[0]][0]}.sql comes before {max(self.applied):04d}_"
        return None

    def todo(self) -> list[int]:
        return sorted(set(self.files) - set(self.applied))

    @rule(number=st.integers(1, 6), kind=st.sampled_from([transactional, transactional, alone]))
    def add(self, number: int, kind) -> None:
        if number not in self.files:
            self.edition += 1
            self.files[number] = (f"step_{self.edition}", kind(number, self.edition))

    @rule()
    def add_next(self) -> None:
        number = max([0, *self.files, *self.applied]) + 1
        self.edition += 1
        self.files[number] = (f"step_{self.edition}", transactional(number, self.edition))

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def edit(self, data) -> None:
        number = data.draw(st.sampled_from(sorted(self.files)))
        name, text = self.files[number]
        self.files[number] = (name, text + "-- a later thought\n")

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def remove(self, data) -> None:
        del self.files[data.draw(st.sampled_from(sorted(self.files)))]

    @precondition(lambda self: len(self.files) > 1)
    @rule(data=st.data())
    def change_places(self, data) -> None:
        one, other = data.draw(st.lists(st.sampled_from(sorted(self.files)), min_size=2, max_size=2, unique=True))
        self.files[one], self.files[other] = self.files[other], self.files[one]

    @precondition(lambda self: self.applied)
    @rule()
    def put_back(self) -> None:
        last = max(self.applied)
        # One that had changed places is back under its number, and not also where it was carried to, edited or not.
        kept = {name for name, _ in self.applied.values()}
        later = {number: file for number, file in self.files.items() if number > last and file[0] not in kept}
        self.files = later | self.applied

    @rule()
    def run(self) -> None:
        self.write()
        refusal = self.expected_refusal()
        for look in (pending, migrate):
            if refusal is not None:
                with pytest.raises(MigrationError, match=f"^{re.escape(refusal)}"):
                    self.portal.call(look, self.database, self.folder)
            else:
                assert [one.version for one in self.portal.call(look, self.database, self.folder)] == self.todo()
        if refusal is None:
            self.applied |= {number: self.files[number] for number in self.todo()}

    @precondition(lambda self: self.todo() and self.expected_refusal() is None)
    @rule(data=st.data())
    def crash(self, data) -> None:
        """Die inside one of the files that wait."""
        self.write()
        todo = self.todo()
        place = data.draw(st.integers(0, len(todo) - 1))
        # A file that changed places burns the fuse that its text names.
        fuse = int(self.files[todo[place]][1].partition("test.burn(")[2].partition(",")[0])
        if fuse in {int(self.files[n][1].partition("test.burn(")[2].partition(",")[0]) for n in todo[:place]}:
            return
        if set(self.values(VALID)) & set(self.files[todo[place]][1].split()):
            return  # it died after its index was built, before that was recorded: nothing is left to burn in
        self.execute(f"INSERT INTO test.fuse VALUES ({fuse})")
        with pytest.raises(DatabaseUnavailable):
            self.portal.call(migrate, self.database, self.folder)
        self.execute("DELETE FROM test.fuse")
        self.applied |= {number: self.files[number] for number in todo[:place]}

    @invariant()
    def the_database_holds_what_was_applied_and_nothing_else(self) -> None:
        if not self.values("SELECT to_regclass('schema_migrations')::text")[0]:
            assert not self.applied
            return
        assert self.values("SELECT version FROM schema_migrations ORDER BY version") == sorted(self.applied)
        made = {
            name
            for _, text in self.applied.values()
            for name in (word.strip("();") for word in text.split())
            if name.startswith("x") and "CONCURRENTLY" not in text
        }
        assert set(self.values(TABLES)) == made
        # An index that was cut off is invalid until the next run; one that is recorded never is.
        recorded = {word for _, text in self.applied.values() for word in text.split()}
        assert recorded.isdisjoint(self.values(INVALID))


@contextmanager
def world(server: Server) -> Iterator[None]:
    with start_blocking_portal("asyncio") as portal:
        WORLD.append(World(portal, server))
        try:
            yield
        finally:
            WORLD.clear()


def test_the_migrator_agrees_with_the_model(server: Server) -> None:
    with world(server):
        run_state_machine_as_test(
            MigratorMachine,
            settings=settings(
                max_examples=30, stateful_step_count=15, deadline=None, phases=[Phase.generate],
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )  # fmt: skip
