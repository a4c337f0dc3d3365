"""Terms: one canonical form, one hash, one object; whatever is wrong names its field."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import canonical
from licet.errors import InputError, MalformedError
from licet.terms import ATOMS, Price, Rule, Terms, intern, json_schema, preset, read_price
from tests.sdk.terms import strategies
from tests.sdk.terms.strategies import offer, written

SCHEMA = jsonschema_rs.validator_for(json_schema())
DENIED: dict[str, Any] = dict.fromkeys(ATOMS, "deny")


@given(strategies.terms())
def test_canonical_form_is_a_fixed_point(terms):
    assert Terms.parse(terms.to_json()) == terms
    assert Terms.parse(terms.to_json()).to_json() == terms.to_json()
    assert Terms.parse(canonical.decode(terms.encoded)) == terms
    decoded = Terms.decode(terms.encoded)
    assert decoded == terms
    assert hash(decoded) == hash(terms)
    assert decoded.hash == terms.hash == canonical.digest({"vocab": 1, "terms": terms.to_json()})


@given(strategies.documents(), st.randoms())
def test_order_of_keys_and_lists_changes_nothing(document, random):
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            items = [(key, shuffled(item)) for key, item in value.items()]
            random.shuffle(items)
            return dict(items)
        if isinstance(value, list):
            return random.sample(value, len(value)) + value[:1]
        return value

    assert Terms.parse(shuffled(document)).encoded == Terms.parse(document).encoded


@given(strategies.documents())
def test_the_form_has_no_floats_no_nulls_and_every_license_a_price(document):
    def leaves(value: Any) -> Any:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return [leaf for item in inner for leaf in leaves(item)] if inner is not None else [value]

    form = Terms.parse(document).to_json()
    assert {type(leaf) for leaf in leaves(form)} <= {str, int, bool}
    assert all("price" in rule for rule in form.values() if rule["permission"] == "license")


def test_amounts_have_their_shortest_spelling_and_units_follow_from_the_model():
    terms = written(mine=offer("1.500000"), train_gen={"permission": "license"})
    assert terms.to_json()["mine"]["price"] == {"model": "per-work", "amount": "1.5", "currency": "USD"}
    assert terms.to_json()["train-gen"] == {"permission": "license", "price": {"model": "free"}}
    with_unit = {"permission": "license", "price": offer()["price"] | {"unit": "work"}}
    assert written(mine=with_unit) == written(mine=offer())


def test_the_same_bytes_are_one_object():
    encoded = preset("no-ai").encoded
    assert intern(encoded) is intern(bytes(bytearray(encoded)))
    assert intern(encoded) == preset("no-ai")


def test_all_ten_uses_must_be_named_and_no_other():
    for atom in ATOMS:
        with pytest.raises(InputError, match=f"^{atom}: expected a value, got 'nothing'"):
            Terms.parse({name: "deny" for name in ATOMS if name != atom})
    with pytest.raises(InputError, match=r"only uses out of search, index, mine, .* got 'train-ai'"):
        Terms.parse(DENIED | {"train-ai": "deny"})
    with pytest.raises(InputError, match="a rule for each of search"):
        Terms({})


PRICE = {"model": "per-work", "amount": "1", "currency": "USD"}
WRONG: list[tuple[Any, str]] = [
    ("maybe", "mine.permission: expected 'deny', 'license' or 'allow', got 'maybe'"),
    ("unset", "mine.permission: expected 'deny', 'license' or 'allow', got 'unset'"),
    ({}, "mine.permission: expected a value, got 'nothing'"),
    (None, "mine: expected an object, got None"),
    (["deny"], r"mine: expected an object, got \['deny'\]"),
    ({"permission": "allow", "price": PRICE}, "mine.price: expected no conditions with allow"),
    ({"permission": "deny", "audience": ["research"]}, "mine.audience: expected no conditions with deny"),
    ({"permission": "license", "colour": 1}, "mine.colour: expected one of the fields permission, price, audience"),
    ({"permission": "license", "price": {}}, "mine.price.model: expected a value, got 'nothing'"),
    ({"permission": "license", "price": "free"}, "mine.price: expected an object, got 'free'"),
    ({"permission": "license", "price": PRICE | {"amount": "1,5"}}, "mine.price.amount: expected a decimal"),
    ({"permission": "license", "price": PRICE | {"amount": 0.5}}, "mine.price.amount: expected a decimal"),
    ({"permission": "license", "price": PRICE | {"amount": True}}, "mine.price.amount: expected a decimal"),
    ({"permission": "license", "price": PRICE | {"amount": "0"}}, "mine.price.amount: expected more than zero"),
    ({"permission": "license", "price": PRICE | {"amount": "-1"}}, "mine.price.amount: expected a decimal"),
    ({"permission": "license", "price": PRICE | {"currency": "usd"}}, "mine.price.currency: expected an ISO 4217 code"),
    ({"permission": "license", "price": PRICE | {"currency": "BTC"}}, "mine.price.currency: expected an ISO 4217 code"),
    ({"permission": "license", "price": PRICE | {"unit": "run"}}, "mine.price.unit: expected work, because"),
    ({"permission": "license", "price": PRICE | {"model": "rent"}}, "mine.price.model: expected 'free', 'attribution'"),
    (
        {"permission": "license", "price": PRICE | {"tax": "1"}},
        "mine.price.tax: expected one of the fields model, amount",
    ),
    ({"permission": "license", "audience": []}, r"mine.audience: expected any of commercial, .* got \[\]"),
    ({"permission": "license", "audience": ["robots"]}, "mine.audience: expected any of commercial, non-commercial"),
    ({"permission": "license", "audience": ["research"]}, "mine.audience: expected commercial or non-commercial among"),
    ({"permission": "license", "territory": {}}, "mine.territory: expected countries under allow or deny"),
    ({"permission": "license", "territory": {"allow": ["UK"]}}, "mine.territory.allow: expected ISO 3166-1 alpha-2"),
    ({"permission": "license", "territory": {"allow": ["de"]}}, "mine.territory.allow: expected ISO 3166-1 alpha-2"),
    (
        {"permission": "license", "territory": {"allow": ["DE"], "deny": ["EU"]}},
        "mine.territory.allow: expected at least",
    ),
    ({"permission": "license", "territory": ["DE"]}, "mine.territory: expected an object"),
    ({"permission": "license", "valid_from": "tomorrow"}, "mine.valid_from: expected a date such as"),
    ({"permission": "license", "valid_from": "2026-02-30"}, "mine.valid_from: expected a date such as"),
    (
        {"permission": "license", "valid_until": "2026-01-01T00:00:00"},
        "mine.valid_until: expected .* with its time zone",
    ),
    ({"permission": "license", "valid_until": 2027}, "mine.valid_until: expected a date such as"),
    (
        {"permission": "license", "valid_from": "2027-01-01", "valid_until": "2027-01-01"},
        "mine.valid_until: expected a time after valid_from",
    ),
    ({"permission": "license", "grant_term": "1 year"}, "mine.grant_term: expected an ISO 8601 duration"),
    ({"permission": "license", "grant_term": "P0D"}, "mine.grant_term: expected an ISO 8601 duration"),
    ({"permission": "license", "model_scope": "any"}, "mine.model_scope: expected 'one-version' or 'family'"),
    ({"permission": "license", "open_weights": "no"}, "mine.open_weights: expected true or false, got 'no'"),
    ({"permission": "license", "exclusive": 1}, "mine.exclusive: expected true or false, got 1"),
    ({"permission": "license", "attribution": {"text": ""}}, "mine.attribution.text: expected one line of 1 to"),
    ({"permission": "license", "attribution": {"text": "a\nb"}}, "mine.attribution.text: expected one line"),
    ({"permission": "license", "attribution": {"url": "https://a"}}, "mine.attribution.text: expected a value"),
    (
        {"permission": "license", "attribution": {"text": "a", "url": "javascript:1"}},
        "mine.attribution.url: expected an address that begins with https://",
    ),
    ({"permission": "license", "reporting": {"every": "month"}}, "mine.reporting.every: expected an ISO 8601 duration"),
    (
        {"permission": "license", "revocation": {"notice_days": -1}},
        "mine.revocation.notice_days: expected at least 0, got -1",
    ),
    (
        {"permission": "license", "revocation": {"notice_days": 1.5}},
        "mine.revocation.notice_days: expected a whole number",
    ),
    (
        {"permission": "license", "revocation": {"notice_days": "30"}},
        "mine.revocation.notice_days: expected a whole number",
    ),
    (
        {"permission": "license", "revocation": {"notice_days": 1, "effect": "burn"}},
        "mine.revocation.effect: expected 'stop-new-runs', 'retire-model' or 'unlearn'",
    ),
    (
        {"permission": "license", "price": {"model": "attribution"}},
        "mine.attribution: expected the credit to give, because the price model is attribution",
    ),
]


@pytest.mark.parametrize(("rule", "message"), WRONG)
def test_what_is_wrong_names_its_field_and_what_was_expected(rule, message):
    with pytest.raises(InputError, match=message) as caught:
        Terms.parse(DENIED | {"mine": rule})
    assert caught.value.details["field"] == message.split(":")[0]
    assert caught.value.details["expected"]
    assert "got" in caught.value.details


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(ATOMS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from((*ATOMS, *Rule.model_fields, "vocab", "terms", "amount")), inner, max_size=10)
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from((*Rule.model_fields, "")))
def test_no_document_raises_anything_but_an_input_error(value, name):
    candidates: list[Any] = [value, DENIED | {"mine": {"permission": "license", name: value}}, DENIED | {"mine": value}]
    for candidate in candidates:
        try:
            Terms.parse(candidate)
        except InputError:
            continue


@given(st.binary(max_size=60) | strategies.terms().map(lambda terms: terms.encoded))
def test_bytes_are_terms_only_in_their_one_form(data):
    try:
        terms = Terms.decode(data)
    except MalformedError:
        return
    assert terms.encoded == data


@pytest.mark.parametrize(
    "change",
    [
        lambda form: form["terms"]["mine"]["price"].update(amount="1.0"),
        lambda form: form["terms"]["mine"]["price"].update(unit="work"),
        lambda form: form["terms"]["mine"].update(audience=["research", "commercial"]),
        lambda form: form["terms"].update(search="deny"),
        lambda form: form["terms"]["mine"].update(valid_from="2027-01-01"),
        lambda form: form["terms"]["mine"].update(grant_term="P12M"),
        lambda form: form["terms"]["mine"].update(attribution=None),
        lambda form: form.update(vocab=2),
        lambda form: form.pop("vocab"),
    ],
)
def test_a_second_spelling_of_the_same_terms_is_malformed(change):
    form = canonical.decode(written(mine=offer()).encoded)
    change(form)
    with pytest.raises(MalformedError):
        Terms.decode(canonical.encode(form))


def test_rule_7_terms_of_another_vocabulary_are_refused():
    with pytest.raises(InputError, match="vocab: expected version 1 of the vocabulary, got 2"):
        Terms.parse({"vocab": 2, "terms": DENIED})
    with pytest.raises(InputError, match="vocab: expected version 1 of the vocabulary, got True"):
        Terms.parse({"vocab": True, "terms": DENIED})
    with pytest.raises(InputError, match="only vocab and terms"):
        Terms.parse({"vocab": 1, "terms": DENIED, "extra": 1})


def test_parts_built_in_code_raise_the_same_errors():
    with pytest.raises(InputError, match=r"currency: expected an ISO 4217 code"):
        Price(model="per-work", amount="1", currency="XXX")
    with pytest.raises(InputError, match=r"price\.currency: expected an ISO 4217 code"):
        Rule(permission="license", price={"model": "per-work", "amount": "1", "currency": "XXX"})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"price\.amount: expected a decimal"):
        read_price({"model": "per-work", "amount": "x", "currency": "USD"})
    assert read_price(Price(model="per-work", amount=Decimal("0.10"), currency="USD")).amount == "0.1"  # type: ignore[arg-type]


@given(strategies.terms())
def test_the_json_schema_admits_every_canonical_form(terms):
    assert SCHEMA.is_valid(terms.to_json())


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"permission": "deny"}, True),
        ("deny", False),
        ({"permission": "maybe"}, False),
        (offer(), True),
        ({"permission": "license", "price": offer()["price"] | {"amount": "1.50"}}, False),
        ({"permission": "license", "price": offer()["price"] | {"amount": 1.5}}, False),
        ({"permission": "license", "price": offer()["price"] | {"currency": "usd"}}, False),
        (offer(territory={"allow": ["UK"]}), False),
        (offer(audience=[]), False),
        (offer(audience=["commercial", "commercial"]), False),
        (offer(colour="red"), False),
        (offer(revocation={"effect": "unlearn"}), False),
    ],
)
def test_the_json_schema_refuses_what_is_no_canonical_form(rule, fits):
    document = {atom: {"permission": "deny"} for atom in ATOMS}
    assert SCHEMA.is_valid(document | {"mine": rule}) is fits
    assert not SCHEMA.is_valid({"mine": rule})


def test_the_json_schema_names_all_uses_and_conditions():
    schema = json_schema()
    assert schema["required"] == list(ATOMS)
    assert schema["additionalProperties"] is False
    assert set(schema["$defs"]["Rule"]["properties"]) == set(Rule.model_fields)
    assert set(schema["$defs"]["Price"]["properties"]) == set(Price.model_fields)
