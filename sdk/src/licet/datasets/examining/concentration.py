"""Who owns too much of a dataset (semantics 15): counted once per job, before anything is asked for."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from licet.datasets.examining.deciding import Question, Verdicts
from licet.decisions import CODES
from licet.decisions.style import LEAST_WORKS, Held, applies, concentrated

_LICENSE: Final = CODES["license"]
_UNKNOWN: Final = CODES["unknown"]
_ALLOW: Final = CODES["allow"]


class Counted(msgspec.Struct, frozen=True):
    """What was counted of some rows: those used, and by account how many rest on it and which works they show, of those
    at most as many as matter."""

    used: int = 0
    rows: dict[bytes, int] = {}
    works: dict[bytes, list[bytes]] = {}


class Concentration:
    """Counts, per account, the rows that would be used and the works that they show."""

    def __init__(self, question: Question) -> None:
        self._counts = applies(question.request)
        self._keeps_unknown = question.unknown == "keep"
        self._used = 0
        self._rows: dict[bytes, int] = {}
        self._works: dict[bytes, set[bytes]] = {}

    def add(self, verdicts: Verdicts) -> None:
        """Count the rows of one batch: ``allow``, ``license`` and kept ``unknown``, by whom their verdict rests on."""
        if not self._counts:
            return
        answers, verdict = verdicts.answers, verdicts.verdict
        used = (verdict == _ALLOW) | (verdict == _LICENSE)
        if self._keeps_unknown:
            used |= verdict == _UNKNOWN
        self._used += int(used.sum())
        row = answers.matches.row
        if not len(row):
            return
        code = np.array([each.code for each in answers.decisions], np.uint8)[answers.decision]
        rests = used[row] & answers.counts & (code == verdict[row])
        rests &= answers.payable | (verdict[row] != _LICENSE)
        self._count(row[rests], answers.works.account[rests], answers.works.work[rests])

    def _count(self, row: npt.NDArray[np.int64], account: npt.NDArray[np.uint8], work: npt.NDArray[np.uint8]) -> None:
        seen: set[tuple[int, bytes]] = set()
        for number, owner, shown in zip(row.tolist(), _ids(account), _ids(work), strict=True):
            if (number, owner) not in seen:
                seen.add((number, owner))
                self._rows[owner] = self._rows.get(owner, 0) + 1
            self._show(owner, shown)

    def _show(self, owner: bytes, work: bytes) -> None:
        shown = self._works.setdefault(owner, set())
        if len(shown) < LEAST_WORKS:  # more of them change nothing
            shown.add(work)

    @property
    def counted(self) -> Counted:
        """What was counted so far."""
        return Counted(self._used, self._rows, {owner: sorted(works) for owner, works in self._works.items()})

    def join(self, other: Counted) -> None:
        """Count what was counted elsewhere of other rows."""
        self._used += other.used
        for owner, rows in other.rows.items():
            self._rows[owner] = self._rows.get(owner, 0) + rows
        for owner, works in other.works.items():
            for work in works:
                self._show(owner, work)

    def accounts(self) -> frozenset[bytes]:
        """Return the accounts that are concentrated, 16 bytes each."""
        held = {owner.hex(): Held(rows, len(self._works[owner])) for owner, rows in self._rows.items()}
        return frozenset(bytes.fromhex(owner) for owner in concentrated(held, self._used))


def _ids(ids: npt.NDArray[np.uint8]) -> list[bytes]:
    found: list[bytes] = np.ascontiguousarray(ids).view("V16").reshape(-1).tolist()
    return found
