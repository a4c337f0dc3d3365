"""Canonical JSON: the same bytes as an independent RFC 8785, and only those bytes."""

from __future__ import annotations

import hashlib
import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from licet import canonical
from licet.errors import InputError, MalformedError

INTEGERS = st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
KEYS = st.text(st.characters(max_codepoint=0x7F), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    zeta: int
    alpha: str | None = None


class Outer(msgspec.Struct, forbid_unknown_fields=True, tag="outer", tag_field="type"):
    last: list[Inner]
    first: int = msgspec.field(name="Zulu", default=1)


class Open(msgspec.Struct):
    field: int


class Chain(msgspec.Struct, forbid_unknown_fields=True):
    next: Chain | None = None


class Leaky(msgspec.Struct, forbid_unknown_fields=True):
    inside: dict[str, tuple[Open | None, ...]]


@given(VALUES)
@example({"\x7f": "\x7f\x80\u2028\U0001f600", "": '\b\t\n\f\r"\\/\x00\x1f', "a": -canonical.MAX_INTEGER})
def test_encoding_equals_the_independent_implementation(value: Any) -> None:
    assert canonical.encode(value) == rfc8785.dumps(value)


@given(VALUES)
def test_decoding_gives_back_what_was_encoded(value: Any) -> None:
    data = canonical.encode(value)
    assert canonical.decode(data) == value
    assert canonical.encode(canonical.decode(data)) == data


@given(st.lists(st.builds(Inner, INTEGERS, st.none() | TEXTS), max_size=4), INTEGERS)
def test_structs_sort_by_the_name_that_is_written(inner: list[Inner], number: int) -> None:
    value = Outer(inner, number)
    data = canonical.encode(value)
    assert data == rfc8785.dumps(msgspec.to_builtins(value))
    assert data.startswith(b'{"Zulu":')
    assert canonical.decode_as(Outer, data) == value


def number(text: str) -> int | float:
    """What JCS sees: 56.0 and 56 are one number, and it is written as an integer."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) <= canonical.MAX_INTEGER else value


def test_published_vectors_inside_the_subset_match_and_the_rest_is_refused(vectors: Path) -> None:
    inside = {"arrays", "structures", "unicode"}
    seen = set()
    for source in sorted((vectors / "jcs" / "input").glob("*.json")):
        value = json.loads(source.read_text("utf-8"), parse_float=number)
        expected = (vectors / "jcs" / "output" / source.name).read_bytes()
        try:
            assert canonical.encode(value) == expected, source.name
            assert canonical.decode(expected) == value
            seen.add(source.stem)
        except InputError:
            with pytest.raises(MalformedError):
                canonical.decode(expected)
    assert seen & inside == inside


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        math.nan,
        {"a": [math.inf]},
        2**53,
        [-(2**53)],
        {"é": 1},
        {1: 2},
        {None: 1},
        "\ud800",
        {"\ud800": 1},
        object(),
        msgspec.Raw(b"1.5"),
    ],
    ids=lambda value: type(value).__name__ if type(value) in (object, msgspec.Raw) else repr(value),
)
def test_values_without_a_canonical_form_are_refused(value: Any) -> None:
    with pytest.raises(InputError):
        canonical.encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1 ",
        b"1.0",
        b"1e3",
        b"1E400",
        b"-0",
        b"01",
        b"9007199254740992",
        b"9" * 100_000,
        b"NaN",
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,}',
        b'{"\xc3\xa9":1}',
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u000A"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\n"',
        b"\xef\xbb\xbf1",
        b"[" * 1_000_000,
        b"1\x00",
    ],
    ids=lambda data: repr(data[:20]),
)
def test_every_other_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        canonical.decode(data)


def test_depth_and_size_are_limited_alike_on_both_sides() -> None:
    fits: Any = 1
    for _ in range(canonical.MAX_DEPTH):
        fits = [fits]
    assert canonical.decode(canonical.encode(fits)) == fits
    with pytest.raises(InputError):
        canonical.encode([fits])
    with pytest.raises(MalformedError):
        canonical.decode(b"[" + canonical.encode(fits) + b"]")
    endless: Any = []
    for _ in range(100_000):
        endless = [endless]
    with pytest.raises(InputError):
        canonical.encode(endless)
    assert canonical.decode(b'"abc"', limit=5) == "abc"
    with pytest.raises(MalformedError):
        canonical.decode(b'"abcd"', limit=5)


@given(st.binary(max_size=200) | st.text('[]{}":,0123456789-.eu\\ \nabtrfnls', max_size=60).map(str.encode))
def test_foreign_bytes_raise_only_malformed(data: bytes) -> None:
    try:
        value = canonical.decode(data)
    except MalformedError:
        return
    assert canonical.encode(value) == data


def test_sets_are_written_in_one_order() -> None:
    assert canonical.encode({"k": {"b", "a", "c"}}) == b'{"k":["a","b","c"]}'


@pytest.mark.parametrize(
    "data",
    [
        b'{"zeta":1,"zoo":2}',
        b'{"alpha":"x"}',
        b'{"zeta":true}',
        b'{"zeta":"1"}',
        b'{"alpha":1,"zeta":1}',
        b"[]",
        b"null",
    ],
)
def test_a_schema_takes_known_fields_of_the_right_type_only(data: bytes) -> None:
    with pytest.raises(MalformedError):
        canonical.decode_as(Inner, data)
    assert canonical.decode_as(Inner, b'{"zeta":1}') == Inner(1)


def test_a_schema_that_would_let_unknown_fields_through_is_an_error_of_the_programmer() -> None:
    with pytest.raises(TypeError, match="Open must be declared with forbid_unknown_fields"):
        canonical.decode_as(Leaky, b'{"inside":{}}')


def test_a_schema_may_contain_itself() -> None:
    assert canonical.decode_as(Chain, b'{"next":{"next":null}}') == Chain(Chain())


def test_digest_is_sha256_of_the_canonical_bytes() -> None:
    assert canonical.digest({"b": 1, "a": "ü"}) == hashlib.sha256('{"a":"ü","b":1}'.encode()).hexdigest()
    assert canonical.encode(Decimal("1.50")) == b'"1.50"'


@given(st.binary(max_size=40))
def test_base64_has_one_spelling(data: bytes) -> None:
    assert canonical.from_base64(canonical.to_base64(data)) == data


@pytest.mark.parametrize("text", ["QQ", "QR==", "QQ==\n", " QQ==", "QQ===", "Q", "-_8=", "QQ==QQ==", "é", "="])
def test_other_spellings_of_base64_are_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="signature: expected canonical padded base64"):
        canonical.from_base64(text, "signature")
