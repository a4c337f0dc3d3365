"""The tree of errors is the one that is drawn, and errors survive travel between processes."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

import licet
from licet import errors
from licet.exchange.answers import failure


def kinds() -> list[type[errors.LicetError]]:
    return [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.LicetError)]


def test_the_tree_is_the_one_that_is_drawn() -> None:
    drawn: dict[str, tuple[str | None, int]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│├└─ ]*)(\w+Error)\s+(\d+|exit)", line)
        if found is None:
            continue
        depth = len(found[1]) // 4
        above[depth:] = [found[2]]
        drawn[found[2]] = (above[depth - 1] if depth else None, int(found[3]) if found[3] != "exit" else 1)
    real = {
        kind.__name__: (None if kind is errors.LicetError else kind.__bases__[0].__name__, kind.exit_code)
        for kind in kinds()
    }
    assert drawn == real


@pytest.mark.parametrize("kind", kinds())
def test_errors_are_public_and_travel_whole(kind: type[errors.LicetError]) -> None:
    assert getattr(licet, kind.__name__) is kind
    assert kind.__name__ in licet.__all__
    told = kind("it failed", request_id="req_1", status=503, problem="x", errors=[{"pointer": "/a"}], reset=3)
    for other in (copy.copy(told), copy.deepcopy(told), pickle.loads(pickle.dumps(told))):
        assert type(other) is kind
        assert str(other) == "it failed (request req_1)"
        assert (other.request_id, other.status, other.problem, other.errors) == ("req_1", 503, "x", [{"pointer": "/a"}])
        assert other.details == told.details


def test_codes_are_distinct() -> None:
    assert len({kind.code for kind in kinds()}) == len(kinds())


def test_what_the_service_says_of_fields_is_there_for_programs() -> None:
    body = b'{"type":"x/invalid-request","title":"Wrong","errors":[{"pointer":"/a","expected":"b","got":"c"}]}'
    error = failure(400, {"x-request-id": "req_7"}, body)
    assert (error.status, error.problem, error.request_id) == (400, "invalid-request", "req_7")
    assert error.errors == [{"pointer": "/a", "expected": "b", "got": "c"}]


def test_a_single_field_that_the_detail_names_already_is_told_once() -> None:
    body = (
        b'{"type":"x/invalid","title":"Wrong","detail":"a.b: expected c, got \'d\'",'
        b'"errors":[{"pointer":"/a/b","expected":"c","got":"\'d\'"}]}'
    )
    assert failure(400, {}, body).message == "Wrong: a.b: expected c, got 'd'"
