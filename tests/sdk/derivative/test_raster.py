"""Rasters: a picture agrees with itself wherever it is laid, and not with another one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.derivative.features import UNIT
from licet.derivative.raster import agreement
from tests.sdk.derivative.pictures import demo

SAME = np.array([[1.0, 0, 0], [0, 1.0, 0]])


def squeezed(rgb, side):
    return np.asarray(cv2.resize(rgb.mean(axis=2).astype(np.uint8), (side, side), interpolation=cv2.INTER_AREA))


def size(rgb):
    return rgb.shape[1], rgb.shape[0]


@pytest.mark.parametrize("number", range(4))
def test_a_picture_agrees_with_itself(number):
    rgb = demo(4)[number]
    seen = agreement(squeezed(rgb, 32), size(rgb), squeezed(rgb, 64), size(rgb), SAME)
    assert seen.agree >= 0.9 * seen.textured > 10


@pytest.mark.parametrize("number", range(3))
def test_a_picture_does_not_agree_with_another(number):
    one, other = demo(4)[number : number + 2]
    seen = agreement(squeezed(one, 32), size(one), squeezed(other, 64), size(other), SAME)
    assert seen.agree < 0.3 * seen.textured


def test_only_what_the_asked_picture_shows_counts():
    rgb = demo(1)[0]
    half = rgb[:, : rgb.shape[1] // 2]
    longer = max(size(rgb)) / max(size(half))
    seen = agreement(squeezed(rgb, 32), size(rgb), squeezed(half, 64), size(half), SAME * longer)
    whole = agreement(squeezed(rgb, 32), size(rgb), squeezed(rgb, 64), size(rgb), SAME)
    assert whole.shown == 49
    assert 0 < seen.shown < 0.7 * whole.shown
    assert 0 < seen.textured < 0.7 * whole.textured
    assert seen.agree >= 0.9 * seen.textured


@given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=6), st.integers(0, 2**32))
def test_any_map_is_answered(values, seed):
    random = np.random.default_rng(seed)
    work, asked = (random.integers(0, 256, (side, side), np.uint8) for side in (32, 64))
    seen = agreement(work, (640, 480), asked, (1, 1000), np.array(values).reshape(2, 3))
    assert 0 <= seen.agree <= seen.textured <= seen.shown <= 49


def test_grey_all_over_says_nothing():
    flat = np.full((32, 32), 200, np.uint8)
    assert agreement(flat, (10, 10), np.full((64, 64), 200, np.uint8), (UNIT, 10), SAME)[1:] == (0, 0)
