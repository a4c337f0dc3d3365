"""Fingerprints of texts: plain text and Markdown, UTF-8, as they stand.

The exact tier is the SHA-256 of the bytes. For copies that were edited a text has an ISCC content code, which leaves
out what ISO 24138 does: case, white space, marks, punctuation, and so nearly all of Markdown's own signs. Needs the
extra ``licet[images]``, as ISCCs do.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Any, Final, NoReturn

from licet.errors import InputError, PictureError
from licet.fingerprints.iscc import instance_code, text_code
from licet.fingerprints.picture import Fingerprint

MAX_BYTES: Final = 1 << 20
#: Letters and digits from which on a text says enough to be known again by what it says.
LEAST: Final = 32
FORMAT: Final = "text"
TOO_SHORT: Final = "too-short"
MEDIA_TYPE: Final = "text/plain"
TEXT_SUFFIXES: Final = frozenset({".txt", ".text", ".md", ".markdown"})
#: What no text file has beside white space: the other control characters of ASCII.
_CONTROL: Final = bytes(set(range(32)) - set(b"\t\n\v\f\r")) + b"\x7f"
_BOM: Final = "\ufeff"


def is_text_name(name: str) -> bool:
    """Return whether a file of this name says that it is a text that is read."""
    return os.path.splitext(name)[1].lower() in TEXT_SUFFIXES  # noqa: PTH122 - once a file


def fingerprint_text(data: bytes, max_bytes: int = MAX_BYTES) -> Fingerprint:
    """Return digest and ISCC (content code, instance code) of a text file's bytes.

    Raises ``PictureError`` for more than ``max_bytes``, for what is no text in UTF-8, and for a text of fewer than
    `LEAST` letters and digits, as too many others say the same; within the limit ``details["sha256"]`` is there.
    """
    if len(data) > max_bytes:
        _refuse("too-large", f"expected a text of at most {max_bytes:,} bytes, got {len(data):,}")
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        _refuse("not-a-text", f"expected text in UTF-8, got another byte at {error.start:,}", sha256=sha256)
    if data.translate(None, _CONTROL) != data:
        _refuse("not-a-text", "expected text, got control characters", sha256=sha256)
    code = content_code(text)
    if code is None:
        _refuse(TOO_SHORT, f"expected a text of at least {LEAST} letters and digits, got fewer", sha256=sha256)
    return Fingerprint(sha256=sha256, format=FORMAT, iscc=f"{code} {instance_code(data)}")


def fingerprint_text_file(path: Path, max_bytes: int = MAX_BYTES) -> Fingerprint:
    """Return the fingerprint of the text file at ``path``; errors as `fingerprint_text`."""
    return fingerprint_text(read_text(path, max_bytes), max_bytes)


def read_text(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file, at most one over the limit; raises ``PictureError`` for what is none."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            _refuse("unreadable", "expected a file, got a folder or a device")
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        _refuse("unreadable", f"expected a readable file, got: {reason.lower()}")


def content_code(text: str) -> str | None:
    """Return the content code of ``text``, 256 bits, or None where it says too little (`LEAST`).

    Of a text that is longer than `MAX_BYTES` characters the beginning counts.
    """
    text = text[:MAX_BYTES]
    bare = text.removeprefix(_BOM)
    letters = bare if len(bare) < LEAST else _library().text_collapse(bare[: 4 * LEAST])
    if len(letters) < LEAST:
        letters = _library().text_collapse(bare)
    return None if len(letters) < LEAST else text_code(bare)


def _library() -> Any:
    try:
        import iscc_lib
    except ImportError as error:
        raise InputError("ISCC codes need the extra licet[images]", extra="images") from error
    return iscc_lib


def _refuse(why: str, message: str, **details: str) -> NoReturn:
    raise PictureError(message, why=why, **details)
