"""Sealed files: what they say of themselves, readable and authenticated, and a body that only the archive's key opens.

::

    "licet-archive/1\\n" · uint32 length · header (JSON) · AES-256-GCM(zstd(body)), with all before it authenticated

Each file has a key of its own (HKDF of the day's key and the file's salt), so the fixed nonce is used once.
"""

from __future__ import annotations

import os
import struct
import zlib
from hashlib import sha256
from typing import Final, Literal, TypeVar

import msgspec
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from licet import times
from licet.canonical import from_base64, to_base64
from licet.errors import LicetError
from registry.archive.keys import ArchiveKey
from registry.errors import ArchiveError

MAGIC: Final = b"licet-archive/1\n"
_LENGTH: Final = struct.Struct("!I")
_NONCE: Final = bytes(12)
_SALT: Final = 32
_MAX_HEADER: Final = 1 << 20
_ZSTD: Final = pa.Codec("zstd", 1)  # a seventh of the time of zlib at its fastest, for less bytes
MAX_BODY: Final = (1 << 30) + (1 << 27)  # a value as large as PostgreSQL allows, and one segment more

H = TypeVar("H", "Segment", "Piece", "Manifest")


class _Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=False):
    origin: str  # the log's name: whose archive it is
    epoch: int = 0
    salt: str = ""
    size: int = 0  # bytes of the body
    packed: Literal["zlib", "zstd"] = "zlib"  # earlier releases did not say it


class Segment(_Sealed, frozen=True, kw_only=True, tag="changes", tag_field="kind"):
    """Committed changes, in order. ``number`` rises; ``previous`` and ``digest`` name the segment before it.

    ``end``: the last transaction in it is complete. ``since``: the number up to which another stream reached, when the
    database's slot is a new one: whoever holds less must start from a base. ``entries``: the log is at least this
    long afterwards. ``schema``: the migration that the rows are in the form of, or an earlier one.
    """

    number: int
    previous: int
    digest: str
    since: int
    end: bool
    entries: int
    schema: int
    at: str


class Piece(_Sealed, frozen=True, kw_only=True, tag="rows", tag_field="kind"):
    """A part of one table of a base, in PostgreSQL's binary COPY form; ``last``: the table ends here."""

    base: str
    table: str
    columns: list[str]
    part: int
    last: bool


class Manifest(_Sealed, frozen=True, kw_only=True, tag="base", tag_field="kind"):
    """All of a database at one moment: the digests of its pieces by name, and where the changes go on.

    The rows hold every change of the segments up to ``mark``, and may hold some of later ones. ``entries`` and ``root``
    are the log's; ``root_key`` is the registry's.
    """

    base: str
    mark: int
    entries: int
    root: str
    root_key: str
    schema: int
    at: str
    pieces: dict[str, str]


def now_text() -> str:
    """Return this moment as headers state it."""
    return times.to_text(times.now())


def seal(header: H, body: bytes, key: ArchiveKey) -> bytes:
    """Return the sealed file of ``header`` and ``body``, under a key of its own of today."""
    salt = os.urandom(_SALT)
    epoch = key.current(times.now())
    header = msgspec.structs.replace(header, epoch=epoch, salt=to_base64(salt), size=len(body), packed="zstd")
    encoded = msgspec.json.encode(header)
    head = MAGIC + _LENGTH.pack(len(encoded)) + encoded
    return head + AESGCM(key.of_epoch(epoch, salt)).encrypt(_NONCE, _ZSTD.compress(body, asbytes=True), head)


def header_of(content: bytes, kind: type[H], shown: str) -> tuple[H, int]:
    """Return what the file ``shown`` says of itself, not yet authenticated, and where its body starts.

    Raises ``ArchiveError`` that names the file.
    """
    start = len(MAGIC) + _LENGTH.size
    if len(content) < start or not content.startswith(MAGIC):
        raise ArchiveError(f"{shown}: expected a sealed file of an archive, got another or a cut one")
    (size,) = _LENGTH.unpack_from(content, len(MAGIC))
    if (size > _MAX_HEADER and kind is not Manifest) or size > len(content) - start:
        raise ArchiveError(f"{shown}: expected a header of {size} bytes, got {len(content) - start} bytes")
    try:
        return msgspec.json.decode(content[start : start + size], type=kind), start + size
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ArchiveError(f"{shown}: expected a header of its kind: {error}") from None


def unseal(content: bytes, kind: type[H], key: ArchiveKey, origin: str, shown: str) -> tuple[H, bytes]:
    """Return header and body of the file ``shown``, both as they were sealed for the log ``origin``.

    Raises ``ArchiveError`` that names the file: damaged, of another registry, of another kind, or its key is gone.
    """
    header, start = header_of(content, kind, shown)
    if header.origin != origin:
        raise ArchiveError(f"{shown}: expected the archive of {origin}, got one of {header.origin:.80}")
    try:
        salt = from_base64(header.salt, "salt")
        own = key.of_epoch(header.epoch, salt)
        packed = AESGCM(own).decrypt(_NONCE, content[start:], content[:start])
    except InvalidTag:
        raise ArchiveError(f"{shown}: expected what {key.path} sealed, got something damaged or foreign") from None
    except (LicetError, OverflowError, ValueError) as error:
        raise ArchiveError(f"{shown}: {error}") from None
    except ArchiveError as error:
        raise ArchiveError(f"{shown}: {error.detail}") from None
    return header, (_unpacked if header.packed == "zstd" else _inflated)(packed, header.size, shown)


def digest(content: bytes) -> str:
    """Return the SHA-256 of a sealed file, by which the next one names it."""
    return sha256(content).hexdigest()


def _unpacked(packed: bytes, size: int, shown: str) -> bytes:
    if not 0 <= size <= MAX_BODY:
        raise ArchiveError(f"{shown}: expected a body of at most {MAX_BODY} bytes, got {size}")
    try:
        with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
            body: bytes = stream.read(size + 1)  # no more than that, however much is in it
    except (OSError, pa.ArrowException) as error:
        raise ArchiveError(f"{shown}: {error}") from None
    if len(body) != size:
        raise ArchiveError(f"{shown}: expected {size} bytes, got others")
    return body


def _inflated(packed: bytes, size: int, shown: str) -> bytes:
    if not 0 <= size <= MAX_BODY:
        raise ArchiveError(f"{shown}: expected a body of at most {MAX_BODY} bytes, got {size}")
    stream = zlib.decompressobj()
    try:
        body = stream.decompress(packed, size + 1)
    except zlib.error as error:
        raise ArchiveError(f"{shown}: {error}") from None
    if len(body) != size or not stream.eof:
        raise ArchiveError(f"{shown}: expected {size} bytes, got others")
    return body


Kind = Literal["changes", "rows", "base"]
