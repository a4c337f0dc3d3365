"""Uploads: fingerprints stay, pictures do not, and nobody's upload serves another account."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from licet.fingerprints.decode import PictureLimits
from licet.fingerprints.picture import examine_picture
from registry.works import uploads
from registry.works.uploads import forget_uploads
from tests.registry.catalogue import Artist, artist, encoded, picture, uploaded
from tests.registry.harness import Running, running

pytestmark = pytest.mark.anyio


async def test_the_service_sees_what_the_sdk_sees(site: Running) -> None:
    ada = await artist(site)
    for form in ("PNG", "JPEG", "WEBP"):
        data = picture(1, form=form)
        assert await ada.upload(data) == examine_picture(data, iscc=True)[0].fingerprint


async def test_an_upload_again_has_no_second_effect_and_nothing_but_its_fingerprint_is_kept(site: Running) -> None:
    ada = await artist(site)
    data = picture(1)
    assert await ada.upload(data) == await ada.upload(data)
    async with site.services.database.acquire() as conn:
        row = await conn.fetchrow(
            "select count(*) as rows, sum(pg_column_size(uploads.*)) as bytes from uploads where account = $1", ada.uuid
        )
    assert row is not None
    assert row["rows"] == 1
    assert row["bytes"] < 1500 < len(data)


async def test_bytes_with_another_digest_are_refused(site: Running) -> None:
    ada = await artist(site)
    answer = await ada.http.put(f"/v1/uploads/{'0' * 64}", content=picture(1))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/sha256"
    answer = await ada.http.put("/v1/uploads/not-a-digest", content=picture(1))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture(1)[:500], b"\xff\xd8\xff" + bytes(99)]
)
async def test_what_is_not_a_whole_picture_is_refused(site: Running, data: bytes) -> None:
    ada = await artist(site)
    answer = await ada.http.put(f"/v1/uploads/{sha256(data).hexdigest()}", content=data)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_picture_over_the_limit_is_refused_by_bytes_and_by_pixels(site: Running) -> None:
    ada = await artist(site)
    bomb = encoded(Image.fromarray(np.zeros((10_001, 10_000), np.uint8)))
    answer = await ada.http.put(f"/v1/uploads/{sha256(bomb).hexdigest()}", content=bomb)
    assert answer.status_code == 400
    assert "pixels" in answer.json()["detail"]
    large = bytes(site.services.settings.upload_bytes + 1)
    answer = await ada.http.put(f"/v1/uploads/{sha256(large).hexdigest()}", content=large)
    assert answer.status_code == 413


async def test_uploads_need_an_account_of_an_artist_or_organisation(site: Running) -> None:
    data = picture(1)
    answer = await site.http.put(f"/v1/uploads/{sha256(data).hexdigest()}", content=data)
    assert answer.status_code == 401


async def test_an_upload_serves_only_the_account_that_sent_it(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    data = picture(1)
    await ada.upload(data)
    assert await _refused(eve, data)
    assert not await _refused(ada, data)


async def test_an_upload_is_forgotten_after_its_day(site: Running) -> None:
    ada = await artist(site)
    data = picture(1)
    await ada.upload(data)
    async with site.services.database.acquire() as conn:
        await conn.execute("update uploads set expires_at = now() - interval '1 second'")
    assert await _refused(ada, data)
    await forget_uploads(site.services)
    async with site.services.database.acquire() as conn:
        assert await conn.fetchval("select count(*) from uploads") == 0


async def _refused(who: Artist, data: bytes) -> bool:
    outcome = (await who.register(uploaded(data)))[0]
    return outcome.status == "refused" and (outcome.reason or "").startswith("no-upload")


async def test_who_hangs_up_makes_no_room_for_another_while_the_picture_is_decoded(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, inside, most = threading.Event(), [0], [0]

    def slow(data: bytes, limits: PictureLimits) -> object:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        go_on.wait(20)
        inside[0] -= 1
        return examined(data, limits)

    examined = uploads._examined
    monkeypatch.setattr(uploads, "_examined", slow)
    ada = await artist(site)
    account, data = ada.uuid, picture(1)
    named = sha256(data).hexdigest()
    calls = [asyncio.create_task(uploads.keep_upload(site.services, account, named, data)) for _ in range(6)]
    await until(lambda: inside[0] == 2)
    for call in calls[:2]:
        call.cancel()
    await asyncio.sleep(0.2)
    assert most == [2]
    go_on.set()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(each, asyncio.CancelledError) for each in ended] == [True, True, False, False, False, False]
    assert most == [2]


async def test_nobody_waits_behind_all_the_large_pictures_of_another(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, begun = threading.Event(), []

    def slow(data: bytes, limits: PictureLimits) -> object:
        begun.append(data)
        go_on.wait(20)
        return examined(data, limits)

    examined = uploads._examined
    monkeypatch.setattr(uploads, "_examined", slow)
    monkeypatch.setattr(uploads, "LARGE", 70 * 70)
    eve, ada, bob = await artist(site, "Eve"), await artist(site), await artist(site, "Bob")

    def sent(who: Artist, data: bytes) -> asyncio.Task[object]:
        return asyncio.create_task(uploads.keep_upload(site.services, who.uuid, sha256(data).hexdigest(), data))

    flood = [picture(number, 80) for number in range(8)]
    calls = [sent(eve, data) for data in flood]
    await until(lambda: len(begun) == 1)
    small = picture(1, 60)
    calls.append(sent(ada, small))
    await until(lambda: begun[1:] == [small])  # while the first large one is still there
    large = picture(9, 80)
    calls.append(sent(bob, large))
    waiting = uploads._turns[asyncio.get_running_loop()].large._waiting
    await until(lambda: list(waiting) == [eve.uuid, bob.uuid])
    assert len(begun) == 2, "one large picture at a time"
    go_on.set()
    await asyncio.gather(*calls)
    assert begun.index(large) <= 3, "Bob's turn comes after one more of Eve's"
    assert len(begun) == len(calls)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


async def test_pixels_are_counted_beside_bytes(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path, quota_upload_pixels="10000/1h") as service:
        ada = await artist(service)
        data = [picture(number, 80) for number in range(2)]
        answers = [await ada.http.put(f"/v1/uploads/{sha256(each).hexdigest()}", content=each) for each in data]
        assert [answer.status_code for answer in answers] == [200, 429]
        assert "upload-pixels" in answers[1].json()["detail"]
        assert '"upload-pixels";r=3600;' in answers[0].headers["ratelimit"]


async def test_a_picture_that_its_decoder_does_not_survive_is_refused_and_nothing_else_is_held_up(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve, ada = await artist(site, "Eve"), await artist(site)
    slow = encoded(Image.fromarray(np.zeros((5000, 5000), np.uint8)))
    monkeypatch.setattr(uploads, "MAX_SECONDS", 0.05)
    answer = await eve.http.put(f"/v1/uploads/{sha256(slow).hexdigest()}", content=slow)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (400, "unreadable-picture")
    assert answer.json()["detail"].startswith("expected pixels within 0.05 s of processor time")
    monkeypatch.undo()
    data = picture(1)
    assert await ada.upload(data) == examine_picture(data, iscc=True)[0].fingerprint


async def test_of_one_account_only_so_many_pictures_wait(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def slow(data: bytes, limits: PictureLimits) -> object:
        go_on.wait(20)
        return examined(data, limits)

    examined = uploads._examined
    monkeypatch.setattr(uploads, "_examined", slow)
    eve = await artist(site, "Eve")
    mine = uploads._Turns()
    mine.any._most_waiting = 3
    uploads._turns[asyncio.get_running_loop()] = mine
    try:
        data = picture(1)
        path = f"/v1/uploads/{sha256(data).hexdigest()}"
        calls = [asyncio.create_task(eve.http.put(path, content=data)) for _ in range(5)]
        await until(lambda: len(mine.any._waiting.get(eve.uuid, ())) == 3)
        refused = await eve.http.put(path, content=data)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["detail"].startswith("3 pictures of yours wait already")
        go_on.set()
        assert [answer.status_code for answer in await asyncio.gather(*calls)] == [200] * 5
    finally:
        go_on.set()
        uploads._turns.pop(asyncio.get_running_loop())


async def test_a_decoder_that_names_another_file_is_not_believed(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, (asked, other) = await artist(site), (picture(1), picture(2))
    examined = uploads._examined
    monkeypatch.setattr(uploads, "_examined", lambda _, limits: examined(other, limits))
    answer = await ada.http.put(f"/v1/uploads/{sha256(asked).hexdigest()}", content=asked)
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "expected the fingerprint of this picture, got that of another",
    )
    assert await _refused(ada, asked)
