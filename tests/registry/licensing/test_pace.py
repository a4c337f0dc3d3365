"""What is answered at once follows from what calls took before, whatever a few keys took."""

from __future__ import annotations

from registry.licensing.pace import AT_ONCE, Pace


def test_as_many_keys_as_were_measured_to_fit_are_answered_at_once() -> None:
    pace = Pace()
    assert pace.fits(1_000)
    assert not pace.fits(1_001)
    for _ in range(30):
        pace.took(10_000, 0.0005)
    assert pace.fits(19_000)
    assert not pace.fits(21_000)
    for _ in range(30):
        pace.took(10_000, 3 * AT_ONCE)
    assert not pace.fits(10_000)
    assert pace.fits(3_000)
    pace.took(1, 1.0)  # says nothing about many
    assert pace.fits(3_000)
