"""A slip of the pen is no other invoice and no other account."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from registry.settlement.references import iban, is_reference, reference, references_in

IBANS = [  # published examples of the registry of IBAN formats
    "DE89370400440532013000",
    "GB29NWBK60161331926819",
    "FR1420041010050500013M02606",
    "CH9300762011623852957",
    "NO9386011117947",
    "NL91ABNA0417164300",
    "MT84MALT011000012345MTLCAST001S",
]


def test_published_references_hold():
    assert is_reference("RF18539007547034")  # ISO 11649's own example
    assert not is_reference("RF19539007547034")


@given(st.integers(1, 10**9 - 1), st.integers(0, 13), st.sampled_from("0123456789ABCXYZ"))
def test_a_reference_with_another_character_is_none(number: int, place: int, character: str):
    good = reference(number)
    assert is_reference(good)
    bad = good[:place] + character + good[place + 1 :]
    assert bad == good or not is_reference(bad)


@given(st.lists(st.integers(1, 10**6), max_size=4, unique=True))
def test_every_reference_in_a_text_is_found(numbers: list[int]):
    names = [reference(each) for each in numbers]
    assert references_in("pays " + ", ".join(names) + " of May") == names
    assert references_in(" ".join(names).lower()) == names
    assert references_in(" ".join(" ".join(names).replace(" ", ""))) == names


@pytest.mark.parametrize("text", IBANS)
def test_published_ibans_hold_however_they_are_written(text: str):
    spaced = " ".join(text[place : place + 4] for place in range(0, len(text), 4)).lower()
    assert iban(spaced) == text


@pytest.mark.parametrize(
    "text",
    ["", "DE", "DE88370400440532013000", "DE8937040044053201300", "XX8937040044053201", "DE89370400440532013００0"],
)
def test_others_are_refused_by_name(text: str):
    with pytest.raises(InputError, match="iban: expected an IBAN"):
        iban(text)
