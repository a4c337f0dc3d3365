"""What stored samples mean: colours on white, 8 bits each, without any colour management.

- Alpha is composed onto white with rounding to nearest, so an opaque picture does not depend on having alpha.
- 16-bit samples keep their high byte (a colour key of 16-bit RGB is compared with its high bytes).
- CMYK becomes RGB by Pillow's plain formula; an index beyond a palette is black.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from licet.fingerprints.containers import Container

if TYPE_CHECKING:
    from PIL import Image

_WHITE: Final = 255


def to_rgb(image: Image.Image, container: Container) -> npt.NDArray[np.uint8]:
    """Return height × width × 3 bytes: the colours of ``image``, whose samples mean what ``container`` says."""
    if container.format == "png" and container.colour == 3:
        image.putpalette(_opaque_palette(container.palette, container.transparency))
    elif container.format == "png" and container.colour in (0, 2):
        return _keyed(image, container)
    elif container.format == "gif":
        return _placed(image, container)
    elif container.samples:
        return _sampled(image, container)
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


def _placed(image: Image.Image, container: Container) -> npt.NDArray[np.uint8]:
    """Return the frame of a GIF on its white screen; the transparent index and what is not covered stay white."""
    table = np.zeros((256, 3), dtype=np.uint8)
    table[: len(container.palette) // 3] = np.frombuffer(container.palette, dtype=np.uint8).reshape(-1, 3)
    if container.transparency:
        table[container.transparency[0]] = _WHITE
    frame = np.take(table, np.asarray(image), axis=0)
    if frame.shape[:2] == (container.height, container.width):
        return frame
    screen = np.full((container.height, container.width, 3), _WHITE, dtype=np.uint8)
    left, top = container.place or (0, 0)
    screen[top : top + frame.shape[0], left : left + frame.shape[1]] = frame
    return screen


def _sampled(image: Image.Image, container: Container) -> npt.NDArray[np.uint8]:
    """Return the colours of a TIFF, whose decoder was told nothing but how many samples a pixel has."""
    if container.samples == "cmyk":
        return np.asarray(image.convert("RGB"))
    samples = np.asarray(image.convert("L") if image.mode == "1" else image)
    if samples.dtype != np.uint8:
        samples = (samples >> 8).astype(np.uint8)
    if container.samples == "palette":
        largest = (1 << container.depth) - 1
        table = np.zeros((256, 3), dtype=np.uint8)
        table[: len(container.palette) // 3] = np.frombuffer(container.palette, dtype=np.uint8).reshape(-1, 3)
        return np.take(table, samples // (255 // largest), axis=0)
    if samples.ndim == 2:
        grey = 255 - samples if container.samples == "inverted" else samples
        return np.repeat(grey[:, :, None], 3, axis=2)
    alpha = samples.shape[2] in (2, 4)
    if alpha and container.samples == "alpha":
        return np.asarray(_on_white(image))
    colours = samples[:, :, :-1] if alpha else samples
    if alpha and container.samples == "premultiplied":
        white = _WHITE - samples[:, :, -1:]
        colours = np.where(colours > _WHITE - white, np.uint8(_WHITE), colours + white)
    return np.ascontiguousarray(np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours)
