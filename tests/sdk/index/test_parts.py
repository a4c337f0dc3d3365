"""Matches by parts beside those of a look-up: after them, best first, a work once a row, an unknown one told."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from licet.index import Index
from licet.index.parts import DERIVATIVE, PARTS, with_parts, without_parts
from licet.index.records import WorkRecord
from licet.index.writing import in_memory
from tests.sdk.index.world import Row, catalogues, keys_of, rows, uid

ROWS = 4
found_by_parts = st.lists(st.tuples(st.integers(0, ROWS - 1), st.integers(0, 12), st.integers(0, 40_000)), max_size=12)


@given(catalogues(), st.lists(rows, min_size=ROWS, max_size=ROWS), found_by_parts)
def test_they_come_after_the_others_of_their_row(
    base: list[WorkRecord], batch: list[Row], parts: list[tuple[int, int, int]]
) -> None:
    index = Index(in_memory(base))
    plain = index.lookup(keys_of(batch))
    row = np.array([each[0] for each in parts], np.int64)
    work = np.frombuffer(b"".join(uid(1, each[1]) for each in parts), np.uint8).reshape(-1, 16)
    places = np.array([each[2] for each in parts], np.int64)
    found, unknown = with_parts(index, plain, row, work, places)

    ids = [each.tobytes() for each in index.works.ids(found.work)]
    pairs = list(zip(found.row.tolist(), ids, strict=True))
    assert len(set(pairs)) == len(pairs)
    known = {record.work for record in base}
    before = set(zip(plain.row.tolist(), [each.tobytes() for each in index.works.ids(plain.work)], strict=True))
    wanted: dict[tuple[int, bytes], int] = {}
    for at, number, inliers in parts:
        pair = at, uid(1, number)
        if pair[1] in known and pair not in before:
            wanted[pair] = max(wanted.get(pair, 0), min(inliers, 32_767))
    assert set(pairs) == before | set(wanted)
    assert unknown.tolist() == sorted({at for at, number, _ in parts if uid(1, number) not in known})

    rest, derived = without_parts(found)
    for name in ("row", "work", "kind", "key", "distance"):
        assert getattr(rest, name).tolist() == getattr(plain, name).tolist()
    assert set(derived.kind.tolist()) <= {DERIVATIVE}
    assert set(derived.key.tolist()) <= {PARTS}
    told = [
        (at, -distance, each.tobytes())
        for at, distance, each in zip(
            derived.row.tolist(), derived.distance.tolist(), index.works.ids(derived.work), strict=True
        )
    ]
    assert told == sorted((at, -inliers, each) for (at, each), inliers in wanted.items())
    # In a row what was looked up comes first.
    order = list(zip(found.row.tolist(), (found.kind == DERIVATIVE).tolist(), strict=True))
    assert order == sorted(order)
