"""Thumbnails: made from pixels alone, seen by their owner alone, kept with the work and gone with it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from licet.fingerprints.decode import decode
from registry.works.rendering import LONGEST_SIDE, rendered
from registry.works.uploads import forget_uploads
from tests.registry.catalogue import NO_AI, Artist, artist, drawn, encoded, picture, uploaded
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio
DEMO = Path(__file__).parents[3] / "demo" / "pictures"


async def thumbnail(who: Artist, work: str, **headers: str) -> httpx.Response:
    return await who.http.get(f"/v1/works/{work}/thumbnail", headers=headers)


async def kept(site: Running, who: Artist) -> int:
    async with site.services.database.acquire() as conn:
        count: int = await conn.fetchval("select count(*) from thumbnails where account = $1", who.uuid)
    return count


def shown(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


async def test_a_work_whose_picture_was_sent_has_a_small_picture(site: Running) -> None:
    ada = await artist(site)
    outcome = await ada.picture(picture(1, side=1300))
    answer = await thumbnail(ada, outcome.work)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("private")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert int(answer.headers["content-length"]) == len(answer.content) < 60_000
    image = shown(answer.content)
    assert (image.format, image.size) == ("WEBP", (LONGEST_SIDE, LONGEST_SIDE))
    source = drawn(1, side=1300).resize(image.size)
    assert np.abs(np.asarray(image, dtype=int) - np.asarray(source)).mean() < 4


async def test_a_picture_that_did_not_change_is_not_sent_again(site: Running) -> None:
    ada = await artist(site)
    outcome = await ada.picture(picture(1))
    tag = (await thumbnail(ada, outcome.work)).headers["etag"]
    again = await thumbnail(ada, outcome.work, **{"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await thumbnail(ada, outcome.work, **{"If-None-Match": '"other"'})).status_code == 200


async def test_nobody_but_the_owner_sees_it_or_learns_that_there_is_one(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    outcome = await ada.picture(picture(1))
    theirs, absent = await thumbnail(eve, outcome.work), await thumbnail(eve, uploaded(b"").work)
    assert theirs.status_code == absent.status_code == 404
    assert theirs.json()["detail"] == absent.json()["detail"]
    assert (await site.http.get(f"/v1/works/{outcome.work}/thumbnail")).status_code == 401
    assert (await thumbnail(ada, "wrk_nonsense")).status_code == 400


async def test_a_work_by_fingerprint_alone_has_none_even_if_its_picture_was_sent(site: Running) -> None:
    ada = await artist(site)
    data = picture(1)
    seen = await ada.upload(data)
    item = uploaded(data)
    fields: dict[str, Any] = {"mode": "fingerprint-only", "pixels": seen.pixels, "pdq": seen.pdq}
    outcome = (await ada.register(type(item)(item.work, sha256=item.sha256, **fields)))[0]
    assert outcome.status == "registered"
    assert (await thumbnail(ada, outcome.work)).status_code == 404
    await expire(site)
    assert await kept(site, ada) == 0


async def expire(site: Running) -> None:
    async with site.services.database.acquire() as conn:
        for table in ("uploads", "thumbnails"):
            await conn.execute(f"update {table} set expires_at = now() - interval '1 second' where expires_at > now()")
    await forget_uploads(site.services)


async def test_it_goes_with_the_day_of_the_upload_and_stays_with_the_work(site: Running) -> None:
    ada = await artist(site)
    await ada.upload(picture(1))
    outcome = await ada.picture(picture(2))
    assert await kept(site, ada) == 2
    await expire(site)
    assert await kept(site, ada) == 1
    assert (await thumbnail(ada, outcome.work)).status_code == 200
    await ada.upload(picture(2))  # sending it again does not start a day for it
    await expire(site)
    assert (await thumbnail(ada, outcome.work)).status_code == 200


async def test_a_withdrawn_work_leaves_no_picture_behind(site: Running) -> None:
    ada = await artist(site)
    first, second = await ada.picture(picture(1)), await ada.picture(picture(2))
    await ada.state([first.work, second.work], NO_AI)
    await ada.withdraw([first.work])
    assert (await thumbnail(ada, first.work)).status_code == 404
    assert await kept(site, ada) == 1
    assert (await thumbnail(ada, second.work)).status_code == 200


async def test_nothing_of_the_file_but_its_pixels_is_in_it(site: Running) -> None:
    ada = await artist(site)
    secret = b"<script>alert(1)</script>"
    place = Image.Exif()
    place[0x010E] = secret.decode()
    place.get_ifd(0x8825)[0x001D] = secret.decode()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    note = PngInfo()
    note.add_text("comment", secret.decode())
    image = drawn(1, side=700)
    told: dict[str, Any] = {"exif": place.tobytes(), "icc_profile": profile, "xmp": b"<x:xmpmeta>" + secret}
    files = [
        encoded(image, "JPEG", comment=secret, **told),
        encoded(image.rotate(90), "PNG", pnginfo=note, exif=place.tobytes(), icc_profile=profile),
        encoded(image.rotate(180), "WEBP", quality=80, **told),
        encoded(image.rotate(270), "AVIF", speed=9, **told),
        encoded(image.convert("L"), "GIF", comment=secret) + secret,
    ]
    for data in files:
        assert secret in data
        content = (await thumbnail(ada, (await ada.picture(data)).work)).content
        assert [content[at : at + 4] for at in (0, 8, 12)] == [b"RIFF", b"WEBP", b"VP8 "]  # one part: pixels
        assert int.from_bytes(content[16:20], "little") + 20 in (len(content), len(content) - 1)
        for word in (secret, b"script", b"xmpmeta", b"Exif", b"acsp"):
            assert word not in content


def inked(image: Image.Image) -> Image.Image:
    return image.convert("CMYK")


@pytest.mark.parametrize("name", ["tomas/sunflower.jpg", "mei/red-rooster.jpg"])
async def test_colours_look_like_the_source_whatever_its_form(name: str) -> None:
    with Image.open(DEMO / name) as opened:
        image = opened.convert("RGB")
    image.thumbnail((800, 800))
    clear = image.convert("RGBA")
    clear.putalpha(128)
    faded = (np.asarray(image, dtype=int) * 128 + 255 * 127) // 255
    wanted = np.asarray(image, dtype=int)
    forms = [
        (encoded(inked(image), "JPEG", quality=90), wanted, 6),
        (encoded(inked(image), "TIFF"), wanted, 6),
        (encoded(image.quantize(128), "PNG"), wanted, 12),
        (encoded(image.quantize(128), "GIF"), wanted, 12),
        (encoded(clear, "PNG"), faded, 6),
        (encoded(clear, "WEBP", lossless=True), faded, 6),
        (encoded(image, "AVIF", speed=9), wanted, 6),
    ]
    for data, expected, most in forms:
        small = shown(rendered(decode(data).rgb))
        source = Image.fromarray(expected.astype(np.uint8)).resize(small.size, Image.Resampling.BICUBIC)
        assert np.abs(np.asarray(small, dtype=int) - np.asarray(source)).mean() < most


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (4000, 3), (512, 512), (513, 40)])
async def test_every_shape_fits(size: tuple[int, int]) -> None:
    width, height = size
    image = shown(rendered(np.zeros((height, width, 3), np.uint8)))
    assert max(image.size) == min(LONGEST_SIDE, max(size))
    assert min(image.size) >= 1


# -- uploads that are sent wrongly -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/html"])
async def test_a_body_that_says_it_is_no_picture_is_refused(site: Running, kind: str) -> None:
    ada = await artist(site)
    data = picture(1)
    path = f"/v1/uploads/{sha256(data).hexdigest()}"
    answer = await ada.http.put(path, content=data, headers={"Content-Type": kind})
    assert answer.status_code == 415, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "application/octet-stream or image/" in answer.json()["detail"]
    packed = await ada.http.put(path, content=data, headers={"Content-Encoding": "gzip"})
    assert packed.status_code == 415
    for fine in ("image/png", "image/jpeg", "application/octet-stream"):  # what it is, its bytes say
        assert (await ada.http.put(path, content=data, headers={"Content-Type": fine})).status_code == 200


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1 << 20):
        yield data[start : start + (1 << 20)]


async def test_a_body_of_unknown_length_is_taken_up_to_the_limit(site: Running) -> None:
    ada = await artist(site)
    data = picture(1)
    answer = await ada.http.put(f"/v1/uploads/{sha256(data).hexdigest()}", content=pieces(data))
    assert answer.status_code == 200, answer.text
    large = bytes(site.services.settings.upload_bytes + 1)
    answer = await ada.http.put(f"/v1/uploads/{sha256(large).hexdigest()}", content=pieces(large))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    huge = bytes((64 << 20) + 1)
    answer = await ada.http.put(f"/v1/uploads/{'0' * 64}", content=pieces(huge))
    assert answer.status_code == 413
