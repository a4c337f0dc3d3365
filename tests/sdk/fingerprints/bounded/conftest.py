"""Decoders, and a picture that takes a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from licet.fingerprints.bounded import Decoders


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    """One process for the tests of a module that do it no harm."""
    with Decoders(beside="tests.sdk.fingerprints.bounded.guests:size") as made:
        yield made


@pytest.fixture(scope="session")
def large(save: Callable[..., bytes]) -> bytes:
    """A PNG of 36 million pixels in 160 kB: half a second of work."""
    return save(np.zeros((6000, 6000), np.uint8), "PNG", compress_level=1)
