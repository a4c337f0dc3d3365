"""Features: made beside the thumbnail, kept and gone with the work; whoever cannot be found by its parts is told."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from licet.derivative.features import decode, encode
from licet.errors import MalformedError
from licet.wire.works import WorkIn
from registry.works.beside import made, read
from registry.works.queries import FEATURES_FORM
from registry.works.uploads import forget_uploads
from tests.registry.catalogue import NO_AI, Artist, artist, uploaded
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio
PICTURES = Path(__file__).parents[3] / "demo" / "pictures"


def demo(name: str) -> bytes:
    return next(PICTURES.glob(f"*/{name}.*")).read_bytes()


def line_on_white() -> bytes:
    image = Image.new("RGB", (400, 300), "white")
    ImageDraw.Draw(image).line((40, 150, 360, 150), "black", 2)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


async def rows(site: Running, who: Artist) -> list[Any]:
    async with site.services.database.acquire() as conn:
        found: list[Any] = await conn.fetch("select * from features where account = $1 order by sha256", who.uuid)
    return found


async def removed(site: Running) -> set[Any]:
    async with site.services.database.acquire() as conn:
        return {row["id"] for row in await conn.fetch("select id from removed_features")}


async def test_the_artist_is_told_of_each_work_whether_parts_of_it_are_found(site: Running) -> None:
    ada = await artist(site)
    found, plain = await ada.picture(demo("bulldog-puppy")), await ada.picture(line_on_white())
    alone = (await ada.register(WorkIn(uploaded(b"").work, "fingerprint-only", "ab" * 32)))[0]
    assert [each.parts for each in (found, plain, alone)] == ["found", "too-plain", "not-sent"]
    assert [(await ada.work(each.work)).parts for each in (found, plain, alone)] == ["found", "too-plain", "not-sent"]
    again = await ada.picture(line_on_white())
    assert (again.status, again.existing, again.parts) == ("duplicate", plain.work, "too-plain")


async def test_a_text_has_no_parts_that_could_be_found(site: Running) -> None:
    ada = await artist(site)
    text = b"A text of a few words, and of more than thirty-two letters."
    sent = await ada.http.put(
        f"/v1/uploads/{uploaded(text).sha256}", content=text, headers={"Content-Type": "text/plain"}
    )
    assert sent.status_code == 200, sent.text
    iscc = sent.json()["iscc"]
    alone = WorkIn(uploaded(b"").work, "fingerprint-only", "ac" * 32, iscc=iscc)
    outcomes = await ada.register(uploaded(text), alone)
    assert [(each.status, each.parts) for each in outcomes] == [("registered", None)] * 2
    assert [(await ada.work(each.work)).parts for each in outcomes] == [None, None]


async def test_nothing_is_kept_of_what_would_find_nothing(site: Running) -> None:
    ada = await artist(site)
    await ada.picture(demo("bulldog-puppy"))
    await ada.picture(line_on_white())
    contents = [row["content"] for row in await rows(site, ada)]
    assert sorted(each is None for each in contents) == [False, True]
    features = decode(next(each for each in contents if each is not None), kept=True)
    assert len(features) > 100
    assert all(row["form"] == FEATURES_FORM and not row["indexed"] for row in await rows(site, ada))


async def test_they_go_with_the_day_of_the_upload_and_stay_with_the_work(site: Running) -> None:
    ada = await artist(site)
    await ada.upload(demo("tabby-cat"))
    await ada.picture(demo("rocket-on-pad"))
    seen = await ada.upload(demo("coffee-cup"))
    item = uploaded(demo("coffee-cup"))
    fields: dict[str, Any] = {"mode": "fingerprint-only", "pixels": seen.pixels, "pdq": seen.pdq}
    alone = (await ada.register(WorkIn(item.work, sha256=item.sha256, **fields)))[0]
    assert alone.parts == "not-sent"  # it was to be a fingerprint, whatever was sent before
    assert len(await rows(site, ada)) == 3
    async with site.services.database.acquire() as conn:
        await conn.execute("update features set expires_at = now() - interval '1 second' where expires_at > now()")
    await forget_uploads(site.services)
    (kept,) = await rows(site, ada)
    assert kept["sha256"].hex() == uploaded(demo("rocket-on-pad")).sha256


async def test_the_same_picture_again_keeps_its_name_and_features_of_another_form_are_made_anew(site: Running) -> None:
    ada = await artist(site)
    outcome = await ada.picture(demo("tabby-cat"))
    (before,) = await rows(site, ada)
    await mark(site, ada)
    await ada.upload(demo("tabby-cat"))
    (same,) = await rows(site, ada)
    assert (same["id"], same["indexed"], same["expires_at"]) == (before["id"], True, None)
    assert before["id"] not in await removed(site)
    async with site.services.database.acquire() as conn:
        await conn.execute("update features set form = 'LDF0' where account = $1", ada.uuid)
    assert (await ada.work(outcome.work)).parts == "not-looked-at"
    await ada.upload(demo("tabby-cat"))
    (after,) = await rows(site, ada)
    assert after["id"] != before["id"]
    assert not after["indexed"]
    assert before["id"] in await removed(site)
    assert (await ada.work(outcome.work)).parts == "found"


async def mark(site: Running, who: Artist) -> None:
    """As if the worker had put them into a segment."""
    async with site.services.database.acquire() as conn:
        await conn.execute("update features set indexed = true where account = $1", who.uuid)


async def test_a_withdrawn_work_leaves_none_and_the_segments_are_told(site: Running) -> None:
    ada = await artist(site)
    outcome = await ada.picture(demo("tabby-cat"))
    await ada.state([outcome.work], NO_AI)
    await mark(site, ada)
    (before,) = await rows(site, ada)
    await ada.withdraw([outcome.work])
    assert await rows(site, ada) == []
    assert before["id"] in await removed(site)
    assert (await ada.work(outcome.work)).parts is None


async def test_a_changed_picture_is_found_by_what_it_is_now(site: Running) -> None:
    ada = await artist(site)
    outcome = await ada.picture(demo("tabby-cat"))
    await ada.state([outcome.work], NO_AI)
    await mark(site, ada)
    (before,) = await rows(site, ada)
    add = await ada.changed(outcome.work, demo("rocket-on-pad"))
    await ada.add(add)
    (after,) = await rows(site, ada)
    assert (after["sha256"].hex(), after["expires_at"]) == (add.sha256, None)
    assert before["id"] in await removed(site)


def small() -> bytes:
    return made(np.asarray(Image.open(io.BytesIO(demo("rocket-on-pad"))).convert("RGB").resize((300, 400))))


def test_what_a_decoder_made_comes_back() -> None:
    found = read(small())
    assert Image.open(io.BytesIO(found.thumbnail)).size == (300, 400)
    assert found.features is not None
    assert encode(decode(found.features, kept=True)) == found.features
    assert read(made(np.full((60, 80, 3), 255, np.uint8))).features is None


@given(
    st.binary(max_size=600)
    | st.tuples(st.integers(0, 700), st.binary(max_size=700)).map(lambda each: each[0].to_bytes(4, "little") + each[1])
)
def test_whatever_else_a_decoder_says_is_malformed_or_a_thumbnail_alone(said: bytes) -> None:
    try:
        found = read(said)
    except MalformedError:
        return
    assert found.features is None
    assert said[4:] == found.thumbnail
