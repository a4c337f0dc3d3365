"""Choosing corners: no crowd takes the place of others, whatever comes in whatever order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from licet.derivative.choosing import chosen


def corners(seed, count):
    random = np.random.default_rng(seed)
    places = random.uniform(0, 512, (count, 2)).astype(np.float32)
    return places, random.integers(0, 8, count), random.uniform(0, 1, count).astype(np.float32)


@given(st.integers(0, 2**32), st.integers(0, 400), st.integers(1, 300), st.floats(20, 600))
def test_as_many_as_there_are_and_no_more_are_chosen_once(seed, count, most, cell):
    places, levels, strengths = corners(seed, count)
    rows = chosen(places, levels, strengths, most, cell)
    assert len(set(rows.tolist())) == len(rows) == min(count, most)


@given(st.integers(0, 2**32), st.integers(1, 300), st.randoms(use_true_random=False))
def test_the_order_in_which_corners_come_changes_nothing(seed, count, shuffled):
    places, levels, strengths = corners(seed, count)
    order = list(range(count))
    shuffled.shuffle(order)
    one, other = (
        chosen(places, levels, strengths, 60, 64),
        chosen(places[order], levels[order], strengths[order], 60, 64),
    )
    assert places[one].tolist() == places[order][other].tolist()


@given(st.integers(0, 2**32), st.integers(65, 400))
def test_a_crowd_of_strong_corners_leaves_the_weak_ones_elsewhere(seed, crowd):
    places, _, strengths = corners(seed, crowd)
    places = np.concatenate((places / 512 * 60, [[100.0, 300.0], [400.0, 20.0]])).astype(np.float32)
    strengths = np.concatenate((strengths + 1, [0.001, 0.002])).astype(np.float32)
    rows = chosen(places, np.zeros(crowd + 2, np.intp), strengths, 20, 64)
    assert {crowd, crowd + 1} < set(rows.tolist())


@given(st.integers(0, 2**32))
def test_every_level_is_among_the_chosen(seed):
    places, levels, strengths = corners(seed, 2000)
    fine = strengths + 5 * (levels == 0)
    counted = np.bincount(levels[chosen(places, levels, fine.astype(np.float32), 200, 64)], minlength=8)
    assert (np.diff(counted) <= 0).all()
    assert counted[-1] > 8
