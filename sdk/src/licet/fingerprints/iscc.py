"""ISCC units of ISO 24138: content codes of pictures and texts, and the instance code of a file.

A content code is a similarity hash: codes of like content differ in few bits. What the standard leaves to whoever
decodes a picture is done as in the ISCC Foundation's SDK: a border of the colour of the upper left pixel is cut off,
then grey, then 32 × 32 by bicubic interpolation; orientation and transparency are settled by ``decode``.

Text and instance codes and the spelling are ``iscc-lib``'s; the bits of pictures are found here, because version 0.7.0
of it agrees with the standard's conformance vectors in the first 64 of them only. Needs the extra ``licet[images]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from licet.errors import InputError

Bytes = npt.NDArray[np.uint8]
Kind = Literal["image", "text", "instance"]

BITS: Final = (64, 128, 192, 256)
SIDE: Final = 32
_PREFIX: Final = "ISCC:"
_LONGEST: Final = 80  # characters of a unit of 256 bits, with room
LONGEST_LIST: Final = 512  # characters of several codes, one composite or a few units
_CODE: Final = re.compile(r"[A-Z2-7]{10,120}", re.ASCII)
_CONTENT, _INSTANCE = 2, 4  # main types
_TEXT, _IMAGE = 0, 1  # sub-types of content
_KINDS: Final[dict[tuple[int, int], Kind]] = {
    (_CONTENT, _TEXT): "text",
    (_CONTENT, _IMAGE): "image",
    (_INSTANCE, 0): "instance",
}
# The nine lowest frequencies. Each 64 bits are of a block of eight by eight, of which three begin one further on.
_DCT: Final = np.cos(np.pi / (2 * SIDE) * np.outer(np.arange(9), 2 * np.arange(SIDE) + 1))
_BLOCKS: Final = ((0, 0), (1, 0), (0, 1), (1, 1))
_STEP: Final = 1 / 1024  # what is zero by symmetry is zero on every machine, and so is its bit


class Unit(NamedTuple):
    """One ISCC unit taken apart: what it is of, and its 8 to 32 bytes."""

    kind: Kind
    digest: bytes


def image_code(rgb: Bytes, bits: int = 256) -> str:
    """Return the content code of upright pixels, height × width × 3 bytes; ``bits`` is one of ``BITS``."""
    return image_code_of_samples(samples(rgb), bits)


def image_code_of_samples(grey: bytes | Sequence[int], bits: int = 256) -> str:
    """Return the content code of 32 × 32 grey samples, row by row. Raises ``InputError`` for another number."""
    if len(grey) != SIDE * SIDE:
        raise InputError.field("grey", f"{SIDE * SIDE} samples", len(grey))
    square = np.frombuffer(bytes(grey), np.uint8).reshape(SIDE, SIDE).astype(np.float64)
    coefficients = np.rint(_DCT @ square @ _DCT.T / _STEP)
    blocks = [coefficients[top : top + 8, left : left + 8].reshape(64) for left, top in _BLOCKS[: _checked(bits) // 64]]
    digest = np.packbits([block > np.median(block) for block in blocks]).tobytes()
    return _PREFIX + str(_library().encode_component(_CONTENT, _IMAGE, 0, bits, digest))


def samples(rgb: Bytes) -> bytes:
    """Return the 32 × 32 grey samples that an image code is made of. Raises ``InputError`` for other arrays."""
    array = np.asarray(rgb)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise InputError.field("rgb", "height × width × 3 of uint8", (array.dtype.str, array.shape))
    try:
        from PIL import Image
    except ImportError as error:
        raise InputError("ISCC codes of pictures need the extra licet[images]", extra="images") from error
    grey = Image.fromarray(_trimmed(array)).convert("L")
    return grey.resize((SIDE, SIDE), Image.Resampling.BICUBIC).tobytes()


def text_code(text: str, bits: int = 256) -> str:
    """Return the content code of plain text; case, white space, marks and punctuation do not count."""
    return str(_library().gen_text_code_v0(text, _checked(bits)).iscc)


def instance_code(data: bytes | Path, bits: int = 256) -> str:
    """Return the instance code of bytes, or of a file read as a stream: its BLAKE3. Two equal codes are equal files."""
    bits = _checked(bits)
    if isinstance(data, bytes):
        return str(_library().gen_instance_code_v0(data, bits).iscc)
    library = _library()
    try:
        with data.open("rb") as file:
            return str(library.gen_instance_code_v0(file, bits).iscc)
    except (OSError, ValueError) as error:
        raise InputError.field("path", "a readable file", str(data)) from error


def parse(code: str) -> Unit:
    """Return what an image, text or instance code says, with or without ``ISCC:`` before it.

    Raises ``InputError`` for anything else, a composite code as well, and for what is not spelt as it is written.
    """
    expected = "an ISCC image, text or instance code"
    if not isinstance(code, str) or len(code) > _LONGEST:
        raise InputError.field("iscc", expected, code)
    bare, library = code.removeprefix(_PREFIX), _library()
    try:
        main, sub, version, _, digest = library.iscc_decode(bare)
        written = library.encode_component(main, sub, version, 8 * len(digest), digest)
    except ValueError as error:
        raise InputError.field("iscc", expected, code) from error
    kind = _KINDS.get((int(main), int(sub)))
    if kind is None or int(version) != 0 or 8 * len(digest) not in BITS or written != bare:
        raise InputError.field("iscc", expected, code)
    return Unit(kind, bytes(digest))


def units(text: str) -> list[Unit]:
    """Return the image, text and instance units that ``text`` states: one code, or several with spaces between.

    A composite code (``ISCC:K…``) is taken apart, into units of 64 or 128 bits; units that say nothing of content or
    file (of metadata, of data, of sound) are left out. Raises ``InputError`` for what is no ISCC.
    """
    expected = "an ISCC, or several with spaces between"
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_LIST:
        raise InputError.field("iscc", expected, text)
    found: list[Unit] = []
    for code in text.split():
        bare = code.removeprefix(_PREFIX)
        if not _CODE.fullmatch(bare):
            raise InputError.field("iscc", expected, text)
        try:
            parts = _library().iscc_decompose(bare)
            for part in parts:
                main, sub, version, _, digest = _library().iscc_decode(part)
                kind = _KINDS.get((int(main), int(sub)))
                if kind is not None and int(version) == 0 and 8 * len(digest) in BITS:
                    found.append(Unit(kind, bytes(digest)))
        except ValueError as error:
            raise InputError.field("iscc", expected, text) from error
    return found


def of_picture(data: bytes, rgb: Bytes) -> str:
    """Return what a picture is signed with: the content code of its upright pixels, the instance code of its file."""
    return f"{image_code(rgb)} {instance_code(data)}"


def distance(one: str, other: str) -> int:
    """Return how many bits two content codes of one kind differ in, over the length of the shorter.

    Raises ``InputError`` for codes of different kinds, and for instance codes, whose bits say nothing one by one.
    """
    left, right = parse(one), parse(other)
    if left.kind != right.kind or left.kind == "instance":
        raise InputError.field("iscc", "two image codes or two text codes", f"{left.kind} and {right.kind}")
    length = min(len(left.digest), len(right.digest))
    return (int.from_bytes(left.digest[:length]) ^ int.from_bytes(right.digest[:length])).bit_count()


def _trimmed(rgb: Bytes) -> Bytes:
    """Return the part of the picture that is not border; all of it, if it has one colour."""
    border = rgb[0, 0]
    height, width = rgb.shape[:2]

    def first(lines: Iterable[Bytes], otherwise: int) -> int:
        # Line by line from outside: most pictures differ in the first one, and comparing all costs ten times more.
        return next((number for number, line in enumerate(lines) if (line != border).any()), otherwise)

    top = first((rgb[row] for row in range(height)), height)
    if top == height:
        return np.ascontiguousarray(rgb)
    bottom = height - first((rgb[row] for row in reversed(range(height))), 0)
    left = first((rgb[top:bottom, column] for column in range(width)), 0)
    right = width - first((rgb[top:bottom, column] for column in reversed(range(width))), 0)
    return np.ascontiguousarray(rgb[top:bottom, left:right])


def _checked(bits: int) -> int:
    if bits not in BITS:
        raise InputError.field("bits", "64, 128, 192 or 256", bits)
    return bits


def _library() -> Any:
    try:
        import iscc_lib
    except ImportError as error:
        raise InputError("ISCC codes need the extra licet[images]", extra="images") from error
    return iscc_lib
