"""Signing at the portal: only what was on screen, once, in the language that it was read in (semantics 2, 7, 10)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.canonical import from_base64
from licet.errors import InputError
from licet.statements.kinds import Consent
from licet.terms import ATOMS, Price, plain_text, preset, text_hash
from registry.portal.artists.choosing import CARDS, filled_of, terms_of
from tests.registry.harness import Running
from tests.registry.portal.people import HTML, Artist, Read, fields_of, joined

pytestmark = pytest.mark.anyio


@pytest.fixture
async def artist(site: Running) -> Artist:
    found = await joined(site, "苏棠")
    await found.registers(3)
    return found


def consent(form: dict[str, list[str]]) -> Consent:
    return msgspec.json.decode(from_base64(form["payload"][0]), type=Consent)


async def state(artist: Artist, work: str) -> dict[str, Any]:
    return dict((await artist.http.get(f"/v1/works/{work}")).json())


@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("zh", "zh-Hans")])
async def test_the_text_on_screen_is_what_is_signed_in_the_language_it_was_read_in(
    artist: Artist, language: str, tag: str
) -> None:
    answer = await artist.http.get(f"/{language}/terms?scope=unsigned", headers=HTML)
    page = Read(answer.text)
    payload = consent(await artist.form(f"/{language}/terms?scope=unsigned"))
    text = plain_text(preset("no-ai"), tag, "苏棠", 3)
    assert " ".join(text.split()) in page.text
    assert (payload.shown.lang, payload.shown.text_hash) == (tag, text_hash(text))
    form = artist.signed(await artist.form(f"/{language}/terms?scope=unsigned"))
    signed = await artist.sends(f"/{language}/terms/sign", form)
    receipt = Read((await artist.http.get(signed.headers["location"], headers=HTML)).text)
    assert " ".join(text.split()) in receipt.text
    other = {"en": "zh", "zh": "en"}[language]
    again = await artist.http.get(signed.headers["location"].replace(f"/{language}/", f"/{other}/"), headers=HTML)
    assert " ".join(text.split()) in Read(again.text).text  # a receipt keeps the language that was signed


async def test_choices_that_are_not_the_text_on_screen_are_shown_and_not_signed(artist: Artist) -> None:
    form = artist.signed(await artist.form(f"/en/terms?work={artist.works[0]}"))
    answer = await artist.sends("/en/terms/sign", {**form, "card": ["research"]})
    assert answer.status_code == 409
    assert "nothing was signed" in Read(answer.text).text
    assert (await state(artist, artist.works[0]))["state"] == "unsigned"
    for field, value in (("payload", "x"), ("payload", ""), ("sig", "AAAA"), ("w", artist.works[1])):
        refused = await artist.sends("/en/terms/sign", {**form, field: [value]})
        assert refused.status_code in (400, 409), field
    assert (await state(artist, artist.works[0]))["state"] == "unsigned"


async def test_a_form_sent_twice_has_one_effect_and_one_receipt(artist: Artist) -> None:
    form = artist.signed(await artist.form("/en/terms?scope=all"))
    first = await artist.sends("/en/terms/sign", form)
    second = await artist.sends("/en/terms/sign", form)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert len((await artist.http.get("/v1/statements")).json()["items"]) == 1


async def test_a_page_that_another_signature_overtook_is_shown_anew(artist: Artist) -> None:
    stale = artist.signed(await artist.form("/en/terms?scope=all"))
    fresh = artist.signed(await artist.form("/en/terms?scope=all"))
    assert (await artist.sends("/en/terms/sign", fresh)).status_code == 303
    answer = await artist.sends("/en/terms/sign", stale)
    assert (answer.status_code, "came first" in answer.text) == (409, True)


async def test_without_a_key_terms_only_get_stricter(artist: Artist) -> None:
    work = artist.works[0]
    path = f"/en/terms?work={work}"
    assert (await artist.sends("/en/terms/sign", await artist.form(path))).status_code == 303
    found = await state(artist, work)
    assert found["state"] == "in-force"
    answer = await artist.sends("/en/terms/sign", await artist.form(f"{path}&card=research"))
    assert answer.status_code == 403
    assert "needs your own passkey" in Read(answer.text).text
    assert (await state(artist, work))["terms_hash"] == found["terms_hash"]


async def test_looser_terms_wait_and_are_taken_back_by_signing_what_is_in_force(artist: Artist) -> None:
    work, path = artist.works[0], f"/en/terms?work={artist.works[0]}"
    assert (await artist.sends("/en/terms/sign", artist.signed(await artist.form(path)))).status_code == 303
    loosening = await artist.sends("/en/terms/sign", artist.signed(await artist.form(f"{path}&card=research")))
    statement = loosening.headers["location"].rpartition("/")[2]
    assert (await state(artist, work))["state"] == "pending"
    page = await artist.http.get(f"/en/works/{work}", headers=HTML)
    assert f"/en/terms?undoes={statement}" in page.text
    undoing = artist.signed(await artist.form(f"/en/terms?undoes={statement}"))
    assert consent(undoing).terms_hash == preset("no-ai").hash
    assert (await artist.sends("/en/terms/sign", undoing)).status_code == 303
    assert (await state(artist, work))["state"] == "in-force"
    gone = await artist.http.get(f"/en/terms?undoes={statement}", headers=HTML)
    assert "Nothing waits any longer" in Read(gone.text).text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"card": "paid"}, "give a price"),
        ({"card": "paid", "amount": "-1"}, "give a price"),
        ({"card": "paid", "amount": "1", "currency": "XXX"}, "choose one of the currencies"),
        ({"card": "paid", "amount": "1", "until": "2001-01-01"}, "a day to come"),
        ({"card": "own", "amount": "1", "atom-mine": "perhaps"}, "choose one of the four"),
        ({"card": "all"}, "choose one of the four"),
    ],
)
async def test_a_wrong_field_is_named_and_cannot_be_signed(artist: Artist, fields: dict[str, str], words: str) -> None:
    form = await artist.form(f"/en/terms?work={artist.works[0]}")
    answer = await artist.sends("/en/terms", {**form, **fields})
    assert answer.status_code == 200
    page = Read(answer.text)
    assert words in page.text
    assert not [each for _, each in page.elements if "data-sign" in each]
    wrong = artist.signed({**form, **{name: [value] for name, value in fields.items()}})
    assert (await artist.sends("/en/terms/sign", wrong)).status_code == 409


async def test_nothing_and_too_much_are_said_plainly(artist: Artist) -> None:
    token = (await artist.form("/en/account"))["form"]
    nothing = await artist.sends("/en/terms", {"form": token, "scope": "works"})
    assert "Choose pictures first" in Read(nothing.text).text
    assert (await artist.sends("/en/terms", {"form": token, "scope": "everything"})).status_code == 400
    large = await artist.sends("/en/terms", {"form": token, "w": ["x" * (1 << 20)]})
    assert large.status_code == 413


@given(
    card=st.sampled_from(CARDS),
    amount=st.sampled_from(["", "0", "0.05", "2.50", "1e3", "999999"]),
    permissions=st.lists(st.sampled_from(["deny", "license", "allow"]), min_size=10, max_size=10),
)
async def test_no_card_permits_more_than_it_says(card: str, amount: str, permissions: list[str]) -> None:
    atoms = dict(zip(ATOMS, permissions, strict=True))
    try:
        terms = terms_of(card, amount, "CNY", "", atoms)
    except InputError:
        return
    for atom in ATOMS:
        said = terms.rules[atom].permission
        if card == "own":
            assert said == atoms[atom]
        elif atom != "search":
            assert said == preset(card, terms.rules["mine"].price if card == "paid" else None).rules[atom].permission


async def chosen_on(artist: Artist, query: str) -> tuple[dict[str, list[str]], Read]:
    answer = await artist.http.get(f"/en/terms?{query}", headers=HTML)
    assert answer.status_code == 200, answer.text
    return fields_of(answer.text), Read(answer.text)


async def test_changing_terms_begins_with_what_is_in_force(artist: Artist) -> None:
    await artist.registers(2)
    first, second = artist.works[-2:]
    path = f"work={first}"
    fields, _ = await chosen_on(artist, path)
    assert fields["card"] == ["no-ai"]  # nothing is in force yet: the strictest
    paid = {"card": ["paid"], "amount": ["2.5"], "currency": ["EUR"], "until": ["2999-12-31"]}
    shown = fields_of((await artist.sends("/en/terms", {**fields, **paid})).text)
    signed = {**artist.signed(shown), "currency": ["EUR"]}
    assert (await artist.sends("/en/terms/sign", signed)).status_code == 303
    fields, page = await chosen_on(artist, path)
    assert {**{name: fields.get(name) for name in paid}, "currency": ["EUR"]} == paid
    assert "€2.5" in page.text or "2.5 EUR" in page.text
    # Everything made strict begins with the strictest, whatever is in force.
    fields, _ = await chosen_on(artist, "scope=all")
    assert fields["card"] == ["no-ai"]
    # Works with different terms begin with the strictest, and the page says why.
    strict = await artist.form(f"/en/terms?work={second}")
    assert (await artist.sends("/en/terms/sign", artist.signed(strict))).status_code == 303
    both = {"form": strict["form"], "scope": "works", "w": [first, second]}
    mixed = await artist.sends("/en/terms", both)
    assert fields_of(mixed.text)["card"] == ["no-ai"]
    assert "These pictures have different terms now." in Read(mixed.text).text


async def test_ones_own_terms_begin_as_strict_as_the_strictest_and_no_stricter(artist: Artist) -> None:
    await artist.registers(1)
    fields, page = await chosen_on(artist, f"work={artist.works[-1]}&card=own")
    said = {name.removeprefix("atom-"): value[0] for name, value in fields.items() if name.startswith("atom-")}
    assert said == {atom: rule.permission for atom, rule in preset("no-ai").rules.items()}
    assert "details" not in [tag for tag, each in page.elements if each.get("class") == "atoms"]  # nothing is folded


async def test_terms_that_no_card_can_say_are_not_taken_for_others() -> None:
    price = Price(model="per-training-run", amount="2", currency="USD")
    for card in ("no-ai", "research", "paid"):
        terms = preset(card, price if card == "paid" else None)
        filled = filled_of(terms)
        assert filled is not None
        assert (filled.card, terms_of(*filled).hash) == (card, terms.hash)
    assert filled_of(preset("paid", Price(model="per-work", amount="2", currency="USD"))) is None
    assert filled_of(preset("paid", Price(model="per-training-run", amount="2", currency="GBP"))) is None
