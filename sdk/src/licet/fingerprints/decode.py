"""Decoding: one picture file to upright RGB pixels, the same on every machine, or a :class:`PictureError`.

One decoder a format, all of them Pillow's: libjpeg-turbo (its default, the accurate integer DCT, with smooth
chroma upsampling), zlib and libwebp are bit-exact between processors. What is decided here:

- The EXIF orientation is applied; XMP's is not, as in browsers. No colour management: profiles are ignored.
- Alpha is composed onto white with rounding to nearest, so an opaque picture does not depend on having alpha.
- 16-bit samples keep their high byte (a colour key of 16-bit RGB is compared with its high bytes).
- CMYK becomes RGB by Pillow's plain formula; of an animation the first picture counts.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from licet.errors import InputError
from licet.fingerprints.containers import Container, read_container, refuse

if TYPE_CHECKING:
    from PIL import Image, ImageFile

_WHITE: Final = 255


class PictureLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture may cost: bytes of the file, pixels of its header.

    Decoding takes at most about ten bytes of memory a pixel beside the file.
    """

    max_bytes: int = 64 << 20
    max_pixels: int = 100_000_000


DEFAULT_LIMITS: Final = PictureLimits()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Upright pixels: ``rgb`` is height × width × 3 of uint8, C-contiguous, not to be written to."""

    rgb: npt.NDArray[np.uint8]
    format: Literal["jpeg", "png", "webp"]
    width: int
    height: int


def decode(data: bytes, limits: PictureLimits = DEFAULT_LIMITS) -> Picture:
    """Return the pixels of a JPEG, PNG or WEBP file.

    Raises :class:`PictureError`, whose ``details["why"]`` is ``truncated``, ``not-a-picture``, ``too-large``,
    ``too-many-pixels``, ``unsupported-format`` or ``unreadable``.
    """
    if len(data) > limits.max_bytes:
        refuse("too-large", f"expected a file of at most {limits.max_bytes:,} bytes, got {len(data):,}")
    container = read_container(data, limits.max_pixels)
    image = _load(container)
    rgb = _to_rgb(_upright(image, container.orientation), container)
    return Picture(rgb, container.format, rgb.shape[1], rgb.shape[0])


def _load(container: Container) -> Image.Image:
    """Return the stored pixels, in the mode in which the file holds them."""
    try:
        from PIL import JpegImagePlugin, PngImagePlugin, WebPImagePlugin
    except ImportError as error:
        raise InputError("decoding pictures needs the extra licet[images]", extra="images") from error
    # The plugins directly: Image.open would try other formats, and its bomb check is a process-wide warning.
    openers: dict[str, Callable[[BinaryIO], ImageFile.ImageFile]] = {
        "jpeg": JpegImagePlugin.JpegImageFile,
        "png": PngImagePlugin.PngImageFile,
        "webp": WebPImagePlugin.WebPImageFile,
    }
    try:
        image = openers[container.format](io.BytesIO(container.body))
        if image.size != (container.width, container.height):
            refuse("unreadable", f"expected {container.width} × {container.height} pixels, got {image.size}")
        image.load()
    except (InputError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - decoders of foreign bytes raise whatever they stumble over
        why: Literal["truncated", "unreadable"] = "truncated" if "truncated" in str(error) else "unreadable"
        refuse(why, f"expected {container.format.upper()} pixels, got: {error}", error)
    return image


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    from PIL import Image

    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image, container: Container) -> npt.NDArray[np.uint8]:
    if container.format == "png" and container.colour == 3:
        image.putpalette(_opaque_palette(container.palette, container.transparency))
    elif container.format == "png" and container.colour in (0, 2):
        return _keyed(image, container)
    elif image.mode in ("LA", "RGBA"):
        return np.asarray(_on_white(image))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _on_white(image: Image.Image) -> Image.Image:
    from PIL import Image

    layer = image if image.mode == "RGBA" else image.convert("RGBA")
    page = Image.new("RGB", image.size, (_WHITE, _WHITE, _WHITE))
    page.paste(layer, mask=layer)
    return page


def _opaque_palette(palette: bytes, alphas: bytes) -> bytes:
    """Return 256 colours on white; entries that the file does not define are black."""
    colours = np.zeros((256, 3), dtype=np.uint32)
    colours[: len(palette) // 3] = np.frombuffer(palette, dtype=np.uint8).reshape(-1, 3)
    alpha = np.full((256, 1), 255, dtype=np.uint32)
    alpha[: len(alphas[:256]), 0] = np.frombuffer(alphas[:256], dtype=np.uint8)
    return ((colours * alpha + _WHITE * (255 - alpha) + 127) // 255).astype(np.uint8).tobytes()


def _keyed(image: Image.Image, container: Container) -> npt.NDArray[np.uint8]:
    """Return a grey or RGB PNG in which the colour key, if there is one, is white."""
    samples = np.asarray(image.convert("L") if image.mode == "1" else image)
    channels = 1 if container.colour == 0 else 3
    key: npt.NDArray[np.int64] | None = None
    if len(container.transparency) == 2 * channels:
        key = np.frombuffer(container.transparency, dtype=">u2").astype(np.int64) % (1 << container.depth)
        if container.depth < 8:
            key = key * 255 // ((1 << container.depth) - 1)
        elif container.depth == 16 and channels == 3:
            key = key >> 8
    narrow = (samples >> 8 if container.depth == 16 and channels == 1 else samples).astype(np.uint8, copy=False)
    rgb = np.repeat(narrow[:, :, None], 3, axis=2) if channels == 1 else narrow
    if key is None:
        return rgb
    hit = samples == key[0] if channels == 1 else (samples == key.astype(np.uint8)).all(axis=2)
    return np.where(hit[:, :, None], np.uint8(_WHITE), rgb)
