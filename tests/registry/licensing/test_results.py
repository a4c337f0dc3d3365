"""Answers as they are told: the bytes of the objects that nobody makes, whatever the matches."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from licet import identifiers, money
from licet.decisions import KEY_KINDS, MATCH_KINDS, VERDICTS, Request
from licet.index import Answers as Decided
from licet.index import WorkRecord, answer
from licet.wire.licensing import Answer, Answers, MatchInfo
from registry.licensing.results import owners, told
from tests.sdk.index.world import REQUESTS, Row, catalogues, index_of, keys_of, rows, uid

modes = st.sampled_from(["exact", "near"])
kinds = st.dictionaries(st.integers(0, 2).map(lambda n: uid(2, n)), st.sampled_from(["art", "org"]))


def plainly(found: Decided, known: dict[bytes, str]) -> list[Answer]:
    """Return every row's answer, one match at a time."""
    answers = []
    for row in range(len(found)):
        places = [at for at in range(len(found.matches)) if found.matches.row[at] == row and found.counts[at]]
        places.sort(key=lambda at, first=found.deciding[row]: at != first)  # type: ignore[misc]
        matches = [match(found, at, known) for at in places]
        answers.append(Answer(VERDICTS[found.verdict[row]], found.reasons[found.reason[row]], matches))
    return answers


def match(found: Decided, at: int, known: dict[bytes, str]) -> MatchInfo:
    decision, account, statement = (
        found.decisions[found.decision[at]],
        found.works.account[at].tobytes(),
        found.works.statement[at].tobytes(),
    )
    priced = decision.price
    return MatchInfo(
        identifiers.from_uuid("wrk", UUID(bytes=found.works.work[at].tobytes())),
        identifiers.from_uuid(known.get(account, "art"), UUID(bytes=account)),
        identifiers.from_uuid("stm", UUID(bytes=statement)) if any(statement) else None,
        MATCH_KINDS[found.matches.kind[at]],
        KEY_KINDS[found.matches.key[at]],
        int(found.matches.distance[at]),
        decision.verdict,
        decision.reason,
        int(found.works.level[at]),
        money.to_decimal(priced.micro) if priced and priced.currency else None,
        priced.currency if priced else None,
        priced.model if priced else None,
    )


@given(catalogues(), st.lists(rows, max_size=6), st.sampled_from(REQUESTS), modes, kinds)
@example([], [], REQUESTS[0], "exact", {})
def test_every_byte_is_as_the_objects_would_be_written(
    catalogue: list[WorkRecord], batch: list[Row], request: Request, mode: Any, known: dict[bytes, str]
) -> None:
    silent = [msgspec.structs.replace(each, statement=bytes(16)) for each in catalogue[:1]]
    found = answer(index_of([*silent, *catalogue[1:]]), keys_of(batch), request, match=mode)
    assert told(found, known, 7, 9) == msgspec.json.encode(Answers(plainly(found, known), 7, 9))
    assert owners(found) == {account.tobytes() for account in found.works.account}
