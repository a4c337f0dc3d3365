"""The sequencer: nothing lost, nothing twice, nothing signed before COMMIT, and an outsider can rebuild it all."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from licet import times
from licet.canonical import from_base64, to_base64
from licet.log import checkpoint, entry, proof
from registry.database import Database
from registry.errors import StartError, Unavailable
from registry.translog import Sequencer, open_keys, publication, receipt, submit, wait, wait_all
from registry.translog.heads import head
from registry.translog.keyfiles import SIGNING
from registry.translog.keys import RegistryKeys
from registry.translog.loop import run
from tests.registry.harness import verify_whole_log
from tests.registry.translog.log import ORIGIN, STEPS, files, logged, sequencing, submitted

pytestmark = pytest.mark.anyio


class Killed(Exception):
    """The process ended here."""


@pytest.fixture
async def keys(database: Database, tmp_path: Path) -> RegistryKeys:
    async with database.acquire() as conn:
        return await open_keys(conn, tmp_path / "keys", ORIGIN, SIGNING)


async def work_through(database: Database, sequencer: Sequencer, limit: int = 8192) -> None:
    """What a process does from its start until nothing is left."""
    async with database.dedicated() as conn:
        await sequencer.resume(conn)
        while await sequencer.integrate(conn, limit):
            await sequencer.publish(conn)


def dying_at(step: str, nth: int = 1) -> Callable[[str], None]:
    left = [nth]

    def reach(here: str) -> None:
        if here == step:
            left[0] -= 1
            if not left[0]:
                raise Killed(step)

    return reach


async def test_the_first_entries_name_the_working_keys_under_the_root(database, keys, tmp_path):
    await work_through(database, sequencing(keys, tmp_path))
    entries = [entry.parse(each) for each in verify_whole_log(tmp_path, keys.log_signer.verifier)]
    assert [each.kind for each in entries] == ["registry-key"] * 4
    async with database.acquire() as conn:
        again = await open_keys(conn, tmp_path / "keys", ORIGIN, SIGNING)
    assert again.ref == keys.ref
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "keys").glob("*.pem")}
    assert modes == dict.fromkeys(("root.pem", "log.pem", "snapshot.pem", "licence.pem", "office.pem"), 0o600)


@pytest.mark.parametrize("size", [3, 300])
async def test_a_kill_at_any_step_loses_nothing_and_logs_nothing_twice(database, keys, tmp_path, size):
    expected = [1, 2, 3, 4]
    for step in STEPS:
        expected += await submitted(database, size)
        with pytest.raises(Killed):
            await work_through(database, sequencing(keys, tmp_path, reach=dying_at(step)), limit=max(2, size // 2))
        expected += await submitted(database, 2)
        await work_through(database, sequencing(keys, tmp_path))
        assert await logged(database) == expected, step
        assert len(verify_whole_log(tmp_path, keys.log_signer.verifier)) == len(expected)
    async with database.acquire() as conn:
        assert await conn.fetchval("select count(*) from log_queue") == 0


async def test_nothing_signed_leaves_before_commit(database, keys, tmp_path):
    await submitted(database, 3)
    for step in ("taken", "signed", "written"):
        with pytest.raises(Killed):
            await work_through(database, sequencing(keys, tmp_path, reach=dying_at(step)))
        assert not (tmp_path / "public").exists()
        assert not (tmp_path / publication.GUARD).exists()


async def test_no_receipt_before_everything_is_published(database, keys, tmp_path):
    for step in ("committed", "guarded", "tiles", "checkpoint"):
        (pending,) = await submitted(database, 1)
        with pytest.raises(Killed):
            await work_through(database, sequencing(keys, tmp_path, reach=dying_at(step)))
        async with database.acquire() as conn:
            assert await receipt(conn, pending) is None
            state = await head(conn)
            assert state.size == state.frontier[7] == pending
        await work_through(database, sequencing(keys, tmp_path))
        async with database.acquire() as conn:
            found = await receipt(conn, pending)
        assert found is not None
        assert found.log_index == pending - 1


@pytest.mark.parametrize("seed", [1, 2])
async def test_kills_at_random_steps_again_and_again(database, keys, tmp_path, seed):
    chance = random.Random(seed)
    expected = [1, 2, 3, 4]
    for _ in range(8):
        expected += await submitted(database, chance.randint(1, 150))
        dying = dying_at(chance.choice(STEPS), chance.randint(1, 2))
        with contextlib.suppress(Killed):
            await work_through(database, sequencing(keys, tmp_path, reach=dying), chance.randint(20, 150))
        verifiable = (tmp_path / "public" / "log" / "checkpoint").exists()
        if verifiable:
            verify_whole_log(tmp_path, keys.log_signer.verifier)
    await work_through(database, sequencing(keys, tmp_path))
    assert await logged(database) == expected
    assert len(verify_whole_log(tmp_path, keys.log_signer.verifier)) == len(expected)


async def test_a_receipt_proves_its_entry_and_commitment(database, keys, tmp_path):
    pendings = await submitted(database, 400)
    await work_through(database, sequencing(keys, tmp_path), limit=150)
    for place, found in enumerate(await wait_all(database, pendings)):
        raw = from_base64(found.entry)
        read = proof.parse(found.proof)
        proof.verify(read, raw, keys.log_signer.verifier, closed=True)
        salt = from_base64(found.salt or "")
        entry.verify_commitment(entry.parse(raw), salt, b"envelope %d" % place)
        assert found.log_index == read.index == 4 + place
        assert times.from_text(found.in_snapshot_by or "") > times.from_text(entry.parse(raw).time)
    verify_whole_log(tmp_path, keys.log_signer.verifier)


async def test_public_kinds_are_logged_without_salt(database, keys, tmp_path):
    (pending,) = await submitted(database, 1, "snapshot")
    await work_through(database, sequencing(keys, tmp_path))
    found = await wait(database, pending)
    assert found.salt is None
    assert found.in_snapshot_by is None
    entry.verify_commitment(entry.parse(from_base64(found.entry)), None, b"envelope 0")


async def test_entry_times_never_go_back_even_if_the_clock_does(database, keys, tmp_path, monkeypatch):
    await submitted(database, 1)
    await work_through(database, sequencing(keys, tmp_path))
    early = times.from_text("2020-01-01T00:00:00.000Z")
    monkeypatch.setattr(times, "now", lambda: early)
    await submitted(database, 1)
    await work_through(database, sequencing(keys, tmp_path))
    moments = [entry.parse(each).time for each in verify_whole_log(tmp_path, keys.log_signer.verifier)]
    assert moments == sorted(moments)
    assert moments[-1] > times.to_text(early)


async def test_a_transaction_that_rolls_back_leaves_nothing_to_log(database, keys, tmp_path):
    with pytest.raises(Killed):
        async with database.transaction() as conn:
            await submit(conn, "consent", "stm_gone", b"never", None)
            raise Killed
    await work_through(database, sequencing(keys, tmp_path))
    assert await logged(database) == [1, 2, 3, 4]


async def test_statements_under_one_lock_are_logged_in_the_order_of_the_lock(database, keys, tmp_path):
    """Ids are drawn after the lock, so the sequencer may never see the later one first."""
    async with database.acquire() as conn:
        await conn.execute("create table account_lock (id int primary key); insert into account_lock values (1)")
    order: list[int] = []

    async def one(number: int) -> None:
        async with database.transaction() as conn:
            await conn.fetchval("select id from account_lock for update")
            order.append(await submit(conn, "consent", f"stm_{number}", b"%d" % number, None))
            await asyncio.sleep(0.002)

    stop = asyncio.Event()
    task = asyncio.create_task(run(database, keys, tmp_path, files(tmp_path), stop))
    await asyncio.gather(*(one(number) for number in range(20)))
    await wait_all(database, order)
    stop.set()
    await task
    assert (await logged(database))[4:] == order
    verify_whole_log(tmp_path, keys.log_signer.verifier)


async def test_two_sequencers_share_the_work_without_forking_the_log(database, keys, tmp_path):
    stop = asyncio.Event()
    tasks = [asyncio.create_task(run(database, keys, tmp_path, files(tmp_path), stop)) for _ in range(2)]
    pendings: list[int] = []
    for _ in range(5):
        pendings += await submitted(database, 7)
        await wait_all(database, pendings[-7:])
    stop.set()
    await asyncio.gather(*tasks)
    assert await logged(database) == [*range(1, 5), *pendings]
    verify_whole_log(tmp_path, keys.log_signer.verifier)


async def test_the_standby_takes_over_when_the_sequencer_dies(database, keys, tmp_path):
    stop = asyncio.Event()
    first = asyncio.create_task(run(database, keys, tmp_path, files(tmp_path), stop, reach=dying_at("written", 2)))
    await submitted(database, 1)
    await asyncio.sleep(0.1)
    second = asyncio.create_task(run(database, keys, tmp_path, files(tmp_path), stop))
    await asyncio.sleep(0.05)
    pendings = await submitted(database, 3)
    await wait_all(database, pendings)
    stop.set()
    assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], Killed)
    await second
    verify_whole_log(tmp_path, keys.log_signer.verifier)


async def test_a_disk_that_fails_is_waited_out(database, keys, tmp_path):
    failures = [OSError(28, "No space left on device")] * 2

    def reach(step: str) -> None:
        if step == "guarded" and failures:
            raise failures.pop()

    stop = asyncio.Event()
    task = asyncio.create_task(run(database, keys, tmp_path, files(tmp_path), stop, reach=reach))
    pendings = await submitted(database, 2)
    await wait_all(database, pendings)
    stop.set()
    await task
    verify_whole_log(tmp_path, keys.log_signer.verifier)


async def test_waiting_without_a_sequencer_says_so_and_a_retry_finds_the_statement(database, keys, tmp_path):
    (pending,) = await submitted(database, 1)
    with pytest.raises(Unavailable, match="accepted"):
        await wait(database, pending, timeout=0.05)
    await work_through(database, sequencing(keys, tmp_path))
    assert (await wait(database, pending)).log_index == 4


async def test_a_database_behind_what_was_let_out_is_refused(database, keys, tmp_path):
    await submitted(database, 2)
    await work_through(database, sequencing(keys, tmp_path))
    log, guard = tmp_path / "public" / "log", tmp_path / publication.GUARD
    kept, published = guard.read_bytes(), (log / "checkpoint").read_text()

    publication.advance_guard(tmp_path, 99, bytes(32))
    with pytest.raises(StartError, match=r"log of 6 entries.*guard\.json.*99.*never rolled back"):
        await run(database, keys, tmp_path, files(tmp_path), asyncio.Event())
    publication.advance_guard(tmp_path, 5, bytes(32))
    with pytest.raises(StartError, match="roots at size 5 differ"):
        await run(database, keys, tmp_path, files(tmp_path), asyncio.Event())
    guard.write_bytes(b'{"size": 1, "root": "AA=="}')
    with pytest.raises(StartError, match="expected the log's guard"):
        await run(database, keys, tmp_path, files(tmp_path), asyncio.Event())
    guard.write_bytes(kept)

    ahead = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, 7, bytes(32)), keys.log_signer)
    await publication.write_checkpoint(files(tmp_path), ahead)
    with pytest.raises(StartError, match="checkpoint says that 7 were let out"):
        await run(database, keys, tmp_path, files(tmp_path), asyncio.Event())
    await publication.write_checkpoint(files(tmp_path), ahead.replace("log.example", "other.example"))
    with pytest.raises(StartError, match="expected a checkpoint of this log"):
        await run(database, keys, tmp_path, files(tmp_path), asyncio.Event())
    await publication.write_checkpoint(files(tmp_path), published)
    await work_through(database, sequencing(keys, tmp_path))


async def test_a_database_of_other_keys_is_refused(database, keys, tmp_path):
    async with database.acquire() as conn:
        with pytest.raises(StartError, match=r"restore the registry's keys"):
            await open_keys(conn, tmp_path / "elsewhere", ORIGIN, SIGNING)
        RegistryKeys.make(tmp_path / "other", ORIGIN)
        with pytest.raises(StartError, match="expected a database of the registry"):
            await open_keys(conn, tmp_path / "other", ORIGIN, SIGNING)
        (tmp_path / "other" / "root.pub").write_bytes((tmp_path / "keys" / "root.pub").read_bytes())
        with pytest.raises(StartError, match="not the key that the log names"):
            await open_keys(conn, tmp_path / "other", ORIGIN, SIGNING)


async def test_the_root_key_may_go_offline_after_the_first_start(database, keys, tmp_path):
    (tmp_path / "keys" / "root.pem").rename(tmp_path / "elsewhere.pem")
    async with database.acquire() as conn:
        assert (await open_keys(conn, tmp_path / "keys", ORIGIN, SIGNING)).ref == keys.ref
        (tmp_path / "keys" / "root.pub").write_text("no key")
        with pytest.raises(StartError, match=r"root\.pub"):
            await open_keys(conn, tmp_path / "keys", ORIGIN, SIGNING)


async def test_lost_public_files_are_written_again(database, keys, tmp_path):
    await submitted(database, 300)
    await work_through(database, sequencing(keys, tmp_path))
    (tmp_path / "public").rename(tmp_path / "lost")
    await work_through(database, sequencing(keys, tmp_path))
    assert len(verify_whole_log(tmp_path, keys.log_signer.verifier)) == 304


async def test_a_partial_tile_outlives_its_file_in_the_full_one(database, keys, tmp_path):
    await submitted(database, 6)
    await work_through(database, sequencing(keys, tmp_path))
    log = tmp_path / "public" / "log"
    partial = {path: (log / path).read_bytes() for path in ("tile/0/000.p/10", "tile/entries/000.p/10")}
    await submitted(database, 250)
    await work_through(database, sequencing(keys, tmp_path))
    assert not (log / "tile/0/000.p").exists()
    assert not (log / "tile/entries/000.p").exists()
    assert {path: await publication.read_tile(files(tmp_path), path) for path in partial} == partial


CHANGES = (
    "update log_entries set entry = 'x'",
    "delete from log_entries",
    "truncate log_entries",
    "update log_pending set envelope = 'x'",
    "update log_pending set subject = 'x', envelope = null, salt = null",
    "delete from log_pending",
    "update log_tiles set hashes = sha256('x'), width = 1",
    "delete from log_tiles",
    "update log_head set size = size - 1",
    "update log_head set root = sha256('x')",
    "update log_head set published_size = 0",
    "delete from log_head",
)


async def test_what_is_logged_cannot_be_changed(database, keys, tmp_path):
    await submitted(database, 2)
    await work_through(database, sequencing(keys, tmp_path))
    async with database.acquire() as conn:
        for change in CHANGES:
            with pytest.raises(asyncpg.RestrictViolationError):
                await conn.execute(change)
    verify_whole_log(tmp_path, keys.log_signer.verifier)


async def test_erasure_leaves_the_tree_valid(database, keys, tmp_path):
    (pending,) = await submitted(database, 1)
    await work_through(database, sequencing(keys, tmp_path))
    async with database.acquire() as conn:
        await conn.execute("update log_pending set envelope = null, salt = null where id = $1", pending)
    await work_through(database, sequencing(keys, tmp_path))
    assert len(verify_whole_log(tmp_path, keys.log_signer.verifier)) == 5


async def test_another_tile_where_one_is_published_is_another_history(database, keys, tmp_path):
    await submitted(database, 3)
    await work_through(database, sequencing(keys, tmp_path))
    await submitted(database, 3)
    (tmp_path / "public" / "log" / "tile/entries/000.p").joinpath("10").write_bytes(b"\0\1x" * 10)
    with pytest.raises(StartError, match=r"tile/entries/000\.p/10: another tile is published.*two histories"):
        await work_through(database, sequencing(keys, tmp_path))


async def test_a_folder_that_was_moved_or_copied_is_said_once_and_one_that_stayed_is_not(database, keys, tmp_path):
    await work_through(database, sequencing(keys, tmp_path))
    for place, told in ((tmp_path, 0), (tmp_path / "copy", 1), (tmp_path / "copy", 0)):
        if not place.exists():
            shutil.copytree(tmp_path, place)
        with capture_logs() as logs:
            await work_through(database, sequencing(keys, place))
        assert sum(each["event"] == "guard.elsewhere" for each in logs) == told


async def test_a_guard_knows_whether_it_lies_where_it_was_written(tmp_path):
    original, copy = tmp_path / "one", tmp_path / "two"
    (original / "keys").mkdir(parents=True)
    publication.advance_guard(original, 5, bytes(32))
    assert publication.lies_where_written(original)

    shutil.copytree(original, copy)
    assert not publication.lies_where_written(copy)
    shutil.move(original, tmp_path / "kept")
    shutil.move(copy, original)  # under the same name, and still a copy
    assert not publication.lies_where_written(original)
    older = f'{{"size": 5, "root": "{to_base64(bytes(32))}"}}'  # a release before this one wrote it
    (original / publication.GUARD).write_text(older)
    assert not publication.lies_where_written(original)
