"""Asking the service for derivatives: what is kept of its answers, what is not believed, what binds a row."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.datasets.examining.asking import Asker, Parts, refuse_offline
from licet.datasets.examining.deciding import Question, decide_rows
from licet.datasets.examining.evidence import Evidence
from licet.datasets.examining.fingerprinting import examine
from licet.decisions import VERDICTS, Request
from licet.errors import InputError, MalformedError, ServiceError, UnreachableError
from licet.identifiers import from_uuid, new_uuid
from licet.index import Index
from licet.wire.licensing import Answer, MatchInfo, PartsAnswers

REQUEST = Request(uses=["train-gen"], purpose="commercial")


def match(work: str, verdict: str = "review", distance: int = 9) -> MatchInfo:
    return MatchInfo(work, "art_x", None, "derivative", "parts", distance, verdict, "derivative", 0)


def asker(*answers: list[MatchInfo], token: str | None = "t") -> Asker:
    def lookup_parts(pictures: list[bytes], request: dict[str, Any], level: int) -> PartsAnswers:
        assert request["uses"] == ["train-gen"]
        assert request["at"]
        return PartsAnswers([Answer("review", "derivative", each) for each in answers], 3, 77, 10, 0)

    client: Any = SimpleNamespace(contact=SimpleNamespace(token=token), lookup_parts=lookup_parts)
    return Asker(client, REQUEST)


def evidence(kept: list[bytes | None]) -> Evidence:
    rows = pa.RecordBatch.from_pydict({"sha256": pa.array([f"{number:064x}" for number in range(len(kept))])})
    found = examine(rows, None, None)  # type: ignore[arg-type]  # nothing is read
    return Evidence(
        **{name: getattr(found, name) for name in Evidence.__slots__ if name != "parts"},
        parts=pa.array(kept, pa.binary()),
    )


works = st.lists(st.tuples(st.uuids(), st.sampled_from(VERDICTS), st.integers(0, 65_535)), max_size=3)


@given(st.lists(works, min_size=1, max_size=4))
def test_what_was_answered_is_kept_and_read_back(answers: list[list[Any]]) -> None:
    infos = [[match(from_uuid("wrk", work), verdict, places) for work, verdict, places in each] for each in answers]
    kept = asker(*infos)([b""] * len(infos))
    found = Parts.read(pa.array([None, *kept], pa.binary()), len(kept) + 1)
    assert found.asked.tolist() == [False, *[True] * len(kept)]
    assert found.log.tolist() == [77] * len(kept)
    told = [
        (int(row) - 1, work.tobytes(), VERDICTS[code], int(places))
        for row, work, code, places in zip(found.row, found.work, found.verdict, found.inliers, strict=True)
    ]
    assert told == [
        (row, work.bytes, verdict, places) for row, each in enumerate(answers) for work, verdict, places in each
    ]


@given(st.binary(max_size=80))
def test_other_bytes_are_malformed_or_whole(kept: bytes) -> None:
    column = pa.array([kept], pa.binary())
    sizes = len(kept) >= 8 and (len(kept) - 8) % 19 == 0
    if sizes and (kept[7] >= 0x80 or any(code > 4 for code in kept[8 + 18 :: 19])):
        with pytest.raises(MalformedError, match=r"^parts: expected a log size and verdicts, got"):
            Parts.read(column, 1)
        return
    if sizes:
        assert len(Parts.read(column, 1).row) == (len(kept) - 8) // 19
        return
    with pytest.raises(MalformedError, match=r"^parts: expected 8 bytes and 19 for each work, got"):
        Parts.read(column, 1)


@pytest.mark.parametrize(
    "said", [match("wrk_nonsense"), match(from_uuid("wrk", new_uuid()), "perhaps"), match("x", distance=70_000)]
)
def test_what_no_service_says_is_not_believed(said: MatchInfo) -> None:
    with pytest.raises(ServiceError, match="expected"):
        asker([said])([b""])


def test_a_work_that_came_after_the_snapshot_keeps_its_row_out() -> None:
    newer = from_uuid("wrk", new_uuid())
    kept = asker([match(newer)], [match(newer, "deny")], [], [match(newer, "license")])([b""] * 4)
    question = Question(REQUEST, "derivative", unknown="keep")
    found = decide_rows(Index(), evidence([*kept, None]), question)
    verdicts = [VERDICTS[code] for code in found.verdict]
    assert verdicts == ["review", "deny", "unknown", "review", "unknown"]  # never looser than review
    assert [found.reasons[each] for each in found.reason] == [
        "derivative", "derivative", "no-match", "derivative", "no-match",
    ]  # fmt: skip
    assert found.kept.tolist() == [False, False, True, False, True]
    again = Evidence.from_batch(evidence([*kept, None]).to_batch())
    assert np.array_equal(decide_rows(Index(), again, question).verdict, found.verdict)


def test_nobody_without_a_token_asks_about_many_at_once() -> None:
    assert (asker().most, asker(token=None).most) == (64, 8)


def test_an_absent_service_is_told_with_the_option_that_needs_it() -> None:
    def away(*_: Any) -> PartsAnswers:
        raise UnreachableError("no answer")

    client: Any = SimpleNamespace(contact=SimpleNamespace(token=None), lookup_parts=away)
    with pytest.raises(ServiceError, match=r"no answer \(--match derivative asks the service\)"):
        Asker(client, REQUEST)([b""])


def test_offline_and_derivative_exclude_each_other() -> None:
    refuse_offline("near", offline=True)
    refuse_offline("derivative", offline=False)
    with pytest.raises(InputError, match=r"^--match: expected exact or near with --offline"):
        refuse_offline("derivative", offline=True)
