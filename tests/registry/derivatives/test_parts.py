"""Look-up by parts, seen by who asks: what shows a part of a work is left to a look, and nothing else is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from licet.derivative.asking import MOST, count, packed, unpacked
from licet.derivative.extracting import asked_bytes
from licet.derivative.features import MAX_BYTES
from licet.errors import MalformedError
from registry.derivatives import answering
from registry.derivatives.building import build
from tests.registry.catalogue import NO_AI, PAID, Artist, artist, encoded
from tests.registry.derivatives.shown import answers, bordered, cropped, demo, features, image, post
from tests.registry.harness import Running
from tests.sdk.derivative.pictures import shapes

pytestmark = pytest.mark.anyio


async def registered(site: Running, *names: str) -> tuple[Artist, list[str]]:
    """Return an artist with these pictures under paid terms, each in its place in the index."""
    who = await artist(site)
    works = [(await who.picture(demo(name))).work for name in names]
    await who.state(works, PAID)
    await build(site.services)
    return who, works


async def test_parts_of_a_work_are_left_to_a_look_and_other_pictures_are_not(site: Running) -> None:
    _, (owl, horse) = await registered(site, "owl-at-dusk", "galloping-horse")
    pictures = [cropped("owl-at-dusk"), bordered("owl-at-dusk"), bordered("galloping-horse"), image("tabby-cat")]
    found = await answers(site.http, pictures)
    assert [each.verdict for each in found.results] == ["review", "review", "review", "unknown"]
    assert [[match.work for match in each.matches] for each in found.results] == [[owl], [owl], [horse], []]
    assert [each.reason for each in found.results] == ["derivative", "derivative", "derivative", "no-match"]
    (match,) = found.results[0].matches
    assert (match.kind, match.key, match.verdict) == ("derivative", "parts", "review")
    assert match.distance >= 5  # places that lie as in the work
    assert (found.covered, found.waiting) == (2, 0)
    assert found.log_size > 0


async def test_a_frame_alike_is_no_part_of_a_work(site: Running) -> None:
    mine, other = (Image.fromarray(each) for each in shapes()["frame"])
    who = await artist(site)
    work = (await who.picture(encoded(mine))).work
    await who.state([work], PAID)
    await build(site.services)
    same, alike = (await answers(site.http, [mine, other])).results
    assert work in [match.work for match in same.matches]
    assert work not in [match.work for match in alike.matches]


async def test_what_is_denied_stays_denied_and_a_licence_is_never_offered(site: Running) -> None:
    who, (work,) = await registered(site, "goldfish")
    asked = [cropped("goldfish")]
    assert (await answers(site.http, asked)).results[0].verdict == "review"
    assert (await answers(site.http, asked, use="search")).results[0].verdict == "review"  # allowed to all but a look
    await who.state([work], NO_AI)
    (found,) = (await answers(site.http, asked)).results
    assert (found.verdict, found.matches[0].work) == ("deny", work)


async def test_a_withdrawn_or_changed_work_is_found_no_more_at_once(site: Running) -> None:
    who, (swan, fish) = await registered(site, "swan-in-moonlit-reeds", "fish-and-starfish")
    asked = [cropped("swan-in-moonlit-reeds"), cropped("fish-and-starfish"), cropped("prowling-tiger")]
    before = await answers(site.http, asked)
    assert [bool(each.matches) for each in before.results] == [True, True, False]
    await who.withdraw([swan])
    await who.add(await who.changed(fish, demo("prowling-tiger")))
    after = await answers(site.http, asked)
    assert [bool(each.matches) for each in after.results] == [False, False, False]
    assert (after.covered, after.waiting) == (before.covered - 2, before.waiting + 1)
    await build(site.services)
    last = await answers(site.http, asked)
    assert [[match.work for match in each.matches] for each in last.results] == [[], [], [fish]]


async def test_a_work_that_is_withdrawn_while_it_is_decided_is_not_named(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, (cat,) = await registered(site, "tabby-cat")
    standing = answering._standing

    async def then_withdrawn(*given: Any) -> Any:
        found = await standing(*given)
        await who.withdraw([cat])
        return found

    monkeypatch.setattr(answering, "_standing", then_withdrawn)
    (found,) = (await answers(site.http, [cropped("tabby-cat")])).results
    assert (found.verdict, found.reason, found.matches) == ("unknown", "no-match", [])


async def test_without_a_token_few_pictures_are_asked_about(site: Running) -> None:
    body = features(*[image("coffee-cup").resize((80, 60))] * 9)
    answer = await post(site.http, body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("body: expected features of 1 to 8 pictures (64 with a token of scope")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=400) | st.lists(st.binary(max_size=90), max_size=4).map(packed))
def test_bytes_that_are_no_features_are_refused_by_name(body: bytes) -> None:
    with pytest.raises(MalformedError, match=r"^(body|pictures\[\d\]): "):
        unpacked(body)


async def test_such_bytes_are_an_error_of_who_sends_them(site: Running) -> None:
    good = asked_bytes(np.asarray(image("coffee-cup").resize((80, 60))))
    for body, says in (
        (b"", "body: expected features of 1 to 64 pictures, got none"),
        (b"\1\0\0", "body: expected a length of 4 bytes, got 3"),
        (packed([good])[:-1], "pictures[0]: expected at most"),
        (packed([good, b"LDF9" + good[4:]]), "pictures[1]: features: expected bytes that begin"),
        (packed([good[:-1]]), "pictures[0]: features: expected"),
        (packed([good] * (MOST + 1)), "body: expected features of 1 to 64 pictures, got more"),
    ):
        answer = await post(site.http, body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["detail"].startswith(says)
    assert (await post(site.http, packed([good]), use="nonsense")).status_code == 400
    assert (await post(site.http, packed([good]), min_claim_level=7)).status_code == 400
    assert (await post(site.http, bytes(MOST * (MAX_BYTES + 4) + 1))).status_code == 413


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=8))
def test_what_is_packed_is_counted(pictures: list[bytes]) -> None:
    assert count(packed(pictures)) == len(pictures)
