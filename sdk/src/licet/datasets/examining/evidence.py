"""What is known of rows once they are examined, in memory and as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeGuard

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet.datasets.examining.fixed import Bytes, Mask, absent, fixed, unfixed
from licet.datasets.examining.signalled import Signalled
from licet.datasets.forms.seals import seal_of, sealed
from licet.errors import InputError, MalformedError
from licet.fingerprints.exact import KEY_BYTES
from licet.index.keys import UNKNOWN_QUALITY, Keys, iscc_columns

#: How a row was examined, by code; 0 where there was nothing to examine.
EXAMINED: Final = (None, "files", "digests", "urls")
FILES, DIGESTS, URLS = 1, 2, 3

#: A PDQ hash of each orientation.
PDQ_BYTES: Final = 8 * 32
_TEXTS: Final = ("addresses", "iscc")
_BLIND: Final = b"licet.blind"
_SIGNALS: Final = ("signals", "signals_at", "signals_from")
_KEYS: Final = {"url": KEY_BYTES, "sha256": 32, "pixels": 32, "pdq": PDQ_BYTES}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of ``n`` rows. ``examined`` and ``problem`` are codes; each key has a mask of the rows with one.

    ``sha256`` and ``pixels`` are n × 32 bytes, ``pdq`` n × 8 × 32 (all orientations), ``quality`` n × u1, 255 unknown.
    Rows with one number in ``sample`` are kept or dropped together; None: each row for itself. ``seal`` is the digest
    of what the batch was read from, where its form gives one. ``addresses`` are the rows' URLs as they stand, for rules
    of sites; ``iscc`` their ISCCs: of a picture its own, where they were made, before what is stated. ``parts``: what
    the service said of each that it was asked about (`licet.datasets.examining.asking`); ``signals``: what others say
    about their uses, where that was read (`licet.datasets.examining.signalled`). ``blind``: the addresses that there
    were are left out.
    """

    examined: Bytes
    problem: Bytes
    url: tuple[Bytes, Mask]
    sha256: tuple[Bytes, Mask]
    pixels: tuple[Bytes, Mask]
    pdq: tuple[Bytes, Mask]
    quality: Bytes
    sample: npt.NDArray[np.int32] | None = None
    seal: str | None = None
    addresses: pa.Array | None = None
    iscc: pa.Array | None = None
    parts: pa.Array | None = None
    signals: Signalled | None = None
    blind: bool = False

    def __len__(self) -> int:
        return len(self.examined)

    def keys(self) -> Keys:
        """Return what the index is asked by."""
        file, pixels = self.sha256, self.pixels
        return Keys(
            len(self),
            file=np.ascontiguousarray(file[0][:, :KEY_BYTES]) if file[1].any() else None,
            file_mask=file[1],
            pixels=np.ascontiguousarray(pixels[0][:, :KEY_BYTES]) if pixels[1].any() else None,
            pixels_mask=pixels[1],
            url=self.url[0] if self.url[1].any() else None,
            url_mask=self.url[1],
            pdq=self.pdq[0] if self.pdq[1].any() else None,
            pdq_mask=self.pdq[1],
            quality=self.quality,
            addresses=self.addresses,
            **(iscc_columns(self.iscc.to_pylist(), _passed_over) if _says_something(self.iscc) else {}),
        )

    def to_batch(self, *, addresses: bool = True) -> pa.RecordBatch:
        """Return this as columns; a key that no row has is left out, and so are the ``addresses`` if nothing is to be
        asked by them."""
        columns = {"examined": pa.array(self.examined), "problem": pa.array(self.problem)}
        for name, width in _KEYS.items():
            table, mask = getattr(self, name)
            if mask.any():
                columns[name] = fixed(table.reshape(-1, width), mask)
        if self.pdq[1].any():
            columns["quality"] = pa.array(self.quality)
        if self.sample is not None:
            columns["sample"] = pa.array(self.sample)
        for name in _TEXTS[not addresses :]:
            texts = getattr(self, name)
            if texts is not None and texts.null_count < len(texts):
                columns[name] = texts.cast(pa.large_string())
        if self.parts is not None:
            columns["parts"] = self.parts
        if self.signals is not None:
            columns["signals"] = self.signals.said
            columns["signals_at"] = pa.array(self.signals.at)
            columns["signals_from"] = pa.array(self.signals.sources)
        batch = pa.RecordBatch.from_pydict(columns)
        batch = batch if self.seal is None else sealed(batch, bytes.fromhex(self.seal))
        if addresses or self.addresses is None:
            return batch
        return batch.replace_schema_metadata({**(batch.schema.metadata or {}), _BLIND: b"1"})

    @classmethod
    def from_batch(cls, batch: pa.RecordBatch) -> Evidence:
        """Return what `to_batch` wrote; raises ``MalformedError`` for other columns."""
        n, names = len(batch), batch.schema.names
        known = {"examined", "problem", "quality", "sample", "parts", *_KEYS, *_TEXTS, *_SIGNALS}
        widths = {name: batch.schema.field(name).type for name in _KEYS if name in names}
        if not set(names) <= known or any(kind != pa.binary(_KEYS[name]) for name, kind in widths.items()):
            raise MalformedError(f"expected columns of evidence, got {names}")
        keys = {name: unfixed(batch[name]) if name in names else absent(n, width) for name, width in _KEYS.items()}
        pdq, mask = keys.pop("pdq")
        return cls(
            examined=codes_of(batch, "examined", 0),
            problem=codes_of(batch, "problem", 0),
            **keys,
            pdq=(pdq.reshape(n, 8, 32), mask),
            quality=codes_of(batch, "quality", UNKNOWN_QUALITY),
            sample=samples_of(batch),
            seal=seal_of(batch),
            addresses=batch["addresses"] if "addresses" in names else None,
            iscc=batch["iscc"] if "iscc" in names else None,
            parts=batch["parts"] if "parts" in names else None,
            signals=_signalled(batch),
            blind=_BLIND in (batch.schema.metadata or {}),
        )


def codes_of(batch: pa.RecordBatch, name: str, absent: int) -> Bytes:
    """Return a column of codes, ``absent`` in all rows where there is no such column."""
    if name not in batch.schema.names:
        return np.full(len(batch), absent, np.uint8)
    codes: Bytes = batch[name].to_numpy(zero_copy_only=False).astype(np.uint8)
    return codes


def _signalled(batch: pa.RecordBatch) -> Signalled | None:
    if "signals" not in batch.schema.names:
        return None
    at, sources = (batch[name].to_numpy(zero_copy_only=False) for name in _SIGNALS[1:])
    return Signalled(batch["signals"], at.astype(np.int64), sources.astype(np.uint8))


def samples_of(batch: pa.RecordBatch) -> npt.NDArray[np.int32] | None:
    """Return which rows belong together, None if each stands for itself."""
    if "sample" not in batch.schema.names:
        return None
    numbers: npt.NDArray[np.int32] = batch["sample"].to_numpy(zero_copy_only=False).astype(np.int32)
    return numbers if len(np.unique(numbers)) < len(numbers) else None


def _passed_over(_place: int, _error: InputError) -> None:
    """A malformed code finds nothing; that its row is malformed was said when it was examined."""


def _says_something(column: pa.Array | None) -> TypeGuard[pa.Array]:
    return column is not None and column.null_count < len(column)
