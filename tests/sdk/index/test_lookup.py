"""Look-ups: every shared key, of its own kind, in the newest word about each work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.errors import InputError, MalformedError
from licet.identifiers import from_uuid
from licet.index import Index, Keys, WorkRecord, write_segments
from licet.index.container import map_file
from licet.index.records import FLAGS
from licet.index.segments import open_segment
from licet.index.writing import in_memory
from tests.sdk.index.world import Row, catalogues, hits_by_row, index_of, keys_of, naive_hits, records, rows, uid

modes = st.sampled_from(["exact", "near"])
batches = st.lists(rows, max_size=6)


def some(number: int, **changes: Any) -> WorkRecord:
    given: dict[str, Any] = {"work": uid(1, number), "account": bytes(16), "terms": b"", "level": 0}
    return WorkRecord(**{"sha256": bytes(32)} | given | changes)


@given(catalogues(), catalogues(3), batches, modes)
def test_finds_what_comparing_everything_finds(
    base: list[WorkRecord], newer: list[WorkRecord], batch: list[Row], match: Any
) -> None:
    index = index_of(base, newer)
    merged = {record.work: record for record in (*base, *newer)}.values()
    found = hits_by_row(index, index.lookup(keys_of(batch), match), len(batch))
    assert found == [naive_hits(merged, row, match) for row in batch]


@given(catalogues(), catalogues(), st.sets(st.integers(0, 9), max_size=4), batches)
def test_removed_works_are_gone_until_they_are_stated_again(
    base: list[WorkRecord], newer: list[WorkRecord], numbers: set[int], batch: list[Row]
) -> None:
    removed = {uid(1, number) for number in numbers}
    cleared = Index([*in_memory(base), *in_memory([], removed=removed)])
    left = {record.work: record for record in base if record.work not in removed}
    for index, expected in ((cleared, left), (cleared.with_overlay(newer), left | {r.work: r for r in newer})):
        found = hits_by_row(index, index.lookup(keys_of(batch)), len(batch))
        assert found == [naive_hits(expected.values(), row, "near") for row in batch]
        assert len(index.works) == len(expected)
        assert {index.works[int(n)].work for n in index.works.numbers()} == set(expected)


@given(catalogues(), st.lists(catalogues(3), max_size=4))
def test_works_read_back_as_they_were_last_stated(base: list[WorkRecord], updates: list[list[WorkRecord]]) -> None:
    index = index_of(base)
    expected = {record.work: record for record in base}
    for update in updates:
        before = {work: index.work(work) for work in expected}
        changed = index.with_overlay(update)
        # The older index stays as it was.
        assert {work: index.work(work) for work in expected} == before
        index = changed
        expected |= {record.work: record for record in update}
    assert [index.works[int(n)].work for n in index.works.numbers()] == sorted(expected)
    for work, record in expected.items():
        state = index.work(work)
        assert state is not None
        assert state == index.work(from_uuid("wrk", UUID(bytes=work)))
        shared = (*FLAGS, "work", "account", "terms", "level", "statement", "log_index")
        assert {name: getattr(state, name) for name in shared} == {name: getattr(record, name) for name in shared}
    assert index.work(uid(9, 9)) is None


@given(st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=3), min_size=40, max_size=60))
@settings(max_examples=15)
def test_a_long_row_of_small_overlays_leaves_few_layers(updates: list[list[int]]) -> None:
    index = Index()
    newest: dict[bytes, int] = {}
    for moment, numbers in enumerate(updates):
        index = index.with_overlay([some(number, log_index=moment) for number in numbers])
        newest |= {uid(1, number): moment for number in numbers}
    assert len(index._layers) <= 8
    assert {work: index.work(work).log_index for work in newest} == newest  # type: ignore[union-attr]


def test_an_address_never_matches_a_file_with_the_same_key() -> None:
    key = bytes(range(16))
    index = index_of([some(0, sha256=key * 2, urls=[bytes(16)]), some(1, urls=[key]), some(2, pixels=key * 2)])
    for kind, work in (("file", 0), ("url", 1), ("pixels", 2)):
        keys = Keys(1, **{kind: np.frombuffer(key, np.uint8).reshape(1, 16)})  # type: ignore[arg-type]
        assert index.works.ids(index.lookup(keys).work).tobytes() == uid(1, work)


def test_file_and_pixels_are_equally_firm() -> None:
    low, high = sorted((0, 1), key=lambda number: uid(1, number))
    index = index_of([some(high), some(low, sha256=bytes([1]) * 32, pixels=bytes(32))])
    matches = index.lookup(keys_of([Row(file=bytes(16), pixels=bytes(16))]))
    assert index.works.ids(matches.work).tobytes() == uid(1, low) + uid(1, high)
    assert matches.key.tolist() == [1, 0]


def test_every_work_on_one_key_is_reported_by_work_id() -> None:
    index = index_of([some(number) for number in range(100)])
    matches = index.lookup(Keys(3, file=np.zeros((3, 16), np.uint8), file_mask=np.array([True, False, True])))
    assert matches.row.tolist() == [0] * 100 + [2] * 100
    expected = b"".join(sorted(uid(1, number) for number in range(100)))
    assert index.works.ids(matches.work).tobytes() == expected * 2


@given(records(0), st.sampled_from(["sha256", "pixels", "urls", "pdq"]))
def test_the_older_keys_of_a_work_are_dead(record: WorkRecord, field: str) -> None:
    other: Any = [bytes(16)] if field == "urls" else bytes(32)
    changed = msgspec.structs.replace(record, **{field: other})
    row = Row(
        file=record.sha256[:16] if record.sha256 else None,
        pixels=record.pixels[:16] if record.pixels else None,
        url=record.urls[0] if record.urls else None,
        pdq=(record.pdq,) * 8 if record.pdq else None,
    )
    index = index_of([record], [changed])
    assert hits_by_row(index, index.lookup(keys_of([row])), 1) == [naive_hits([changed], row, "near")]


def test_a_near_vector_of_an_unknown_work_is_refused() -> None:
    exact, _ = in_memory([some(0)])
    _, near = in_memory([some(1, pdq=bytes(32), quality=80)])
    with pytest.raises(MalformedError, match="vectors of works"):
        Index([exact, near]).lookup(keys_of([Row(pdq=(bytes(32),) * 8, quality=80)]))
    with pytest.raises(MalformedError, match="exact segment before"):
        Index([near])


def test_a_stored_hash_of_low_quality_matches_nothing_even_where_a_file_holds_one() -> None:
    exact, near = in_memory([some(0, pdq=bytes(32), quality=80)])
    row = keys_of([Row(pdq=(bytes(32),) * 8, quality=80)])
    assert len(Index([exact, near]).lookup(row)) == 1
    near.columns["near.quality"].flags.writeable = True
    near.columns["near.quality"][:] = 49
    assert not len(Index([exact, near]).lookup(row))


@pytest.mark.parametrize("number", [-1, 1, 2**40])
def test_a_number_that_no_work_has_is_refused(number: int) -> None:
    with pytest.raises(InputError, match="numbers of works"):
        index_of([some(0)]).works[number]
    with pytest.raises(InputError, match="terms"):
        index_of([some(0)]).works.terms(number)


def test_ids_of_another_length_are_refused() -> None:
    for work in (b"", bytes(15), "wrk_", "art_" + "0" * 26):
        with pytest.raises(InputError, match="work"):
            Index().work(work)
    with pytest.raises(InputError, match="match"):
        Index().lookup(Keys(0), "derivative")  # type: ignore[arg-type]


def test_another_process_maps_the_same_file(tmp_path: Path) -> None:
    [ref] = write_segments([some(number) for number in range(5)], tmp_path)
    index = Index([open_segment(map_file(tmp_path / ref.digest))])
    program = (
        "import sys, pathlib, numpy\n"
        "from licet.index import Index, Keys\n"
        "from licet.index.container import map_file\n"
        "from licet.index.segments import open_segment\n"
        "index = Index([open_segment(map_file(pathlib.Path(sys.argv[1])))])\n"
        "print(len(index.lookup(Keys(1, file=numpy.zeros((1, 16), numpy.uint8)))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / ref.digest)], check=True, capture_output=True, text=True
    )
    assert done.stdout == "5\n"
    assert len(index.lookup(Keys(1, file=np.zeros((1, 16), np.uint8)))) == 5


def test_looking_up_imports_neither_numba_nor_pictures() -> None:
    program = "import sys, licet.index; print(sorted({'numba', 'cv2', 'PIL', 'httpx'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
