"""Identifiers: one spelling each, sorted as their bytes are."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from licet.identifiers import KINDS, from_uuid, kind_of, new_id, new_uuid, to_uuid


@given(st.uuids(), st.sampled_from(sorted(KINDS)))
def test_text_and_uuid_are_each_others_inverse(value, kind):
    text = from_uuid(kind, value)
    assert to_uuid(text) == to_uuid(text, kind) == value
    assert kind_of(text) == kind
    assert len(text) == 30


@given(st.lists(st.uuids(), min_size=2, max_size=20))
def test_texts_sort_as_bytes_do(values):
    assert sorted(from_uuid("wrk", value) for value in values) == [
        from_uuid("wrk", value) for value in sorted(values, key=lambda value: value.bytes)
    ]


@given(st.text(max_size=40) | st.from_regex(r"wrk_[0-9a-z]{26}", fullmatch=True))
def test_anything_else_is_an_input_error_or_the_one_spelling(text):
    try:
        value = to_uuid(text)
    except InputError:
        return
    assert from_uuid(text[:3], value) == text


def test_a_fresh_uuid_is_version_7_and_never_the_same():
    values = {new_uuid() for _ in range(200)}
    assert len(values) == 200
    assert {(value.version, value.variant) for value in values} == {(7, "specified in RFC 4122")}


def test_a_wrong_kind_is_refused_by_name():
    text = new_id("art")
    with pytest.raises(InputError, match=r"works: expected wrk_ and 26 letters and digits behind it, got 'art_"):
        to_uuid(text, "wrk", field="works")
    assert isinstance(to_uuid(text, "wrk", "art"), UUID)
    with pytest.raises(InputError, match="kind: expected one of"):
        new_id("cat")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wrk",
        "wrk_",
        "WRK_01h455vb4pex5vsknk084sn02q",
        "wrk_01H455VB4PEX5VSKNK084SN02Q",
        "wrk_81h455vb4pex5vsknk084sn02q",  # more than 128 bits
        "wrk_01h455vb4pex5vsknk084sn02",
        "wrk_01h455vb4pex5vsknk084sn02u",  # u is not in the alphabet
        "cat_01h455vb4pex5vsknk084sn02q",
        None,
        7,
    ],
)
def test_every_other_spelling_is_refused(text):
    with pytest.raises(InputError):
        to_uuid(text)
