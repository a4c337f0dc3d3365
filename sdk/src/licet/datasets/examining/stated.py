"""What a table states of its rows: addresses, digests, hashes and ISCCs, and which of them do not parse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from licet.datasets.examining.evidence import PDQ_BYTES
from licet.datasets.examining.fixed import Bytes, Mask, absent, present, put
from licet.datasets.forms.columns import is_text
from licet.fingerprints.exact import KEY_BYTES, parse_hex
from licet.fingerprints.pdq import orientations_from_hashes
from licet.fingerprints.urls import url_keys
from licet.index.keys import UNKNOWN_QUALITY, iscc_columns


@dataclass(slots=True)
class Stated:
    """What is stated of ``n`` rows, each with a mask of those of which it is and parses; ``malformed``: it does not."""

    url: tuple[Bytes, Mask]
    sha256: tuple[Bytes, Mask]
    pixels: tuple[Bytes, Mask]
    pdq: tuple[Bytes, Mask]
    quality: Bytes
    iscc: Mask
    malformed: Mask

    def take_apart(self) -> None:
        """Give each row bytes of its own to put something into, also in columns that state nothing."""
        for name in ("sha256", "pixels", "pdq"):
            table, mask = getattr(self, name)
            if not table.flags.writeable:
                setattr(self, name, (table.copy(), mask))


def stated_of(rows: pa.RecordBatch) -> Stated:
    """Return what ``rows`` state; nothing of what does not parse."""
    n = len(rows)
    malformed = np.zeros(n, np.bool_)
    url = absent(n, KEY_BYTES)
    names = rows.schema.names
    if "url" in names:
        column = rows["url"]
        url = url_keys(column)
        malformed |= ~url[1] & present(column)
    sha256 = absent(n, 32)
    if "sha256" in names:
        column = rows["sha256"]
        sha256 = _digests(column)
        malformed |= ~sha256[1] & present(column)
    flat, mask = absent(n, PDQ_BYTES)
    pdq = flat.reshape(n, 8, 32)
    if "pdq" in names:
        column = rows["pdq"]
        pdq, mask = _hashes(column)
        malformed |= ~mask & present(column)
    iscc = np.zeros(n, np.bool_)
    if "iscc" in names:
        iscc = present(rows["iscc"]).copy()
        iscc_columns(rows["iscc"].to_pylist(), lambda place, _: iscc.__setitem__(place, False))
        malformed |= ~iscc & present(rows["iscc"])
    quality = np.full(n, UNKNOWN_QUALITY, np.uint8)
    return Stated(url, sha256, absent(n, 32), (pdq, mask), quality, iscc, malformed)


def _digests(column: pa.Array) -> tuple[Bytes, Mask]:
    if is_text(column.type):
        return parse_hex(column.to_pylist(), 32)
    values: list[bytes | None] = column.to_pylist()
    # What is no digest as it stands may be the text of one, which a column of bytes holds as well.
    table, mask = parse_hex([None if each is None else each.decode("latin-1") for each in values], 32)
    for place, value in enumerate(values):
        if value is not None and len(value) == 32:
            put((table, mask), place, value)
    return table, mask


def _hashes(column: pa.Array) -> tuple[Bytes, Mask]:
    """Return n × 8 × 32 bytes: from one hash (the other orientations follow roughly) or from eight."""
    n = len(column)
    table, mask = np.zeros((n, 8, 32), np.uint8), np.zeros(n, np.bool_)
    for place, value in enumerate(column.to_pylist()):
        if value is None:
            continue
        if isinstance(value, bytes) and len(value) in (32, PDQ_BYTES):
            valid, parsed = np.ones(1, np.bool_), np.frombuffer(value, np.uint8).reshape(-1, 32)
        else:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            parsed, valid = parse_hex(text.split(","), 32)
        if valid.all() and len(parsed) in (1, 8):
            put((table, mask), place, orientations_from_hashes(parsed)[0] if len(parsed) == 1 else parsed)
    return table, mask
