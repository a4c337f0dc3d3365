"""Registering works: each answered for itself, nothing twice, and matches with others told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from licet import identifiers
from licet.canonical import digest
from licet.errors import InputError
from licet.statements.kinds import WorkDigest
from licet.wire.works import WorkIn
from registry.works.intake import keys_of, new_work, work_id
from registry.works.types import Keys, NewWork
from tests.registry.catalogue import NO_AI, artist, drawn, encoded, fingerprinted, picture, uploaded
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio


async def test_a_registered_work_has_the_digest_of_what_the_service_itself_saw(site: Running) -> None:
    ada = await artist(site)
    data = picture(1)
    seen = await ada.upload(data)
    lie = {"pixels": "0" * 64, "pdq": "1" * 64, "quality": 99}
    item = uploaded(data, urls=["HTTPS://Example.org:443/b", "https://example.org/a#x"], **lie)
    outcome = (await ada.register(item))[0]
    assert (outcome.status, outcome.signed, outcome.similar) == ("registered", False, [])
    urls = ["https://example.org/a", "https://example.org/b"]
    form = WorkDigest(item.work, ada.id, seen.sha256, seen.pixels, seen.pdq, None, urls, "upload")
    assert outcome.digest == digest(form)
    assert (await ada.work(item.work)).urls == urls


async def test_registering_again_has_no_second_effect(site: Running) -> None:
    ada = await artist(site)
    items = [fingerprinted(1), fingerprinted(2)]
    first = await ada.register(*items)
    assert await ada.register(*items) == first
    assert await ada.register(items[1], items[0]) == [first[1], first[0]]


async def test_ones_own_file_or_pixels_again_are_a_duplicate_of_the_first(site: Running) -> None:
    ada = await artist(site)
    first = await ada.picture(picture(1))
    same_file = (await ada.register(uploaded(picture(1))))[0]
    assert (same_file.status, same_file.existing, same_file.digest) == ("duplicate", first.work, first.digest)
    same_pixels = await ada.picture(encoded(drawn(1), "PNG", compress_level=1))
    assert (same_pixels.status, same_pixels.existing) == ("duplicate", first.work)
    one, two = await ada.register(fingerprinted(7), fingerprinted(7))
    assert (one.status, two.status, two.existing) == ("registered", "duplicate", one.work)
    await ada.state([first.work], NO_AI)
    assert (await ada.register(uploaded(picture(1))))[0].signed


async def test_an_identifier_of_another_account_or_work_is_taken(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    item = fingerprinted(1)
    await ada.register(item)
    theirs, mine = (
        (await eve.register(msgspec.structs.replace(fingerprinted(2), work=item.work)))[0],
        (await ada.register(msgspec.structs.replace(fingerprinted(3), work=item.work)))[0],
    )
    for outcome in (theirs, mine):
        assert (outcome.status, outcome.digest) == ("refused", None)
        assert (outcome.reason or "").startswith("id-taken")
    both = fingerprinted(4)
    outcomes = await ada.register(both, msgspec.structs.replace(fingerprinted(5), work=both.work))
    assert [outcome.status for outcome in outcomes] == ["registered", "refused"]


async def test_what_is_wrong_with_one_work_does_not_stop_the_others(site: Running) -> None:
    ada = await artist(site)
    bad = [
        fingerprinted(1, title="x" * 301),
        fingerprinted(2, title="a\x00b"),
        fingerprinted(3, tags=["t"] * 31),
        fingerprinted(4, urls=["javascript:alert(1)"]),
        fingerprinted(5, urls=[f"https://example.org/{n}" for n in range(21)]),
        fingerprinted(6, created="2019-13"),
        fingerprinted(7, pdq="zz"),
        fingerprinted(8, quality=101, pdq="0" * 64),
        msgspec.structs.replace(fingerprinted(9), work="wrk_nonsense"),
        msgspec.structs.replace(fingerprinted(10), sha256="A" * 64),
        msgspec.structs.replace(fingerprinted(11), work=identifiers.new_id("art")),
    ]
    outcomes = await ada.register(*bad, fingerprinted(12))
    assert [outcome.status for outcome in outcomes] == ["refused"] * len(bad) + ["registered"]
    assert all("expected" in (outcome.reason or "") for outcome in outcomes[:-1])
    assert [outcome.work for outcome in outcomes[:-1]] == [item.work for item in bad]


async def test_a_request_holds_one_to_a_thousand_works(site: Running) -> None:
    ada = await artist(site)
    for count, status in ((0, 400), (1001, 400), (1000, 201)):
        body = {"works": [msgspec.to_builtins(fingerprinted(number)) for number in range(count)]}
        assert (await site.post("/v1/works", body, http=ada.http)).status_code == status


async def test_works_of_others_that_a_picture_matches_are_told_in_every_turn(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    original = await ada.picture(picture(1, side=512))
    other = await ada.picture(picture(2, side=512))
    await ada.state([original.work, other.work], NO_AI)
    image = drawn(1, side=512)
    copies = [
        encoded(image, "JPEG", quality=60),
        encoded(image.resize((360, 360)), "JPEG"),
        encoded(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "JPEG"),
        encoded(image.transpose(Image.Transpose.ROTATE_90), "JPEG"),
        picture(1, side=512),
    ]
    for copy in copies:
        assert (await eve.picture(copy)).similar == [original.work]
    assert (await eve.picture(picture(3, side=512))).similar == []


async def test_real_pictures_are_found_again_small_mirrored_and_compressed(site: Running, vectors: Path) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    files = sorted(path for path in (vectors / "pdq").rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})[
        :6
    ]
    originals = [await ada.picture(path.read_bytes()) for path in files]
    # Some of Meta's pictures are turned copies of one another: only what is a work of its own is looked for.
    own = {outcome.work: path for outcome, path in zip(originals, files, strict=True) if outcome.status == "registered"}
    assert len(own) > 3
    await ada.state(sorted(own), NO_AI)
    for work, path in own.items():
        image = Image.open(path).convert("RGB")
        image.thumbnail((512, 512))
        copy = encoded(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "JPEG", quality=70)
        assert work in (await eve.picture(copy)).similar or ((await ada.work(work)).quality or 0) < 50


async def test_an_unsigned_registration_is_nobodys_existing_work(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    await ada.picture(picture(1))
    assert (await eve.picture(picture(1))).similar == []


async def test_two_requests_at_once_register_a_picture_once(site: Running) -> None:
    ada = await artist(site)
    outcomes = await asyncio.gather(*(ada.register(fingerprinted(number)) for number in [1] * 4))
    statuses = sorted(outcome.status for batch in outcomes for outcome in batch)
    assert statuses == ["duplicate", "duplicate", "duplicate", "registered"]


async def test_a_withdrawn_work_may_be_registered_anew_under_a_fresh_identifier(site: Running) -> None:
    ada = await artist(site)
    item = fingerprinted(1)
    await ada.register(item)
    await ada.state([item.work], NO_AI)
    await ada.withdraw([item.work])
    again, fresh = await ada.register(item, fingerprinted(1))
    assert (again.status, fresh.status) == ("refused", "registered")


async def test_only_artists_and_organisations_register(site: Running) -> None:
    body = {"works": [msgspec.to_builtins(fingerprinted(1))]}
    assert (await site.post("/v1/works", body)).status_code == 401
    agency = await artist(site, "Agency", "organisation")
    assert (await agency.register(fingerprinted(1)))[0].status == "registered"


TEXT = st.text(max_size=20)
HEX = st.one_of(st.text(alphabet="0123456789abcdef", min_size=64, max_size=64), TEXT)


@given(
    st.builds(
        WorkIn,
        work=st.one_of(st.builds(lambda: identifiers.new_id("wrk")), TEXT),
        mode=st.sampled_from(["upload", "fingerprint-only"]),
        sha256=HEX,
        pixels=st.none() | HEX,
        pdq=st.none() | HEX,
        quality=st.none() | st.integers(-5, 105),
        title=st.none() | TEXT,
        creator=st.none() | TEXT,
        created=st.none() | TEXT | st.sampled_from(["2019", "2019-02", "2019-02-29", "2020-02-29"]),
        tags=st.lists(TEXT, max_size=3),
        external_id=st.none() | TEXT,
        urls=st.lists(TEXT | st.sampled_from(["https://example.org/ä", "http://[::1]/"]), max_size=3),
    )
)
def test_whatever_is_sent_is_a_work_within_its_limits_or_an_input_error(item: WorkIn) -> None:
    try:
        work = work_id(item.work)
        keys = keys_of(item, {})
        registered = None if keys is None else new_work(item, work, identifiers.new_id("art"), keys)
    except InputError:
        return
    if registered is None:
        assert item.mode == "upload"
        return
    assert isinstance(registered, NewWork)
    assert isinstance(registered.keys, Keys)
    assert len(registered.digest) == 32
    assert all(len(part or "") <= 20 and "\x00" not in (part or "") for part in (registered.title, registered.creator))
    assert registered.keys.urls == sorted(set(registered.keys.urls))
