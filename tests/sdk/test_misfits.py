"""What a decoder finds wrong is said in our words, with the place, and never in the decoder's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.misfits import misfit


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=3, pattern="^x")] = "x"
    count: Annotated[int, msgspec.Meta(ge=0)] = 0
    maybe: int | None = None
    kind: Literal["p", "q"] = "p"
    when: datetime | None = None
    yes: bool = True
    several: Annotated[list[str], msgspec.Meta(max_length=2)] = []
    by_name: dict[str, float] = {}


class Outer(msgspec.Struct):
    items: list[Inner]


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ('{"text":1}', "items[0].text: expected text, got a whole number"),
        ('{"text":""}', "items[0].text: expected text of length at least 1"),
        ('{"text":"xxxx"}', "items[0].text: expected text of length at most 3"),
        ('{"text":"y"}', "items[0].text: expected text matching regex '^x'"),
        ('{"count":-1}', "items[0].count: expected a whole number at least 0"),
        ('{"count":1.5}', "items[0].count: expected a whole number, got a number"),
        ('{"maybe":"1"}', "items[0].maybe: expected a whole number or null, got text"),
        ('{"kind":"r"}', "items[0].kind: expected a value that is known here, got 'r'"),
        ('{"when":"now"}', "items[0].when: expected a valid value, got invalid RFC3339 encoded datetime"),
        ('{"yes":null}', "items[0].yes: expected true or false, got null"),
        ('{"count":true}', "items[0].count: expected a whole number, got a boolean"),
        ('{"several":["","",""]}', "items[0].several: expected a list of length at most 2"),
        ('{"several":{}}', "items[0].several: expected a list, got an object"),
        ('{"by_name":{"a":"b"}}', "items[0].by_name[*]: expected a number, got text"),
        ('{"note":1}', "items[0].note: expected no field of this name, got note"),
        ("[]", "items[0]: expected an object, got a list"),
    ],
)
def test_each_complaint_is_said_in_our_words(inner: str, words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(f'{{"items":[{inner}]}}', type=Outer)
    assert str(misfit(caught.value)) == words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[]", "expected an object, got a list"),
        (b"{}", "items: expected a value, got nothing"),
        (b"", "expected JSON, got what breaks off before its end"),
        (b'{"items":', "expected JSON, got what breaks off before its end"),
        (b"root:x:0:0", "expected JSON, got something else at byte 0 (invalid character)"),
    ],
)
def test_a_document_that_is_none_is_said_in_our_words(data: bytes, words: str) -> None:
    with pytest.raises(msgspec.DecodeError) as caught:
        msgspec.json.decode(data, type=Outer)
    assert str(misfit(caught.value)) == words


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(0, 1) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("items text kind x".split()), inner),
    max_leaves=8,
)


@given(st.binary(max_size=12) | JSON.map(msgspec.json.encode))
def test_whatever_comes_no_word_of_the_decoder_is_left(data: bytes) -> None:
    try:
        msgspec.json.decode(data, type=Outer)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        words = str(misfit(error))
        assert "expected " in words
        for leaked in ("Expected", "Object", "`", "Invalid", " - at ", "$"):
            assert leaked not in words or leaked in data.decode("utf-8", "replace"), words
