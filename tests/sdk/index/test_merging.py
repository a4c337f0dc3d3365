"""Layers that are merged answer as before, and are the file that a fresh segment of the same states would be."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.errors import InputError
from licet.index import Index, WorkRecord, write_segments
from licet.index.container import map_file
from licet.index.merging import merge_segments, merged, merged_layers
from licet.index.segments import Segment, open_segment
from licet.index.works import Works, WorkState, layered
from licet.statements.kinds import SegmentRef
from tests.sdk.index.world import catalogues, uid

#: A publication: records that are stated anew, and works that are gone since the one before.
PUBLICATIONS = st.lists(st.tuples(catalogues(), st.sets(st.integers(0, 9), max_size=3)), min_size=1, max_size=5)


def opened(folder: Path, refs: list[SegmentRef]) -> list[Segment]:
    return [open_segment(map_file(folder / ref.digest)) for ref in refs]


def stated(segments: list[Segment]) -> list[WorkState]:
    works = Works(layered(segments))
    return [works[int(number)] for number in works.numbers()]


def without_numbers(states: list[WorkState]) -> list[tuple[object, ...]]:
    return [tuple(getattr(each, name) for name in each.__struct_fields__ if name != "number") for each in states]


@settings(max_examples=60)
@given(PUBLICATIONS, st.data())
def test_any_run_of_layers_merged_is_a_fresh_segment_of_its_states(
    publications: list[tuple[list[WorkRecord], set[int]]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layers: list[list[SegmentRef]] = []
        for records, gone in publications:
            removed = {uid(1, work) for work in gone} - {record.work for record in records}
            layers.append(write_segments(records, folder, removed=removed))
        first = data.draw(st.integers(0, len(layers) - 1))
        last = data.draw(st.integers(first, len(layers) - 1))
        run = [ref for layer in layers[first : last + 1] for ref in layer]
        refs = merge_segments(opened(folder, run), folder)

        state: dict[bytes, WorkRecord] = {}
        away: set[bytes] = set()
        for records, gone in publications[first : last + 1]:
            for work in {uid(1, number) for number in gone} - {record.work for record in records}:
                state.pop(work, None)
                away.add(work)
            state |= {record.work: record for record in records}
        assert refs == write_segments(state.values(), folder, removed=away - state.keys())
        for segment in opened(folder, refs):
            segment.check()

        whole = opened(folder, [ref for layer in layers for ref in layer])
        after = opened(folder, [ref for layer in (*layers[:first], refs, *layers[last + 1 :]) for ref in layer])
        assert without_numbers(stated(after)) == without_numbers(stated(whole))
        assert len(Index(after).works) == len(Index(whole).works)


@given(st.lists(st.integers(1, 3000), max_size=300), st.integers(1000, 100_000))
def test_layers_stay_few_and_a_work_is_written_few_times(changes: list[int], base: int) -> None:
    sizes, written = [base], 0
    for change in changes:
        sizes.append(change)
        count = merged_layers(sizes)
        if count:
            sizes[-count:] = [sum(sizes[-count:])]
            written += sizes[-1]
        assert sizes[0] == base
    total = sum(changes)
    assert len(sizes) <= 2 + max(total, 1).bit_length()
    assert written <= total * (2 + 2 * max(total, 1).bit_length())


def test_nothing_to_merge_is_refused() -> None:
    with pytest.raises(InputError, match=r"^expected segments to merge, got none"):
        merged([])
