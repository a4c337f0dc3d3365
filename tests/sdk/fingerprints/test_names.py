"""Names of pictures: one table of formats, endings and media types; of a file without an ending the bytes decide."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from licet.fingerprints.decode import decode
from licet.fingerprints.formats import (
    FORMATS,
    MEDIA_TYPES,
    OTHER_SUFFIXES,
    PICTURE_SUFFIXES,
    is_picture_file,
    is_picture_name,
    looks_like_a_picture,
)

Rgb = npt.NDArray[np.uint8]


def test_endings_and_media_types_are_those_that_the_decoders_know() -> None:
    for form in FORMATS:
        assert {Image.registered_extensions()[suffix].lower().replace("dib", "bmp") for suffix in form.suffixes} == {
            form.name
        }
        assert Image.MIME[form.title] == form.media_type == MEDIA_TYPES[form.name]
    assert not PICTURE_SUFFIXES & OTHER_SUFFIXES


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_is_known_by_its_first_bytes_whatever_the_name(
    form: object, scene: Rgb, save: Callable[..., bytes], tmp_path: Path
) -> None:
    title = form.title  # type: ignore[attr-defined]  # pytest hides the type
    data = save(scene, title)
    assert decode(data).format == form.name  # type: ignore[attr-defined]
    assert looks_like_a_picture(data[:32])
    (tmp_path / "3f9a").write_bytes(data)
    (tmp_path / "notes.txt").write_bytes(data)
    (tmp_path / "wrong.JPG").write_bytes(data)
    assert is_picture_file(tmp_path / "3f9a")
    assert is_picture_file(tmp_path / "wrong.JPG")
    assert not is_picture_file(tmp_path / "notes.txt")


def test_what_has_no_ending_and_is_no_picture_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("a text")
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert not any(is_picture_file(tmp_path / name) for name in ("README", "empty", "folder", "pipe", "absent"))


def test_formats_that_are_not_read_are_taken_by_name_so_that_none_slips_through() -> None:
    assert is_picture_name("IMG_1.HEIC")
    assert is_picture_name("drawing.svg")
    assert not is_picture_name("drawing.txt")
