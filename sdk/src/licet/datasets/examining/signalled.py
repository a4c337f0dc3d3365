"""What others say about the uses of rows: as it is kept of each row, and as it bears on verdicts.

Of each row a line is kept, such as ``train-gen=deny:tdmrep:reserved;search=allow:aipref:allowed``: for every use of
which anything is said the strictest permission, the standard that it stands in, and why. So what is asked decides
later, and a re-check can go by it without reading anything again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from licet.decisions import CODES
from licet.errors import MalformedError
from licet.signals.combining import VERDICT_OF, Combined
from licet.signals.strictness import PERMISSIONS, Permission, permission_on
from licet.terms.atoms import ATOMS

#: What is read: what is in rows and files, with what was fetched lately; or beside that what the web says now.
Reading = Literal["files", "web"]
PREFIX: Final = "signal:"
#: Where a row's signals were looked for, in bits; `MISSED`: an address that was not asked.
FROM_FILE, FROM_HEADERS, FROM_SITE, MISSED = 1, 2, 4, 8
NOTHING_SAID: Final = ""

_UNSET: Final = "unset"


@dataclass(frozen=True, slots=True)
class Signalled:
    """What is said about ``n`` rows: ``said`` is a line for each, null where there was nothing to ask.

    ``at`` is when what was seen was seen, the earliest, in seconds since 1970 (0: no time is known); ``sources`` where
    it was looked for.
    """

    said: pa.Array
    at: npt.NDArray[np.int64]
    sources: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.said)


class Heard(NamedTuple):
    """What signals come to for one request: ``verdict`` (a code, 0 where nobody restricts), why, and where all that is
    asked for is permitted."""

    verdict: npt.NDArray[np.uint8]
    reason: list[str]
    permits: npt.NDArray[np.bool_]


def line_of(combined: Combined) -> str:
    """Return what is kept of signals that were combined."""
    found = []
    for each in combined.uses:
        if each.signal is not None:
            signal = combined.signals[each.signal]
            found.append(f"{each.use}={permission_on(signal.mask, each.use)}:{signal.standard}:{signal.reason}")
    return ";".join(found)


def hear(signalled: Signalled, uses: Iterable[str]) -> Heard:
    """Return what lines come to for ``uses``; raises ``MalformedError`` for a line that was not written here."""
    wanted = frozenset(uses)
    table = pc.dictionary_encode(signalled.said)
    lines = [_for_uses(line, wanted) for line in table.dictionary.to_pylist()]
    places = pc.fill_null(table.indices, len(lines)).to_numpy(zero_copy_only=False)
    lines.append((0, "", False))
    verdict = np.array([each[0] for each in lines], np.uint8)[places]
    permits = np.array([each[2] for each in lines], np.bool_)[places]
    return Heard(verdict, [lines[place][1] for place in places.tolist()], permits)


@lru_cache(maxsize=65_536)
def _for_uses(line: str, uses: frozenset[str]) -> tuple[int, str, bool]:
    said = _parsed(line)
    found, why = 0, ""
    for use in ATOMS:
        permission, reason = said.get(use, (_UNSET, ""))
        verdict = VERDICT_OF[permission]
        if use in uses and verdict != "unknown" and CODES[verdict] > found:
            found, why = CODES[verdict], f"{PREFIX}{reason}"
    return found, why, bool(uses) and all(said.get(use, (_UNSET, ""))[0] == "allow" for use in uses)


@lru_cache(maxsize=65_536)
def _parsed(line: str) -> dict[str, tuple[Permission, str]]:
    """Return what a line says of each use that it speaks of."""
    found: dict[str, tuple[Permission, str]] = {}
    for item in line.split(";") if line else ():
        use, _, rest = item.partition("=")
        word, _, reason = rest.partition(":")
        permission = next((each for each in PERMISSIONS if each == word), None)
        if use not in ATOMS or permission is None or not reason:
            raise MalformedError(f"signals: expected uses with their permissions, got {line[:100]!r}")
        found[use] = permission, reason
    return found
