"""A withdrawal settles no conflict: what had no effect gets none by it (semantics 6)."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import pytest

from licet.terms import Terms
from licet.wire.licensing import Answers, Query, RowKeys
from tests.registry.catalogue import PAID, Artist, artist, picture
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio


async def claimed(who: Artist, seed: int, terms: Terms = PAID) -> str:
    work = (await who.picture(picture(seed))).work
    await who.state([work], terms)
    return work


async def verdict(site: Running, seed: int) -> str:
    body = Query({"uses": ["train-gen"]}, [RowKeys(sha256=sha256(picture(seed)).hexdigest())])
    answer = await site.http.post("/v1/licensing/query", content=msgspec.json.encode(body))
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Answers).results[0].verdict


async def test_a_challenger_who_withdraws_denies_a_verified_claimants_work_to_nobody(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    await ada.raise_level(2)
    await claimed(ada, 1)
    copy = await claimed(eve, 1)
    assert await verdict(site, 1) == "license"
    await eve.withdraw([copy])
    assert await verdict(site, 1) == "license"


async def test_a_withdrawn_claim_is_challenged_once_the_other_claimant_is_verified(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    await claimed(ada, 1)
    copy = await claimed(eve, 1)
    await eve.withdraw([copy])
    assert await verdict(site, 1) == "deny"  # any level may deny
    await ada.raise_level(2)
    assert await verdict(site, 1) == "license"


async def test_an_own_withdrawal_against_nobody_denies(site: Running) -> None:
    ada = await artist(site)
    work = await claimed(ada, 1)
    await ada.withdraw([work])
    assert await verdict(site, 1) == "deny"
