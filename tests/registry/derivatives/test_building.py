"""Segments: what waits gets its place, what is gone leaves, whatever is wrong with a file is noticed and made good."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.derivative import segment as segments
from registry.auditing import derived
from registry.auditing.types import Findings
from registry.derivatives import queries
from registry.derivatives.building import FACTOR, LARGEST, build, folder_of, hold_together, layers
from registry.derivatives.holding import Shelf
from registry.errors import StoreUnavailable, Unavailable
from tests.registry.catalogue import NO_AI, PAID, Artist, artist
from tests.registry.derivatives.shown import answers, cropped, demo, features, post
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio
NAMES = ("owl-at-dusk", "goldfish", "red-rooster")


async def stored(site: Running) -> list[Any]:
    async with site.services.database.acquire() as conn:
        found: list[Any] = await conn.fetch("select * from derivative_segments order by id")
    return found


async def shown(who: Artist, *names: str) -> list[str]:
    works = [(await who.picture(demo(name))).work for name in names]
    await who.state(works, PAID)
    return works


async def test_new_pictures_go_on_top_and_small_layers_become_one(lone: Running) -> None:
    who = await artist(lone)
    for number, name in enumerate(NAMES, 1):
        await shown(who, name)
        assert await build(lone.services) == 1
        (only,) = await stored(lone)
        assert only["pictures"] == number
        opened = segments.opened(folder_of(lone.services) / only["digest"].hex(), verify=True)
        assert len(opened) == number
    assert await build(lone.services) == 0
    found = await answers(lone.http, [cropped(name) for name in NAMES])
    assert [each.verdict for each in found.results] == ["review"] * 3


@given(st.lists(st.integers(1, 4 * LARGEST), max_size=12))
def test_layers_grow_geometrically_and_no_merged_one_is_too_large(pictures: list[int]) -> None:
    count = layers(pictures)
    assert 0 <= count <= len(pictures)
    if count > 1:
        assert sum(pictures[-count:]) <= max(LARGEST, pictures[-1])
    rest = pictures[: len(pictures) - count]
    if rest and count:
        top = sum(pictures[-count:])
        assert rest[-1] > FACTOR * top or rest[-1] + top > LARGEST


async def test_a_process_that_ends_before_the_row_is_there_leaves_nothing_that_counts(
    lone: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await artist(lone)
    await shown(who, "goldfish")
    with monkeypatch.context() as patch:
        patch.setattr(queries, "KEEP_SEGMENT", "select 1 / 0, $1::bytea, $2::text, $3::bigint, $4::bigint")
        with pytest.raises(Exception, match="division"):
            await build(lone.services)
    (orphan,) = folder_of(lone.services).iterdir()
    os.utime(orphan, (0, 0))
    await shown(who, "owl-at-dusk")
    assert await build(lone.services) == 2
    (only,) = await stored(lone)
    assert [path.name for path in folder_of(lone.services).iterdir()] == [only["digest"].hex()]


async def test_after_a_restore_verifying_says_that_segments_are_to_be_made_anew(lone: Running) -> None:
    who = await artist(lone)
    await shown(who, "goldfish")
    await build(lone.services)
    async with lone.services.database.acquire() as conn:
        await conn.execute(queries.DROP_ALL)  # segments are not archived, and what is archived says of before
        found = Findings("parts")
        await derived.parts(conn, lone.services, found)
    assert (found.wrong, found.unexamined) == (
        0, ["parts of 1 pictures: in no segment, the worker makes them anew"]
    )  # fmt: skip
    await hold_together(lone.services)
    assert await build(lone.services) == 1


async def test_a_full_disk_waits_and_what_is_there_goes_on_answering(
    lone: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await artist(lone)
    await shown(who, "goldfish")
    await build(lone.services)
    await shown(who, "owl-at-dusk")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("licet.index.container.os.fsync", full)
        with pytest.raises(StoreUnavailable, match="No space left"):
            await build(lone.services)
    found = await answers(lone.http, [cropped("goldfish"), cropped("owl-at-dusk")])
    assert ([each.verdict for each in found.results], found.waiting) == (["review", "unknown"], 1)
    assert len(list(folder_of(lone.services).iterdir())) == 1  # nothing half-written is left
    await build(lone.services)
    found = await answers(lone.http, [cropped("goldfish"), cropped("owl-at-dusk")])
    assert ([each.verdict for each in found.results], found.waiting) == (["review", "review"], 0)


def cut(path: Path) -> None:
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[: len(data) // 2])


def changed(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.unlink()
    path.write_bytes(data)


def written_into(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))


def gone(path: Path) -> None:
    path.unlink()


async def test_a_spoilt_segment_is_refused_by_name_and_made_anew(lone: Running) -> None:
    who = await artist(lone)
    await shown(who, "goldfish")
    await build(lone.services)
    asked = features(cropped("goldfish"))
    assert (await post(lone.http, asked)).status_code == 200
    for spoil in (cut, changed, written_into, gone):
        (only,) = await stored(lone)
        spoil(folder_of(lone.services) / only["digest"].hex())
        answer = await post(lone.http, asked)
        if spoil is gone:  # what this process has open is whole
            assert answer.json()["results"][0]["verdict"] == "review"
        else:
            assert answer.status_code == 503
            assert f"segment {only['digest'].hex()} is not what" in answer.json()["detail"]
        assert not await hold_together(lone.services, counted=False)
        assert await build(lone.services) == 1
        assert await hold_together(lone.services)
        answer = await post(lone.http, asked)
        assert answer.json()["results"][0]["verdict"] == "review"


def test_a_process_without_the_file_says_so(tmp_path: Path) -> None:
    (tmp_path / ("ab" * 32)).write_bytes(b"no segment at all, but as long as one has to be" * 4)
    with pytest.raises(Unavailable, match="segment abab"):
        Shelf().opened(tmp_path, ["ab" * 32])
    assert [path.name for path in tmp_path.iterdir()] == [".spoilt-" + "ab" * 32]


async def test_what_was_removed_leaves_the_files_within_a_day(lone: Running) -> None:
    who = await artist(lone)
    works = await shown(who, *NAMES)
    await build(lone.services)
    await who.withdraw(works[:1])
    await build(lone.services)  # one of three is gone: that is many
    (only,) = await stored(lone)
    assert only["pictures"] == 2
    await who.withdraw(works[1:])
    async with lone.services.database.acquire() as conn:
        await conn.execute("update removed_features set removed_at = now() - interval '2 days'")
    await build(lone.services)
    assert await stored(lone) == []
    async with lone.services.database.acquire() as conn:
        assert await conn.fetchval("select count(*) from removed_features") == 0
    assert await hold_together(lone.services)


async def test_a_restored_database_has_no_segments_and_makes_them(lone: Running) -> None:
    who = await artist(lone)
    await shown(who, "goldfish")
    await build(lone.services)
    async with lone.services.database.acquire() as conn:
        await conn.execute("delete from derivative_segments")  # not archived
    assert not await hold_together(lone.services)
    assert await build(lone.services) == 1
    assert (await answers(lone.http, [cropped("goldfish")])).results[0].verdict == "review"


async def test_features_of_another_form_are_not_looked_in(lone: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    who = await artist(lone)
    (work,) = await shown(who, "goldfish")
    await build(lone.services)
    async with lone.services.database.acquire() as conn:
        await conn.execute("update features set form = 'LDF0'")
        await conn.execute("update derivative_segments set form = 'LDF0'")
    found = await answers(lone.http, [cropped("goldfish")])
    assert (found.results[0].verdict, found.covered, found.waiting) == ("unknown", 0, 0)
    assert not await hold_together(lone.services)
    assert await build(lone.services) == 0
    assert (await who.work(work)).parts == "not-looked-at"
    await who.upload(demo("goldfish"))
    assert await build(lone.services) == 1
    assert (await answers(lone.http, [cropped("goldfish")])).results[0].matches[0].work == work


async def test_features_that_cannot_be_read_are_made_again_and_hold_nobody_up(lone: Running) -> None:
    who = await artist(lone)
    goldfish, owl = await shown(who, "goldfish", "owl-at-dusk")
    async with lone.services.database.acquire() as conn:
        await conn.execute("update features set content = $1 where sha256 = $2", b"spoilt", digest("goldfish"))
    await build(lone.services)
    found = await answers(lone.http, [cropped("goldfish"), cropped("owl-at-dusk")])
    assert [[match.work for match in each.matches] for each in found.results] == [[], [owl]]
    assert (await who.work(goldfish)).parts == "not-looked-at"


def digest(name: str) -> bytes:
    from hashlib import sha256

    return sha256(demo(name)).digest()


async def examined(site: Running) -> list[str]:
    found = Findings("parts")
    async with site.services.database.transaction(readonly=True) as conn:
        await derived.parts(conn, site.services, found)
    return [each.message for each in found.told]


async def test_verifying_tells_segments_that_are_not_what_the_table_says(lone: Running) -> None:
    who = await artist(lone)
    works = await shown(who, "goldfish", "owl-at-dusk")
    await build(lone.services)
    assert await examined(lone) == []
    await who.withdraw(works[:1])
    assert await examined(lone) == []  # it was removed, and that is known
    async with lone.services.database.acquire() as conn:
        await conn.execute("delete from removed_features")
    assert await examined(lone) == ["derivative_segments: expected what is in features or was removed, got 1 more"]
    (only,) = await stored(lone)
    changed(folder_of(lone.services) / only["digest"].hex())
    (told,) = await examined(lone)
    assert only["digest"].hex() in told
    assert "expected a file with the digest in its name" in told


async def test_nothing_is_registered_and_nothing_is_found(lone: Running) -> None:
    assert await hold_together(lone.services)
    found = await answers(lone.http, [cropped("goldfish")])
    assert (found.results[0].reason, found.covered, found.waiting) == ("no-match", 0, 0)
    who = await artist(lone)
    (work,) = await shown(who, "goldfish")
    await who.state([work], NO_AI)
    assert (await answers(lone.http, [cropped("goldfish")])).waiting == 1
