"""Requests: read from what people write, equal however they were written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import canonical
from licet.decisions import Request
from licet.errors import InputError
from licet.terms import ATOMS
from tests.sdk.decisions.strategies import requests


@given(requests())
def test_json_and_request_are_each_others_inverse(request):
    written = canonical.decode(canonical.encode(request.to_json()))
    assert Request.from_json(written) == Request.make(**written) == request
    assert Request.from_json(written).to_json() == request.to_json()
    assert None not in written.values()


def test_order_and_repetition_do_not_matter():
    one = Request(uses=["train-gen", "mine", "mine"], territory=["US", "DE"], purpose=("research", "commercial"))
    other = Request(uses=("mine", "train-gen"), territory=iter(["DE", "US", "US"]), purpose=["commercial", "research"])
    assert one == other
    assert hash(one) == hash(other)
    assert Request(uses="mine") == Request(uses=["mine"])


def test_times_are_fixed_in_one_spelling():
    expected = "2026-11-22T00:00:00.000Z"
    assert Request("mine", at=date(2026, 11, 22)).at == expected
    assert Request("mine", at=datetime(2026, 11, 22, tzinfo=UTC)).at == expected
    assert Request("mine", at="2026-11-22T08:00:00+08:00").at == expected
    assert msgspec.structs.replace(Request("mine"), at="2026-11-22").at == expected


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, "uses: expected one or more of search, index, mine, train-nongen, .* redistribute, got 'nothing'"),
        ({"uses": []}, "uses: expected one or more of search"),
        ({"uses": ["train-ai"]}, "uses: expected one or more of search, .* got 'train-ai'"),
        ({"uses": "training"}, "uses: expected one or more of search, .* got 'training'"),
        ({"uses": 3}, "uses: expected one or more of search"),
        ({"uses": [["mine"]]}, "uses: expected one or more of search"),
        ({"uses": "mine", "purpose": "profit"}, "purpose: expected any of commercial, non-commercial"),
        ({"uses": "mine", "model": "lantern"}, "model: expected ORG/NAME@VERSION"),
        ({"uses": "mine", "model": "acme/lantern@"}, "model: expected ORG/NAME@VERSION"),
        ({"uses": "mine", "model_scope": "all"}, "model_scope: expected one-version or family"),
        ({"uses": "mine", "open_weights": "no"}, "open_weights: expected true or false, got 'no'"),
        ({"uses": "mine", "sublicense": 0}, "sublicense: expected true or false, got 0"),
        ({"uses": "mine", "exclusive": "yes"}, "exclusive: expected true or false"),
        ({"uses": "mine", "territory": ["Germany"]}, "territory: expected ISO 3166-1 alpha-2 codes"),
        ({"uses": "mine", "territory": []}, "territory: expected ISO 3166-1 alpha-2 codes"),
        ({"uses": "mine", "at": "now"}, "at: expected a date such as"),
        ({"uses": "mine", "at": 1}, "at: expected a date such as"),
        ({"uses": "mine", "licensee": ""}, "licensee: expected an organisation"),
        ({"uses": "mine", "price": 1}, "request: expected only the fields uses, purpose, model"),
    ],
)
def test_what_is_wrong_names_its_field(written, message):
    with pytest.raises(InputError, match=f"^{message}"):
        Request.make(**written)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from(ATOMS)
VALUES: st.SearchStrategy[Any] = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), SCALARS)


@given(st.dictionaries(st.sampled_from([*Request.__struct_fields__, "else"]), VALUES) | VALUES)
def test_no_document_raises_anything_but_an_input_error(document):
    try:
        request = Request.from_json(document)
    except InputError:
        return
    assert request.uses
