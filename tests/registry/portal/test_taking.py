"""Offers at a team's pages: all that it costs is shown, a passkey takes exactly that, and nothing else is taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import httpx
import msgspec
import pytest

from licet import identifiers, times
from licet.canonical import from_base64
from licet.statements.kinds import Licence, LicenceAnswer, LicenceRequest
from licet.terms import Price, Revocation, Terms, price_text
from licet.wire.agreements import RequestInfo
from registry.portal.frame.languages import LANGUAGES, TAGS, Language
from registry.portal.organisations.room import ROOM
from tests.registry import keymaking as make
from tests.registry.agreements.talks import NEGOTIATED, ask, offer, reply, shown
from tests.registry.catalogue import artist
from tests.registry.harness import Running
from tests.registry.market import Shelf, shelf
from tests.registry.portal.people import HTML, Read, fields_of
from tests.registry.portal.selling import signed_by
from tests.registry.portal.team import Team, teamed
from tests.registry.portal.whole import held_whole

pytestmark = pytest.mark.anyio

PRICES = {
    "per-work": (Price(model="per-work", amount="2", currency="USD"), 4_000_000),
    "per-training-run": (Price(model="per-training-run", amount="0.5", currency="EUR"), 1_000_000),
    "per-output": (Price(model="per-output", amount="0.01", currency="EUR"), 0),
    "subscription": (Price(model="subscription", amount="3", currency="USD", period="P1M"), 0),
    "revenue-share": (Price(model="revenue-share", share_bps=2500), 0),
    "free": (Price(model="free"), 0),
}


@dataclass
class Offer:
    """A team, an artist's works that it asked for, and the request with her offer."""

    team: Team
    shelf: Shelf
    asked: RequestInfo
    language: Language = "en"

    @property
    def path(self) -> str:
        return f"/{self.language}/organisation/requests/{self.asked.request}"

    async def sends(self, path: str, form: dict[str, list[str]]) -> httpx.Response:
        return await self.team.browser.post(path, data=form, headers={**HTML, **make.SAME_ORIGIN})

    async def looks(self, **fields: str) -> httpx.Response:
        """See what the offer would come to, as the form of the request asks."""
        page = await self.team.browser.get(self.path, headers=HTML)
        return await self.sends(f"{self.path}/offer", fields_of(page.text) | {k: [v] for k, v in fields.items()})

    async def signed(self, **fields: str) -> dict[str, list[str]]:
        """Return the form that takes the offer, signed by the team's passkey."""
        page = await self.looks(**fields)
        assert page.status_code == 200, page.text
        return signed_by(self.team.lab.site, self.team.key, fields_of(page.text), "licence")

    async def takes(self, form: dict[str, list[str]]) -> httpx.Response:
        return await self.sends(f"{self.path}/accept", form)

    async def state(self) -> RequestInfo:
        return (await shown(self.team.lab, self.asked)).request


async def offered(site: Running, name: str, price: Price = PRICES["per-work"][0], **said: object) -> Offer:
    team, owner = await teamed(site, name), await artist(site, "Ines")
    await owner.raise_level(2)
    works = await shelf(site, NEGOTIATED, 2, owner=owner)
    return Offer(team, works, await offer(owner, await ask(team.lab, works), price, **said))


@pytest.mark.parametrize("model", PRICES)
async def test_an_offer_is_taken_at_the_price_that_was_on_screen(site: Running, model: str) -> None:
    price, due = PRICES[model]
    found = await offered(site, f"Takes {model}", price)
    page = await found.looks(run="night-7")
    assert page.status_code == 200, page.text
    read, form = Read(page.text), fields_of(page.text)
    body = from_base64(form["payload"][0])
    assert body.decode() in read.text  # the very bytes
    licence = msgspec.json.decode(body, type=Licence)
    assert (sum(each.amount for each in licence.totals), licence.run, licence.count) == (due, "night-7", 2)
    assert sum(each.amount for each in licence.budget) == due  # nothing beyond what is shown
    assert price_text(price, "en") in read.text
    if due:
        assert ROOM.speaks("en").money(due, price.currency or "") in read.text
    else:
        assert "Nothing is due at once" in read.text
    sealed = signed_by(site, found.team.key, form, "licence")
    taken = await found.takes(sealed)
    assert (taken.status_code, (await found.state()).state) == (303, "accepted")
    led = taken.headers["location"]
    assert led == f"/en/organisation/licences/{licence.licence}"
    await held_whole(found.team.browser, led, "en")
    again = await found.takes(sealed)  # sent twice, it is the same licence
    assert (again.status_code, again.headers["location"]) == (303, led)
    request = await held_whole(found.team.browser, found.path, "en")
    assert led in request.links()
    assert f"{found.path}/offer" not in request.sent


