"""Terms files: the shape that the module's docstring shows, and complaints that name the field."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from licet.terms import ATOMS, Price, Terms, document, preset


def _file(tmp_path, text):
    path = tmp_path / "terms.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_of_the_docstring_is_a_terms_file(tmp_path):
    example = re.search(r"(?<=::\n\n)(?:    .*\n|\n)+", document.__doc__ or "")
    assert example
    terms = Terms.from_toml(_file(tmp_path, re.sub(r"(?m)^ {4}", "", example[0])))
    assert terms.rules["train-gen"] == preset("paid", _price("0.05")).rules["train-gen"]
    rule = terms.to_json()["evaluate"]
    assert rule["valid_from"] == "2026-12-01T00:00:00.000Z"
    assert rule["territory"] == {"allow": ["EU", "JP"], "deny": ["DE"]}


def _price(amount):
    return Price(model="per-training-run", amount=amount, currency="USD")


def test_a_preset_alone_is_that_preset(tmp_path):
    assert Terms.from_toml(_file(tmp_path, 'preset = "research"')) == preset("research")
    assert (
        Terms.from_toml(_file(tmp_path, 'preset = "no-ai"\nevaluate = "allow"')).rules["evaluate"].permission == "allow"
    )


def test_decimals_of_toml_stay_exact(tmp_path):
    text = 'preset = "paid"\nprice = {model = "per-training-run", amount = 0.1, currency = "USD"}'
    assert Terms.from_toml(_file(tmp_path, text)) == preset("paid", _price("0.1"))
    text = 'preset = "paid"\nprice = {model = "per-training-run", amount = 2, currency = "USD"}'
    assert Terms.from_toml(_file(tmp_path, text)) == preset("paid", _price("2"))


def test_all_uses_without_a_preset(tmp_path):
    text = "\n".join(f'{atom} = "deny"' for atom in ATOMS)
    assert {rule.permission for rule in Terms.from_toml(_file(tmp_path, text)).rules.values()} == {"deny"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "search: expected a value"),
        ("preset = 1", "preset: expected one of no-ai, research, paid"),
        ('preset = "paid"', "price: expected an amount and a currency"),
        ('preset = "no-ai"\nprice = {model = "free"}', "price: expected none"),
        ('price = {model = "free"}', "price: expected a preset beside it"),
        (
            'preset = "paid"\nprice = {model = "per-work", amount = 0.0000001, currency = "USD"}',
            "price.amount: expected",
        ),
        ('preset = "paid"\nprice = {model = "per-work", amount = 1.0}', "price.currency: expected a value"),
        ('preset = "no-ai"\ntrain = "deny"', "terms: expected only uses out of"),
        (
            'preset = "no-ai"\n[mine]\npermission = "license"\nvalid_from = 2026-12-01T00:00:00',
            "mine.valid_from: expected",
        ),
        ('preset = "no-ai"\n[mine]\npermission = "license"\nvalid_from = 12:00:00', "mine.valid_from: expected"),
        ('preset = "no-ai"\nvocab = 3', "vocab: expected version 1"),
        ("preset = ", "expected TOML in UTF-8"),
        ('preset = "no-ai"\npreset = "no-ai"', "expected TOML in UTF-8"),
    ],
)
def test_what_is_wrong_names_its_field(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        Terms.from_toml(_file(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="expected a terms file"):
        Terms.from_toml(tmp_path / "none.toml")
    with pytest.raises(InputError, match="expected a terms file"):
        Terms.from_toml(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"preset = '\xe9'")
    with pytest.raises(InputError, match="expected TOML in UTF-8"):
        Terms.from_toml(tmp_path / "latin.toml")
    (tmp_path / "big.toml").write_bytes(b"#" * 70_000)
    with pytest.raises(InputError, match="at most 65536 bytes"):
        Terms.from_toml(tmp_path / "big.toml")


LINES = st.sampled_from(
    [
        'preset = "no-ai"',
        'preset = "paid"',
        'price = {model = "per-work", amount = 1, currency = "USD"}',
        'mine = "allow"',
        "[train-gen]",
        'permission = "license"',
        "audience = 1979-05-27",
        "valid_from = 2026-01-01T00:00:00Z",
        "amount = inf",
        "[mine.price]",
        "model = nan",
        "[[input]]",
        "terms = 0x10",
    ]
)


@given(st.lists(LINES | st.text(max_size=12), max_size=6))
def test_no_file_raises_anything_but_an_input_error(tmp_path_factory, lines):
    path = tmp_path_factory.getbasetemp() / "fuzz.toml"
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    try:
        terms = Terms.from_toml(path)
    except InputError:
        return
    assert Terms.decode(terms.encoded) == terms
