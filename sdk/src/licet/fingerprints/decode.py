"""Decoding: one picture file to upright RGB pixels, the same on every machine, or a :class:`PictureError`.

One decoder a format, all of them Pillow's: libjpeg-turbo (its default, the accurate integer DCT, with smooth
chroma upsampling), zlib, libwebp, libtiff, dav1d and Pillow's own are bit-exact between processors (of AVIF the last
step, from YUV to RGB, is so in practice; docs/internals/pictures). Plain JPEGs go through OpenCV's copy of
libjpeg-turbo, to the same pixels in two thirds of the time. What is decided here:

- The orientation is applied: EXIF's, TIFF's or AVIF's own; XMP's is not, as in browsers.
- No colour management: profiles are ignored. What the samples mean: ``licet.fingerprints.colours``.
- Of an animation or of several pages the first picture counts.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, NoReturn

import msgspec
import numpy as np
import numpy.typing as npt

from licet.errors import InputError
from licet.fingerprints.colours import to_rgb
from licet.fingerprints.containers import Container, read_container, refuse
from licet.fingerprints.formats import FORMATS

if TYPE_CHECKING:
    from PIL import Image, ImageFile


class PictureLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture may cost: bytes of the file, pixels of its header, seconds of processor time.

    Decoding takes about ten bytes of memory a pixel beside the file, of a WEBP eighteen. Time is bounded where pictures
    are decoded in processes of their own (``licet.fingerprints.bounded``): a hundred million pixels take 1 to 4 s.
    """

    max_bytes: int = 64 << 20
    max_pixels: int = 100_000_000
    max_seconds: float = 30.0


DEFAULT_LIMITS: Final = PictureLimits()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Upright pixels: ``rgb`` is height × width × 3 of uint8, C-contiguous, not to be written to."""

    rgb: npt.NDArray[np.uint8]
    format: Literal["jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"]
    width: int
    height: int


def decode(
    data: bytes, limits: PictureLimits = DEFAULT_LIMITS, allow: Callable[[int], None] = lambda _: None
) -> Picture:
    """Return the pixels of a file of a format that is read (``licet.fingerprints.formats``).

    ``allow`` is told how many pixels the header declares before one of them is decoded. Raises :class:`PictureError`,
    whose ``details["why"]`` is ``truncated``, ``not-a-picture``, ``too-large``, ``too-many-pixels``,
    ``unsupported-format`` or ``unreadable``.
    """
    if len(data) > limits.max_bytes:
        refuse("too-large", f"expected a file of at most {limits.max_bytes:,} bytes, got {len(data):,}")
    container = read_container(data, limits.max_pixels)
    allow(container.pixels)
    image = _opened(container)
    rgb = _quickly(container, image)
    if rgb is None:
        rgb = to_rgb(_upright(_loaded(container, image), container.orientation), container)
    return Picture(rgb, container.format, rgb.shape[1], rgb.shape[0])


def _opened(container: Container) -> ImageFile.ImageFile:
    """Return the picture before any of its pixels is decoded."""
    try:
        opener = _opener(container.format)
    except ImportError as error:
        raise _missing() from error
    try:
        image = opener(io.BytesIO(container.body))
        wanted = container.stored or (container.width, container.height)
        if image.size != wanted:
            refuse("unreadable", f"expected {wanted[0]} × {wanted[1]} pixels, got {image.size}")
    except (InputError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - decoders of foreign bytes raise whatever they stumble over
        _refuse(container, error)
    return image


def _loaded(container: Container, image: ImageFile.ImageFile) -> Image.Image:
    """Return the stored pixels, in the mode in which the file holds them."""
    try:
        image.load()
    except (InputError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - as above
        _refuse(container, error)
    return image


def _refuse(container: Container, error: Exception) -> NoReturn:
    why: Literal["truncated", "unreadable"] = "truncated" if "truncated" in str(error) else "unreadable"
    refuse(why, f"expected {container.format.upper()} pixels, got: {error}", error)


def _quickly(container: Container, image: Image.Image) -> npt.NDArray[np.uint8] | None:
    """Return the pixels of a plain JPEG by OpenCV, which hands them over as they are needed; None for all others.

    They are those that Pillow gives, of broken scans as well, as both decode with libjpeg-turbo. What OpenCV does not
    refuse where Pillow does, markers in the middle of a scan, is not plain.
    """
    if not container.plain or container.orientation != 1 or image.mode not in ("RGB", "L"):
        return None
    opencv = _opencv()
    return None if opencv is None else _by_opencv(opencv, container.body)


def _by_opencv(opencv: ModuleType, body: bytes) -> npt.NDArray[np.uint8] | None:
    flags = opencv.IMREAD_COLOR_RGB | opencv.IMREAD_IGNORE_ORIENTATION
    try:
        rgb: npt.NDArray[np.uint8] | None = opencv.imdecode(np.frombuffer(body, np.uint8), flags)
    except opencv.error:  # no memory, among others
        return None
    return rgb


@lru_cache(maxsize=1)
def _opencv() -> ModuleType | None:
    """Return OpenCV where it is there and decodes as Pillow does: each brings a libjpeg-turbo of its own."""
    try:
        import cv2
        from PIL import Image
    except ImportError:
        return None
    if not hasattr(cv2, "IMREAD_COLOR_RGB"):
        return None
    rows, columns = np.mgrid[0:43, 0:61]
    drawn = np.stack((rows * columns % 251, rows * 5 % 256, (rows - columns) ** 2 % 256), axis=2).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, "JPEG", quality=70)
    body = file.getvalue()
    theirs = np.asarray(_opener("jpeg")(io.BytesIO(body)))
    ours = _by_opencv(cv2, body)
    return cv2 if ours is not None and np.array_equal(ours, theirs) else None


def _opener(form: str) -> Callable[[BinaryIO], ImageFile.ImageFile]:
    # The plugins directly: Image.open would try other formats, and its bomb check is a process-wide warning. One at a
    # time, as each costs a millisecond or more to import.
    if form == "jpeg":
        from PIL import JpegImagePlugin

        return JpegImagePlugin.JpegImageFile
    if form == "png":
        from PIL import PngImagePlugin

        return PngImagePlugin.PngImageFile
    if form == "webp":
        from PIL import WebPImagePlugin

        return WebPImagePlugin.WebPImageFile
    if form == "gif":
        from PIL import GifImagePlugin

        return GifImagePlugin.GifImageFile
    if form == "bmp":
        from PIL import BmpImagePlugin

        return BmpImagePlugin.BmpImageFile
    if form == "tiff":
        from PIL import TiffImagePlugin

        _silence_libtiff()
        return TiffImagePlugin.TiffImageFile
    from PIL import AvifImagePlugin

    return AvifImagePlugin.AvifImageFile


def warm_up() -> None:
    """Load every decoder, so that none has to be found later; raises ``InputError`` without ``licet[images]``."""
    try:
        for each in FORMATS:
            _opener(each.name)
        from PIL import AvifImagePlugin
    except ImportError as error:
        raise _missing() from error
    _opencv()
    # Where many pictures are decoded side by side, each has one thread.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def _missing() -> InputError:
    return InputError("decoding pictures needs the extra licet[images]", extra="images")


@lru_cache(maxsize=1)
def _silence_libtiff() -> None:
    """Keep libtiff from writing a line to stderr for every damaged row; what is wrong still comes as an exception.

    Pillow does so for warnings alone. Where libtiff cannot be reached this way, it stays as loud as it is.
    """
    import ctypes
    from importlib import import_module

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(import_module("PIL._imaging").__file__).TIFFSetErrorHandler(None)


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
