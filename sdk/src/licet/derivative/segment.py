"""A segment of derivative features: postings by word, mapped read-only; what is kept of a work lies in it once.

Container: `licet.index.container`, tier ``derivative``. In file order

    ``work.id`` 16×u1 in the order in which works came; ``work.size`` 2×u4, width and height; ``work.raster`` 1024×u1;
    ``word.end`` u8: where the postings of each of 65,536 words end;
    ``posting.work`` u4: row of the work; ``posting.signature`` u8; ``posting.place`` 2×u2; ``posting.turn`` u1;
    ``posting.size`` u1 (`licet.derivative.features` says of what).

18 bytes a feature, and 1,048 a work beside. Postings of one word rise by work. Equal works in equal order give equal
bytes. Opening checks every bound that searching relies on but the work of each posting; `check` reads those as well,
and the file's digest is its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from licet.derivative.features import KEPT_SIDE, MAX_PICTURE, Features
from licet.errors import InputError, MalformedError
from licet.index import container

Columns = Mapping[str, npt.NDArray[Any]]

WORDS: Final = 1 << 16
MAX_WORKS: Final = 1 << 24
_SECTIONS: Final = {
    "work.id": ("|u1", 16),
    "work.size": ("<u4", 2),
    "work.raster": ("|u1", KEPT_SIDE**2),
    "word.end": ("<u8", 0),
    "posting.work": ("<u4", 0),
    "posting.signature": ("<u8", 0),
    "posting.place": ("<u2", 2),
    "posting.turn": ("|u1", 0),
    "posting.size": ("|u1", 0),
}
_POSTING: Final = tuple(name for name in _SECTIONS if name.startswith("posting."))


class DerivativeSegment:
    """An opened segment; any number of threads may read it."""

    def __init__(self, columns: Columns) -> None:
        """Take columns (not copied). Raises ``MalformedError`` where they do not fit together."""
        if list(columns) != list(_SECTIONS):
            raise MalformedError(
                f"derivative segment: expected {', '.join(_SECTIONS)}, got {', '.join(columns)!r:.200}"
            )
        for name, (dtype, width) in _SECTIONS.items():
            column = columns[name]
            if (
                column.dtype != np.dtype(dtype)
                or column.ndim != 1 + bool(width)
                or (width and column.shape[1] != width)
            ):
                raise MalformedError(f"{name}: expected {dtype} × {width or 1}, got {column.dtype.str} {column.shape}")
        works, postings, ends = len(columns["work.id"]), len(columns["posting.work"]), columns["word.end"]
        if works > MAX_WORKS or any(len(columns[f"work.{name}"]) != works for name in ("size", "raster")):
            raise MalformedError(f"derivative segment: expected as many sizes and rasters as works, {works}")
        if any(len(columns[name]) != postings for name in _POSTING):
            raise MalformedError(f"derivative segment: expected {postings} of each column of postings")
        if len(ends) != WORDS or ends[-1] != postings or (ends[1:] < ends[:-1]).any():
            raise MalformedError(f"word.end: expected {WORDS} rising ends up to {postings}")
        sizes = columns["work.size"]
        if works and not (sizes.min() >= 1 and sizes.max() <= MAX_PICTURE):
            raise MalformedError(f"work.size: expected 1 to {MAX_PICTURE} pixels a side")
        self.columns: Final = columns
        self.starts: Final = np.concatenate((np.zeros(1, np.int64), ends.astype(np.int64)))

    def __len__(self) -> int:
        return len(self.columns["work.id"])

    @property
    def works(self) -> list[bytes]:
        """The works' ids, in order."""
        return [each.tobytes() for each in self.columns["work.id"]]

    def check(self) -> None:
        """Read every posting. Raises ``MalformedError`` for one of no work."""
        works = self.columns["posting.work"]
        if len(works) and works.max() >= len(self):
            raise MalformedError(f"posting.work: expected rows below {len(self)}, got {works.max()}")


