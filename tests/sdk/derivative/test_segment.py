"""Segments: merged ones hold what one built of all holds; what is corrupted, cut or foreign is refused."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.derivative import segment as segments
from licet.errors import InputError, LicetError, MalformedError
from licet.index import container
from tests.sdk.derivative.pictures import anything


def work(number):
    return number.to_bytes(16, "big")


def some(*numbers):
    return segments.built((work(number), anything(number % 7 * 5, number)) for number in numbers)


def equal(a, b):
    return all(np.array_equal(a.columns[name], b.columns[name]) for name in a.columns)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 40), unique=True, max_size=12), st.integers(0, 12))
def test_segments_merged_are_the_segment_of_all(numbers, cut):
    assert equal(segments.merged([some(*numbers[:cut]), some(*numbers[cut:])]), some(*numbers))


def test_a_work_that_is_gone_is_not_merged_and_of_one_twice_the_later_counts():
    old = segments.built([(work(1), anything(9, 1)), (work(2), anything(9, 2)), (work(3), anything(9, 3))])
    new = segments.built([(work(2), anything(4, 20))])
    expected = segments.built([(work(1), anything(9, 1)), (work(2), anything(4, 20))])
    assert equal(segments.merged([old, new], without={work(3)}), expected)


def test_what_is_written_is_opened_and_called_by_its_digest(tmp_path):
    digest, size = segments.write(tmp_path, some(1, 2, 3))
    path = tmp_path / digest
    assert (path.stat().st_size, sha256(path.read_bytes()).hexdigest()) == (size, digest)
    assert equal(segments.opened(path, verify=True), some(1, 2, 3))


def test_none_at_all_is_a_segment_too(tmp_path):
    digest, _ = segments.write(tmp_path, segments.merged([]))
    assert len(segments.opened(tmp_path / digest, verify=True)) == 0


def test_a_changed_byte_is_found(tmp_path):
    digest, size = segments.write(tmp_path, some(1, 2, 3))
    whole = (tmp_path / digest).read_bytes()
    for at in np.random.default_rng(1).integers(0, size, 20).tolist():
        (tmp_path / digest).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(MalformedError):
            segments.opened(tmp_path / digest, verify=True)


@pytest.mark.parametrize("length", [0, 8, 15, 400, -1])
def test_a_file_that_was_cut_is_refused(tmp_path, length):
    digest, _ = segments.write(tmp_path, some(1, 2, 3))
    whole = (tmp_path / digest).read_bytes()
    (tmp_path / digest).write_bytes(whole[:length])
    with pytest.raises(LicetError):
        segments.opened(tmp_path / digest)


def test_a_segment_of_another_tier_is_refused(tmp_path):
    digest, _ = container.write(tmp_path, "near", some(1).columns)
    with pytest.raises(MalformedError, match="expected a derivative segment, got tier near"):
        segments.opened(tmp_path / digest)
    with pytest.raises(InputError):
        segments.opened(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["work.size", "word.end", "posting.turn", "posting.work"])
def test_columns_that_do_not_fit_together_are_refused(name):
    columns = dict(some(1, 2, 3).columns)
    columns[name] = columns[name][:-1]
    with pytest.raises(MalformedError):
        segments.DerivativeSegment(columns)


def test_a_posting_of_no_work_is_refused():
    columns = dict(some(1, 2, 3).columns)
    columns["posting.work"] = columns["posting.work"] + np.uint32(3)
    with pytest.raises(MalformedError, match=r"posting\.work: expected rows below 3, got"):
        segments.DerivativeSegment(columns).check()
