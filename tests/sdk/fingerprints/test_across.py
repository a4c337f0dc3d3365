"""One picture in every format: equal by pixels where nothing is lost, near where something is."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from licet.fingerprints.exact import pixels_digest
from licet.fingerprints.pdq import MIN_QUALITY, NEAR_RADIUS, hamming, pdq_with_orientations
from licet.fingerprints.picture import examine_bytes

DEMO = Path(__file__).parents[3] / "demo" / "pictures"
NAMES = ["mei/red-rooster.jpg", "mei/owl-at-dusk.png", "tomas/harp.jpg", "tomas/sailing-at-sunset.webp"]
NAMES += ["tomas/sunflower.jpg", "strangers/fruit-still-life.jpg", "strangers/deep-field.jpg"]
FEW = Image.Quantize.FASTOCTREE


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def deep(image: Image.Image, ending: str) -> bytes:
    """Return ``image`` in 16 bits a channel with something in the low byte."""
    wide = np.asarray(image)[:, :, ::-1].astype(np.uint16) * 256 + 77
    return cv2.imencode(ending, wide)[1].tobytes()


def inked(image: Image.Image) -> Image.Image:
    """Return CMYK with as much black as printers would take."""
    ink = 255 - np.asarray(image).astype(np.int64)
    black = ink.min(axis=2, keepdims=True)
    rest = (ink - black) * 255 // np.maximum(255 - black, 1)
    return Image.fromarray(np.concatenate((rest, black), axis=2).astype(np.uint8), "CMYK")


WITHOUT_LOSS: dict[str, Callable[[Image.Image], bytes]] = {
    "png": lambda image: saved(image, "PNG"),
    "png, opaque alpha": lambda image: saved(image.convert("RGBA"), "PNG"),
    "png, 16 bits": lambda image: deep(image, ".png"),
    "webp, lossless": lambda image: saved(image, "WEBP", lossless=True),
    "tiff": lambda image: saved(image, "TIFF"),
    "tiff, lzw": lambda image: saved(image, "TIFF", compression="tiff_lzw"),
    "tiff, deflate, 16 bits": lambda image: deep(image, ".tiff"),
    "tiff, plain ink": lambda image: saved(image.convert("CMYK"), "TIFF"),
    "bmp": lambda image: saved(image, "BMP"),
}
WITH_LOSS: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg": lambda image: saved(image, "JPEG", quality=75),
    "jpeg, progressive": lambda image: saved(image, "JPEG", quality=60, progressive=True),
    "jpeg, ink": lambda image: saved(inked(image), "JPEG", quality=85),
    "jpeg, grey": lambda image: saved(image.convert("L"), "JPEG", quality=85),
    "webp": lambda image: saved(image, "WEBP", quality=70),
    "avif": lambda image: saved(image, "AVIF", quality=55, speed=9),
    "avif, full colour": lambda image: saved(image, "AVIF", quality=80, subsampling="4:4:4", speed=9),
    "gif": lambda image: saved(image.quantize(256, FEW), "GIF"),
    "gif, 32 colours": lambda image: saved(image.quantize(32, FEW), "GIF"),
    "png, palette": lambda image: saved(image.quantize(128, FEW), "PNG"),
    "tiff, palette": lambda image: saved(image.quantize(128, FEW), "TIFF"),
    "tiff, ink": lambda image: saved(inked(image), "TIFF", compression="tiff_lzw"),
    "tiff, jpeg": lambda image: saved(image, "TIFF", compression="jpeg"),
    "bmp, palette": lambda image: saved(image.quantize(128, FEW), "BMP"),
}


@pytest.fixture(scope="module", params=NAMES)
def original(request: pytest.FixtureRequest) -> Image.Image:
    """A picture of the demo on at most 400 pixels a side."""
    with Image.open(DEMO / request.param) as image:
        plain = image.convert("RGB")
    plain.thumbnail((400, 400))
    return plain


def test_what_is_saved_without_loss_has_the_same_pixels(original: Image.Image) -> None:
    digest = pixels_digest(np.asarray(original))
    found = {name: examine_bytes(save(original)).fingerprint.pixels == digest for name, save in WITHOUT_LOSS.items()}
    assert all(found.values()), found


def test_what_is_saved_with_loss_is_near_the_original(original: Image.Image) -> None:
    own, _ = pdq_with_orientations(np.asarray(original))
    assert own.quality >= MIN_QUALITY
    stored = np.frombuffer(own.hash, np.uint8)
    distances = {
        name: int(hamming(examine_bytes(save(original)).orientations, stored).min()) for name, save in WITH_LOSS.items()
    }
    assert all(distance <= NEAR_RADIUS for distance in distances.values()), distances


def test_a_still_and_the_first_picture_of_an_animation_match(original: Image.Image) -> None:
    digest = pixels_digest(np.asarray(original))
    later = [original.rotate(90), original.rotate(180)]
    for form, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        moving = saved(original, form, save_all=True, append_images=later, **options)
        assert examine_bytes(moving).fingerprint.pixels == digest, form