@pytest.mark.parametrize("language", LANGUAGES)
async def test_how_it_can_be_taken_back_is_told_where_one_signs(site: Running, language: Language) -> None:
    words, terms = ROOM.speaks(language), NEGOTIATED.to_json()
    found = await offered(site, f"Firm {language}")
    found.language = language
    assert words("accept_back_firm") in Read((await found.looks()).text).text
    for rule in terms.values():
        if rule["permission"] == "license":
            rule["revocation"] = {"notice_days": 30, "effect": "retire-model"}
    works = await shelf(site, Terms.parse(terms), 2, owner=found.shelf.owner)
    found.asked = await offer(works.owner, await ask(found.team.lab, works), PRICES["per-work"][0])
    shown_there = Read((await found.looks()).text).text
    assert words("answer_days", n=30, duty=words("duty_retire-model")) in shown_there
    assert words("accept_back_firm") not in shown_there
    # Nor is it forgotten once it is signed.
    taken = await found.takes(await found.signed())
    page = await held_whole(found.team.browser, taken.headers["location"], language)
    assert words("answer_days", n=30, duty=words("duty_retire-model")) in page.text
    assert words("accept_back_firm") not in page.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_is_taken_back_or_without_a_passkey_takes_nothing(site: Running, language: Language) -> None:
    found = await offered(site, "Careful", revocation=Revocation(notice_days=14), message="Gladly.")
    found.language = language
    words = ROOM.speaks(language)
    page = await found.looks()
    read = Read(page.text)
    assert price_text(PRICES["per-work"][0], TAGS[language]) in read.text
    assert words("answer_days", n=14, duty=words("duty_stop-new-runs")) in read.text
    form = fields_of(page.text)
    bare = await found.takes(form)
    assert (bare.status_code, words("accept_unsigned") in Read(bare.text).text) == (403, True)
    wrong = await found.looks(run=" " * 3)
    marked = [each["id"] for _, each in Read(wrong.text).elements if each.get("aria-invalid")]
    assert (wrong.status_code, marked) == (400, ["run"])
    sealed = signed_by(site, found.team.key, form, "licence")
    other = await found.takes({**sealed, "quote": ["quo_00000000000000000000000000"]})
    assert other.status_code == 404
    await reply(found.shelf.owner, found.asked, None)
    late = await found.takes(sealed)
    assert (late.status_code, words("accept_changed") in Read(late.text).text) == (409, True)
    looked = await found.looks()
    assert (looked.status_code, words("accept_changed") in Read(looked.text).text) == (409, True)
    assert (await found.state()).state == "refused"
    assert (await found.team.lab.http.get("/v1/licences")).json()["items"] == []


async def test_figures_that_are_too_old_are_shown_anew(site: Running) -> None:
    found = await offered(site, "Slow")
    sealed = await found.signed()
    async with site.services.database.transaction() as conn:
        await conn.execute(
            "update quotes set body = convert_to(replace(convert_from(body, 'utf8'), $2, $3), 'utf8') where id = $1",
            *await _ended(found, sealed),
        )
    anew = await found.takes(sealed)
    assert (anew.status_code, ROOM.speaks("en")("accept_expired") in Read(anew.text).text) == (409, True)
    fresh = signed_by(site, found.team.key, fields_of(anew.text), "licence")
    assert fresh["quote"] != sealed["quote"]
    assert (await found.takes(fresh)).status_code == 303


async def _ended(found: Offer, form: dict[str, list[str]]) -> tuple[object, str, str]:
    """Return the number of the quote, when it ends, and a moment that is over."""
    quote = (await found.team.lab.http.get(f"/v1/quotes/{form['quote'][0]}")).json()
    over = times.to_text(times.now() - timedelta(seconds=1))
    return identifiers.to_uuid(form["quote"][0]), quote["expires_at"], over


