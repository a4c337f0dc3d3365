"""Codes: one byte a row says what the whole answer says, from columns and from compiled loops."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.decisions import CODES, Request
from licet.errors import MalformedError
from licet.index import Index, Keys, WorkRecord, answer, coding, verdict_codes
from licet.index.segments import ExactSegment
from licet.index.writing import in_memory
from licet.terms import preset
from tests.sdk.index.world import Row, catalogues, digest, index_of, keys_of, rows, uid

REQUEST = Request(uses=["train-gen"], at="2026-11-01T00:00:00Z")

layers_of = st.lists(catalogues(), max_size=3)
batches = st.lists(rows, max_size=6)


@pytest.fixture(scope="module")
def loops() -> Any:
    pytest.importorskip("numba")
    assert coding.load()
    from licet.index import finding

    return finding


def whole(index: Index, keys: Keys, level: int = 0) -> list[int]:
    codes: list[int] = answer(index, keys, REQUEST, match="exact", min_claim_level=level).verdict.tolist()
    return codes


def column(digests: list[bytes]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(each[:16] for each in digests), np.uint8).reshape(-1, 16)


@settings(max_examples=30)
@given(layers_of, batches, st.integers(0, 4))
def test_codes_alone_are_those_of_the_answers(layers: list[list[WorkRecord]], batch: list[Row], level: int) -> None:
    index, keys = index_of(*layers), keys_of(batch)
    assert verdict_codes(index, keys, REQUEST, level).tolist() == whole(index, keys, level)


@settings(max_examples=100)
@given(layers_of, batches, st.integers(0, 4))
def test_loops_say_what_columns_say(loops: Any, layers: list[list[WorkRecord]], batch: list[Row], level: int) -> None:
    index, asked = index_of(*layers), keys_of(batch)
    columns = {kind: asked.exact[kind] for kind in ("file", "pixels") if kind in asked.exact}
    given: dict[str, Any] = {kind: each for kind, (each, _) in columns.items()}
    given |= {f"{kind}_mask": mask for kind, (_, mask) in columns.items()}
    keys = Keys(asked.n, **given)
    found = coding._in_loops(loops, index, keys, REQUEST, level)
    assert found is not None
    assert found.tolist() == whole(index, keys, level)


def shelf(number: int, **changes: Any) -> WorkRecord:
    given: dict[str, Any] = {"work": uid(1, number), "account": uid(2, 0), "terms": preset("no-ai").encoded, "level": 3}
    return WorkRecord(**given | {"sha256": digest("file", number)} | changes)


def test_many_rows_and_a_crowded_bucket_are_all_found(loops: Any) -> None:
    # Keys that somebody ground into one bucket, and works that share a key in thousands.
    crowd = [shelf(number, sha256=bytes(7) + digest("ground", number)[:25]) for number in range(60)]
    shared = [shelf(100 + number, sha256=digest("shared", 0)) for number in range(2_500)]
    index = index_of([*crowd, *shared, *(shelf(5_000 + number) for number in range(3_000))])
    known = [each.sha256 or b"" for each in (*crowd, shared[0])] + [digest("file", 5_000 + n) for n in range(3_000)]
    strange = [digest("strange", number) for number in range(3_000)] + [
        bytes(7) + digest("x", n)[:25] for n in range(60)
    ]
    both = column([*known, *strange])
    order = np.random.default_rng(1).permutation(len(both))
    keys = Keys(len(both), file=both[order], pixels=both[order])
    found = coding._in_loops(loops, index, keys, REQUEST, 0)
    assert found is not None
    assert found.tolist() == [CODES["deny"] if each < len(known) else CODES["unknown"] for each in order]
    assert found.tolist() == whole(index, keys)


def test_more_finds_than_there_is_room_for_are_left_to_columns(loops: Any) -> None:
    index = index_of([shelf(number, sha256=digest("shared", 0)) for number in range(2_000)])
    keys = Keys(2, file=column([digest("shared", 0)] * 2))
    assert coding._in_loops(loops, index, keys, REQUEST, 0) is None
    assert verdict_codes(index, keys, REQUEST).tolist() == [CODES["deny"]] * 2


@pytest.mark.parametrize(
    ("name", "value"), [("file.work", 9), ("work.terms", 7), ("work.level", 5), ("work.flags", 64)]
)
def test_a_segment_that_no_writer_made_is_refused_as_ever(loops: Any, name: str, value: int) -> None:
    columns = dict(in_memory([shelf(0)])[0].columns)
    columns[name] = np.full_like(columns[name], value)
    index, keys = Index([ExactSegment(columns)]), Keys(300, file=column([digest("file", 0)] * 300))
    assert coding._in_loops(loops, index, keys, REQUEST, 0) is None
    with pytest.raises(MalformedError):
        verdict_codes(index, keys, REQUEST)


LIES = """
import numpy as np
from licet.decisions import Request
from licet.index import Index, Keys, WorkRecord, coding
from licet.index.segments import ExactSegment
from licet.index.writing import in_memory
from licet.terms import preset
assert coding.load()
from licet.index import finding
terms = preset("no-ai").encoded
works = [WorkRecord(work=bytes(15) + bytes([n]), account=bytes(16), terms=terms, level=2, sha256=bytes([32 * n]) * 32)
         for n in range(8)]
columns = {name: np.array(column) for name, column in in_memory(works)[0].columns.items()}
index = Index([ExactSegment(columns)])
keys = Keys(300, file=np.full((300, 16), 128, np.uint8))
for lie in ([0, 2**32 - 1, 2**32 - 1], [2**32 - 1, 0, 1], [2**31, 2**32 - 1, 7]):
    columns["file.bucket"][4:7] = lie
    found = coding._in_loops(finding, index, keys, Request(uses=["train-gen"], at="2026-11-01T00:00:00Z"), 0)
    assert set(found.tolist()) <= {1, 4}
"""


def test_a_mapped_file_that_is_changed_is_not_read_beyond_its_keys(loops: Any) -> None:
    ended = subprocess.run([sys.executable, "-c", LIES], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr  # else it read memory that is nobody's


def test_columns_that_differ_by_their_masks_alone_are_looked_up_each(loops: Any) -> None:
    index = index_of([shelf(0), shelf(1, sha256=None, pixels=digest("file", 1))])
    one = column([digest("file", 0), digest("file", 1)] * 200)
    every, none = np.ones(len(one), np.bool_), np.zeros(len(one), np.bool_)
    for file, pixels in ((every, none), (none, every), (every, every), (every, None), (none, none)):
        keys = Keys(len(one), file=one, file_mask=file, pixels=one, pixels_mask=pixels)
        found = coding._in_loops(loops, index, keys, REQUEST, 0)
        assert found is not None
        assert found.tolist() == whole(index, keys)
