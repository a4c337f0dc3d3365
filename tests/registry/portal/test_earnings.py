"""An artist's money at the portal: every amount opens down to uses, terms, signatures and proof, and is hers alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from licet import identifiers, times
from licet.terms import Price, preset
from registry.portal.artists import earnings
from registry.portal.artists.room import ROOM
from registry.portal.frame.languages import LANGUAGES, Language
from registry.settlement import refunding, remitting
from tests.registry.harness import Running
from tests.registry.market import Trainer, reported, trainer
from tests.registry.portal.people import HTML, Artist, Read, joined
from tests.registry.portal.selling import Seller, seller
from tests.registry.portal.whole import held_whole
from tests.registry.usage import test_corrections as corrections

pytestmark = pytest.mark.anyio

PAGES = {
    "/earnings/charges/{charge}",
    "/earnings/payments/{remittance}",
    "/earnings/statements/{period}/{form}",
    "/licences/{licence}",
}
PER_RUN = preset("paid", Price(model="per-training-run", amount="2", currency="USD"))
IBAN = "GB29NWBK60161331926819"
PAID = "/en/earnings/payments"


@dataclass
class Sold:
    """What an artist of level 2 sold: a licence, and a later report under it."""

    who: Seller
    lab: Trainer
    licence: str
    charges: list[dict[str, str]]

    @property
    def person(self) -> Artist:
        return self.who.person


async def read(who: Artist, path: str) -> Read:
    answer = await who.http.get(path, headers=HTML)
    assert answer.status_code == 200, (path, answer.text)
    return Read(answer.text)


@pytest.fixture(scope="module")
async def sold(site: Running) -> Sold:
    ada = await seller(site, "Ada", level=2)
    lab = await trainer(site, "Lantern Labs")
    shelf = await ada.shelf(PER_RUN, 2)
    licence = await lab.license(shelf.wanted())
    await lab.report(licence, "2")
    charges = (await ada.browser.get("/v1/charges")).json()["items"]
    assert len(charges) == 2
    return Sold(ada, lab, licence.licence, charges)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_of_money_are_whole_and_every_amount_leads_on(sold: Sold, language: str) -> None:
    month = times.to_text(times.now())[:7]
    paths = ["", "/uses", "/statements", "/payments", "/entries", f"?period={month}", "/entries?account=payable"]
    paths += [f"/charges/{each['charge']}" for each in sold.charges]
    for path in paths:
        await held_whole(sold.person.http, f"/{language}/earnings{path}", language)
    titled = (await sold.person.http.get(f"/{language}/earnings/uses", headers=HTML)).text.partition("</title>")[0]
    assert ("，" in titled, ", " in titled.partition("<title>")[2]) == (language == "zh", language == "en")
    unclosed = (await sold.person.http.get(f"/v1/periods/{month}/line")).json()
    assert f"the month {month} is not closed" in str(unclosed)
    assert "/v1/periods says" not in str(unclosed)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_month_shows_its_newest_charges_and_leads_to_the_rest(
    sold: Sold, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    month = times.to_text(times.now())[:7]
    newest, older = (f"/{language}/earnings/charges/{each['charge']}" for each in sold.charges)
    monkeypatch.setattr(earnings, "A_PAGE", 1)
    page = await held_whole(sold.person.http, f"/{language}/earnings/uses", language)
    assert newest in page.links()
    assert older not in page.links()
    assert f"/{language}/earnings/statements" in page.links()
    w = ROOM.speaks(language)
    (more,) = [each for each in page.links() if "cursor=" in each]
    behind = await held_whole(sold.person.http, more, language)
    for part, each in zip((page, behind), sold.charges, strict=True):
        assert w("together_here") in part.text
        assert w.money(each["amount"], "USD") in part.text
    assert older in behind.links()
    assert newest not in behind.links()
    assert f"/{language}/earnings/uses?period={month}" in behind.links()  # back to the first page
    monkeypatch.setattr(earnings, "A_PAGE", 2)
    both = await read(sold.person, f"/{language}/earnings/uses")
    assert {newest, older} <= {*both.links()}
    assert w.money(sum(Decimal(each["amount"]) for each in sold.charges), "USD") in both.text
    assert w("together_here") not in both.text


async def test_what_was_taken_back_is_no_use_of_the_month(site: Running) -> None:
    ida, lab = await seller(site, "Ida", level=2), await trainer(site, "Refunded Labs")
    await ida.sells(PER_RUN, 1, lab)
    (charge,) = (await ida.browser.get("/v1/charges")).json()["items"]
    path = f"/en/earnings/charges/{charge['charge']}"
    assert path in (await read(ida.person, "/en/earnings/uses")).links()
    await refunding.refund(site.services, charge["charge"], "a mistake of ours")
    page = await held_whole(ida.browser, "/en/earnings/uses", "en")
    assert path not in page.links()


async def test_only_a_charge_that_takes_something_from_her_leads_to_a_dispute(site: Running, sold: Sold) -> None:
    for path in ("/en/earnings", *(f"/en/earnings/charges/{each['charge']}" for each in sold.charges)):
        page = await read(sold.person, path)
        assert not [each for each in page.links() if "/disputes/new" in each], path  # in her favour, all of them
    eva, lab = await seller(site, "Eva", level=2), await trainer(site)
    licence = await eva.sells(preset("paid", Price(model="per-output", amount="1", currency="USD")), lab=lab)
    (used,) = lab.events(licence, "1", outputs=10)
    reported(await corrections.send(lab, licence, used))
    reported(await corrections.send(lab, licence, corrections.correction(used, 4)))  # there were fewer, it says
    taken = next(each for each in (await eva.browser.get("/v1/charges")).json()["items"] if each["amount"][0] == "-")
    for path in ("/zh/earnings", f"/zh/earnings/charges/{taken['charge']}"):
        page = await held_whole(eva.browser, path, "zh")
        assert [each for each in page.links() if "/disputes/new" in each] == [
            f"/zh/disputes/new?about={taken['charge']}"
        ], path


async def test_a_charge_opens_down_to_uses_terms_signatures_and_proof(sold: Sold) -> None:
    fee = sold.who.owner.site.services.settings.fee_bps
    for charge in sold.charges:
        page = await read(sold.person, f"/en/earnings/charges/{charge['charge']}")
        for part in ("Lantern Labs", "acme/lantern@1", charge["source"], f"US${charge['amount']}", "US$2.00"):
            assert part in page.text, part
        assert f"US${2 * fee / 10_000:.2f}" in page.text
        assert sold.lab.account.key.keyid[:16] in page.text
        links = page.links()
        assert {f"/en/works/{each}" for each in sold.person.works} <= set(links)
        (terms,) = {each for each in links if each.startswith("/en/statements/stm_")}
        assert (await sold.person.http.get(terms, headers=HTML)).status_code == 200
    reported = next(each for each in sold.charges if each["source"].startswith("bat_"))
    assert "signed this report of uses" in (await read(sold.person, f"/en/earnings/charges/{reported['charge']}")).text


async def test_uses_are_told_by_team_and_dataset_with_what_they_add_up_to(sold: Sold) -> None:
    page = await read(sold.person, "/en/earnings/uses")
    assert "Lantern Labs" in page.text
    assert "Dataset: None was named" in page.text
    total = sum(float(each["amount"]) for each in sold.charges)
    assert f"Together4US${total:.2f}" in page.text.replace(" ", "")
    before = next(each for each in page.links() if each.startswith("/en/earnings/uses?period="))
    assert "Nothing was charged" in (await read(sold.person, before)).text


async def test_below_level_2_amounts_are_told_and_not_who_used_what(site: Running) -> None:
    ana = await seller(site, "Ana")
    lab = await trainer(site, "Candle Works")
    await ana.sells(PER_RUN, 1, lab)
    (charge,) = (await ana.browser.get("/v1/charges")).json()["items"]
    for path in ("", "/uses", f"/charges/{charge['charge']}"):
        page = await read(ana.person, f"/en/earnings{path}")
        assert f"US${charge['amount']}" in page.text
        assert "Who used your pictures is shown from claim level 2 on." in page.text
        assert "Candle Works" not in page.text
        assert ana.person.works[0] not in page.text


async def test_months_are_drawn_as_page_and_on_paper(sold: Sold) -> None:
    month = times.to_text(times.now())[:7]
    page = await sold.person.http.get(f"/en/earnings/statements/{month}/page", headers=HTML)
    assert page.status_code == 200, page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert sold.lab.id in page.text
    assert "月结单" in page.text or "对账单" in page.text
    for language in LANGUAGES:
        paper = await sold.person.http.get(f"/{language}/earnings/statements/{month}/pdf", headers=HTML)
        assert (paper.headers["content-type"], paper.content[:5]) == ("application/pdf", b"%PDF-")
    for path, status in (
        ("2999-01/page", 404),
        ("2026-13/page", 404),
        (f"{month}/zip", 400),
        ("0001-01/page", 404),
        ("2000-01/page", 404),
        ("0001-01/pdf", 404),
        ("2026-1/page", 404),
    ):
        assert (await sold.person.http.get(f"/en/earnings/statements/{path}", headers=HTML)).status_code == status


async def test_what_is_hers_is_nobody_elses(site: Running, sold: Sold) -> None:
    eve = await joined(site, "Eve")
    for charge in sold.charges:
        answer = await eve.http.get(f"/en/earnings/charges/{charge['charge']}", headers=HTML)
        assert answer.status_code == 404
    for path in ("", "/uses", "/payments", "/entries"):
        page = await read(eve, f"/en/earnings{path}")
        assert "Lantern Labs" not in page.text
        assert "US$3" not in page.text
    month = times.to_text(times.now())[:7]
    drawn = await eve.http.get(f"/en/earnings/statements/{month}/page", headers=HTML)
    assert sold.lab.id not in drawn.text
    nobody = await site.http.get(f"/en/earnings/statements/{month}/page", headers=HTML)
    assert (nobody.status_code, nobody.headers["location"][:11]) == (303, "/en/sign-in")


async def test_she_says_where_she_is_paid_and_sees_the_payment_line_by_line(site: Running, sold: Sold) -> None:
    own = (await sold.person.form("/en/earnings/payments"))["form"]
    typed: dict[str, Any] = {
        "name": "林美",
        "account": "6222 0212 0500 1234 567",
        "bic": "bkchcnbj300",
        "clearing": "104100000004",
    }
    given = {"form": own, **typed, "country": "CN"}
    wrongs = {"name": " ", "account": "12", "bic": "BKCH", "clearing": "1041000000040", "country": "XX"}
    for field, wrong in wrongs.items():
        await _marks(sold, "CN", {**given, field: wrong}, field)
    own_iban: dict[str, Any] = {
        "form": own,
        "name": "Ada Lin",
        "iban": "gb29 nwbk 6016 1331 9268 19",
        "country": "GB",
    }
    for field, wrong in {"iban": "GB29NWBK60161331926891", "name": ""}.items():
        await _marks(sold, "GB", {**own_iban, field: wrong}, field)
    await _marks(sold, "CN", {**given, **wrongs}, *wrongs)  # all of it at once
    assert (await sold.person.http.get("/v1/me/payout")).json() == {"payout": None}
    for query in ("?bank=XX", ""):
        assert (await sold.person.sends(f"{PAID}{query}", given)).status_code == 400
    for bank, fields, said in (
        ("CN", given, "林美, account in China ending in 4567"),
        ("GB", own_iban, "Ada Lin, account in United"),
    ):
        answer = await sold.person.sends(f"{PAID}?bank={bank}", fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/en/earnings/payments")
        page = await read(sold.person, "/en/earnings/payments")
        assert said in page.text
        assert "Less than US$0.01 waits for more" in page.text
        assert IBAN not in page.text
        assert "6222021205001234567" not in page.text
    prepared = await remitting.prepare(site.services, times.to_text(times.now())[:7])
    (number,) = [each for each, who, *_ in prepared.paid if who == sold.person.id]
    remittance = identifiers.from_uuid("rem", number)
    for language in LANGUAGES:
        await held_whole(sold.person.http, f"/{language}/earnings/payments", language)
        paid = await held_whole(sold.person.http, f"/{language}/earnings/payments/{remittance}", language)
        assert {f"/{language}/earnings/charges/{each['charge']}" for each in sold.charges} <= set(paid.links())
        await held_whole(sold.person.http, f"/{language}/earnings/entries", language)
    eve = await joined(site, "Eve")
    assert (await eve.http.get(f"/en/earnings/payments/{remittance}", headers=HTML)).status_code == 404


async def _marks(sold: Sold, bank: str, fields: dict[str, Any], *wrong: str) -> None:
    """What is wrong is refused beside its field, and nothing else is marked; every field keeps what was typed."""
    answer = await sold.person.sends(f"{PAID}?bank={bank}", fields)
    assert answer.status_code == 400, wrong
    page = Read(answer.text)
    marked = {each["id"]: each["aria-describedby"] for _, each in page.elements if each.get("aria-invalid")}
    assert marked == {field: f"wrong-{field}" for field in wrong}
    assert set(marked.values()) <= {each.get("id") for _, each in page.elements}
    # Where it was sent there is the form: to ask for that address again does nothing.
    assert f"{PAID}?bank={bank}#change" in page.sent
    again = Read((await sold.person.http.get(f"{PAID}?bank={bank}", headers=HTML)).text)
    assert fields.keys() <= {name for name, _ in again.fields}
    kept = {each["name"]: each["value"] for tag, each in page.elements if tag == "input" and "value" in each}
    assert all(kept[name] == fields[name].strip() for name in fields.keys() - {"form", "country"})


async def test_the_form_asks_what_accounts_of_the_country_have(site: Running, sold: Sold) -> None:
    eve = await joined(site, "Eve")
    asked = {
        "?bank=CN": {"name", "account", "bic", "clearing", "country"},
        "?bank=US": {"name", "account", "bic", "clearing", "country"},
        "?bank=UY": {"name", "account", "bic", "country"},
        "?bank=DE": {"name", "iban", "country"},
        "": set(),
    }
    for language in LANGUAGES:
        for query, fields in asked.items():
            page = await held_whole(eve.http, f"/{language}/earnings/payments{query}", language)
            found = {each["name"]: each for tag, each in page.elements if tag in ("input", "select") and "name" in each}
            if language == "zh" and not query:
                fields = asked["?bank=CN"]  # where most who read Chinese have their bank
            assert found.keys() - {"form", "bank"} == fields, query
            assert ROOM.speaks(language)("payout_least", amount="US$0.01") in page.text  # the registry has no other
            if fields:
                optional = {name for name in fields if "required" not in found[name]} - {"country"}
                assert optional == {"?bank=CN": {"clearing"}, "?bank=US": {"bic"}, "": {"clearing"}}.get(query, set())
    assert (await eve.http.get("/en/earnings/payments?bank=XX", headers=HTML)).status_code == 400


async def test_countries_stand_where_those_who_read_the_language_look_for_them(site: Running) -> None:
    eve = await joined(site, "Eve")
    for language, rows in {
        "en": (
            ("Peru", "Philippines"),
            ("Puerto Rico", "Qatar", "Réunion"),
            ("Afghanistan", "Åland Islands", "Albania"),
        ),
        "zh": (("贝宁", "比利时", "秘鲁", "冰岛"), ("布韦岛", "朝鲜", "赤道几内亚"), ("喀麦隆", "卡塔尔", "开曼群岛")),
    }.items():
        listed = (await read(eve, f"/{language}/earnings/payments")).text
        for row in rows:
            assert "".join(row) in listed  # as options stand


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        (0, ("with the next payment", "the next payment goes there", "下一次付款", "下一次就付到那里")),
        (12, ("after one day", "for one day", "过 1 天", "1 天内")),
        (36, ("after 2 days", "for 2 days", "过 2 天", "2 天内")),
    ],
)
async def test_how_long_money_is_held_is_told_as_people_say_it(
    site: Running, sold: Sold, monkeypatch: pytest.MonkeyPatch, hold: int, said: tuple[str, ...]
) -> None:
    hours = timedelta(hours=hold)
    held = site.services.settings.model_copy(update={"payout_hold": hours, "payout_change_hold": hours})
    monkeypatch.setattr(site.services, "settings", held)
    english, chinese = [(await read(sold.person, f"/{each}/earnings/payments")).text for each in LANGUAGES]
    assert all(each in english for each in said[:2])
    assert all(each in chinese for each in said[2:])
    assert not re.search(r"\b0 days|\b1 days| 0 天", english + chinese)


async def test_where_she_is_paid_takes_a_passkey_that_was_just_used(site: Running) -> None:
    ana = await seller(site, "Ana")
    own = (await ana.person.form("/en/earnings/payments"))["form"]
    async with site.services.database.acquire() as conn:
        await conn.execute(
            "update sessions set stepped_up_at = now() - interval '6 minutes' where account = $1", ana.owner.uuid
        )
    given = {"form": own, "name": "Ana", "iban": IBAN, "country": "GB"}
    assert (await ana.person.sends(f"{PAID}?bank=GB", given)).status_code == 403
    await ana.steps_up()
    assert (await ana.person.sends(f"{PAID}?bank=GB", given)).status_code == 303


async def test_months_that_no_calendar_has_are_refused_like_other_wrong_ones(sold: Sold) -> None:
    for path in ("", "/uses"):
        for month, status in (("2026-13", 400), ("0000-01", 400), ("0001-01", 400), ("9999-12", 400), ("2000-01", 200)):
            answer = await sold.person.http.get(f"/en/earnings{path}?period={month}", headers=HTML)
            assert answer.status_code == status, (path, month)