async def test_nobody_else_takes_an_offer_and_a_team_that_is_asked_answers_as_artists_do(site: Running) -> None:
    agency = await artist(site, "Agency", "organisation")
    key = make.passkey(site, "Agency")
    await make.add(site, agency.account, key)
    theirs = await make.signed_in(site, key)
    team, stranger = await teamed(site, "Asking"), await teamed(site, "Stranger")
    works = await shelf(site, NEGOTIATED, 1, owner=agency)
    asked = await ask(team.lab, works)
    mine, path = f"/en/organisation/requests/{asked.request}", f"/en/requests/{asked.request}"
    for who in (stranger.browser, site.http):
        assert (await who.get(mine, headers=HTML)).status_code in (303, 404)
        assert (await who.get(path, headers=HTML)).status_code in (303, 404)
    led = await team.browser.get(path, headers=HTML)  # whoever asks has a page of its own
    assert (led.status_code, led.headers["location"]) == (303, mine)
    assert path in (await held_whole(theirs, mine, "en")).links()
    assert mine in (await held_whole(theirs, "/en/organisation", "en")).links()
    page = await held_whole(theirs, path, "en")
    assert "Asking asks you for a licence" in page.text
    said = {"answer": ["offer"], "model": ["per-work"], "amount": ["2"], "currency": ["USD"]}
    form = fields_of((await theirs.get(path, headers=HTML)).text) | said
    drafted = await theirs.post(path, data=form, headers={**HTML, **make.SAME_ORIGIN})
    assert drafted.status_code == 200, drafted.text
    body = fields_of(drafted.text)
    assert msgspec.json.decode(from_base64(body["payload"][0]), type=LicenceAnswer).answer == "offer"
    # Whoever asks cannot answer in her place.
    own = fields_of((await team.browser.get(mine, headers=HTML)).text)["form"]
    refused = await team.browser.post(path, data=form | {"form": own}, headers={**HTML, **make.SAME_ORIGIN})
    assert refused.status_code == 403
    sealed = signed_by(site, key, body, "licence-answer")
    answered = await theirs.post(f"{path}/answer", data=sealed, headers={**HTML, **make.SAME_ORIGIN})
    assert (answered.status_code, answered.headers["location"]) == (303, path)
    found = Offer(team, works, asked)
    assert (await found.state()).state == "offered"
    # The agency cannot take its own offer.
    own = fields_of((await theirs.get(path, headers=HTML)).text)["form"]
    taken = await theirs.post(f"{mine}/offer", data={"form": own}, headers={**HTML, **make.SAME_ORIGIN})
    assert taken.status_code == 409
    assert (await found.takes(await found.signed())).status_code == 303


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_team_asks_an_artist_and_signs_what_it_read(site: Running, language: Language) -> None:
    team, works = await teamed(site, "Curious"), await shelf(site, NEGOTIATED, 2, owner=await artist(site, "Ines"))
    words, path = ROOM.speaks(language), f"/{language}/organisation/requests"
    public = await held_whole(team.browser, f"/{language}/work/{works.works[0]}", language)
    assert f"{path}/new?work={works.works[0]}" in public.links()
    # Once in the words that she signed, and beside each of the four uses that it is the price of.
    assert public.text.count(price_text(Price(model="negotiate"), TAGS[language])) == 5
    form = fields_of((await team.browser.get(f"{path}/new?work={works.works[0]}", headers=HTML)).text)

    async def sends(to: str, fields: dict[str, list[str]]) -> httpx.Response:
        return await team.browser.post(f"{path}/{to}", data=fields, headers={**HTML, **make.SAME_ORIGIN})

    form |= {
        "works": [" ".join(works.works)], "model": ["acme/lantern@1"], "use": ["train-gen", "evaluate"],
        "territory": ["Japan，法国"], "price": ["per-work"], "amount": ["1.5"], "currency": ["EUR"],
        "message": ["May we?\r\nPlease."],
    }  # fmt: skip
    page = await sends("new", form)
    assert page.status_code == 200, page.text
    shown_form, read = fields_of(page.text), Read(page.text)
    body = from_base64(shown_form["payload"][0])
    assert body.decode() in read.text
    payload = msgspec.json.decode(body, type=LicenceRequest)
    assert (payload.works, payload.use.territory) == (sorted(works.works), ["FR", "JP"])
    assert (payload.use.atoms, payload.message) == (["evaluate", "train-gen"], "May we?\nPlease.")
    assert price_text(Price(model="per-work", amount="1.5", currency="EUR"), TAGS[language]) in read.text
    bare = await sends("ask", shown_form)
    assert (bare.status_code, words("new_unsigned") in Read(bare.text).text) == (403, True)
    assert (await team.lab.http.get("/v1/licence-requests")).json()["items"] == []
    sealed = signed_by(site, team.key, shown_form, "licence-request")
    sent = await sends("ask", sealed)
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}/{payload.request}")
    assert (await sends("ask", sealed)).headers["location"] == f"{path}/{payload.request}"
    (listed,) = (await team.lab.http.get("/v1/licence-requests")).json()["items"]
    assert (listed["request"], listed["state"]) == (payload.request, "open")
    await held_whole(team.browser, f"{path}/{payload.request}", language)


