"""The file that every segment is: a canonical JSON header, then columns, mapped read-only into memory.

::

    0    8   magic ``LICETSEG``
    8    4   version, uint32 little-endian: 1
    12   4   length of the header, uint32 little-endian
    16   …   header, canonical JSON: ``{"sections": [{"dtype", "name", "offset", "shape"}, …], "tier": …}``
    …        sections in the order of the header, little-endian, C order

Each section begins at the first multiple of 64 after what comes before it; the bytes between are zero, and the file
ends with its last section. So the offsets follow from the shapes: the header states them for readers in other
languages, and a reader recomputes them and refuses a file that says otherwise. Nothing can overlap or lie outside.

Growing without a new version: a section whose name begins with ``aid.`` only speeds up work that the other sections
allow; a reader that does not know it skips it. Any other unknown section is refused, because a reader that overlooks
keys or states would answer more loosely than it may.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from licet import canonical
from licet.errors import InputError, MalformedError

MAGIC: Final = b"LICETSEG"
VERSION: Final = 1
ALIGNMENT: Final = 64
MAX_HEADER: Final = 1 << 16
MAX_SECTIONS: Final = 64
MAX_WIDTH: Final = 4096
AID: Final = "aid."

Tier = Literal["exact", "near"]
#: What a file of this form may hold: a tier of a snapshot, or features, which are in no snapshot.
Held = Tier | Literal["derivative"]
Array = npt.NDArray[Any]

_PREAMBLE: Final = 16
_DTYPES: Final = {"u1": 1, "<u2": 2, "<u4": 4, "<u8": 8}
_NAME: Final = re.compile(r"[a-z][a-z0-9._]{0,39}", re.ASCII)


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column: ``shape`` is (rows,) or (rows, width)."""

    name: str
    dtype: str
    shape: list[int]
    offset: int


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a segment holds, in file order."""

    tier: Held
    sections: list[Section]


def align(offset: int) -> int:
    """Return the first multiple of 64 that is not below ``offset``."""
    return -(-offset // ALIGNMENT) * ALIGNMENT


def encode(tier: Held, columns: Mapping[str, Array]) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a segment whose sections are ``columns``, in their order; equal columns give equal bytes."""
    arrays = {name: np.ascontiguousarray(column, column.dtype.newbyteorder("<")) for name, column in columns.items()}
    header = b""
    # Offsets depend on the header's length, which depends on the digits of the offsets. Each grows with the other,
    # so the rounds end.
    while True:
        sections = []
        at = _PREAMBLE + len(header)
        for name, array in arrays.items():
            at = align(at)
            dtype = "u1" if array.dtype == np.uint8 else array.dtype.str
            sections.append(Section(name, dtype, list(array.shape), at))
            at += array.nbytes
        settled = header
        header = canonical.encode(Header(tier, sections))
        if len(header) == len(settled):
            break
    yield MAGIC + VERSION.to_bytes(4, "little") + len(header).to_bytes(4, "little") + header
    offset = _PREAMBLE + len(header)
    for section, array in zip(sections, arrays.values(), strict=True):
        yield bytes(section.offset - offset)
        yield array.reshape(-1).view(np.uint8).data
        offset = section.offset + array.nbytes


def write(folder: Path, tier: Held, columns: Mapping[str, Array]) -> tuple[str, int]:
    """Keep a segment in ``folder`` under the hex SHA-256 of its bytes; return that digest and the size in bytes.

    The file appears whole or not at all, readable by everybody. Raises ``InputError`` if it cannot be written.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".segment-", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for block in encode(tier, columns):
                    digest.update(block)
                    size += file.write(block)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(folder / digest.hexdigest())
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"{folder}: expected a folder to write a segment into, got {error}") from None
    return digest.hexdigest(), size


def map_file(path: Path) -> memoryview:
    """Return the bytes of ``path``, mapped read-only: processes that map the same file share its pages."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < _PREAMBLE:
                raise MalformedError(f"{path}: expected a segment, got a file of less than {_PREAMBLE} bytes")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: expected a readable segment, got {error}") from None


def parse(data: memoryview | bytes) -> tuple[Held, dict[str, Array]]:
    """Return the tier and the read-only columns of a segment, without copying them.

    Raises ``MalformedError`` for anything that `encode` would not write: wrong magic or version, a header that is not
    canonical, sections out of order, of an unknown type, with a gap, overlapping or outside, and bytes left over.
    """
    view = memoryview(data)
    if view.nbytes < _PREAMBLE or bytes(view[:8]) != MAGIC:
        raise MalformedError(f"expected a segment that begins with {MAGIC.decode()}, got other bytes")
    version = int.from_bytes(view[8:12], "little")
    if version != VERSION:
        raise MalformedError(f"expected segment version {VERSION}, got {version}")
    length = int.from_bytes(view[12:16], "little")
    if length > MAX_HEADER or _PREAMBLE + length > view.nbytes:
        raise MalformedError(f"expected a header of at most {MAX_HEADER} bytes inside the file, got {length}")
    header = canonical.decode_as(Header, bytes(view[_PREAMBLE : _PREAMBLE + length]), MAX_HEADER)
    if len(header.sections) > MAX_SECTIONS:
        raise MalformedError(f"expected at most {MAX_SECTIONS} sections, got {len(header.sections)}")
    columns: dict[str, Array] = {}
    end = _PREAMBLE + length
    for section in header.sections:
        start = align(end)
        count = _items(section)
        if section.offset != start or section.name in columns:
            raise MalformedError(f"section {section.name}: expected once, at byte {start}, got byte {section.offset}")
        if any(view[end : min(start, view.nbytes)]):
            raise MalformedError(f"section {section.name}: expected zeroes before it")
        end = start + count * _DTYPES[section.dtype]
        if end > view.nbytes:
            raise MalformedError(f"section {section.name}: expected to end inside the file, got byte {end}")
        column = np.frombuffer(view, section.dtype, count, start if count else 0).reshape(section.shape)
        column.flags.writeable = False
        columns[section.name] = column
    if end != view.nbytes:
        raise MalformedError(f"expected a segment of {end} bytes, got {view.nbytes}")
    return header.tier, columns


def _items(section: Section) -> int:
    if section.dtype not in _DTYPES:
        raise MalformedError(f"section dtype: expected one of {', '.join(_DTYPES)}, got {section.dtype!r:.40}")
    if not _NAME.fullmatch(section.name):
        raise MalformedError(f"section name: expected lower-case letters, digits and dots, got {section.name!r:.60}")
    rows, *width = section.shape or [-1]
    if rows < 0 or len(width) > 1 or not all(1 <= items <= MAX_WIDTH for items in width):
        raise MalformedError(f"section {section.name}: expected rows and a width, got {section.shape!r:.60}")
    return rows * (width[0] if width else 1)
