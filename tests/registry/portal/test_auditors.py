"""What auditors look into: entries of the ledger in their scope and no others, down to the proof."""

from __future__ import annotations

import re

import pytest

from licet.terms import Price, preset
from registry.portal.auditors.words import WORDS
from registry.portal.frame.languages import LANGUAGES
from tests.registry.harness import Running
from tests.registry.market import shelf
from tests.registry.portal.people import HTML, Read, joined
from tests.registry.portal.staff import Staff, employed
from tests.registry.portal.team import busy
from tests.registry.portal.whole import held_whole

pytestmark = pytest.mark.anyio

PAGES = ("/auditor", "/auditor/entries", "/auditor/entries/{transfer}", "/auditor/duties")
ENTRIES = "/en/auditor/entries"
PER_RUN = preset("paid", Price(model="per-training-run", amount="0.5", currency="USD"))


async def transfers(who: Staff, query: str = "") -> list[str]:
    page = Read((await who.http.get(f"{ENTRIES}{query}", headers=HTML)).text)
    return sorted({each for each in page.links() if re.fullmatch(r"/en/auditor/entries/tra_\w+", each)})


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_are_whole_and_an_auditors_alone(site: Running, language: str) -> None:
    team, ada = await busy(site, f"Audited {language}"), await employed(site, "auditor", "Ada Okafor")
    mei, boss = await joined(site, "Mei"), await employed(site, "operator", "Boss")
    (found, *_) = await transfers(ada, f"?account={team.lab.id}")
    month = "2026-11"
    for path in (
        *(each for each in PAGES if "{" not in each),
        found.removeprefix("/en"),
        "/auditor/entries?period=" + month,
        f"/auditor/entries?account={team.lab.id}&currency=USD&period=&source=",
        "/auditor/duties?state=done",
    ):
        page = await held_whole(ada.http, f"/{language}{path}", language)
        assert page.text
        if "/entries" in path:  # words first, then what the ledger calls it
            place = LANGUAGES.index(language)
            for word, raw in (("ledger_receivable", f"receivable:{team.lab.id}"), ("for_licence", "licence")):
                assert f"{WORDS[word][place]}{raw}" in page.text, path
        for stranger in (mei.http, boss.http, team.browser):
            assert (await stranger.get(f"/{language}{path}", headers=HTML)).status_code == 404, path


async def test_an_auditor_of_one_party_does_not_see_the_others_side(site: Running) -> None:
    team = await busy(site, "Two sides")
    lab = team.lab.id
    everybody = await employed(site, "auditor", "Everybody")
    of_lab = await employed(site, "auditor", "Of lab", lab)
    licensed = await transfers(everybody, f"?source={team.ids['licence']}")
    whole = (await everybody.http.get(licensed[0], headers=HTML)).text
    (artist,) = set(re.findall(r"art_\w{26}", whole))
    of_artist = await employed(site, "auditor", "Of artist", artist)
    for who, sees, hides in ((of_lab, lab, artist), (of_artist, artist, lab)):
        for path in (licensed[0], ENTRIES, f"{ENTRIES}?source={team.ids['licence']}"):
            text = (await who.http.get(path, headers=HTML)).text
            assert sees in text, path
            assert hides not in text, path
        # Asked for by name, the other's is as if there were none.
        text = (await who.http.get(f"{ENTRIES}?account={hides}", headers=HTML)).text
        assert "There are no such entries" in text
    elsewhen = await employed(site, "auditor", "Of another month", lab, "2020-01")
    assert await transfers(elsewhen) == []
    assert (await elsewhen.http.get(licensed[0], headers=HTML)).status_code == 404


