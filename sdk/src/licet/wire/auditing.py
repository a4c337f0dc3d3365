"""What an auditor has found, as lists tell of it."""

from __future__ import annotations

import msgspec

from licet.wire.common import Receipt


class FindingLogged(msgspec.Struct, frozen=True):
    """The finding is in the log, and shown to whom it concerns."""

    finding: str
    receipt: Receipt


class FindingInfo(msgspec.Struct, frozen=True):
    """One finding; ``log_index`` is null until the log has taken it. The statement says all of it."""

    finding: str
    auditor: str
    concerns: str
    period: str
    check: str
    about: str | None
    summary: str
    examined: int
    failed: int
    found_at: str
    log_index: int | None
