"""Witnesses as processes of their own: nothing is shown that their quorum has not seen, and a lost one is told of."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from licet.log import checkpoint, cosignature, policy, witnessing
from registry.errors import StartError
from registry.translog import Sequencer, open_keys, wait_all
from registry.translog.heads import head
from registry.translog.keyfiles import SIGNING
from registry.translog.loop import run
from registry.translog.witnesses import Quorumless, Witnesses
from tests.registry.harness import running
from tests.registry.translog.log import ORIGIN, files, submitted

pytestmark = pytest.mark.anyio


class Witness:
    """``licet witness serve`` with a home of its own, which outlives the process."""

    def __init__(self, home: Path, log: str) -> None:
        self.home, self.log = home, log
        self.port = 0
        self.process: asyncio.subprocess.Process | None = None

    async def licet(self, *arguments: str) -> asyncio.subprocess.Process:
        environment = {**os.environ, "LICET_HOME": str(self.home)}
        command = [str(Path(sys.executable).with_name("licet")), "witness", *arguments, "--json"]
        return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)

    async def vkey(self) -> str:
        output, _ = await (await self.licet("key", "--name", f"{self.home.name}.example")).communicate()
        return str(json.loads(output)["ed25519"])

    async def start(self) -> None:
        self.process = await self.licet("serve", "--log", self.log, "--port", str(self.port))
        assert self.process.stdout is not None
        ready = json.loads(await self.process.stdout.readuntil(b"}\n"))
        self.port = int(ready["ready"].rpartition(":")[2])

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@contextlib.asynccontextmanager
async def watched(folder: Path, log: str, quorum: str = "2") -> AsyncIterator[tuple[list[Witness], Path]]:
    """Three witnesses of ``log`` that serve, and the policy that asks for ``quorum`` of them."""
    witnesses = [Witness(folder / name, log) for name in ("ada", "bo", "cleo")]
    try:
        lines = []
        keys = await asyncio.gather(*(witness.vkey() for witness in witnesses))
        await asyncio.gather(*(witness.start() for witness in witnesses))
        for witness, key in zip(witnesses, keys, strict=True):
            lines.append(f"witness {witness.home.name} {key} http://127.0.0.1:{witness.port}/\n")
        path = folder / "policy"
        path.write_text(f"log {log}\n{''.join(lines)}group all-of-them {quorum} ada bo cleo\nquorum all-of-them\n")
        yield witnesses, path
    finally:
        for witness in witnesses:
            await witness.kill()


@contextlib.asynccontextmanager
async def opened(path: Path, database) -> AsyncIterator[Witnesses]:
    witnesses = Witnesses.load(path, database)
    try:
        yield witnesses
    finally:
        await witnesses.close()


async def worked(database, sequencer: Sequencer) -> None:
    async with database.dedicated() as conn:
        await sequencer.resume(conn)
        while await sequencer.integrate(conn):
            await sequencer.publish(conn)


@pytest.fixture
async def keys(database, tmp_path):
    async with database.acquire() as conn:
        return await open_keys(conn, tmp_path / "keys", ORIGIN, SIGNING)


async def test_what_is_published_has_the_quorum_and_without_it_receipts_wait(database, keys, tmp_path):
    vkey = keys.log_signer.verifier.vkey
    async with watched(tmp_path, vkey) as (witnesses, path), opened(path, database) as asked:
        sequencer = Sequencer(keys, tmp_path, files(tmp_path), witnesses=asked, wait_for_witnesses=True)
        await worked(database, sequencer)
        text = await files(tmp_path).read("checkpoint") or b""
        assert policy.parse(path.read_bytes()).check(text).witnesses == ("ada", "bo", "cleo")
        assert all(cosignature.time_of(each) for each in cosignature.cosignatures(text, _keys(path)))

        await witnesses[0].kill()
        await submitted(database, 300)
        await worked(database, sequencer)
        text = await files(tmp_path).read("checkpoint") or b""
        assert policy.parse(path.read_bytes()).check(text).witnesses == ("bo", "cleo")

        await witnesses[1].kill()
        await submitted(database, 2)
        with pytest.raises(Quorumless, match=r"ada: .*; bo: "):
            await worked(database, sequencer)
        assert await files(tmp_path).read("checkpoint") == text
        async with database.acquire() as conn:
            now = await head(conn)
        assert (now.size, now.published_size) == (306, 304)

        await witnesses[0].start()  # at another size than the log believes, on the port that the policy names
        await worked(database, Sequencer(keys, tmp_path, files(tmp_path), witnesses=asked, wait_for_witnesses=True))
        text = await files(tmp_path).read("checkpoint") or b""
        assert policy.parse(path.read_bytes()).check(text).checkpoint.size == 306


def _keys(path: Path):
    return [each.verifier for each in policy.parse(path.read_bytes()).witnesses.values()]


async def test_receipts_go_on_while_the_last_good_checkpoint_is_served_and_health_says_so(dsn, tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        async with running(dsn, tmp_path) as site:  # the keys are made, and with them the log
            vkey = site.services.keys.log_signer.verifier.vkey
        witnesses, path = await stack.enter_async_context(watched(tmp_path, vkey))
        site = await stack.enter_async_context(running(dsn, tmp_path, witness_policy=path))
        log = site.services.log_files
        await wait_all(site.services.database, await submitted(site.services.database, 1))
        await _until(lambda: _size(log, path), 6)
        for witness in witnesses[:2]:
            await witness.kill()
        [receipt] = await wait_all(site.services.database, await submitted(site.services.database, 1))
        assert receipt.log_index == 6
        ready = (await site.http.get("/health/ready")).json()
        assert ready["checks"]["checkpoint"]["ok"]
        assert "the checkpoint of 6 is served" in ready["checks"]["checkpoint"]["found"]
        assert await _size(log, path) == 6
        await witnesses[1].start()
        await _until(lambda: _size(log, path), 7)
        ready = (await site.http.get("/health/ready")).json()
        assert not ready["checks"]["checkpoint"].get("found")


async def _size(log, path: Path) -> int:
    """The size of the published checkpoint, if the quorum has cosigned it."""
    text = await log.read("checkpoint")
    rules = policy.parse(path.read_bytes())
    return rules.check(text).checkpoint.size if text and rules.satisfied_by(text) else 0


async def _until(look, wanted: int) -> None:
    async with asyncio.timeout(60):
        while await look() != wanted:
            await asyncio.sleep(0.1)


async def test_a_database_from_the_past_on_a_new_machine_is_told_of_by_a_witness(database, keys, tmp_path):
    vkey = keys.log_signer.verifier.vkey
    async with watched(tmp_path, vkey) as (witnesses, path), opened(path, database) as asked:
        await worked(database, Sequencer(keys, tmp_path, files(tmp_path), witnesses=asked, wait_for_witnesses=True))
        ahead = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, 9, bytes(32)), keys.log_signer)
        await witnesses[2].kill()
        shutil.rmtree(tmp_path / "cleo" / "witness" / "cosigned")
        await witnesses[2].start()
        async with httpx.AsyncClient() as http:
            url = f"http://127.0.0.1:{witnesses[2].port}/add-checkpoint"
            assert (await http.post(url, content=witnessing.request_body(0, [], ahead))).status_code == 200
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        with pytest.raises(StartError, match=r"log of 4 entries, but the witness cleo cosigned 9.*never rolled back"):
            await run(database, keys, elsewhere, files(elsewhere), asyncio.Event(), witnesses=asked)
        assert not (elsewhere / "guard.json").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("quorum none", "newline"),
        ("quorum ada\n", "line 1"),
        ("witness ada KEY\nquorum ada\n", "address to ask it at"),
    ],
)
async def test_a_policy_that_cannot_be_used_says_why(database, keys, tmp_path, text, told):
    vkey = cosignature.Signer("ada.example", cosignature.ED25519_COSIGNATURE, bytes(32)).verifier.vkey
    (tmp_path / "policy").write_text(text.replace("KEY", vkey))
    with pytest.raises(StartError, match=told):
        Witnesses.load(tmp_path / "policy", database)
    with pytest.raises(StartError, match="cannot be read"):
        Witnesses.load(tmp_path / "none", database)
