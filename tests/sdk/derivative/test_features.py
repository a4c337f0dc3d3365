"""The form of features: what is written comes back, all else is refused, and no work takes more than it may."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.derivative.extracting import asked_bytes, kept_bytes
from licet.derivative.features import ASKED_SIDE, KEPT_BYTES, KEPT_FEATURES, MAX_BYTES, Features, decode, encode
from licet.errors import MalformedError
from tests.sdk.derivative.pictures import anything, demo


def same(a: Features, b: Features) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in Features.__slots__)


@given(st.integers(0, KEPT_FEATURES), st.integers(0, 2**32))
def test_what_is_kept_comes_back(count, seed):
    features = anything(count, seed)
    assert same(decode(encode(features), kept=True), features)


@given(st.integers(0, 600), st.integers(0, 2**32), st.integers(1, 4))
def test_what_is_asked_comes_back(count, seed, words):
    features = anything(count, seed, words, ASKED_SIDE)
    assert same(decode(encode(features)), features)


@given(st.binary(max_size=200), st.booleans())
def test_other_bytes_are_refused(data, kept):
    with pytest.raises(MalformedError):
        decode(data, kept=kept)


@given(st.integers(0, 40), st.data())
def test_changed_bytes_are_features_or_refused(count, data):
    changed = bytearray(encode(anything(count)))
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(changed[: data.draw(st.integers(0, len(changed)))])
    for each in (bytes(changed), cut):
        try:
            found = decode(each, kept=True)
        except MalformedError:
            continue
        assert encode(found) == each


def test_a_question_is_no_work_and_a_work_is_no_question():
    with pytest.raises(MalformedError, match="expected a raster of 64 × 64, got 32"):
        decode(encode(anything(3)))
    with pytest.raises(MalformedError, match="expected 1 word, got 2"):
        decode(encode(anything(3, words=2)), kept=True)


def test_more_than_may_be_is_refused():
    with pytest.raises(MalformedError, match=f"expected at most {KEPT_FEATURES}, got"):
        decode(encode(anything(KEPT_FEATURES + 1)), kept=True)


def test_a_work_takes_at_most_six_kilobytes_and_equal_pixels_the_same_ones():
    (picture,) = demo(1)
    stored = kept_bytes(picture)
    assert len(stored) <= KEPT_BYTES <= 6000
    assert len(asked_bytes(picture)) <= MAX_BYTES
    assert stored == kept_bytes(picture.copy())


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (3, 5), (40, 40), (2000, 30)])
def test_pictures_of_any_size_have_features_or_none(size):
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    assert decode(kept_bytes(picture), kept=True).width == size[1]
    assert decode(asked_bytes(picture)).height == size[0]
