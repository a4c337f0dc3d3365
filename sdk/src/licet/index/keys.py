"""What is known of a batch of rows: the keys that they are looked up by, as columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from licet.errors import InputError
from licet.fingerprints.exact import KEY_BYTES, parse_hex
from licet.fingerprints.pdq import MIN_QUALITY, orientations_from_hashes
from licet.fingerprints.urls import url_key
from licet.index.content import CODE_BITS, CODE_BYTES
from licet.wire.licensing import RowKeys

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.int16]
Wrong = Callable[[int, InputError], None]

ORIENTATIONS: Final = 8
UNKNOWN_QUALITY: Final = 255


class Keys:
    """The keys of ``n`` rows. A row may have several, or none; all of them are looked up.

    ``file``, ``pixels``, ``url``: n × 16 bytes, or None where no row has that kind. ``pdq``: n × 8 × 32 bytes, the
    hash in all orientations. Each has a mask of the rows that hold it. ``quality``: n × u1 of the PDQ, 255 where
    nobody said. A row whose quality is below 50 is not searched for near-duplicates; one of unknown quality is, but
    what it finds earns nothing.

    ``addresses``: the text of each row's URL, or None, as a sequence or an Arrow column; what falls under a site's rule
    is found by them. ``instance``: n × 16 bytes of ISCC instance codes; of the rows in ``instance_short`` only the
    first 8 are known. ``image`` and ``text``: n × 32 bytes of ISCC content codes, of which the first ``…_bits`` count;
    0 bits for rows without.
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
        addresses: Any = None,
        instance: Bytes | None = None,
        instance_mask: Mask | None = None,
        instance_short: Mask | None = None,
        image: Bytes | None = None,
        image_bits: npt.NDArray[Any] | None = None,
        text: Bytes | None = None,
        text_bits: npt.NDArray[Any] | None = None,
    ) -> None:
        """Take columns (not copied); a column without a mask holds every row. Raises ``InputError`` for a wrong shape.

        ``pdq`` may also be n × 32 bytes, one orientation: the other seven are then derived from it, roughly.
        """
        self.n: Final = n
        every = np.ones(n, np.bool_)
        exact: dict[str, tuple[Bytes, Mask]] = {}
        for kind, column, mask in (
            ("file", file, file_mask),
            ("pixels", pixels, pixels_mask),
            ("url", url, url_mask),
            ("instance", instance, instance_mask),
        ):
            if column is not None:
                exact[kind] = _column(kind, column, (n, KEY_BYTES)), every if mask is None else _mask(kind, mask, n)
        self.exact: Final = exact
        if pdq is not None and pdq.ndim == 2:
            pdq = orientations_from_hashes(_column("pdq", pdq, (n, 32)))
        self.pdq: Final = None if pdq is None else _column("pdq", pdq, (n, ORIENTATIONS, 32))
        self.pdq_mask: Final = np.zeros(n, np.bool_) if pdq is None else _mask("pdq", pdq_mask, n)
        self.quality: Final = _quality(quality, n)
        short = np.zeros(n, np.bool_) if instance_short is None else instance_short
        self.instance_short: Final = _mask("instance_short", short, n)
        self.content: Final[dict[str, tuple[Bytes, Bits]]] = {
            kind: (_column(kind, codes, (n, CODE_BYTES)), _bits(kind, bits, n))
            for kind, codes, bits in (("image", image, image_bits), ("text", text, text_bits))
            if codes is not None
        }
        if addresses is not None and len(addresses) != n:
            raise InputError.field("addresses", f"{n} addresses", len(addresses))
        self.addresses: Final = addresses

    def __len__(self) -> int:
        return self.n

    @property
    def near_rows(self) -> npt.NDArray[np.int64]:
        """The rows that are searched for near-duplicates."""
        return np.flatnonzero(self.pdq_mask & (self.quality >= MIN_QUALITY)).astype(np.int64)

    def examined(self, *, near: bool) -> Mask:
        """Return which rows say something about the work itself: by file, pixels, instance code or, if ``near``, a
        searchable PDQ or a content code.

        An address alone says nothing about what is there: such a row is not examined.
        """
        done = np.zeros(self.n, np.bool_)
        for kind in ("file", "pixels", "instance"):
            if kind in self.exact:
                done |= self.exact[kind][1]
        if near:
            done[self.near_rows] = True
            for _, bits in self.content.values():
                done |= bits > 0
        return done

    @classmethod
    def from_rows(cls, rows: Sequence[RowKeys], wrong: Wrong | None = None) -> Keys:
        """Return the keys of rows as they travel: digests and hashes in hex, addresses as text.

        ``wrong`` is told of each key that is none, with the place of its row, and the row is without it. Without
        ``wrong`` that raises the ``InputError``, which names row and field; so does a ``quality`` beyond 0 to 100.
        ``pdq`` is one hash in stored orientation, or eight joined by commas.
        """
        wrong = wrong or _raise
        columns: dict[str, Any] = {}
        n = len(rows)
        stated = (("sha256", "file", [row.sha256 for row in rows]), ("pixels", "pixels", [row.pixels for row in rows]))
        for field, kind, digests in stated:
            if digests.count(None) < n:
                parsed, mask = parse_hex(digests, 32)
                for place in np.flatnonzero(~mask).tolist():
                    if digests[place] is not None:
                        error = InputError.field(f"rows[{place}].{field}", "64 hexadecimal digits", digests[place])
                        wrong(place, error)
                columns |= {kind: np.ascontiguousarray(parsed[:, :KEY_BYTES]), f"{kind}_mask": mask}
        addresses = [row.url for row in rows]
        if addresses.count(None) < n:
            columns |= {"url": np.zeros((n, KEY_BYTES), np.uint8), "url_mask": np.zeros(n, np.bool_)}
            columns["addresses"] = addresses
            for place, address in enumerate(addresses):
                if address is None:
                    continue
                try:
                    columns["url"][place] = np.frombuffer(url_key(address), np.uint8)
                except InputError as error:
                    addresses[place] = None  # nor is it under a site
                    wrong(place, _of_row(error, place, "url"))
                else:
                    columns["url_mask"][place] = True
        if [row.pdq for row in rows].count(None) < n:
            columns |= _pdq_columns(rows, wrong)
        codes = [row.iscc for row in rows]
        if codes.count(None) < n:
            columns |= iscc_columns(codes, lambda place, error: wrong(place, _of_row(error, place, "iscc")))
        return cls(n, **columns)


