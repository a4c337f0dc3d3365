"""Searching: what shows a work is found, what shows nothing of it is not, in one segment or in several."""

from __future__ import annotations

import sys
import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.derivative import features, geometry, loops, postings, searching
from licet.derivative import segment as segments
from licet.derivative.extracting import asked, kept
from licet.derivative.searching import search
from licet.derivative.segment import DerivativeSegment, built
from licet.errors import MalformedError
from tests.sdk.derivative.pictures import anything, demo, posted, shapes

WORKS = 12


def work(number):
    return number.to_bytes(16, "big")


@pytest.fixture(scope="module")
def segment():
    return built((work(number), kept(rgb)) for number, rgb in enumerate(demo(WORKS)))


def found(segments, rgb):
    return [int.from_bytes(each.work, "big") for each in search(segments, asked(rgb))]


def cropped(rgb):
    down, right = rgb.shape[0] // 10, rgb.shape[1] // 10
    return rgb[down:-down, right:-right]


def framed(rgb):
    edge = max(rgb.shape) // 10
    return cv2.copyMakeBorder(rgb, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(250, 240, 200))


def tilted(rgb):
    height, width = rgb.shape[:2]
    return cv2.warpAffine(rgb, cv2.getRotationMatrix2D((width / 2, height / 2), 3, 1.0), (width, height))


@pytest.mark.parametrize("change", [cropped, framed, tilted])
@pytest.mark.parametrize("number", [1, 5])
def test_what_shows_a_work_is_found(segment, change, number):
    assert found([segment], posted(np.asarray(change(demo(WORKS)[number]), np.uint8)))[:1] == [number]


def test_what_is_in_two_segments_is_found_as_in_one(segment):
    parts = [
        built((work(number), kept(demo(WORKS)[number])) for number in numbers)
        for numbers in (range(5), range(5, WORKS))
    ]
    asked_for = asked(posted(cropped(demo(WORKS)[7])))
    assert search(parts, asked_for) == search([segment], asked_for)


def test_a_picture_of_nothing_registered_finds_nothing(segment):
    for rgb in demo(WORKS + 4)[WORKS:]:
        assert found([segment], posted(rgb)) == []


SHAPES = "frame stripes flag caption logo gradient halftone checks lines captioned cards".split()


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_that_any_picture_may_have_is_no_match(shape, turned):
    one, other = shapes()[shape][:: -1 if turned else 1]
    assert found([built([(work(1), kept(one))])], posted(other)) == []


