"""Pictures for the tests of this room: Meta's, a natural-looking synthetic one, and PNG files of every form."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

Rgb = npt.NDArray[np.uint8]


@pytest.fixture(scope="session")
def reference(vectors: Path) -> dict[str, dict[str, Any]]:
    """Meta's hashes by picture name (``pdq/reference.json``)."""
    hashes: dict[str, dict[str, Any]] = json.loads((vectors / "pdq" / "reference.json").read_bytes())
    return hashes


@pytest.fixture(scope="session")
def scene() -> Rgb:
    """A picture of 300 × 200 with texture at every scale, the same in each run."""
    random = np.random.default_rng(20260701)
    total = np.zeros((200, 300, 3))
    for cells, weight in ((4, 1.0), (9, 0.8), (20, 0.5), (60, 0.2)):
        coarse = Image.fromarray(random.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += weight * np.asarray(coarse.resize((300, 200), Image.Resampling.BICUBIC), dtype=float)
    return (total / 2.5).astype(np.uint8)


@pytest.fixture(scope="session")
def save() -> Callable[..., bytes]:
    """``save(array or image, "PNG", **options)`` gives the file's bytes."""

    def encode(picture: Rgb | Image.Image, form: str, **options: Any) -> bytes:
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        buffer = io.BytesIO()
        image.save(buffer, form, **options)
        return buffer.getvalue()

    return encode


@pytest.fixture(scope="session")
def png_chunk() -> Callable[[bytes, bytes], bytes]:
    """``png_chunk(b"tEXt", body)`` gives one chunk with its checksum."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return chunk


@pytest.fixture(scope="session")
def png(png_chunk: Callable[[bytes, bytes], bytes]) -> Callable[..., bytes]:
    """``png(samples, colour, depth)`` writes a PNG by hand from height × width × channels of integers."""

    def write(
        samples: npt.NDArray[np.int64],
        colour: int,
        depth: int,
        *,
        before: tuple[tuple[bytes, bytes], ...] = (),
        size: tuple[int, int] | None = None,
    ) -> bytes:
        height, width = samples.shape[:2]
        flat = samples.reshape(height, -1)
        if depth == 16:
            lines = [row.astype(">u2").tobytes() for row in flat]
        else:
            shifts = np.arange(depth - 1, -1, -1)
            lines = [np.packbits((row[:, None] >> shifts & 1).astype(np.uint8)).tobytes() for row in flat]
        header = struct.pack(">IIBBBBB", *(size or (width, height)), depth, colour, 0, 0, 0)
        parts = [(b"IHDR", header), *before, (b"IDAT", zlib.compress(b"".join(b"\0" + line for line in lines)))]
        return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in (*parts, (b"IEND", b"")))

    return write


@pytest.fixture(scope="session")
def exif() -> Callable[..., bytes]:
    """``exif(6)`` gives a TIFF block that holds this orientation."""

    def block(orientation: int, order: str = ">") -> bytes:
        start = b"MM\0*" if order == ">" else b"II*\0"
        entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
        return start + struct.pack(order + "IH", 8, 1) + entry + struct.pack(order + "I", 0)

    return block
