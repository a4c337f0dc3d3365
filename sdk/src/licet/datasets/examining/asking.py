"""Parts of pictures are looked for by the service alone (semantics 27): what is sent, and what is kept of the answers.

Of each picture its features travel, never the picture. What comes back is kept with the rest of what is known of a row,
so that a job that goes on asks nothing again: of one row, the size of the log that the answer is of, then the works.

::

    0   8   log size, uint64 little-endian
    8   19  of each work: its 16 bytes, places that lie as in it (uint16), the service's verdict (its code)
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet import times
from licet.client import Client
from licet.decisions import CODES, Request
from licet.derivative.asking import MOST
from licet.errors import InputError, MalformedError, ServiceError, UnreachableError
from licet.identifiers import to_uuid
from licet.index import Index
from licet.index.lookup import Matches
from licet.index.parts import with_parts
from licet.wire.licensing import Answer

#: What a decoder makes of a picture beside its fingerprints, to ask with.
BESIDE: Final = "licet.derivative.extracting:asked_bytes"
WITHOUT_TOKEN: Final = 8
_LOG: Final = struct.Struct("<Q")
_LARGEST_LOG: Final = 2**63 - 1
_WORK: Final = np.dtype([("work", "u1", 16), ("inliers", "<u2"), ("verdict", "u1")])
_REVIEW: Final = CODES["review"]


class Asker:
    """Asks the service of which works pictures show parts, for one request."""

    def __init__(self, client: Client, request: Request, min_claim_level: int = 0) -> None:
        self._client = client
        dated = request if request.at else msgspec.structs.replace(request, at=times.to_text(times.now()))
        self._request = {name: value for name, value in dated.to_json().items() if name != "licensee"}
        self._min_claim_level = min_claim_level
        #: Pictures of one question.
        self.most: Final = MOST if client.contact.token else WITHOUT_TOKEN

    def __call__(self, pictures: Sequence[bytes]) -> list[bytes]:
        """Return what is kept of the answer about each of ``pictures``, at most `most`, given by their features.

        Raises ``ServiceError`` that names the option where nobody answers.
        """
        try:
            told = self._client.lookup_parts(pictures, self._request, self._min_claim_level)
        except UnreachableError as error:
            raise ServiceError(f"{error.message} (--match derivative asks the service)", **error.details) from None
        return [_kept(told.log_size, each) for each in told.results]


class Questions:
    """Features of a batch's pictures on their way to the service, as many at a time as it takes."""

    def __init__(self, asker: Asker, rows: int) -> None:
        self._asker = asker
        self._kept: list[bytes | None] = [None] * rows
        self._waiting: list[tuple[int, bytes]] = []

    def add(self, row: int, features: bytes) -> None:
        """Take the features of ``row``; asks once enough of them wait."""
        self._waiting.append((row, features))
        if len(self._waiting) == self._asker.most:
            self._ask()

    def answered(self) -> pa.Array:
        """Return what is kept of each row, null where there was nothing to ask, after asking about the rest."""
        if self._waiting:
            self._ask()
        return pa.array(self._kept, pa.binary())

    def _ask(self) -> None:
        answers = self._asker([features for _, features in self._waiting])
        for (row, _), kept in zip(self._waiting, answers, strict=True):
            self._kept[row] = kept
        self._waiting.clear()


def refuse_offline(match: str | None, *, offline: bool) -> None:
    """Return if ``match`` can be answered ``offline``, else raise ``InputError``."""
    if offline and match == "derivative":
        raise InputError.field("--match", "exact or near with --offline: the service alone finds derivatives", match)


class Parts(NamedTuple):
    """What was answered about n rows: who was ``asked`` about, of which log sizes; and works, an entry each."""

    asked: npt.NDArray[np.bool_]
    log: npt.NDArray[np.int64]  # of those that were asked about
    row: npt.NDArray[np.int64]
    work: npt.NDArray[np.uint8]  # × 16
    inliers: npt.NDArray[np.int64]
    verdict: npt.NDArray[np.uint8]

    @classmethod
    def read(cls, column: pa.Array | None, n: int) -> Parts:
        """Return what is kept in ``column``, a value or null for each row; raises ``MalformedError``."""
        kept: list[bytes | None] = [] if column is None else column.to_pylist()
        rows, logs, found = [np.empty(0, np.int64)], [], [np.empty(0, _WORK)]
        for row, each in enumerate(kept):
            if each is None:
                continue
            if len(each) < _LOG.size or (len(each) - _LOG.size) % _WORK.itemsize:
                raise MalformedError(f"parts: expected 8 bytes and 19 for each work, got {len(each)}")
            (log,) = _LOG.unpack_from(each)
            works = np.frombuffer(each, _WORK, offset=_LOG.size)
            if log > _LARGEST_LOG or (works["verdict"] >= len(CODES)).any():
                raise MalformedError(f"parts: expected a log size and verdicts, got {log}, {works['verdict'].tolist()}")
            logs.append(log)
            rows.append(np.full(len(works), row, np.int64))
            found.append(works)
        entries = np.concatenate(found)
        return cls(
            np.zeros(n, np.bool_) if column is None else np.array([each is not None for each in kept], np.bool_),
            np.array(logs, np.int64),
            np.concatenate(rows),
            np.ascontiguousarray(entries["work"]),
            entries["inliers"].astype(np.int64),
            entries["verdict"],
        )

    def joined(self, index: Index, found: Matches) -> tuple[Matches, dict[int, int]]:
        """Return ``found`` with the works that ``index`` knows, and of rows with another work its strictest verdict.

        Such a work was registered after the snapshot; the row is ``review`` at the least.
        """
        matches, unknown = with_parts(index, found, self.row, self.work, self.inliers)
        newer: dict[int, int] = {}
        if len(unknown):
            strange = index.works.find(self.work) < 0
            for row, code in zip(self.row[strange].tolist(), self.verdict[strange].tolist(), strict=True):
                newer[row] = max(newer.get(row, _REVIEW), code)
        return matches, newer


def _kept(log_size: int, answer: Answer) -> bytes:
    if not 0 <= log_size <= _LARGEST_LOG:
        raise ServiceError(f"expected the size of a log from the service, got {log_size}", foreign=True)
    entries = np.empty(len(answer.matches), _WORK)
    for place, match in enumerate(answer.matches):
        if match.verdict not in CODES or not 0 <= match.distance <= np.iinfo(np.uint16).max:
            raise ServiceError("expected matches with verdicts and counts, got others", foreign=True)
        try:
            work = to_uuid(match.work, "wrk").bytes
        except InputError as error:
            raise ServiceError(f"expected works from the service, got {error.message}", foreign=True) from None
        entries[place] = np.frombuffer(work, np.uint8), match.distance, CODES[match.verdict]
    return _LOG.pack(log_size) + entries.tobytes()
