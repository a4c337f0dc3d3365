"""Alerts at the portal: what happens to an artist is listed, counted until she read it, and off where she wants."""

from __future__ import annotations

from typing import Any

import pytest

from licet import identifiers, times
from licet.terms import Price, preset
from registry.accounts import events, topics
from registry.portal.artists.alert_words import ALERTS
from registry.portal.artists.room import ROOM
from registry.portal.frame.languages import LANGUAGES
from tests.registry.harness import Running
from tests.registry.keymaking import SAME_ORIGIN
from tests.registry.market import trainer
from tests.registry.portal.people import HTML, Artist, Read, joined
from tests.registry.portal.selling import seller
from tests.registry.portal.whole import held_whole

pytestmark = pytest.mark.anyio
PER_RUN = preset("paid", Price(model="per-training-run", amount="2", currency="USD"))


async def read(who: Artist, path: str = "/en/alerts") -> Read:
    answer = await who.http.get(path, headers=HTML)
    assert answer.status_code == 200, (path, answer.text)
    return Read(answer.text)


def counted(page: Read) -> int:
    """What the navigation says is unread."""
    titles = [each["title"] for tag, each in page.elements if tag == "span" and each.get("class") == "count"]
    return int(titles[0].replace("one", "1").split()[0]) if titles else 0


async def tell(site: Running, who: Artist, *kinds: str) -> None:
    async with site.services.database.transaction() as conn:
        for kind in kinds:
            await events.tell(conn, identifiers.to_uuid(who.id), kind, None, "something for programs")


async def told(who: Artist) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await who.http.get("/v1/events")).json()["items"]
    return found


async def clear(who: Artist) -> None:
    """Mark everything as read, as the button does."""
    form = await who.form("/en/alerts")
    sent = {"form": form["form"], "event": (await told(who))[0]["id"], "older": "yes"}
    assert (await who.sends("/en/alerts/read", sent)).status_code == 303


async def test_a_sale_is_told_to_whom_it_concerns_and_leads_to_it(site: Running) -> None:
    ada = await seller(site, "Ada", level=2)
    lab = await trainer(site, "Lantern Labs")
    works = await ada.shelf(PER_RUN)
    await clear(ada.person)
    licence = await lab.license(works.wanted())
    page = await read(ada.person)
    assert counted(page) == 2
    for said in (ALERTS["event_licence-granted"][0], ALERTS["event_earned"][0]):
        assert page.text.count(str(said)) == 1
    assert f"/en/licences/{licence.licence}" in page.links()
    assert [(each["kind"], each["topic"], each["read_at"]) for each in (await told(ada.person))[:2]] == [
        ("earned", "money", None), ("licence-granted", "uses", None),
    ]  # fmt: skip
    await lab.report(licence, "2")  # there is money already that she has not looked at
    assert counted(await read(ada.person)) == 2
    await clear(ada.person)
    assert counted(await read(ada.person)) == 0
    await lab.report(licence, "3")
    assert [each["kind"] for each in (await told(ada.person))[:2]] == ["earned", "earned"]
    assert counted(await read(ada.person)) == 1
    for language in LANGUAGES:  # what came since an alert was given is in it, less the fee
        page = await held_whole(ada.browser, f"/{language}/alerts", language)
        assert page.text.count(ROOM.speaks(language).money("5.4", "USD")) == 2


async def test_money_of_another_day_is_told_although_an_alert_waits(site: Running) -> None:
    ada, lab = await seller(site, "Ada", level=2), await trainer(site, "Daily Labs")
    licence = await lab.license((await ada.shelf(PER_RUN)).wanted())
    await clear(ada.person)
    await lab.report(licence, "2")
    async with site.services.database.acquire() as conn:
        await conn.execute(
            "update account_events set at = at - interval '1 day' where account = $1 and read_at is null",
            ada.owner.uuid,
        )
    assert counted(await read(ada.person)) == 1
    for run in ("3", "4"):
        await lab.report(licence, run)
    assert counted(await read(ada.person)) == 2
    assert [each["at"][:10] for each in (await told(ada.person))[:2]] != [times.to_text(times.now())[:10]] * 2


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_alert_names_its_picture_and_the_time_of_day(site: Running, language: str) -> None:
    ada = await seller(site, "Ada")
    works = await ada.shelf(PER_RUN)
    async with site.services.database.transaction() as conn:
        await events.tell(conn, identifiers.to_uuid(ada.person.id), "contested", works.works[0], "for programs")
        title = "Heron at dusk"
        await conn.execute("update works set title = $2 where id = $1", identifiers.to_uuid(works.works[0]), title)
    page = await read(ada.person, f"/{language}/alerts")
    assert title in page.text
    assert "UTC" in page.text
    assert title in (await read(ada.person, f"/{language}/home")).text


async def test_who_licensed_stays_hidden_below_claim_level_2(site: Running) -> None:
    mei = await seller(site, "Mei")
    licence = await mei.sells(PER_RUN)
    page = await read(mei.person)
    assert str(ALERTS["event_licence-granted"][0]) in page.text
    assert not [each for each in page.links() if licence.licence in each]


async def test_terms_that_are_changed_are_told_but_not_the_first(site: Running) -> None:
    ada = await seller(site, "Ada")
    works = await ada.shelf(PER_RUN)
    assert "terms-changed" not in {each["kind"] for each in await told(ada.person)}
    await ada.owner.state(works.works, preset("no-ai"))
    found = await told(ada.person)
    assert [each["kind"] for each in found].count("terms-changed") == 1
    assert f"/en/statements/{found[0]['subject']}" in (await read(ada.person)).links()


