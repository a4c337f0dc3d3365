"""What several commands of settling ask for alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from cyclopts import Parameter

from licet import times

Named = Annotated[list[str] | None, Parameter(name="--invoice", consume_multiple=True, negative="")]
PAGE: Final = 200


def last_month() -> str:
    """Return the last month that has ended."""
    return times.to_text(times.now().replace(day=1) - timedelta(days=1))[:7]
