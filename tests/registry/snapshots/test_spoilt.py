"""Files of a snapshot that change under a running service: refused, told, written anew, and no answer is untrue."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.snapshots import ConsentUnreadable, Reader
from registry.snapshots import reader as reading
from registry.snapshots.files import QUARANTINE
from registry.snapshots.publication import segments_folder
from registry.snapshots.publisher import publish, publish_if_due
from tests.registry.catalogue import NO_AI, PAID, artist
from tests.registry.harness import Running
from tests.registry.snapshots.test_reader import agree, works_of

pytestmark = [pytest.mark.anyio, pytest.mark.fault]


async def published(site: Running) -> tuple[Reader, list[Path]]:
    """Return a reader that answers from a snapshot's files, and those."""
    ada = await artist(site)
    await ada.state(await works_of(ada, 3), PAID)
    manifest = await publish(site.services)
    reader = Reader(site.services)
    await reader.current()
    assert reader.standing() == (manifest.sequence, 0, None, True)
    return reader, [segments_folder(site.services) / ref.digest for ref in manifest.segments]


async def settled(reader: Reader) -> None:
    """Return once the reader answers from a snapshot that is as it was signed."""
    while reader.standing().wrong is not None:
        await reader.current()
        await asyncio.sleep(0.01)


def overwrite(path: Path) -> None:
    """Change one byte in the middle of the works, as a disk or a person does; the length stays."""
    with path.open("r+b") as file:
        file.seek(2048)
        (byte,) = file.read(1)
        file.seek(2048)
        file.write(bytes([byte ^ 255]))


def shorten(path: Path) -> None:
    os.truncate(path, 100)


def replace(path: Path) -> None:
    """Put another file in its place."""
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[:-1] + b"?")
    other.replace(path)


@pytest.mark.parametrize("spoil", [overwrite, shorten, replace])
async def test_a_spoilt_segment_is_refused_told_and_written_anew(site: Running, spoil: Callable[[Path], None]) -> None:
    reader, files = await published(site)
    before = counted(site)
    spoil(files[0])
    await agree(site, reader, Reader(site.services))
    assert not files[0].exists()
    assert files[0].with_name(QUARANTINE + files[0].name).exists()
    if spoil is replace:  # the file that is mapped is the one that was verified
        assert reader.standing().wrong is None
    else:
        assert "cannot be read here" in (reader.standing().wrong or "")
    assert counted(site) > before
    await agree(site, reader)
    assert await publish_if_due(site.services) is not None
    await settled(reader)
    assert await publish_if_due(site.services) is None
    await agree(site, reader)


def counted(site: Running) -> float:
    lines = site.services.meters.text().decode().splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("licet_snapshots_refused_total"))


async def test_a_file_that_was_only_touched_is_read_again_and_stays(site: Running) -> None:
    reader, files = await published(site)
    before, _, _ = await reader.current()
    os.utime(files[0])
    after, _, _ = await reader.current()
    assert after is before
    assert reader.standing().wrong is None
    assert files[0].exists()


async def test_readiness_says_that_answers_come_from_elsewhere(lone: Running) -> None:
    ada = await artist(lone)
    await ada.state(await works_of(ada, 2), NO_AI)
    manifest = await publish(lone.services)
    lone.services.reader = reader = Reader(lone.services)
    await reader.current()
    for ref in manifest.segments:
        overwrite(segments_folder(lone.services) / ref.digest)
    await reader.current()
    check = (await lone.http.get("/health/ready")).json()["checks"]["index"]
    assert check["ok"] is True
    assert check["found"] == "snapshot 1 cannot be read here: answers come from another, or the database"
    await publish_if_due(lone.services)
    await settled(reader)
    assert (await lone.http.get("/health/ready")).json()["checks"]["index"] == {"ok": True}


async def test_with_more_changes_than_can_be_applied_nothing_is_decided_until_the_next_snapshot(
    lone: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_APPLIED", 2)
    ada = await artist(lone)
    reader = Reader(lone.services)
    await reader.current()
    await ada.state(await works_of(ada, 3), NO_AI)
    with pytest.raises(ConsentUnreadable, match="more than 2 works changed"):
        await reader.current()
    assert reader.standing().decides is False
    await publish(lone.services)
    await agree(lone, reader)
    assert reader.standing() == (1, 0, None, True)


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel what is mapped")
async def test_the_files_of_the_snapshot_before_are_unmapped_when_the_last_answer_is_done(
    lone: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "REBASE_AFTER", 2)
    reader, files = await published(lone)
    lone.services.reader = reader
    held, _, _ = await reader.current()
    assert all(path.name in mapped() for path in files)
    ada = await artist(lone)
    await ada.state(await works_of(ada, 3), NO_AI)
    await reader.current()
    monkeypatch.setattr("registry.snapshots.building.SMALL", -1000)  # anew, so that no file is shared
    manifest = await publish(lone.services)
    while reader.standing().sequence != manifest.sequence:
        await reader.current()
        await asyncio.sleep(0.01)
    assert files[0].name in mapped()
    assert held.works.numbers().size  # an answer that was begun is finished from what it began with
    del held
    gc.collect()
    assert not any(path.name in mapped() for path in files)
    await agree(lone, reader)


def mapped() -> str:
    return Path("/proc/self/maps").read_text()
