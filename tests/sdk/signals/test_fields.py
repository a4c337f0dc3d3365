"""Structured fields are what RFC 9651's own test cases say they are."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import MalformedError
from licet.signals.fields import MAX_FIELD, dictionary, parse

CASES = 1591


def _plain(value: Any) -> Any:
    """What the test cases' JSON has for a value that was parsed."""
    match value:
        case http_sf.Token():
            return {"__type": "token", "value": str(value)}
        case http_sf.DisplayString():
            return {"__type": "displaystring", "value": str(value)}
        case bytes():
            return {"__type": "binary", "value": base64.b32encode(value).decode()}
        case dt.datetime():
            return {"__type": "date", "value": int(value.timestamp())}
        case Decimal():
            return float(value)
        case dict():
            return [[key, _plain(each)] for key, each in value.items()]
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value


def test_the_httpwg_cases(vectors: Path) -> None:
    count = 0
    for file in sorted((vectors / "structured-fields").glob("*.json")):
        for case in json.loads(file.read_text()):
            raw = ",".join(case["raw"]).encode()
            count += 1
            if len(raw) > MAX_FIELD:
                continue
            try:
                found = _plain(parse(raw, case["header_type"]))
            except MalformedError:
                assert case.get("must_fail") or case.get("can_fail"), case["name"]
                continue
            assert not case.get("must_fail"), case["name"]
            if not case.get("can_fail") or found == case["expected"]:
                assert found == case["expected"], case["name"]
    assert count == CASES


def test_a_key_that_stands_twice_is_last_and_is_not_forgotten() -> None:
    found = dictionary(b'a=n;x="a=1,b", b=("," 1), a=y, a="n", c')
    assert found.members["a"] == "n"
    assert not isinstance(found.members["a"], http_sf.Token)
    assert found.repeated == {"a": [http_sf.Token("n"), http_sf.Token("y")]}


@given(st.binary(max_size=200))
def test_whatever_is_no_dictionary_is_our_error(value: bytes) -> None:
    with contextlib.suppress(MalformedError):
        dictionary(value)


def test_a_field_that_is_too_long_is_refused() -> None:
    with pytest.raises(MalformedError, match="16,384 bytes"):
        dictionary(b"a, " * 6000)
