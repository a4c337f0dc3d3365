"""Features come out of the processes that decode strangers' pictures, the same as made here."""

from __future__ import annotations

from pathlib import Path

import pytest

from licet.derivative.extracting import asked_bytes, kept_bytes
from licet.fingerprints.bounded import POSSIBLE, Decoders
from licet.fingerprints.decode import decode

PICTURE = min((Path(__file__).parents[3] / "demo/pictures").rglob("*.jpg"))


@pytest.mark.skipif(not POSSIBLE, reason="processes cannot be confined here")
@pytest.mark.parametrize("make", [asked_bytes, kept_bytes])
def test_a_confined_decoder_makes_the_same_features(make):
    data = PICTURE.read_bytes()
    with Decoders(most=1, beside=f"licet.derivative.extracting:{make.__name__}") as decoders:
        assert decoders.examine(data).beside == make(decode(data).rgb)
