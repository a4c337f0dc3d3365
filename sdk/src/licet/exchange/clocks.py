"""This machine's clock beside the service's, as its answers give it away."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from licet import times

CLOCK_SKEW: Final = timedelta(minutes=5)  # what signed moments and snapshots are allowed


def wrong_clock(offset: float | None) -> str | None:
    """Return the sentence that says how far this machine's clock is from the service's, None within five minutes.

    ``offset`` is in seconds, positive where this clock is ahead, None where the service did not say its time.
    """
    if offset is None or abs(offset) <= CLOCK_SKEW.total_seconds():
        return None
    amount = abs(offset)
    span = f"{amount / 3600:.1f} h" if amount >= 3600 else f"{amount / 60:.0f} min"
    theirs = times.to_text(times.now() - timedelta(seconds=offset))[:16]
    return (
        f"this machine's clock is {span} {'ahead of' if offset > 0 else 'behind'} the service's ({theirs} UTC there): "
        f"set it right, snapshots and what is signed are judged by it"
    )
