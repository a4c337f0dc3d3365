"""What is known of a batch of rows: the keys that they are looked up by, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from licet.errors import InputError
from licet.fingerprints.exact import KEY_BYTES, parse_hex
from licet.fingerprints.pdq import MIN_QUALITY, orientations_from_hashes
from licet.fingerprints.urls import url_key
from licet.wire.licensing import RowKeys

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

ORIENTATIONS: Final = 8
UNKNOWN_QUALITY: Final = 255


class Keys:
    """The keys of ``n`` rows. A row may have several, or none; all of them are looked up.

    ``file``, ``pixels``, ``url``: n × 16 bytes, or None where no row has that kind. ``pdq``: n × 8 × 32 bytes, the
    hash in all orientations. Each has a mask of the rows that hold it. ``quality``: n × u1 of the PDQ, 255 where
    nobody said. A row whose quality is below 50 is not searched for near-duplicates; one of unknown quality is, but
    what it finds earns nothing.
    """

    def __init__(
        self,
        n: int,
        *,
        file: Bytes | None = None,
        file_mask: Mask | None = None,
        pixels: Bytes | None = None,
        pixels_mask: Mask | None = None,
        url: Bytes | None = None,
        url_mask: Mask | None = None,
        pdq: Bytes | None = None,
        pdq_mask: Mask | None = None,
        quality: npt.NDArray[Any] | None = None,
    ) -> None:
        """Take columns (not copied); a column without a mask holds every row. Raises ``InputError`` for a wrong shape.

        ``pdq`` may also be n × 32 bytes, one orientation: the other seven are then derived from it, roughly.
        """
        self.n: Final = n
        exact: dict[str, tuple[Bytes, Mask]] = {}
        for kind, column, mask in (("file", file, file_mask), ("pixels", pixels, pixels_mask), ("url", url, url_mask)):
            if column is not None:
                exact[kind] = _column(kind, column, (n, KEY_BYTES)), _mask(kind, mask, n)
        self.exact: Final = exact
        if pdq is not None and pdq.ndim == 2:
            pdq = orientations_from_hashes(_column("pdq", pdq, (n, 32)))
        self.pdq: Final = None if pdq is None else _column("pdq", pdq, (n, ORIENTATIONS, 32))
        self.pdq_mask: Final = np.zeros(n, np.bool_) if pdq is None else _mask("pdq", pdq_mask, n)
        self.quality: Final = _quality(quality, n)

    def __len__(self) -> int:
        return self.n

    @property
    def near_rows(self) -> npt.NDArray[np.int64]:
        """The rows that are searched for near-duplicates."""
        return np.flatnonzero(self.pdq_mask & (self.quality >= MIN_QUALITY)).astype(np.int64)

    def examined(self, *, near: bool) -> Mask:
        """Return which rows say something about the picture itself: by file, pixels or, if ``near``, a searchable PDQ.

        An address alone says nothing about what is there: such a row is not examined.
        """
        done = np.zeros(self.n, np.bool_)
        for kind in ("file", "pixels"):
            if kind in self.exact:
                done |= self.exact[kind][1]
        if near:
            done[self.near_rows] = True
        return done

    @classmethod
    def from_rows(cls, rows: Sequence[RowKeys]) -> Keys:
        """Return the keys of rows as they travel: digests and hashes in hex, addresses as text.

        Raises ``InputError`` naming row and field for what is neither absent nor readable; ``pdq`` is one hash in
        stored orientation, or eight joined by commas.
        """
        columns: dict[str, Any] = {}
        for field, kind in (("sha256", "file"), ("pixels", "pixels")):
            digests = [getattr(row, field) for row in rows]
            if any(digest is not None for digest in digests):
                parsed, mask = parse_hex(digests, 32)
                _refuse(digests, mask, field, "64 hexadecimal digits")
                columns |= {kind: np.ascontiguousarray(parsed[:, :KEY_BYTES]), f"{kind}_mask": mask}
        if any(row.url is not None for row in rows):
            columns |= {"url": np.zeros((len(rows), KEY_BYTES), np.uint8), "url_mask": np.zeros(len(rows), np.bool_)}
            for place, row in enumerate(rows):
                if row.url is not None:
                    columns["url"][place] = np.frombuffer(_url_key(row.url, place), np.uint8)
                    columns["url_mask"][place] = True
        if any(row.pdq is not None for row in rows):
            columns |= _pdq_columns(rows)
        return cls(len(rows), **columns)


def _url_key(url: str, place: int) -> bytes:
    try:
        return url_key(url)
    except InputError as error:
        raise InputError(f"rows[{place}].url: {error.message}", field=f"rows[{place}].url") from None


def _pdq_columns(rows: Sequence[RowKeys]) -> dict[str, Any]:
    pdq = np.zeros((len(rows), ORIENTATIONS, 32), np.uint8)
    hashes = [row.pdq.split(",") if row.pdq is not None else [] for row in rows]
    for count in (1, ORIENTATIONS):
        places = [place for place, parts in enumerate(hashes) if len(parts) == count]
        parsed, valid = parse_hex([part for place in places for part in hashes[place]], 32)
        good = valid.reshape(-1, count).all(axis=1)
        if not good.all():
            place = places[int(np.argmin(good))]
            raise InputError.field(f"rows[{place}].pdq", "64 hexadecimal digits a hash", rows[place].pdq)
        pdq[places] = orientations_from_hashes(parsed) if count == 1 else parsed.reshape(-1, ORIENTATIONS, 32)
    quality = np.full(len(rows), UNKNOWN_QUALITY, np.uint8)
    for place, row in enumerate(rows):
        if len(hashes[place]) not in (0, 1, ORIENTATIONS):
            raise InputError.field(f"rows[{place}].pdq", "one hash, or eight joined by commas", row.pdq)
        if row.quality is not None:
            if not 0 <= row.quality <= 100:
                raise InputError.field(f"rows[{place}].quality", "0 to 100", row.quality)
            quality[place] = row.quality
    return {"pdq": pdq, "pdq_mask": np.array([bool(parts) for parts in hashes]), "quality": quality}


def _refuse(values: Sequence[Any], good: Mask, field: str, expected: str) -> None:
    for place in np.flatnonzero(~good).tolist():
        if values[place] is not None:
            raise InputError.field(f"rows[{place}].{field}", expected, values[place])


def _column(kind: str, column: Bytes, shape: tuple[int, ...]) -> Bytes:
    if column.dtype != np.uint8 or column.shape != shape:
        raise InputError.field(kind, f"{' × '.join(map(str, shape))} bytes", (column.dtype.str, column.shape))
    return column


def _mask(kind: str, mask: Mask | None, n: int) -> Mask:
    if mask is None:
        return np.ones(n, np.bool_)
    if mask.dtype != np.bool_ or mask.shape != (n,):
        raise InputError.field(f"{kind}_mask", f"{n} booleans", (mask.dtype.str, mask.shape))
    return mask


def _quality(quality: npt.NDArray[Any] | None, n: int) -> Bytes:
    if quality is None:
        return np.full(n, UNKNOWN_QUALITY, np.uint8)
    if quality.shape != (n,) or quality.dtype.kind not in "iu":
        raise InputError.field("quality", f"{n} integers", (quality.dtype.str, quality.shape))
    known = (quality >= 0) & (quality <= 100)
    return np.where(known, quality, UNKNOWN_QUALITY).astype(np.uint8)