def iscc_columns(codes: Sequence[str | None], wrong: Wrong) -> dict[str, Any]:
    """Return the columns of `Keys` that hold these ISCCs; ``wrong`` is told of each that is none, by its place."""
    from licet.fingerprints import iscc

    n = len(codes)
    tables = {kind: np.zeros((n, CODE_BYTES), np.uint8) for kind in ("instance", "image", "text")}
    bits = {kind: np.zeros(n, np.int16) for kind in tables}
    for place, code in enumerate(codes):
        if code is None:
            continue
        try:
            units = iscc.units(code)
        except InputError as error:
            wrong(place, error)
            continue
        for unit in units:
            size = len(unit.digest)
            if 8 * size > bits[unit.kind][place]:  # of two units of a kind the longer one
                tables[unit.kind][place] = 0
                tables[unit.kind][place, :size] = np.frombuffer(unit.digest, np.uint8)
                bits[unit.kind][place] = 8 * size
    columns: dict[str, Any] = {}
    if bits["instance"].any():
        columns["instance"] = np.ascontiguousarray(tables["instance"][:, :KEY_BYTES])
        columns["instance_mask"] = bits["instance"] > 0
        columns["instance_short"] = bits["instance"] == 8 * KEY_BYTES // 2
    for kind in ("image", "text"):
        if bits[kind].any():
            columns |= {kind: tables[kind], f"{kind}_bits": bits[kind]}
    return columns


def _raise(_: int, error: InputError) -> None:
    raise error


def _of_row(error: InputError, place: int, field: str) -> InputError:
    return InputError(f"rows[{place}].{error.message}", **error.details | {"field": f"rows[{place}].{field}"})


def _pdq_columns(rows: Sequence[RowKeys], wrong: Wrong) -> dict[str, Any]:
    pdq, mask = np.zeros((len(rows), ORIENTATIONS, 32), np.uint8), np.zeros(len(rows), np.bool_)
    hashes = [row.pdq.split(",") if row.pdq is not None else [] for row in rows]
    for count in (1, ORIENTATIONS):
        places = np.array([place for place, parts in enumerate(hashes) if len(parts) == count], np.int64)
        parsed, valid = parse_hex([part for place in places.tolist() for part in hashes[place]], 32)
        good = valid.reshape(-1, count).all(axis=1)
        for place in places[~good].tolist():
            wrong(place, InputError.field(f"rows[{place}].pdq", "64 hexadecimal digits a hash", rows[place].pdq))
        every = parsed.reshape(-1, count, 32)[good]
        pdq[places[good]] = orientations_from_hashes(every[:, 0]) if count == 1 else every
        mask[places[good]] = True
    quality = np.full(len(rows), UNKNOWN_QUALITY, np.uint8)
    for place, row in enumerate(rows):
        if len(hashes[place]) not in (0, 1, ORIENTATIONS):
            wrong(place, InputError.field(f"rows[{place}].pdq", "one hash, or eight joined by commas", row.pdq))
        if row.quality is not None:
            if not 0 <= row.quality <= 100:
                raise InputError.field(f"rows[{place}].quality", "0 to 100", row.quality)
            quality[place] = row.quality
    return {"pdq": pdq, "pdq_mask": mask, "quality": quality}


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


def _bits(kind: str, bits: npt.NDArray[Any] | None, n: int) -> Bits:
    if bits is None or bits.shape != (n,) or bits.dtype.kind not in "iu" or not np.isin(bits, (0, *CODE_BITS)).all():
        raise InputError.field(
            f"{kind}_bits", f"{n} lengths: 0, 64, 128, 192 or 256", None if bits is None else bits.shape
        )
    return bits.astype(np.int16)
