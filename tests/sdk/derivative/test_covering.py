"""The self-test: a work that is found one way is told to be found, one that is found no way is not."""

from __future__ import annotations

import numpy as np
import pytest

from licet.derivative import covering
from licet.derivative.extracting import kept
from tests.sdk.derivative.pictures import demo


def nothing(rgb):
    return np.full_like(rgb, 128)


@pytest.mark.parametrize("lost", [(), ("_cut",), ("_among",)])
def test_one_way_of_being_found_is_enough(lost, monkeypatch):
    for name in lost:
        monkeypatch.setattr(covering, name, nothing)
    assert covering.coverable(demo(1)[0], kept(demo(1)[0]))


def test_what_is_found_no_way_is_not_covered(monkeypatch):
    rgb = demo(1)[0]
    monkeypatch.setattr(covering, "_cut", nothing)
    monkeypatch.setattr(covering, "_among", nothing)
    assert not covering.coverable(rgb, kept(rgb))


def test_a_picture_without_a_corner_is_not_covered():
    flat = np.full((300, 400, 3), 200, np.uint8)
    assert not covering.coverable(flat, kept(flat))