async def test_what_is_switched_off_is_neither_listed_nor_counted_but_kept(site: Running) -> None:
    eve = await joined(site, "Eve")
    await tell(site, eve, "dispute-opened", "signed-in")
    own = (await eve.form("/en/alerts"))["form"]
    assert counted(await read(eve)) == 2
    answer = await eve.sends("/en/alerts/topics", {"form": own, "topic": "disputes", "on": "no"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/alerts")
    page = await read(eve)
    sentence = str(ALERTS["event_dispute-opened"][0])
    assert counted(page) == 1
    assert sentence not in page.text
    assert sentence not in (await read(eve, "/en/home")).text
    assert sentence in (await read(eve, "/en/alerts?topic=disputes")).text
    assert sentence not in (await read(eve, "/en/alerts?topic=security")).text
    for topic in ("security", "nothing", ""):
        refused = await eve.sends("/en/alerts/topics", {"form": own, "topic": topic, "on": "no"})
        assert refused.status_code == 400, topic
    assert (await eve.http.get("/en/alerts?topic=nothing", headers=HTML)).status_code == 400
    await eve.sends("/en/alerts/topics", {"form": own, "topic": "disputes", "on": "yes"})
    assert counted(await read(eve)) == 2


async def test_one_is_read_or_all_that_the_page_had_and_never_anothers(site: Running) -> None:
    eve, mei = await joined(site, "Eve"), await joined(site, "Mei")
    await tell(site, eve, "remittance", "month-closed", "contested")
    newest, middle, _ = (await told(eve))[:3]
    own, hers = (await eve.form("/en/alerts"))["form"], (await mei.form("/en/alerts"))["form"]
    await mei.sends("/en/alerts/read", {"form": hers, "event": newest["id"], "older": "yes"})
    assert counted(await read(eve)) == 3
    await eve.sends("/en/alerts/read", {"form": own, "event": newest["id"]})
    assert [bool(each["read_at"]) for each in (await told(eve))[:3]] == [True, False, False]
    await tell(site, eve, "duty-done")  # came while she looked at the page
    await eve.sends("/en/alerts/read", {"form": own, "event": middle["id"], "older": "yes"})
    assert [bool(each["read_at"]) for each in (await told(eve))[:4]] == [False, True, True, True]
    assert (await eve.sends("/en/alerts/read", {"form": own, "event": mei.id})).status_code == 400


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_of_alerts_follow_each_other_and_every_kind_has_words_and_a_place(
    site: Running, language: str
) -> None:
    eve = await joined(site, "Eve")
    kinds = [kind for topic in topics.OPTIONAL for kind in topics.kinds_of([topic])]
    await tell(site, eve, *kinds, *kinds)
    page = await held_whole(eve.http, f"/{language}/alerts", language)
    assert str(ALERTS["event_other"][LANGUAGES.index(language)]) not in page.text
    times = 0
    while True:
        times += sum(tag == "time" for tag, _ in page.elements)
        more = [each for each in page.links() if each.startswith(f"/{language}/alerts?cursor=")]
        if not more:
            break
        page = await held_whole(eve.http, more[0], language)
    assert times == 2 * len(kinds) > 30
    for each in topics.TOPICS:
        await held_whole(eve.http, f"/{language}/alerts?topic={each}", language)


async def test_more_than_ninety_nine_are_not_counted_out(site: Running) -> None:
    eve = await joined(site, "Eve")
    await tell(site, eve, *["remittance"] * 120)
    assert "99+" in (await read(eve)).text


async def test_topics_are_switched_by_the_api_as_on_the_page_and_security_stays_on(site: Running) -> None:
    eve, lab = await joined(site, "Eve"), await trainer(site, "Candle Labs")
    form = await eve.form("/en/alerts")
    switched = {"form": form["form"], "topic": "claims", "on": "no"}
    assert (await eve.sends("/en/alerts/topics", switched)).status_code == 303
    now = (await eve.http.get("/v1/me/alerts")).json()
    assert (now["off"], now["always"]) == (["claims"], [topics.SECURITY])
    assert {*now["on"], *now["off"]} == {*topics.OPTIONAL}
    said = await eve.http.put("/v1/me/alerts", json={"off": ["money", "uses", "money"]}, headers=SAME_ORIGIN)
    assert (said.status_code, said.json()["off"]) == (200, ["uses", "money"])
    await tell(site, eve, "earned", "domain-proven", "signed-in")
    assert counted(await read(eve)) == 2  # the claim and the sign-in, not the money
    for wrong in (["claims", "security"], ["key-added"], [""]):
        refused = await eve.http.put("/v1/me/alerts", json={"off": wrong}, headers=SAME_ORIGIN)
        pointer = f"/off/{len(wrong) - 1}"
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, pointer)
    assert (await eve.http.get("/v1/me/alerts")).json()["off"] == ["uses", "money"]  # as it was
    foreign = await eve.http.put("/v1/me/alerts", json={"off": []}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    assert (await lab.http.get("/v1/me/alerts")).status_code == 403  # teams have no such page
    assert (await eve.http.put("/v1/me/alerts", json={"off": []}, headers=SAME_ORIGIN)).json()["off"] == []
