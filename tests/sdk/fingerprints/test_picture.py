"""Whole fingerprints: stable under what does not change the picture, complete, and refused with a reason."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from licet.errors import PictureError
from licet.fingerprints.decode import PictureLimits
from licet.fingerprints.exact import pixels_digest
from licet.fingerprints.pdq import NEAR_RADIUS, hamming, orientations, pdq
from licet.fingerprints.picture import (
    Fingerprint,
    examine_bytes,
    examine_file,
    fingerprint_bytes,
    fingerprint_file,
)

Rgb = npt.NDArray[np.uint8]
Save = Callable[..., bytes]


def test_a_fingerprint_holds_every_digest_of_the_picture(scene: Rgb, save: Save) -> None:
    data = save(scene, "PNG")
    examined = examine_bytes(data)
    assert examined.fingerprint == Fingerprint(
        sha256=hashlib.sha256(data).hexdigest(),
        pixels=pixels_digest(scene),
        pdq=pdq(scene).hex,
        quality=pdq(scene).quality,
        width=300,
        height=200,
        format="png",
    )
    assert np.array_equal(examined.orientations, orientations(scene))
    assert fingerprint_bytes(data) == examined.fingerprint


def test_a_file_and_its_bytes_have_one_fingerprint(scene: Rgb, save: Save, tmp_path: Path) -> None:
    path = tmp_path / "scene.jpg"
    path.write_bytes(save(scene, "JPEG"))
    assert fingerprint_file(path) == fingerprint_file(str(path)) == fingerprint_bytes(path.read_bytes())
    assert np.array_equal(examine_file(path).orientations, examine_bytes(path.read_bytes()).orientations)


def test_a_fingerprint_survives_json(scene: Rgb, save: Save) -> None:
    fingerprint = fingerprint_bytes(save(scene, "WEBP"))
    assert msgspec.json.decode(msgspec.json.encode(fingerprint), type=Fingerprint) == fingerprint


def test_stripping_metadata_keeps_the_pixels_digest(scene: Rgb, save: Save) -> None:
    tags = Image.Exif()
    tags[0x010E] = "a description"
    for form in ("JPEG", "PNG", "WEBP"):
        bare, told = fingerprint_bytes(save(scene, form)), fingerprint_bytes(save(scene, form, exif=tags.tobytes()))
        assert (bare.pixels, bare.pdq) == (told.pixels, told.pdq)
        assert bare.sha256 != told.sha256


def test_one_picture_in_every_lossless_form_has_one_pixels_digest(scene: Rgb, save: Save) -> None:
    opaque = np.dstack((scene, np.full(scene.shape[:2], 255, np.uint8)))
    files = [save(scene, "PNG", compress_level=level) for level in (0, 1, 9)]
    files += [save(opaque, "PNG"), save(scene, "WEBP", lossless=True), save(opaque, "WEBP", lossless=True)]
    assert {fingerprint_bytes(data).pixels for data in files} == {pixels_digest(scene)}


def test_an_orientation_tag_counts_like_turned_pixels(scene: Rgb, save: Save) -> None:
    tags = Image.Exif()
    tags[0x0112] = 6
    tagged = fingerprint_bytes(save(scene, "PNG", exif=tags.tobytes()))
    assert tagged.pixels == pixels_digest(np.rot90(scene, 3))
    assert (tagged.width, tagged.height) == (200, 300)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "smaller": lambda image: image.resize((150, 100), Image.Resampling.LANCZOS),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "rotated": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "mirrored, rotated, smaller": lambda image: image.transpose(Image.Transpose.TRANSVERSE).resize((160, 240)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_copy_saved_as_jpeg_is_near(name: str, vectors: Path, save: Save) -> None:
    original = (vectors / "pdq" / "dih" / "bridge-1-original.jpg").read_bytes()
    stored = np.frombuffer(bytes.fromhex(fingerprint_bytes(original).pdq or ""), np.uint8)
    with Image.open(vectors / "pdq" / "dih" / "bridge-1-original.jpg") as image:
        copy = save(CHANGES[name](image.resize((400, 250))), "JPEG", quality=70)
    assert hamming(examine_bytes(copy).orientations, stored).min() <= NEAR_RADIUS


def test_other_pictures_are_not_near(vectors: Path) -> None:
    names = ["dih/bridge-1-original.jpg", "misc/c.png", "misc/wee.jpg", "labelme-subset/q1050.jpg"]
    examined = [examine_bytes((vectors / "pdq" / name).read_bytes()) for name in names]
    for one in examined:
        for other in examined:
            stored = np.frombuffer(bytes.fromhex(other.fingerprint.pdq or ""), np.uint8)
            assert (one is other) == bool(hamming(one.orientations, stored).min() <= NEAR_RADIUS)


def test_what_cannot_be_decoded_still_has_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "note.jpg"
    path.write_bytes(b"a text")
    with pytest.raises(PictureError) as caught:
        fingerprint_file(path)
    assert caught.value.details == {
        "why": "not-a-picture",
        "sha256": hashlib.sha256(b"a text").hexdigest(),
        "path": str(path),
    }


def refused(path: Path, **limits: int) -> dict[str, Any]:
    with pytest.raises(PictureError) as caught:
        fingerprint_file(path, PictureLimits(**limits))
    return caught.value.details


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "large.png").write_bytes(bytes(11))
    assert refused(tmp_path / "absent.png")["why"] == "unreadable"
    assert refused(tmp_path)["why"] == "unreadable"
    assert refused(tmp_path / "pipe.png")["why"] == "unreadable"
    assert refused(tmp_path / "nul\0.png")["why"] == "unreadable"
    assert refused(tmp_path / "large.png", max_bytes=10)["why"] == "too-large"
    assert refused(tmp_path / "large.png", max_bytes=11)["why"] == "not-a-picture"


def test_bytes_over_the_limit_are_refused_before_they_are_hashed() -> None:
    with pytest.raises(PictureError) as caught:
        fingerprint_bytes(bytes(11), PictureLimits(max_bytes=10))
    assert caught.value.details == {"why": "too-large"}


def test_nothing_of_this_room_imports_picture_libraries_before_a_picture_comes() -> None:
    modules = "picture, decode, exact, pdq, urls"
    script = (
        f"import sys; from licet.fingerprints import {modules}; print({{'PIL', 'cv2', 'pyarrow'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"