def panorama():
    """A sky and a sea without a corner, and between them a strip of houses, an eighth of the picture high."""
    down, right = np.mgrid[:600, :900]
    sheet = np.stack((60 + down // 4, 60 + down // 4 + right // 60, 80 + down // 5), axis=2).astype(np.uint8)
    rows = demo(3)[2]
    sheet[260:335] = cv2.resize(rows[: rows.shape[0] // 8], (900, 75), interpolation=cv2.INTER_AREA)
    return sheet


@pytest.mark.parametrize("change", [cropped, framed, tilted])
def test_a_strip_is_found_where_what_is_beside_it_is_alike(segment, change):
    work_of = built([(work(50), kept(panorama()))])
    assert found([segment, work_of], posted(np.asarray(change(panorama()), np.uint8)))[:1] == [50]


def test_a_picture_without_a_corner_finds_nothing(segment):
    assert found([segment], np.full((300, 400, 3), 127, np.uint8)) == []
    assert found([], demo(1)[0]) == []


def test_features_that_no_picture_has_are_answered(segment):
    for seed in range(8):
        assert search([segment], anything(600, seed, 4, features.ASKED_SIDE)) == []


def test_a_posting_of_no_work_is_refused_while_searching(segment):
    columns = dict(segment.columns)
    columns["posting.work"] = columns["posting.work"] + np.uint32(WORKS)
    with pytest.raises(MalformedError, match=r"posting\.work"):
        found([DerivativeSegment(columns)], demo(1)[0])


def alike(count, words, side):
    """Features that are all the same: what a picture of chequers has, or who means harm sends."""
    random = np.random.default_rng(count)
    return features.Features(
        500,
        500,
        np.full((count, words), 7, np.uint16),
        np.zeros(count, np.uint64),
        random.integers(0, 1 << 16, (count, 2)).astype(np.uint16),
        np.zeros(count, np.uint8),
        np.zeros(count, np.uint8),
        random.integers(0, 256, (side, side)).astype(np.uint8),
    )


@pytest.mark.parametrize("form", ["compiled", "plain"])
def test_features_that_are_all_alike_cost_no_more_memory_than_others(segment, form, monkeypatch):
    if form == "compiled":
        pytest.importorskip("numba")
    monkeypatch.setattr(loops, "worth", lambda _: loops.loaded() if form == "compiled" else None)
    hostile = built((work(100 + number), alike(features.KEPT_FEATURES, 1, features.KEPT_SIDE)) for number in range(20))
    asked_for = alike(features.ASKED_FEATURES, features.MAX_WORDS, features.ASKED_SIDE)
    tracemalloc.start()
    try:
        assert search([segment, hostile], asked_for) == []
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 200 << 20  # of 17 million finds; their columns alone were 300 MB
    assert found([segment, hostile], posted(cropped(demo(WORKS)[1])))[:1] == [1]


def test_the_words_that_most_is_kept_under_are_the_first_to_be_left_out(monkeypatch):
    start, end = np.array([[0, 5], [8, 0]]), np.array([[5, 8], [10, 8]])
    monkeypatch.setattr(postings, "_ALWAYS_COMPARED", 10)
    first, last = postings._affordable(start, end, 10)
    np.testing.assert_array_equal(last - first, [[5, 3], [2, 0]])
    # Four words of 65,536, of so many postings: 18, which is all.
    first, last = postings._affordable(start, end, 18 * segments.WORDS // 4)
    np.testing.assert_array_equal(last - first, [[5, 3], [2, 8]])


@given(st.integers(0, 2**32), st.integers(0, 60), st.integers(1, 4), st.sampled_from([0, 1000, 1 << 40]))
def test_compiled_and_plain_loops_find_the_same(seed, features_asked, words, most):
    pytest.importorskip("numba")
    random = np.random.default_rng(seed)
    stored = random.integers(0, 1 << 8, 3000, np.uint64)  # so few values that many are within the radius
    ends = np.sort(random.integers(0, 3001, (features_asked, words, 2)), axis=2)
    wanted = random.integers(0, 1 << 8, features_asked, np.uint64)
    start, end = np.ascontiguousarray(ends[..., 0]), np.ascontiguousarray(ends[..., 1])
    plain = postings._scanned_plainly(start, end, wanted, stored, most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "worth", lambda _: loops.loaded())
        compiled = postings.scanned(start, end, wanted, stored, most)
    for one, other in zip(plain, compiled, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    each = (end - start).sum(axis=1)
    assert len(plain[0]) == each[each <= most].sum()


@given(st.integers(0, 2**32), st.integers(0, 400), st.integers(1, 60))
def test_compiled_and_plain_loops_take_each_work_once_under_a_feature(seed, count, works):
    pytest.importorskip("numba")
    loops.loaded()
    random = np.random.default_rng(seed)
    owners = random.integers(0, works, 500).astype(np.uint32)
    feature, posting = np.sort(random.integers(0, 12, count)), random.integers(0, 500, count)
    bits = random.integers(0, postings.RADIUS + 1, count).astype(np.uint8)
    plain, compiled = (once(feature, posting, bits, owners, works) for once in (postings._once_plainly, postings._once))
    wanted: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for at in range(count):
        key = int(feature[at]), int(owners[posting[at]])
        wanted.setdefault(key, []).append((int(bits[at]), int(posting[at])))
    for found in (plain, compiled):
        columns = (found.asked, found.work, found.posting, found.repeated)
        told = {(row, work): (at, often) for row, work, at, often in zip(*map(np.ndarray.tolist, columns), strict=True)}
        assert len(told) == len(found.asked)
        assert told == {key: (min(each)[1], len(each) > postings.ALIKE) for key, each in wanted.items()}
        assert (np.diff(found.asked) >= 0).all()
    for once in (postings._once_plainly, postings._once):
        if count:
            with pytest.raises(MalformedError, match=r"posting\.work"):
                once(feature, posting, bits, owners + np.uint32(works), works)


def test_a_full_segment_is_worth_loading_compiled_loops(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.delitem(sys.modules, "licet.derivative.kernels", raising=False)
    read = features.ASKED_FEATURES * 3 * 50_000 * features.KEPT_FEATURES // segments.WORDS
    assert loops.worth(read) is not None


@pytest.mark.parametrize("change", [cropped, framed, tilted])
def test_compiled_and_plain_loops_say_the_same_of_a_picture(segment, change, monkeypatch):
    pytest.importorskip("numba")
    asked_for = asked(posted(np.asarray(change(demo(WORKS)[3]), np.uint8)))
    monkeypatch.setattr(loops, "worth", lambda _: None)
    monkeypatch.setattr(loops, "ready", lambda: None)
    plain = searching.proposed([segment], asked_for)
    monkeypatch.setattr(loops, "worth", lambda _: loops.loaded())
    monkeypatch.setattr(loops, "ready", loops.loaded)
    assert len(plain) >= 1
    assert searching.proposed([segment], asked_for) == plain


@given(st.integers(0, 2**32), st.integers(4, 120))
def test_compiled_and_plain_loops_choose_the_same_guess(seed, count):
    pytest.importorskip("numba")
    random = np.random.default_rng(seed)
    places = np.rint(random.uniform(0, features.UNIT, (count, 2)))
    moved = places + np.rint(random.normal(0, features.UNIT * 0.02, (count, 2)))
    turns, sizes = random.integers(-30, 30, count).astype(float), random.integers(-6, 7, count).astype(float)
    pairs = geometry.Pairs(places, moved, turns, sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "ready", lambda: None)
        plain = geometry._best_guess(pairs, 1)
        patch.setattr(loops, "ready", loops.loaded)
        np.testing.assert_array_equal(plain, geometry._best_guess(pairs, 1))
