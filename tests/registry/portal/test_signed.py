"""Everything that an account signed: each statement of it once, in words, leading to what it is about and its proof."""

from __future__ import annotations

import re

import httpx
import pytest

from licet import identifiers
from registry.portal.artists import signed as listing
from registry.portal.artists.room import ROOM
from registry.portal.frame.languages import LANGUAGES, Language
from tests.registry.agreements.talks import NEGOTIATED, ask, offer, reply, says, takes_back, told, word
from tests.registry.duties.talks import revocable_terms, revoke
from tests.registry.harness import Running
from tests.registry.market import shelf, trainer
from tests.registry.portal.people import HTML, Artist, Read, joined
from tests.registry.portal.selling import Seller, seller
from tests.registry.portal.team import Team, busy
from tests.registry.portal.test_disputes import opens
from tests.registry.portal.whole import held_whole

pytestmark = pytest.mark.anyio
ENTRY = re.compile(r"/en/log/(\d+)")


async def logged(site: Running, account: str) -> dict[int, str]:
    """The entries of all that is the account's in the log, with their kinds."""
    async with site.services.database.acquire() as conn:
        rows = await conn.fetch(
            "select e.index, p.kind from log_pending p join log_entries e on e.pending = p.id where p.account = $1",
            identifiers.to_uuid(account),
        )
    return {row["index"]: row["kind"] for row in rows}


async def listed(http: httpx.AsyncClient, path: str = "/en/statements") -> list[int]:
    """The entries of one page after the other, in the order in which they stand there."""
    seen: list[int] = []
    while path:
        answer = await http.get(path, headers=HTML)
        assert answer.status_code == 200, answer.text
        page = Read(answer.text)
        numbers = (ENTRY.fullmatch(each.get("href", "")) for tag, each in page.elements if each.get("class") == "num")
        seen += [int(each[1]) for each in numbers if each]
        path = next((each["href"] for tag, each in page.elements if each.get("rel") == "next"), "")
    return seen


@pytest.fixture(scope="module")
async def ada(site: Running) -> Seller:
    """An artist who stated, offered, refused, took back and disputed."""
    found, lab = await seller(site, "Ada", level=2), await trainer(site, "Asking Labs")
    asked = [await found.shelf(NEGOTIATED, 1) for _ in range(3)]
    await offer(found.owner, await ask(lab, asked[0]))
    await reply(found.owner, await ask(lab, asked[1]), None)
    told(await takes_back(found.owner, await offer(found.owner, await ask(lab, asked[2]))))
    shelf = await found.shelf(revocable_terms(0, model="per-work"))
    await revoke(shelf, await lab.license(shelf.wanted()), shelf.works)
    bao = await joined(site, "Bao")
    await bao.registers(1)
    form = await bao.form(f"/en/terms?work={bao.works[0]}")
    assert (await bao.sends("/en/terms/sign", bao.signed(form))).status_code == 303
    await opens(found.person, bao)
    return found


@pytest.fixture(scope="module")
async def lab(site: Running) -> Team:
    found, works = await busy(site, "Signing Labs"), await shelf(site, NEGOTIATED, 1)
    asked = await ask(found.lab, works)
    await offer(works.owner, asked)
    for _ in ("decline", "withdraw"):
        told(await says(found.lab, await word(found.lab, asked)))
    found.ids["withdrawn"] = asked.request
    return found


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_artist_finds_everything_that_she_signed_in_words(
    site: Running, ada: Seller, language: Language
) -> None:
    page, w = await held_whole(ada.browser, f"/{language}/statements", language), ROOM.speaks(language)
    for kind in set((await logged(site, ada.owner.id)).values()):
        assert f"/{language}/statements?kind={kind}" in page.links()
    for words in (
        *("consent", "claim", "key-register", "key-register_first", "licence-revoke"),
        *("licence-answer_offer", "licence-answer_refuse", "licence-answer_withdraw", "dispute-step_open"),
    ):
        assert w(f"signed_{words}") in page.text
    assert w("receipts_registry") in page.text  # her claim level is not of her own hand
    for room in ("statements/stm_", "requests/ask_", "licences/lic_", "disputes/dsp_"):
        assert [each for each in page.links() if each.startswith(f"/{language}/{room}")], room


@pytest.mark.parametrize("language", LANGUAGES)
async def test_so_does_a_team(site: Running, lab: Team, language: Language) -> None:
    page, w = await held_whole(lab.browser, f"/{language}/statements", language), ROOM.speaks(language)
    kinds = set((await logged(site, lab.lab.id)).values())
    assert kinds >= {"licence", "licence-request", "dataset-manifest", "run", "model-card"}
    for kind in (*(kinds - {"key-register"}), "licence-reply_withdraw", "licence-reply_decline"):
        assert w(f"signed_{kind}") in page.text
    assert f"/{language}/organisation/requests/{lab.ids['withdrawn']}" in page.links()
    assert f"/{language}/organisation/licences/{lab.ids['licence']}" in page.links()
    assert f"/{language}/organisation/requests/{lab.ids['asked']}" in page.links()
    assert f"/{language}/statements" in Read((await lab.browser.get(f"/{language}/account", headers=HTML)).text).links()


async def test_pages_follow_each_other_without_a_gap_or_a_repeat_and_with_nothing_of_others(
    site: Running, ada: Seller, lab: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_A_PAGE", 3)
    for account, http in ((ada.owner.id, ada.browser), (lab.lab.id, lab.browser)):
        entries = await logged(site, account)
        assert len(entries) > 6
        assert await listed(http) == sorted(entries, reverse=True)
        for kind in set(entries.values()):
            of = sorted((each for each, stated in entries.items() if stated == kind), reverse=True)
            assert await listed(http, f"/en/statements?kind={kind}") == of


async def test_a_kind_that_there_is_not_is_said(mei: Artist) -> None:
    refused = await mei.http.get("/en/statements?kind=snapshot", headers=HTML)
    assert (refused.status_code, "kind" in refused.text, "consent" in refused.text) == (400, True, True)
    assert (await mei.http.get("/en/statements?kind=erase", headers=HTML)).status_code == 200
