"""Signing at the portal: only what was on screen, once, in the language that it was read in (semantics 2, 7, 10)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import times
from licet.canonical import from_base64
from licet.errors import InputError
from licet.statements.kinds import Consent
from licet.terms import ATOMS, PRICE_MODELS, Price, Terms, conditions_text, plain_text, preset, read_price, text_hash
from licet.terms.atoms import REVOCATION_EFFECTS
from registry.portal.artists.choosing import CARDS, Filled, filled_of, terms_of
from registry.portal.artists.conditions import Conditions
from registry.portal.artists.room import ROOM
from registry.portal.artists.words import WORDS
from tests.registry import keymaking as make
from tests.registry.harness import Running
from tests.registry.portal.people import HTML, Artist, Read, fields_of, joined
from tests.sdk.terms.strategies import terms as whole_terms

PER_RUN: Final = {"model": "per-training-run"}
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
    assert str(WORDS["receipt_check"][language == "zh"]) in receipt.linked  # the file with it is held to the log
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


async def test_terms_opened_again_after_the_signature_say_that_it_is_kept_and_what_is_left_to_do(
    artist: Artist,
) -> None:
    first, second, third = artist.works
    both = f"work={first}&work={second}"
    form = await artist.form(f"/en/terms?{both}")
    assert form["w"] == sorted([first, second])
    signed = (await artist.sends("/en/terms/sign", artist.signed(form))).headers["location"]
    for language, words in (("en", "There is nothing left to do"), ("zh", "不用再做什么")):
        page = Read((await artist.http.get(f"/{language}/terms?{both}", headers=HTML)).text)
        assert words in page.text
        assert signed.replace("/en/", f"/{language}/") in page.links()
    for others in (f"work={first}", f"work={third}", f"{both}&work={third}", "scope=all", "scope=unsigned"):
        page = Read((await artist.http.get(f"/en/terms?{others}", headers=HTML)).text)
        assert "There is nothing left to do" not in page.text  # it was not said of these, or not of these alone
    many = "&".join([f"work={first}"] * 101)
    assert (await artist.http.get(f"/en/terms?{many}", headers=HTML)).status_code == 400
    last = await artist.form("/en/terms?scope=all")
    assert (await artist.sends("/en/terms/sign", artist.signed(last))).status_code == 303
    whole = Read((await artist.http.get("/en/terms?scope=all", headers=HTML)).text)
    assert "There is nothing left to do" in whole.text


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
        ({"card": "paid"}, "Still to fill in: Per picture"),
        ({"card": "paid", "amount": "-1"}, "give a price"),
        ({"card": "paid", "amount": "1", "currency": "XXX"}, "choose one of the currencies"),
        ({"card": "paid", "amount": "1", "until": "2001-01-01"}, "a day to come"),
        ({"card": "paid", "amount": "1", "until": "9999-12-31"}, "a day to come"),
        ({"card": "own", "atom-mine": "perhaps"}, "one of the answers for each use"),
        ({"card": "own", "atom-mine": "2", "c1-amount": "1"}, "one of the answers for each use"),
        ({"card": "own", "atom-mine": "1"}, "Still to fill in: Amount"),
        ({"card": "own", "atom-mine": "1", "c1-model": "pool", "c1-currency": "XXX"}, "one of the currencies"),
        ({"card": "own", "atom-mine": "1", "c1-model": "gift"}, "choose how you are paid"),
        ({"card": "own", "atom-mine": "1", "c1-model": "free", "c1-notice": "soon"}, "days of notice"),
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


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_what_is_not_filled_in_yet_is_no_fault_before_it_is_sent(artist: Artist, language: str) -> None:
    words, empty = ROOM.speaks(language), {"card": ["own"], "atom-mine": ["1"]}  # type: ignore[arg-type]
    form = await artist.form(f"/{language}/terms?work={artist.works[0]}")
    begun = await artist.sends(f"/{language}/terms", form | empty)
    assert words("view_missing", what=words("set_amount")) in Read(begun.text).text
    assert words("view_strictest") in Read(begun.text).text
    assert words("view_oath") not in Read(begun.text).text  # the strictest terms are not what would be signed
    assert not [
        each for _, each in Read(begun.text).elements if each.get("aria-invalid") or each.get("role") == "alert"
    ]
    sent = await artist.sends(f"/{language}/terms/sign", artist.signed(form | empty))
    assert words("wrong_set_amount") in Read(sent.text).text
    slip = await artist.sends(f"/{language}/terms", form | empty | {"c1-amount": ["two"]})
    assert words("wrong_set_amount") in Read(slip.text).text
    assert ("expected" in Read(slip.text).text) == (language == "en")  # nothing is said in a language not chosen


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
    permissions=st.lists(st.sampled_from(["deny", "1", "allow"]), min_size=10, max_size=10),
)
async def test_no_card_permits_more_than_it_says(card: str, amount: str, permissions: list[str]) -> None:
    atoms = dict(zip(ATOMS, permissions, strict=True))
    sets = (Conditions(amount=amount),)
    try:
        terms = terms_of(Filled(card, amount, "CNY", "", atoms, sets))
    except InputError:
        return
    for atom in ATOMS:
        said = terms.rules[atom].permission
        if card == "own":
            assert said == {"1": "license"}.get(atoms[atom], atoms[atom])
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
    assert (await artist.sends("/en/terms/sign", artist.signed(shown))).status_code == 303
    fields, page = await chosen_on(artist, path)
    assert {name: fields.get(name) for name in paid} == paid
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


async def test_the_three_simple_cards_are_told_apart_and_all_else_is_said_use_by_use() -> None:
    price = Price(model="per-training-run", amount="2", currency="USD")
    for card in ("no-ai", "research", "paid"):
        terms = preset(card, price if card == "paid" else None)
        filled = filled_of(terms)
        assert (filled.card, terms_of(filled).hash) == (card, terms.hash)
        assert terms_of(filled._replace(card="own")).hash == terms.hash  # opened for changing, it says the same
    for other in (
        Price(model="per-work", amount="2", currency="USD"),
        Price(model="per-training-run", amount="2", currency="GBP"),
    ):
        terms = preset("paid", other)
        assert (filled_of(terms).card, terms_of(filled_of(terms)).hash) == ("own", terms.hash)


@given(terms=whole_terms())
async def test_whatever_terms_say_a_form_says_too(terms: Terms) -> None:
    filled = filled_of(terms)
    tomorrow = times.now() + timedelta(days=1)
    if any(rule.valid_until and times.from_text(rule.valid_until) <= tomorrow for rule in terms.rules.values()):
        # What has ended cannot be signed again as if it had not: its last day is asked for anew, and all else stands.
        with pytest.raises(InputError, match="until"):
            terms_of(filled)
        return
    assert terms_of(filled) == terms


async def test_terms_made_elsewhere_are_changed_in_one_point_and_keep_all_others(artist: Artist) -> None:
    work = artist.works[0]
    said = {
        "permission": "license",
        "price": {"model": "pool", "currency": "GBP", "share_bps": 1250, "cap": "90", "period": "P1Y6M"},
        "audience": ["commercial", "research"],
        "territory": {"allow": ["EU", "JP"], "deny": ["DE"]},
        "valid_from": "2026-12-01T12:00:00.000Z",
        "valid_until": "2999-01-01T00:00:00.000Z",
        "grant_term": "P2Y3M4DT5H",
        "model_scope": "family",
        "open_weights": False,
        "exclusive": True,
        "sublicensable": False,
        "attribution": {"text": "苏棠", "url": "https://example.org/su", "place": "card"},
        "reporting": {"every": "P14D"},
        "revocation": {"notice_days": 0, "effect": "unlearn"},
    }
    asked = {"permission": "license", "price": {"model": "negotiate"}}
    terms = Terms.parse(dict.fromkeys(ATOMS, "deny") | {"train-gen": said, "mine": said, "generate": asked})
    body = {"works": [work], "terms": terms.to_json(), "lang": "en"}
    drafted = await artist.site.post("/v1/statements/draft", body, http=artist.http, **make.SAME_ORIGIN)
    # What was drafted elsewhere is taken with the artist's signature, as from any program of hers.
    form = {**await artist.form(f"/en/terms?work={work}"), "payload": [drafted.json()["payload"]], "card": ["keep"]}
    assert (await artist.sends("/en/terms/sign", artist.signed(form))).status_code == 303
    fields, page = await chosen_on(artist, f"work={work}")
    assert fields["card"] == ["own"]
    assert consent(fields).terms_hash == terms.hash
    assert "If the artist agrees" in page.text
    fields["c1-but"] = ["Germany，法国"]
    shown = fields_of((await artist.sends("/en/terms", fields)).text)
    assert (await artist.sends("/en/terms/sign", artist.signed(shown))).status_code == 303
    said["territory"] = {"allow": ["EU", "JP"], "deny": ["DE", "FR"]}
    wanted = Terms.parse(dict.fromkeys(ATOMS, "deny") | {"train-gen": said, "mine": said, "generate": asked})
    assert consent(shown).terms_hash == wanted.hash


@pytest.mark.parametrize("model", PRICE_MODELS)
@pytest.mark.parametrize("effect", ["", *REVOCATION_EFFECTS])
async def test_every_price_and_every_way_back_can_be_chosen(artist: Artist, model: str, effect: str) -> None:
    fields = await artist.form(f"/zh/terms?work={artist.works[0]}&card=own")
    assert (fields["c1-effect"], fields["c1-notice"]) == (["stop-new-runs"], ["30"])  # what a new set begins with
    chosen = {
        "atom-train-gen": "1", "c1-model": model, "c1-amount": "2.50", "c1-share": "30", "c1-every": "3",
        "c1-credit": "苏棠" if model == "attribution" else "", "c1-effect": effect,
    }  # fmt: skip
    page = await artist.sends("/zh/terms", fields | {name: [value] for name, value in chosen.items()})
    rule = Terms.parse(consent(fields_of(page.text)).terms).rules["train-gen"]
    assert rule.offer.model == model
    assert (rule.revocation.effect if rule.revocation else "") == effect
    for words in conditions_text(rule, "zh-Hans"):
        assert words in Read(page.text).text


async def test_details_of_a_card_are_opened_and_a_second_set_is_added_without_scripts(artist: Artist) -> None:
    fields = await artist.form(f"/en/terms?work={artist.works[0]}")
    paid = {"card": ["paid"], "amount": ["5"], "currency": ["EUR"]}
    opened = fields_of((await artist.sends("/en/terms", fields | paid | {"details": ["yes"]})).text)
    assert (opened["card"], opened["c1-amount"], opened["c1-currency"]) == (["own"], ["5"], ["EUR"])
    assert (opened["atom-train-gen"], opened["atom-generate"]) == (["1"], ["deny"])
    assert consent(opened).terms_hash == preset("paid", read_price({**PER_RUN, "amount": "5", "currency": "EUR"})).hash
    more = fields_of((await artist.sends("/en/terms", opened | {"more": ["yes"]})).text)
    assert (more["c1-amount"], "c2-model" in more, "c3-model" in more) == (["5"], True, False)
    chosen = {"atom-generate": ["2"], "c2-model": ["per-output"], "c2-amount": ["0.2"], "c2-currency": ["USD"]}
    page = await artist.sends("/en/terms", more | chosen)
    rules = Terms.parse(consent(fields_of(page.text)).terms).rules
    assert rules["train-gen"].offer.to_json() == {**PER_RUN, "amount": "5", "currency": "EUR"}
    assert rules["generate"].offer.to_json() == {"model": "per-output", "amount": "0.2", "currency": "USD"}
    # An error names the field of its set: it is marked, described and linked.
    wrong = await artist.sends("/en/terms", more | chosen | {"c2-amount": ["-1"]})
    marked = [each["id"] for _, each in Read(wrong.text).elements if each.get("aria-invalid")]
    assert (marked, 'href="#c2-amount"' in wrong.text) == (["c2-amount"], True)
