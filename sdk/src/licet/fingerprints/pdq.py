"""PDQ, the 256-bit perceptual hash of pictures, on numpy alone.

The algorithm is Meta's (*The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm*, 2019):
luminance, a tent filter made of two box passes along each axis, 64×64 samples, the 16×16 lowest
non-constant coefficients of their DCT, and one bit for each coefficient above the median. The arithmetic is
ours: filter and sampling are linear and separable, so each of the 64 samples along an axis is one dot
product with a short kernel, and only those samples are computed.

Bit ``16·row + column`` has that power of two in a big-endian 256-bit integer, as in Meta's hex.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from licet.errors import InputError

Bytes = npt.NDArray[np.uint8]
Reals = npt.NDArray[np.float64]
Kernel = npt.NDArray[np.floating[Any]]

#: Below this quality a hash says too little to be compared (semantics 5).
MIN_QUALITY: Final = 50
#: Two hashes at most this many bits apart are near-duplicates.
NEAR_RADIUS: Final = 31
#: What row ``i`` of :func:`orientations` stands for: the picture as it would be after this change.
ORIENTATIONS: Final = (
    "original",
    "rotate-90",
    "rotate-180",
    "rotate-270",
    "flip-x",
    "flip-y",
    "flip-plus-1",
    "flip-minus-1",
)

_GRID: Final = 64
_MIN_SIDE: Final = 5
_LUMA: Final = np.array([0.299, 0.587, 0.114])
_DCT: Final = np.sqrt(2 / _GRID) * np.cos(np.pi / (2 * _GRID) * np.outer(np.arange(1, 17), 2 * np.arange(_GRID) + 1))
# Coefficients are rounded to this step before they are compared with their median. What is zero by symmetry
# would otherwise be the rounding noise of this machine's matrix product, and so would its bit.
_STEP: Final = 1 / 1024
# 255 · width² stays below 2**24 up to this box width: the first reduction is then exact in float32,
# whatever the order of summation.
_EXACT_WIDTH: Final = 256


class Pdq(msgspec.Struct, frozen=True):
    """A hash of 32 bytes and its quality, 0–100; a picture without texture has quality 0."""

    hash: bytes
    quality: int

    @property
    def hex(self) -> str:
        return self.hash.hex()


class _Tap(NamedTuple):
    """One sample along an axis: ``kernel @ values[start:start + len(kernel)] / scale``."""

    start: int
    kernel: Kernel
    scale: float


def pdq(rgb: Bytes) -> Pdq:
    """Return the hash of ``rgb``, height × width × 3 bytes; no side is resized beforehand.

    Pictures with a side under 5 pixels have the hash 0 and quality 0, as in Meta's code.
    """
    coefficients, quality = _spectrum(_checked(rgb, 3))
    return Pdq(_bits(coefficients.reshape(1, 256))[0].tobytes(), quality)


def pdq_from_gray(gray: Bytes) -> Pdq:
    """Return the hash of ``gray``, height × width bytes of luminance."""
    coefficients, quality = _spectrum(_checked(gray, 1))
    return Pdq(_bits(coefficients.reshape(1, 256))[0].tobytes(), quality)


def orientations(rgb: Bytes) -> Bytes:
    """Return the 8 × 32 bytes of the hashes in all :data:`ORIENTATIONS`, from one transform."""
    return pdq_with_orientations(rgb)[1]


def pdq_with_orientations(rgb: Bytes) -> tuple[Pdq, Bytes]:
    """Return the hash and its eight orientations; row 0 of the second is the first."""
    coefficients, quality = _spectrum(_checked(rgb, 3))
    turned = _bits(coefficients.ravel()[_SOURCE] * _SIGN)
    return Pdq(turned[0].tobytes(), quality), turned


def orientations_from_hashes(hashes: Bytes) -> Bytes:
    """Return n × 8 × 32 bytes: the orientations as far as n × 32 stored bytes tell, without the pictures.

    A turn moves coefficients and flips signs, so it moves and complements bits: exactly, if the median is 0.
    It is small, not 0: on Meta's test pictures of quality ≥ 50 each row is within 28 bits of
    :func:`orientations`, and most within 14. Row 0 is exact.
    """
    stored = np.ascontiguousarray(hashes, dtype=np.uint8)
    if stored.ndim != 2 or stored.shape[1] != 32:
        raise InputError.field("hashes", "an array of n × 32 bytes", stored.shape)
    bits = np.unpackbits(stored, axis=1)[:, ::-1]
    turned = bits[:, _SOURCE] ^ (_SIGN < 0).astype(np.uint8)
    return np.packbits(turned[..., ::-1], axis=-1)


def hamming(a: Bytes, b: Bytes) -> npt.NDArray[np.uint16]:
    """Return how many bits differ along the last axis of 32 bytes; the other axes broadcast."""
    left, right = _words(a), _words(b)
    # Word by word: a sum over an axis of four is several times slower.
    total: npt.NDArray[np.uint16] = np.bitwise_count(left[..., 0] ^ right[..., 0]).astype(np.uint16)
    for word in range(1, 4):
        total += np.bitwise_count(left[..., word] ^ right[..., word])
    return total


def _words(hashes: Bytes) -> npt.NDArray[np.uint64]:
    array = np.ascontiguousarray(hashes)
    if array.dtype != np.uint8 or array.ndim == 0 or array.shape[-1] != 32:
        raise InputError.field("hashes", "uint8 with a last axis of 32", (array.dtype.str, array.shape))
    return array.view(np.uint64)


def _checked(pixels: Bytes, channels: int) -> Bytes:
    array = np.asarray(pixels)
    if array.ndim == 2 and channels == 1:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] != channels or array.dtype != np.uint8:
        shape = "height × width" + (" × 3" if channels == 3 else "")
        raise InputError.field("pixels", f"{shape} of uint8", (array.dtype.str, np.asarray(pixels).shape))
    return array


def _spectrum(pixels: Bytes) -> tuple[Reals, int]:
    """Return the 16 × 16 coefficients and the quality."""
    height, width, _ = pixels.shape
    if min(height, width) < _MIN_SIDE:
        return np.zeros((16, 16)), 0
    # The first reduction leaves 64 rows as long as the other side: begin with a side that is extremely long.
    flipped = width > 16 * height
    samples = _samples(pixels.transpose(1, 0, 2) if flipped else pixels)
    grid = samples.T if flipped else samples
    coefficients = _DCT @ grid @ _DCT.T
    return np.rint(coefficients / _STEP), _quality(grid)


def _samples(pixels: Bytes) -> Reals:
    """Return the 64 × 64 luminance samples after the tent filter."""
    height, width, channels = pixels.shape
    rows = np.empty((_GRID, width * channels))
    for index, tap in enumerate(_taps(height)):
        band: Kernel = pixels[tap.start : tap.start + len(tap.kernel)].astype(tap.kernel.dtype, order="C")
        rows[index] = tap.kernel @ band.reshape(len(tap.kernel), width * channels)
        rows[index] /= tap.scale
    luma = rows.reshape(_GRID, width, channels) @ _LUMA if channels == 3 else rows
    grid = np.empty((_GRID, _GRID))
    for index, tap in enumerate(_taps(width)):
        kernel = tap.kernel.astype(np.float64)
        grid[:, index] = luma[:, tap.start : tap.start + len(kernel)] @ kernel
        grid[:, index] /= tap.scale
    return grid


def _taps(length: int) -> tuple[_Tap, ...]:
    # Kernels are about length / 64 long: those of absurd lengths are not kept.
    return _made_taps(length) if length <= 1 << 15 else _made_taps.__wrapped__(length)


@lru_cache(maxsize=512)
def _made_taps(length: int) -> tuple[_Tap, ...]:
    """Return the 64 dot products that stand for two box passes and sampling at the centres.

    A box reaches ``before`` and ``after`` pixels and is divided by as many as exist: only a sample whose
    boxes touch the border has a kernel of its own, all others share the tent.
    """
    box = -(-length // (2 * _GRID))
    after = (box + 2) // 2 - 1
    before = box - 1 - after
    tent = np.concatenate((np.arange(1, box + 1), np.arange(box - 1, 0, -1)))
    inner: Kernel = tent.astype(np.float32 if box <= _EXACT_WIDTH else np.float64)
    taps = []
    for index in range(_GRID):
        centre = (2 * index + 1) * length // (2 * _GRID)
        if centre >= 2 * before and centre + 2 * after < length:
            taps.append(_Tap(centre - 2 * before, inner, float(box * box)))
        else:
            taps.append(_border_tap(length, centre, before, after))
    return tuple(taps)


def _border_tap(length: int, centre: int, before: int, after: int) -> _Tap:
    outer = np.arange(max(0, centre - before), min(length - 1, centre + after) + 1)
    low = np.maximum(0, outer - before)
    high = np.minimum(length - 1, outer + after)
    share = 1.0 / (high - low + 1)
    start = int(low[0])
    steps = np.zeros(int(high[-1]) - start + 2)
    np.add.at(steps, low - start, share)
    np.add.at(steps, high - start + 1, -share)
    return _Tap(start, np.cumsum(steps[:-1]), float(len(outer)))


def _quality(grid: Reals) -> int:
    """Return 0–100: how much gradient the samples hold, in whole hundredths of the range, over 90."""
    total = sum(np.abs(np.trunc(np.diff(grid, axis=axis) * 100 / 255)).sum() for axis in (0, 1))
    return min(100, int(total) // 90)


def _bits(coefficients: Reals) -> Bytes:
    """Return n × 32 bytes for n × 256 coefficients: 1 where one is above the lower median of its row."""
    median = np.partition(coefficients, 127, axis=1)[:, 127:128]
    return np.packbits((coefficients > median)[:, ::-1], axis=1)


def _turns() -> tuple[npt.NDArray[np.intp], Reals]:
    """Return, for each orientation, where its 256 coefficients come from and their signs."""
    row, column = np.indices((16, 16))
    place = row * 16 + column
    odd_row, odd_column, odd_sum = row % 2 == 1, column % 2 == 1, (row + column) % 2 == 1
    always = np.full((16, 16), True)
    # (transposed afterwards, where the sign stays), in terms of the original's rows and columns.
    table = (
        (False, always),
        (True, odd_column),
        (False, ~odd_sum),
        (True, odd_row),
        (False, odd_row),
        (False, odd_column),
        (True, always),
        (True, ~odd_sum),
    )
    source = np.stack([(place.T if swap else place).ravel() for swap, _ in table])
    sign = np.stack([np.where(keep.T if swap else keep, 1.0, -1.0).ravel() for swap, keep in table])
    return source, sign


_SOURCE, _SIGN = _turns()
