"""Requests at the portal: what a team asks for in plain words, and the artist's answer by the very bytes shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from licet import times
from licet.canonical import from_base64
from licet.statements import envelope as envelopes
from licet.statements.kinds import LicenceAnswer
from licet.terms import Price, Revocation, Terms
from licet.terms.wording import duration_text
from licet.wire.agreements import RequestInfo
from registry.portal.artists.room import ROOM
from registry.portal.frame.languages import LANGUAGES, TAGS, Language
from tests.registry.agreements.talks import NEGOTIATED, agree, offer, question, says, send, shown, told, word
from tests.registry.harness import Running
from tests.registry.market import Shelf, Trainer, trainer
from tests.registry.portal.people import HTML, Read, fields_of, joined
from tests.registry.portal.selling import Seller, seller, signed
from tests.registry.portal.whole import held_whole

pytestmark = pytest.mark.anyio

PAGES = {"/requests/{ask}"}
PROPOSED = Price(model="per-work", amount="1.5", currency="EUR")


@dataclass
class Talk:
    """An artist, a team that asked her for all of her works, and the request."""

    ada: Seller
    lab: Trainer
    shelf: Shelf
    asked: RequestInfo

    @property
    def path(self) -> str:
        return f"/en/requests/{self.asked.request}"

    async def form(self, **fields: str) -> dict[str, list[str]]:
        """Return the form of an offer, filled in."""
        own = (await self.ada.person.form("/en/account"))["form"]
        tomorrow = str(times.now().date() + timedelta(days=1))
        said = {"answer": "offer", "model": "per-work", "amount": "2.50", "currency": "USD", "until": tomorrow}
        return {"form": own, **{name: [value] for name, value in (said | fields).items()}}

    async def drafts(self, **fields: str) -> tuple[dict[str, list[str]], LicenceAnswer, Read]:
        """Return the form that signs an answer, what it says, and the page that shows it."""
        page = await self.ada.person.sends(self.path, await self.form(**fields))
        assert page.status_code == 200, page.text
        form, read = fields_of(page.text), Read(page.text)
        body = from_base64(form["payload"][0])
        assert body.decode() in read.text  # the very bytes
        return form, msgspec.json.decode(body, type=LicenceAnswer), read

    async def state(self) -> RequestInfo:
        return (await shown(self.ada.owner, self.asked)).request


async def talk(
    site: Running,
    level: int = 2,
    count: int = 2,
    name: str = "Lantern Labs",
    terms: Terms = NEGOTIATED,
    **changes: Any,
) -> Talk:
    ada, lab = await seller(site, "Ada", level=level), await trainer(site, name)
    shelf = await ada.shelf(terms, count)
    asked = told(await send(lab, question(lab, shelf, **changes))).request
    return Talk(ada, lab, shelf, asked)


async def test_a_request_is_shown_in_plain_words_and_an_offer_is_what_was_shown(site: Running) -> None:
    found = await talk(site, price=PROPOSED.to_json(), message="Please.\n<b>Do.</b>")
    for language in LANGUAGES:
        home = await held_whole(found.ada.browser, f"/{language}/home", language)
        assert {f"/{language}/requests", f"/{language}/requests/{found.asked.request}"} <= set(home.links())
        listed = await held_whole(found.ada.browser, f"/{language}/requests", language)
        assert "Lantern Labs" in listed.text
        page = await held_whole(found.ada.browser, f"/{language}/requests/{found.asked.request}", language)
        assert {f"/{language}/works/{each}" for each in found.ada.person.works} <= set(page.links())
        assert "<b>Do.</b>" in page.text
    page = Read((await found.ada.browser.get(found.path, headers=HTML)).text)
    for part in ("Train a model that makes content", "€1.50 for each work, paid once", "acme/lantern@1", "Everywhere",
                 "for a price that I have answered with", "Of 2 pictures:"):  # fmt: skip
        assert part in page.text, part
    assert ("model", "proposed") in page.fields
    form, payload, read = await found.drafts(message="Gladly.\r\nAda", effect="unlearn", notice="30")
    assert Price(**payload.price) == Price(model="per-work", amount="2.5", currency="USD")  # type: ignore[arg-type]
    assert payload.revocation == Revocation(notice_days=30, effect="unlearn").to_json()
    tomorrow = times.now().date() + timedelta(days=2)
    assert (payload.message, payload.offered_until) == ("Gladly.\nAda", f"{tomorrow}T00:00:00.000Z")
    for part in ("for 2 pictures", "US$2.50 for each work, paid once", "US$5.00, once", "The team has 30 days"):
        assert part in read.text, part
    assert (await found.state()).state == "open"  # nothing was kept of what was only shown
    unsigned = await found.ada.person.sends(f"{found.path}/answer", form)
    assert (unsigned.status_code, "needs your own passkey" in unsigned.text) == (403, True)
    assert (await found.state()).state == "open"
    for _ in range(2):  # a form that comes twice has one effect
        done = await found.ada.person.sends(f"{found.path}/answer", signed(found.ada, form, "licence-answer"))
        assert (done.status_code, done.headers["location"]) == (303, found.path), done.text
    after = await held_whole(found.ada.browser, found.path, "en")
    assert "You made an offer" in after.text
    assert "This takes your offer back" in after.text
    licence = await agree(found.lab, found.shelf, found.asked)
    accepted = await held_whole(found.ada.browser, found.path, "en")
    assert f"/en/licences/{licence.licence}" in accepted.links()
    assert 'name="answer"' not in (await found.ada.browser.get(found.path, headers=HTML)).text
    late = await found.ada.person.sends(found.path, await found.form())
    assert (late.status_code, ROOM.speaks("en")("request_late") in Read(late.text).text) == (409, True)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_how_the_licence_would_end_is_told_where_one_offers_and_signs(site: Running, language: Language) -> None:
    words, said = ROOM.speaks(language), NEGOTIATED.to_json()

    async def pages(found: Talk) -> tuple[str, str]:
        path = f"/{language}/requests/{found.asked.request}"
        page = await held_whole(found.ada.browser, path, language)
        return page.text, Read((await found.ada.person.sends(path, await found.form())).text).text

    asks, signs = await pages(await talk(site, name="Endless"))
    assert words("offer_ends_none") in asks
    assert words("offer_will_endless") in signs
    for text in (asks, signs):
        assert words("offer_will_back_firm") in text
    for atom, rule in said.items():
        if rule["permission"] == "license":  # the others are not asked for
            rule["grant_term"] = "P2Y6M" if atom == "train-gen" else "P1Y"
            rule["revocation"] = {"notice_days": 30, "effect": "retire-model"}
    asks, signs = await pages(await talk(site, name="Ending", terms=Terms.parse(said)))
    term = duration_text("P2Y6M", TAGS[language])
    assert words("offer_ends_terms", term=term) in asks
    assert words("offer_will_ends_terms", term=term) in signs
    for text in (asks, signs):
        assert words("revoke_notice", n=30) in text
        assert words("offer_will_back_firm") not in text


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(
    ("said", "state", "oath"),
    [
        ("refuse", "refused", "I refuse Lantern Labs"),
        ("withdraw", "retracted", "I take back what I offered Lantern Labs for 2 pictures"),
    ],
)
async def test_refusing_takes_no_scripts_and_takes_an_offer_back(
    site: Running, said: str, state: str, oath: str, *, scripts: bool
) -> None:
    found = await talk(site, level=0)
    await offer(found.ada.owner, found.asked)
    form, payload, read = await found.drafts(answer=said, reason="No.\r\nThank you.")
    assert (payload.answer, payload.message, payload.price) == (said, "No.\nThank you.", None)
    assert oath in read.text
    if scripts:
        form = signed(found.ada, form, "licence-answer")
    done = await found.ada.person.sends(f"{found.path}/answer", form)
    assert done.status_code == 303, done.text
    seen = await shown(found.lab, found.asked)
    assert (seen.request.state, seen.answer is not None) == (state, True)
    (signature,) = seen.answer.envelope.signatures  # type: ignore[union-attr]
    assert (signature.keyid == found.ada.key.keyid) is scripts
    assert envelopes.read_as(LicenceAnswer, seen.answer.envelope) == payload  # type: ignore[union-attr]
    page = await held_whole(found.ada.browser, found.path, "en")
    assert "No. Thank you." in page.text
    assert "Make another offer" in page.text
    quote = await found.lab.ask(found.shelf.wanted(), request=found.asked.request)
    assert quote.status_code == 409, quote.text
    assert (await found.ada.person.sends(found.path, await found.form(answer="withdraw"))).status_code == 409


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"amount": ""}, "an amount such as 2.00"),
        ({"amount": "0"}, "an amount such as 2.00"),
        ({"amount": "2,50"}, "an amount such as 2.00"),
        ({"currency": "XXX"}, "one of the currencies"),
        ({"model": "negotiate"}, "how you are paid"),
        ({"model": "free"}, "how you are paid"),  # at claim level 0
        ({"model": "proposed"}, "how you are paid"),  # where nothing is proposed
        ({"model": "revenue-share", "share": "101"}, "a share such as 30"),
        ({"model": "revenue-share", "share": ""}, "a share such as 30"),
        ({"model": "revenue-share", "share": "30", "least": "much"}, "an amount such as 500"),
        ({"until": ""}, "within the next 180 days"),
        ({"until": "2020-01-01"}, "within the next 180 days"),
        ({"until": "2999-01-01"}, "within the next 180 days"),
        ({"ends": "2020-01-01"}, "after the last day"),
        ({"effect": "forget"}, "what follows"),
        ({"effect": "unlearn", "notice": ""}, "0 to 3650"),
        ({"effect": "unlearn", "notice": "4000"}, "0 to 3650"),
        ({"message": "x" * 2001}, "at most 2000"),
        ({"answer": "refuse", "reason": "\x07"}, "at most 2000"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    low: Talk, fields: dict[str, str], words: str
) -> None:
    answer = await low.ada.person.sends(low.path, await low.form(**{"message": "Hello", "amount": "7"} | fields))
    assert answer.status_code == 400, answer.text
    page = Read(answer.text)
    assert words in page.text
    if "message" not in fields and "answer" not in fields:
        assert "Hello</textarea>" in answer.text
    assert 'aria-describedby="wrong' in answer.text or "model" in fields
    assert (await low.state()).state == "open"


@pytest.fixture(scope="module")
async def low(site: Running) -> Talk:
    return await talk(site, level=0, count=1)


@pytest.mark.parametrize(
    ("fields", "price"),
    [
        ({"model": "per-training-run"}, Price(model="per-training-run", amount="2.5", currency="USD")),
        ({"model": "per-output"}, Price(model="per-output", amount="2.5", currency="USD")),
        ({"model": "subscription"}, Price(model="subscription", amount="2.5", currency="USD", period="P1M")),
        ({"model": "revenue-share", "share": "12.5 %"}, Price(model="revenue-share", share_bps=1250)),
        (
            {"model": "revenue-share", "share": "30", "least": "500"},
            Price(model="revenue-share", share_bps=3000, minimum="500", currency="USD"),
        ),
    ],
)
async def test_every_price_carries_its_own_figures_alone(low: Talk, fields: dict[str, str], price: Price) -> None:
    _, payload, _ = await low.drafts(**fields)
    assert payload.price == price.to_json()


async def test_what_a_team_proposes_and_a_present_are_offered_as_they_stand(site: Running) -> None:
    pool = Price(model="pool", currency="USD", share_bps=500)
    found = await talk(site, price=pool.to_json())
    assert (await found.drafts(model="proposed"))[1].price == pool.to_json()
    assert (await found.drafts(model="free"))[1].price == {"model": "free"}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_the_team_declined_or_took_back_is_said_with_its_reason(site: Running, language: Language) -> None:
    found = await talk(site)
    path = f"/{language}/requests/{found.asked.request}"
    words = ROOM.speaks(language)
    await offer(found.ada.owner, found.asked)
    told(await says(found.lab, await word(found.lab, found.asked, "Too dear.")))
    declined = await held_whole(found.ada.browser, path, language)
    assert words("state_ask_declined") in declined.text
    assert "Too dear." in declined.text
    assert words("offer_again") in declined.text
    told(await says(found.lab, await word(found.lab, found.asked, "Never mind.")))
    over = await held_whole(found.ada.browser, path, language)
    assert words("state_ask_withdrawn") in over.text
    assert "Never mind." in over.text
    assert ("answer", "offer") not in over.fields
    assert words("state_ask_withdrawn") in (await held_whole(found.ada.browser, f"/{language}/requests", language)).text
    alerts = await held_whole(found.ada.browser, f"/{language}/alerts", language)
    for kind in ("licence-declined", "licence-request-withdrawn"):
        assert words(f"event_{kind}") in alerts.text
    assert (await found.ada.person.sends(found.path, await found.form())).status_code == 409


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_was_taken_back_while_she_wrote_is_shown_and_nothing_is_signed(
    site: Running, language: Language
) -> None:
    found, words = await talk(site), ROOM.speaks(language)
    begun, _, _ = await found.drafts()
    sealed = signed(found.ada, begun, "licence-answer")
    told(await says(found.lab, await word(found.lab, found.asked, "Never mind.")))
    path = f"/{language}/requests/{found.asked.request}"
    form = await found.form()
    for answer in (await found.ada.person.sends(path, form), await found.ada.person.sends(f"{path}/answer", sealed)):
        read = Read(answer.text)
        assert (answer.status_code, words("request_late") in read.text) == (409, True), answer.text
        assert words("state_ask_withdrawn") in read.text  # how it stands now
        assert ("answer", "offer") not in read.fields
    seen = await shown(found.lab, found.asked)
    assert (seen.request.state, seen.answer) == ("withdrawn", None)


async def test_a_request_is_for_whom_it_asks(site: Running, low: Talk) -> None:
    eve = await joined(site, "Eve")
    assert (await eve.http.get(low.path, headers=HTML)).status_code == 404
    assert "Lantern Labs" not in (await eve.http.get("/en/requests", headers=HTML)).text
    own = (await eve.form("/en/account"))["form"]
    assert (await eve.sends(low.path, {**await low.form(), "form": own})).status_code == 404
    form, _, _ = await low.drafts(answer="refuse")
    assert (await eve.sends(f"{low.path}/answer", {**form, "form": own})).status_code == 404
    assert (await low.state()).state == "open"
    assert (await low.ada.person.sends(low.path, await low.form(answer="perhaps"))).status_code == 400


async def test_the_list_begins_with_what_waits(site: Running) -> None:
    found = await talk(site, name="Old Mill")
    other = await trainer(site, "New Mill")
    later = told(await send(other, question(other, found.shelf))).request
    await offer(found.ada.owner, later)
    page = await held_whole(found.ada.browser, "/en/requests", "en")
    assert page.text.index("Old Mill") < page.text.index("New Mill")
    assert page.text.count("Old Mill") == 1
    only = await held_whole(found.ada.browser, "/en/requests?state=offered", "en")
    assert ("Old Mill" in only.text, "New Mill" in only.text) == (False, True)
