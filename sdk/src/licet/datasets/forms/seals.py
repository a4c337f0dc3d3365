"""What a batch was read from, as a digest: an input is read twice, and what is copied must be what was examined.

Names, sizes, times and versions of a store tell most changes apart, and cost nothing. They miss a file that is
rewritten in its place with its old time. So each batch carries the digest of its own bytes, which is kept with what was
found out of it, and compared when the rows are copied. Pictures in folders are compared one by one, by their own
digests.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from licet.datasets.forms.columns import is_text
from licet.errors import InputError

_SEAL: Final = b"licet.seal"


def sealed(batch: pa.RecordBatch, digest: bytes) -> pa.RecordBatch:
    """Return ``batch`` with the digest of what it was read from."""
    return batch.replace_schema_metadata({_SEAL: digest.hex()})


def seal_of(batch: pa.RecordBatch) -> str | None:
    """Return the digest that came with a batch, hex, or None if none did."""
    found = (batch.schema.metadata or {}).get(_SEAL)
    return None if found is None else str(found.decode())


def digest_of(pieces: Iterable[bytes]) -> bytes:
    """Return the digest of bytes in pieces, wherever they are cut."""
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def digest_of_columns(batch: pa.RecordBatch) -> bytes:
    """Return the digest of what is in columns of text, bytes and pictures, whatever their layout in memory."""
    digest = sha256()
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        digest.update(f"{name}\0{len(column)}\n".encode())
        for each in _plain(column):
            _add(digest, each)
    return digest.digest()


def changed(shown: str) -> InputError:
    """Return the error for an input that is no longer what was examined: nothing of it may be kept."""
    return InputError(
        f"{shown}: the input changed while the job ran: what was examined is not what is there now;"
        " the same command examines it anew",
        changed=True,
    )


def _plain(column: pa.Array) -> list[pa.Array]:
    if not pa.types.is_struct(column.type):
        return [column]
    found = [pc.struct_field(column, "bytes")]
    if "path" in column.type.names and is_text(column.type.field("path").type):
        found.append(pc.struct_field(column, "path"))
    return [each.cast(pa.large_binary()) for each in found]


def _add(digest: Any, column: pa.Array) -> None:
    """Add which rows there are, how long each is, and their bytes end to end."""
    digest.update(np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).tobytes())
    if pa.types.is_null(column.type):
        return
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    digest.update(np.diff(ends).tobytes())
    if data is not None and len(ends):
        digest.update(memoryview(data)[int(ends[0]) : int(ends[-1])])
