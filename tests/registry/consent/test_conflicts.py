"""Two claims to one picture: semantics 6, and semantics 11 for the first terms of a work that matches."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from PIL import Image

from licet import times
from licet.index import WorkState
from licet.terms import Terms
from licet.wire.works import WorkIn
from registry.consent.maturing import mature_due
from tests.registry.catalogue import (
    NO_AI,
    PAID,
    Artist,
    artist,
    drawn,
    encoded,
    picture,
    reader_of,
    signed,
    uploaded,
)
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio

DAY = timedelta(hours=25)


async def claimed(who: Artist, data: bytes, terms: Terms = PAID) -> str:
    work = (await who.picture(data)).work
    await who.state([work], terms)
    return work


async def state(site: Running, work: str) -> WorkState:
    index, _, _ = await reader_of(site.services).current()
    found = index.work(work)
    assert found is not None
    return found


async def told_of(who: Artist) -> list[tuple[str, str]]:
    """Return what an account was told of contests, newest first."""
    told = (await who.http.get("/v1/events", params={"sort": "-told"})).json()["items"]
    return [(each["kind"], each["subject"]) for each in told if each["kind"].startswith("contest")]


async def test_between_equal_levels_both_are_contested_and_both_are_told(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    first = await claimed(ada, picture(1))
    copy = encoded(drawn(1).resize((150, 150)), "JPEG")
    outcome = await eve.picture(copy)
    assert outcome.similar == [first]
    assert not (await state(site, first)).contested  # a registration alone is nothing yet
    await eve.state([outcome.work], PAID)
    for who, work in ((ada, first), (eve, outcome.work)):
        assert (await state(site, work)).contested
        assert (await who.work(work)).contested
        assert await told_of(who) == [("contested", work)]
    told = (await ada.register(_again(first, picture(1))))[0]
    assert told.similar == [outcome.work]


async def test_first_terms_on_a_matching_work_deny_at_once_and_wait(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    await claimed(ada, picture(1))
    work = (await eve.picture(picture(1))).work
    other = (await eve.picture(picture(2))).work
    answer = await eve.state([work, other], PAID)
    assert answer.effect == "initial"
    assert answer.pending_until is not None
    found, free = await state(site, work), await state(site, other)
    assert (found.pending, found.terms, found.signed) == (True, PAID.encoded, True)
    assert (free.pending, free.terms) == (False, PAID.encoded)
    denying = (await eve.picture(picture(3))).work
    assert (await eve.state([denying], NO_AI)).pending_until is None


async def test_a_contested_work_does_not_mature_until_the_conflict_is_over(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    first = await claimed(ada, picture(1))
    work = await claimed(eve, picture(1))
    await mature_due(site.services, times.now() + DAY)
    assert (await state(site, work)).pending
    await ada.withdraw([first])
    settled = await state(site, work)
    assert (settled.contested, settled.pending) == (False, True)
    assert await told_of(eve) == [("contest-ended", work), ("contested", work)]
    await mature_due(site.services, times.now() + DAY)
    assert not (await state(site, work)).pending


async def test_a_lower_level_against_a_verified_claimant_is_challenged_and_costs_her_nothing(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    await ada.raise_level(2)
    first = await claimed(ada, picture(1))
    work = await claimed(eve, picture(1))
    assert not (await state(site, first)).contested
    found = await state(site, work)
    assert (found.challenged, found.contested) == (True, False)
    assert (await eve.work(work)).challenged
    await eve.raise_level(2)  # within its 14 days: now they are equal
    assert (await state(site, first)).contested
    found = await state(site, work)
    assert (found.challenged, found.contested, found.level) == (False, True, 2)


async def test_a_higher_level_that_comes_later_takes_nothing_from_who_was_there(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    first = await claimed(ada, picture(1))
    await eve.raise_level(3)
    await claimed(eve, picture(1))
    found = await state(site, first)
    assert (found.contested, found.challenged) == (True, False)


async def test_at_most_three_challenges_of_an_account_are_open(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    await ada.raise_level(2)
    theirs = [(await ada.picture(picture(n))).work for n in range(4)]
    await ada.state(theirs, NO_AI)
    copies = [(await eve.picture(picture(n))).work for n in range(4)]
    assert (await eve.state(copies[:3], PAID)).works == 3
    drafted = await eve.draft(copies[3:], PAID)
    refused = await eve.submit(signed(drafted, eve.account.key), copies[3:])
    assert refused.status_code == 409
    assert "open challenges" in refused.json()["detail"]
    assert (await eve.work(copies[3])).statement is None


async def test_two_who_sign_for_one_picture_at_the_same_moment_are_in_conflict(site: Running) -> None:
    people = [await artist(site, f"Artist {n}") for n in range(3)]
    works = [(await who.picture(picture(1))).work for who in people]
    await asyncio.gather(*(who.state([work], PAID) for who, work in zip(people, works, strict=True)))
    found = [await state(site, work) for work in works]
    assert [each.contested for each in found] == [True] * 3
    assert sorted(each.pending for each in found) == [False, True, True]  # one of them was first


async def test_near_duplicates_signed_between_registration_and_signature_are_found(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    image = drawn(1, side=512)
    turned = (await eve.picture(encoded(image.transpose(Image.Transpose.ROTATE_270), "JPEG"))).work
    first = await claimed(ada, encoded(image))
    await eve.state([turned], PAID)
    assert (await state(site, turned)).contested
    assert (await state(site, first)).contested


async def test_a_level_is_seen_on_all_works_of_the_account(site: Running) -> None:
    ada = await artist(site)
    works = [await claimed(ada, picture(n)) for n in range(2)]
    assert [(await state(site, work)).level for work in works] == [0, 0]
    await ada.raise_level(2)
    assert [(await state(site, work)).level for work in works] == [2, 2]


def _again(work: str, data: bytes) -> WorkIn:
    return msgspec.structs.replace(uploaded(data), work=work)
