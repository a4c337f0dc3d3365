"""Tracing a picture and the evidence of a work: who took licences is shown to its own artist, from claim level 2 on."""

from __future__ import annotations

import httpx
import pytest

from licet.terms import Price, preset
from registry.portal.frame.languages import LANGUAGES
from registry.snapshots.publisher import publish
from tests.registry import keymaking as make
from tests.registry.catalogue import Artist, artist, picture
from tests.registry.harness import Running
from tests.registry.market import Shelf, trainer
from tests.registry.portal.people import HTML, Read, fields_of
from tests.registry.portal.whole import held_whole
from tests.registry.register.test_register import dataset

pytestmark = pytest.mark.anyio

PAID = preset("paid", Price(model="per-work", amount="2", currency="USD"))


async def licensed(site: Running, seed: int, *, level: int) -> tuple[Artist, httpx.AsyncClient, str]:
    """Return an artist of ``level``, her browser, and a work of hers on which a team took a licence."""
    hers = await artist(site)
    await hers.raise_level(2)
    outcome = await hers.picture(picture(seed, side=256))
    assert outcome.status == "registered"
    statement = await hers.state([outcome.work], PAID)
    lab = await trainer(site, "Tracing Labs")
    await lab.license(Shelf(hers, statement.statement, [outcome.work]).wanted())
    if level < 2:
        async with site.services.database.acquire() as conn:
            await conn.execute("update accounts set level = $2 where genesis = $1", hers.account.genesis, level)
    key = make.passkey(site)
    await make.add(site, hers.account, key)
    return hers, await make.signed_in(site, key), outcome.work


async def asks(browser: httpx.AsyncClient, path: str, content: bytes) -> httpx.Response:
    own = fields_of((await browser.get("/en/account", headers=HTML)).text)["form"][0]
    files = {"picture" if content else "other": ("found.png", content or b"-", "image/png")}
    return await browser.post(path, data={"form": own}, files=files, headers={**HTML, **make.SAME_ORIGIN})


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_picture_is_traced_to_ones_work_and_to_who_took_licences_on_it(site: Running, language: str) -> None:
    seed = 881_001 + len(LANGUAGES) * LANGUAGES.index(language)
    _, browser, work = await licensed(site, seed, level=2)
    answer = await asks(browser, f"/{language}/trace", picture(seed, side=200))
    page = Read(answer.text)
    assert answer.status_code == 200
    assert "Tracing Labs" in page.text
    assert f"/{language}/works/{work}/evidence" in page.links()
    sheet = await held_whole(browser, f"/{language}/works/{work}/evidence", language)
    assert "Tracing Labs" in sheet.text
    assert [each for each in sheet.links() if each.startswith("/v1/licences/lic_")]
    month = next(each["value"] for tag, each in sheet.elements if tag == "option")
    bundle = await browser.get(f"/v1/audit/bundle?period={month}")
    assert (bundle.status_code, bundle.content[:2]) == (200, b"PK")


async def test_below_level_2_nobody_is_told_who_took_licences(site: Running) -> None:
    _, browser, work = await licensed(site, 881_101, level=1)
    content = picture(881_101, side=256)
    for path in ("/en/trace", "/en/check"):
        answer = await asks(browser, path, content)
        assert answer.status_code == 200
        page = Read(answer.text)
        assert "from claim level 2 on" in page.text, path
        assert "Tracing Labs" not in page.text, path
    sheet = Read((await browser.get(f"/en/works/{work}/evidence", headers=HTML)).text)
    assert "from claim level 2 on" in sheet.text
    assert "Tracing Labs" not in sheet.text


async def test_anothers_work_is_named_and_can_be_disputed_and_no_picture_is_said_to_be_none(site: Running) -> None:
    _, _, work = await licensed(site, 881_201, level=2)
    stranger = await artist(site)
    key = make.passkey(site)
    await make.add(site, stranger.account, key)
    browser = await make.signed_in(site, key)
    answer = await asks(browser, "/en/trace", picture(881_201, side=256))
    page = Read(answer.text)
    assert f"/en/work/{work}" in page.links()
    assert f"/en/disputes/new?about={work}" in page.links()
    assert "Tracing Labs" not in page.text
    assert (await browser.get(f"/en/works/{work}/evidence", headers=HTML)).status_code == 404
    none = await asks(browser, "/en/trace", picture(999_201, side=256))
    assert "close to no registered work" in none.text
    for content, words in ((b"no picture at all", "could not be read"), (b"", "Choose a file first")):
        refused = await asks(browser, "/en/trace", content)
        assert (refused.status_code, words in refused.text) == (400, True)


async def test_a_dataset_that_is_held_back_is_not_named_where_its_licence_is(site: Running) -> None:
    hers = await artist(site)
    await hers.raise_level(2)
    outcome = await hers.picture(picture(881_301, side=256))
    statement = await hers.state([outcome.work], PAID)
    await publish(site.services)
    async with site.services.database.acquire() as conn:
        snapshot = bytes(await conn.fetchval("select digest from snapshots order by sequence desc limit 1")).hex()
    held: dict[str, bool] = {"listed": False}
    for name, changes in (("nightjar", held), ("skylark", {})):
        lab = await trainer(site, "Quiet Labs")
        number, _ = await dataset(lab, snapshot, name=name, **changes)
        await lab.license(Shelf(hers, statement.statement, [outcome.work]).wanted(), dataset=number)
    key = make.passkey(site)
    await make.add(site, hers.account, key)
    browser = await make.signed_in(site, key)
    content = picture(881_301, side=256)
    for text in (
        (await browser.get(f"/en/works/{outcome.work}/evidence", headers=HTML)).text,
        (await asks(browser, "/en/trace", content)).text,
        (await asks(browser, "/en/check", content)).text,
    ):
        assert "skylark" in text
        assert "nightjar" not in text
