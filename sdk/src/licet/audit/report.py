"""What a check of evidence comes to: the checks that held, or the first that did not, by name and member."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from licet.audit.closed import PlacedLine
from licet.errors import LicetError, VerificationError
from licet.statements.kinds import Total


class Check(msgspec.Struct, frozen=True):
    """One check that held: its short name, and what it covered in words."""

    name: str
    detail: str


class Report(msgspec.Struct, frozen=True):
    """An evidence bundle in which every check held.

    ``anchored``: under a pinned root, not only consistent in itself. ``size`` and ``root`` (hex) are those of the log
    that the evidence is in. ``accrued`` is what uses came to in the period, gross and before reversals; ``reversed``,
    by currency in micro-units, is what was taken back in it. Of a month that is closed ``closed_by`` is the log
    index of its close, and ``placed`` where the account's own lines are in the trees.
    """

    anchored: bool
    origin: str
    period: str
    state: str
    account: str | None
    size: int
    root: str
    counts: dict[str, int]
    accrued: list[Total]
    checks: list[Check]
    reversed: dict[str, int] = {}
    closed_by: int | None = None
    placed: list[PlacedLine] = []


def refused(check: str, member: str, message: str) -> VerificationError:
    """Return the error that says which check did not hold, and on which member of the bundle."""
    return VerificationError(f"{check}: {member}: {message}", check=check, member=member)


@contextmanager
def checking(check: str, member: str) -> Iterator[None]:
    """Turn every error of ours inside the block into one that names ``check`` and ``member``."""
    try:
        yield
    except LicetError as error:
        if "check" in error.details:
            raise
        raise refused(check, member, error.message) from None