async def test_an_amount_leads_to_its_uses_and_to_a_proof_that_holds(site: Running) -> None:
    team, ada = await busy(site, "To the proof"), await employed(site, "auditor", "Ada")
    (found, *_) = await transfers(ada, f"?source={team.ids['licence']}")
    page = Read((await ada.http.get(found, headers=HTML)).text)
    assert "Entry of the log" in page.text
    assert len(set(re.findall(r"wrk_\w{26}", page.text))) == 2
    file = await ada.http.get(f"/v1/statements/{team.ids['licence']}")
    assert file.status_code == 200
    assert f"/v1/statements/{team.ids['licence']}" in page.links()


async def test_uses_of_a_report_are_shown_to_whoever_audits_the_team_or_the_artist(site: Running) -> None:
    team, hers, theirs = await busy(site, "Reported"), await shelf(site, PER_RUN, 2), await shelf(site, PER_RUN, 1)
    licence = await team.lab.license([*hers.wanted(), *theirs.wanted()])
    batch = (await team.lab.report(licence, "2")).batch
    all_of_it = {*hers.works, *theirs.works}
    for scopes, shown in (
        ((), all_of_it),
        ((team.lab.id,), all_of_it),
        ((hers.owner.id,), set(hers.works)),
        ((theirs.owner.id,), set(theirs.works)),
        ((hers.owner.id, theirs.owner.id), all_of_it),
    ):
        who = await employed(site, "auditor", "Of a report", *scopes)
        for source in (batch, licence.licence):
            (found, *_) = await transfers(who, f"?source={source}")
            page = Read((await who.http.get(found, headers=HTML)).text)
            assert set(re.findall(r"wrk_\w{26}", page.text)) == shown, (scopes, source)
    elsewhen = await employed(site, "auditor", "Of another month", hers.owner.id, "2020-01")
    assert await transfers(elsewhen, f"?source={batch}") == []


async def test_a_months_days_are_drawn_and_told(site: Running) -> None:
    team, ada = await busy(site, "Drawn"), await employed(site, "auditor", "Ada")
    first = await ada.http.get(f"{ENTRIES}?account={team.lab.id}", headers=HTML)
    month = re.search(r'datetime="(\d{4}-\d{2})', first.text)
    assert month is not None
    drawn = (await ada.http.get(f"{ENTRIES}?account={team.lab.id}&period={month[1]}", headers=HTML)).text
    assert [tag for tag, each in Read(drawn).elements if tag == "svg" and each.get("role") == "img"] == ["svg"]
    told = re.search(r"<desc[^>]*>([\d,]+) entries in", drawn)
    async with site.services.database.acquire() as conn:
        counted = await conn.fetchval(
            "select count(*) from entries e join ledger_accounts a on a.id = e.account where a.name like '%:' || $1",
            team.lab.id,
        )
    assert told is not None
    assert int(told[1].replace(",", "")) == counted > 0


@pytest.mark.parametrize(
    "query", ["account=usr_1", "period=2026-13", "currency=usd", "source=%00", "cursor=AAAA", "account=org_zzz"]
)
async def test_what_is_asked_wrongly_is_said_so(site: Running, query: str) -> None:
    ada = await employed(site, "auditor", "Ada")
    assert (await ada.http.get(f"{ENTRIES}?{query}", headers=HTML)).status_code == 400


async def test_no_auditor_finds_what_is_not_there(site: Running) -> None:
    ada = await employed(site, "auditor", "Ada")
    for number in ("tra_01m8k4s1w7fvytaae8wfghyms7", "tra_nothing", "lic_01m8k4s1w7fvytaae8wfghyms7"):
        assert (await ada.http.get(f"{ENTRIES}/{number}", headers=HTML)).status_code in (400, 404)


async def test_months_that_no_calendar_has_are_refused_like_other_wrong_ones(site: Running) -> None:
    ada = await employed(site, "auditor", "Calendar")
    for month, status in (("2026-13", 400), ("0000-01", 400), ("0001-01", 400), ("9999-12", 400), ("2199-12", 200)):
        answer = await ada.http.get(f"{ENTRIES}?period={month}", headers=HTML)
        assert answer.status_code == status, month