def built(works: Iterable[tuple[bytes, Features]]) -> DerivativeSegment:
    """Return a segment in memory of works (id of 16 bytes, features as kept), in the order given."""
    ids: list[bytes] = []
    all_features: list[Features] = []
    for work, features in works:
        if len(work) != 16 or features.words.shape[1] != 1 or features.raster.shape != (KEPT_SIDE, KEPT_SIDE):
            raise InputError.field("works", "16 bytes of id and features as kept", work)
        ids.append(work)
        all_features.append(features)
    owners = np.repeat(np.arange(len(ids), dtype=np.uint32), [len(each) for each in all_features])

    def joined(columns: Sequence[npt.NDArray[Any]], dtype: str, width: int) -> npt.NDArray[Any]:
        empty = np.empty((0, width) if width else (0,), dtype)
        return np.concatenate([empty, *columns]).astype(dtype, copy=False)

    words = joined([each.words[:, 0] for each in all_features], "<u2", 0)
    return _sorted(
        {
            "work.id": np.frombuffer(b"".join(ids), np.uint8).reshape(-1, 16),
            "work.size": np.array([(each.width, each.height) for each in all_features], "<u4").reshape(-1, 2),
            "work.raster": np.array([each.raster.reshape(-1) for each in all_features], np.uint8).reshape(
                -1, KEPT_SIDE**2
            ),
        },
        words,
        {
            "posting.work": owners,
            "posting.signature": joined([each.signatures for each in all_features], "<u8", 0),
            "posting.place": joined([each.places for each in all_features], "<u2", 2),
            "posting.turn": joined([each.turns for each in all_features], "|u1", 0),
            "posting.size": joined([each.sizes for each in all_features], "|u1", 0),
        },
    )


def merged(segments: Sequence[DerivativeSegment], without: Collection[bytes] = ()) -> DerivativeSegment:
    """Return one segment of the works of all, in order, but ``without`` those; of a work twice, the later counts."""
    gone = set(without)
    last: dict[bytes, tuple[int, int]] = {}
    for number, segment in enumerate(segments):
        for row, work in enumerate(segment.works):
            if work not in gone:
                last[work] = number, row
    work_parts: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in _SECTIONS if name.startswith("work.")}
    posting_parts: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in _POSTING}
    words: list[npt.NDArray[np.uint16]] = []
    before = 0
    for number, segment in enumerate(segments):
        keep = np.array([last.get(work) == (number, row) for row, work in enumerate(segment.works)], np.bool_)
        renumbered = np.cumsum(keep) - 1 + before
        kept = keep[segment.columns["posting.work"]]
        for name, parts in work_parts.items():
            parts.append(segment.columns[name][keep])
        for name, parts in posting_parts.items():
            parts.append(segment.columns[name][kept])
        posting_parts["posting.work"][-1] = renumbered[posting_parts["posting.work"][-1]].astype("<u4")
        words.append(np.repeat(np.arange(WORDS, dtype=np.uint16), np.diff(segment.starts))[kept])
        before += int(keep.sum())
    if not segments:
        return built(())
    return _sorted(
        {name: np.concatenate(parts) for name, parts in work_parts.items()},
        np.concatenate(words),
        {name: np.concatenate(parts) for name, parts in posting_parts.items()},
    )


def write(folder: Path, segment: DerivativeSegment) -> tuple[str, int]:
    """Keep ``segment`` in ``folder`` under the hex SHA-256 of its bytes; return that and the size in bytes."""
    return container.write(folder, "derivative", segment.columns)


def opened(path: Path, *, verify: bool = False) -> DerivativeSegment:
    """Return the segment at ``path``, mapped; with ``verify``, its bytes are held against its name and all is read.

    Raises ``InputError`` where it cannot be read, ``MalformedError`` where it is none.
    """
    data = container.map_file(path)
    if verify and (got := hashlib.sha256(data).hexdigest()) != path.name:
        raise MalformedError(f"{path}: expected a file with the digest in its name, got {got}")
    tier, columns = container.parse(data)
    if tier != "derivative":
        raise MalformedError(f"{path}: expected a derivative segment, got tier {tier}")
    segment = DerivativeSegment(columns)
    if verify:
        segment.check()
    return segment


def _sorted(works: Columns, words: npt.NDArray[np.uint16], postings: Columns) -> DerivativeSegment:
    order = np.argsort(words, kind="stable")
    ends = np.cumsum(np.bincount(words, minlength=WORDS)).astype("<u8")
    return DerivativeSegment({**works, "word.end": ends, **{name: column[order] for name, column in postings.items()}})