@pytest.mark.parametrize(
    ("fields", "marked", "status"),
    [
        ({"works": "wrk_1"}, "works", 400),
        ({"works": ""}, "works", 400),
        ({"works": "wrk_00000000000000000000000000"}, "works", 400),
        ({"model": "lantern"}, "model", 400),
        ({"use": "everything"}, "use", 400),
        ({"purpose": "fun"}, "purpose", 400),
        ({"territory": "Atlantis"}, "territory", 400),
        ({"weights": "perhaps"}, "weights", 400),
        ({"scope": "both"}, "scope", 400),
        ({"price": "per-work", "amount": "0"}, "amount", 400),
        ({"price": "per-work", "amount": "1", "currency": "XXX"}, "currency", 400),
        ({"price": "pool"}, "price", 400),
        ({"message": "x" * 2001}, "message", 400),
        ({"use": "redistribute"}, "works", 409),  # her terms say no: she is not asked
    ],
)
async def test_a_request_that_cannot_be_asked_names_its_field(
    site: Running, fields: dict[str, str], marked: str, status: int
) -> None:
    team, works = await teamed(site, "Hasty"), await shelf(site, NEGOTIATED, 1, owner=await artist(site, "Ines"))
    path = "/en/organisation/requests/new"
    form = fields_of((await team.browser.get(f"{path}?work={works.works[0]}", headers=HTML)).text)
    form |= {"model": ["acme/lantern@1"]} | {name: [value] for name, value in fields.items()}
    page = await team.browser.post(path, data=form, headers={**HTML, **make.SAME_ORIGIN})
    read = Read(page.text)
    named = [
        each.get("id") or marked for _, each in read.elements if each.get("aria-describedby", "").startswith("wrong")
    ]
    assert (page.status_code, named) == (status, [marked]), read.text
    assert any(each.get("id") == f"wrong-{marked}" for _, each in read.elements)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_all_that_is_wrong_with_a_request_is_said_at_once(site: Running, language: Language) -> None:
    team, path = await teamed(site, "Hasty"), f"/{language}/organisation/requests/new"
    form = fields_of((await team.browser.get(path, headers=HTML)).text)
    wrong = {"works": "wrk_00000000000000000000000000", "model": "lantern", "use": "everything", "purpose": "fun"}
    wrong |= {"territory": "Atlantis", "scope": "both", "weights": "perhaps", "message": "x" * 2001}
    wrong |= {"price": "per-work", "amount": "0", "currency": "XXX"}
    given = form | {name: [value] for name, value in wrong.items()}
    page = await team.browser.post(path, data=given, headers={**HTML, **make.SAME_ORIGIN})
    read, words = Read(page.text), ROOM.speaks(language)
    named = {each["id"].removeprefix("wrong-") for _, each in read.elements if each.get("id", "").startswith("wrong-")}
    assert (page.status_code, named) == (400, set(wrong) - {"price"})
    assert all(words(f"wrong_ask_{each}") in read.text for each in named)
