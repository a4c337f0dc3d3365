"""Between two claims to one picture the strictest terms apply, also to whoever asks for one of the works by name."""

from __future__ import annotations

import pytest

from tests.registry.catalogue import NO_AI, PAID, Artist, artist, new_pictures, picture
from tests.registry.harness import Running
from tests.registry.market import Shelf, granted, problem, trainer

pytestmark = pytest.mark.anyio


async def claimed(owner: Artist, terms=PAID) -> Shelf:
    work = (await owner.picture(picture(1))).work
    statement = await owner.state([work], terms)
    return Shelf(owner, statement.statement, [work])


async def test_a_squatters_offer_licenses_nothing_that_another_claimant_denies(
    site: Running, request: pytest.FixtureRequest
):
    new_pictures(request.node.nodeid)
    squatter, ada, lantern = await artist(site, "Squatter"), await artist(site), await trainer(site)
    copy = await claimed(squatter)
    early = await lantern.quote(copy.wanted())
    assert [line.work for line in early.lines] == copy.works
    mine = await claimed(ada, NO_AI)
    assert problem(await lantern.accept(early))[:2] == (409, "works-changed")
    late = await lantern.quote(copy.wanted())
    assert (late.lines, [left.reason for left in late.left_out]) == ([], ["deny"])
    await ada.withdraw(mine.works)
    granted(await lantern.accept(await lantern.quote(copy.wanted())))


async def test_terms_of_a_rival_that_wait_deny_meanwhile(site: Running, request: pytest.FixtureRequest):
    new_pictures(request.node.nodeid)
    first, ada, lantern = await artist(site, "First"), await artist(site), await trainer(site)
    copy, mine = await claimed(first), await claimed(ada)
    for one in (copy, mine):
        assert [left.reason for left in (await lantern.quote(one.wanted())).left_out] == ["deny"]
