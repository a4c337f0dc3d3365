"""Geometry: a map is found among wrong pairs, and no map where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.derivative.features import SIZE_STEPS, TURNS, UNIT
from licet.derivative.geometry import Pairs, fitted


def laid(random, right, wrong, scale, angle):
    """``right`` pairs under one similarity, and ``wrong`` ones anywhere; the map's 2 × 3."""
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cosine, -sine], [sine, cosine]])
    shift = np.array([UNIT * 0.3, UNIT * 0.2])
    work = random.uniform(0, UNIT, (right + wrong, 2))
    asked = work @ linear.T + shift + random.normal(0, UNIT * 0.002, work.shape)
    turns = np.full(right + wrong, angle / (2 * np.pi) * TURNS) + random.normal(0, 3, right + wrong)
    sizes = np.full(right + wrong, SIZE_STEPS * np.log2(scale)) + random.normal(0, 1.5, right + wrong)
    asked[right:] = random.uniform(0, UNIT, (wrong, 2))
    turns[right:], sizes[right:] = random.uniform(0, TURNS, wrong), random.uniform(-24, 24, wrong)
    order = random.permutation(right + wrong)
    return Pairs(work[order], asked[order], turns[order], sizes[order]), np.column_stack((linear, shift))


@given(st.integers(0, 2**32), st.floats(0.3, 2.0), st.floats(-3.1, 3.1))
def test_a_map_is_found_among_wrong_pairs(seed, scale, angle):
    pairs, affine = laid(np.random.default_rng(seed), 24, 40, scale, angle)
    fit = fitted(pairs)
    assert fit is not None
    assert fit.inliers >= 12
    corners = np.array([[0, 0], [UNIT, 0], [0, UNIT], [UNIT, UNIT]])
    got, wanted = (corners @ each[:, :2].T + each[:, 2] for each in (fit.affine, affine))
    assert np.abs(got - wanted).max() < 0.05 * UNIT


def test_pairs_at_random_seldom_meet():
    found = [fitted(laid(np.random.default_rng(seed), 0, 40, 1, 0)[0]) for seed in range(60)]
    assert max((fit.inliers for fit in found if fit), default=0) <= 5


@pytest.mark.parametrize("larger", ["work", "asked"])
def test_what_meets_is_spread_as_in_the_picture_where_it_is_more(larger):
    random = np.random.default_rng(7)
    high = 0.12 * UNIT  # of a strip; a deviation is 1 / √12 of it
    strip = np.column_stack((random.uniform(0, UNIT, 200), random.uniform(0, high, 200)))
    places = (strip, strip / 2) if larger == "work" else (strip / 2, strip)
    fit = fitted(Pairs(*places, np.zeros(200), np.full(200, SIZE_STEPS * (-1.0 if larger == "work" else 1.0))))
    assert fit is not None
    assert fit.spread == pytest.approx(0.12 / np.sqrt(12), rel=0.1)


@given(st.integers(0, 3), st.integers(0, 2**32))
def test_three_pairs_are_no_map(count, seed):
    assert fitted(laid(np.random.default_rng(seed), count, 0, 1, 0)[0]) is None


@given(st.integers(4, 30))
def test_a_crowd_in_one_spot_is_no_map(count):
    places = np.full((count, 2), UNIT / 2.0)
    assert fitted(Pairs(places, places, np.zeros(count), np.zeros(count))) is None


@given(st.integers(0, 2**32), st.integers(4, 30))
def test_whatever_comes_ends_in_a_map_of_finite_numbers_or_none(seed, count):
    random = np.random.default_rng(seed)
    line = random.uniform(0, UNIT, (count, 1)) * np.array([[1.0, 0.5]])
    places = line if seed % 2 else np.rint(random.uniform(0, 3, (count, 2)))
    fit = fitted(Pairs(places, places[::-1].copy(), random.uniform(-255, 255, count), random.uniform(-60, 60, count)))
    assert fit is None or np.isfinite(fit.affine).all()


@given(st.integers(0, 2**32), st.integers(4, 30))
def test_fewer_than_are_asked_for_are_no_map(seed, least):
    pairs, _ = laid(np.random.default_rng(seed), 16, 20, 1, 0.3)
    fit, whole = fitted(pairs, least), fitted(pairs)
    assert whole is not None
    assert fit is None or (fit.affine == whole.affine).all()
    assert fitted(pairs, 16 + 20 + 1) is None
