"""Files made to harm: bombs are known by their headers, loops are not followed, damage ends in a reasoned refusal."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from licet.errors import PictureError
from licet.fingerprints.containers import MAX_PARTS, read_container
from licet.fingerprints.decode import PictureLimits, decode
from tests.sdk.fingerprints.forging import plain, tiff

Rgb = npt.NDArray[np.uint8]
Save = Callable[..., bytes]
WHYS = {"truncated", "not-a-picture", "too-large", "too-many-pixels", "unsupported-format", "unreadable"}
SMALL = PictureLimits(max_bytes=1 << 18, max_pixels=1 << 18)
NAMES = ["gif", "gif-moving", "tiff", "tiff-lzw", "tiff-alpha", "tiff-jpeg", "tiff-palette", "tiff-fax", "tiff-big"]
NAMES += [
    "tiff-16",
    "bmp",
    "bmp-palette",
    "bmp-alpha",
    "avif",
    "avif-alpha",
    "avif-moving",
    "webp-moving",
    "png-moving",
]


@pytest.fixture(scope="module")
def seeds(scene: Rgb, save: Save) -> dict[str, bytes]:
    """One small file of each form, by name."""
    small = np.ascontiguousarray(scene[:40, :56])
    image = Image.fromarray(small)
    few = image.quantize(16, Image.Quantize.FASTOCTREE)
    alpha = Image.fromarray(np.dstack((small, small[:, :, 0])))
    later: dict[str, Any] = {"save_all": True, "append_images": [Image.fromarray(255 - small)]}
    made = {
        "gif": save(few, "GIF"),
        "gif-moving": save(few, "GIF", save_all=True, append_images=[few.rotate(90)], transparency=2),
        "tiff": save(image, "TIFF"),
        "tiff-lzw": save(image, "TIFF", compression="tiff_lzw"),
        "tiff-alpha": save(alpha, "TIFF", compression="tiff_adobe_deflate"),
        "tiff-jpeg": save(image, "TIFF", compression="jpeg"),
        "tiff-palette": save(few, "TIFF", compression="packbits"),
        "tiff-fax": save(image.convert("1"), "TIFF", compression="group4"),
        "tiff-big": save(image, "TIFF", compression="tiff_lzw", big_tiff=True),
        "tiff-16": save(small[:, :, 0].astype(np.uint16) * 257, "TIFF", compression="tiff_lzw"),
        "bmp": save(image, "BMP"),
        "bmp-palette": save(few, "BMP"),
        "bmp-alpha": save(alpha, "BMP"),
        "avif": save(image, "AVIF", speed=9),
        "avif-alpha": save(alpha, "AVIF", speed=9),
        "avif-moving": save(image, "AVIF", speed=9, **later),
        "webp-moving": save(image, "WEBP", **later),
        "png-moving": save(image, "PNG", **later),
    }
    assert list(made) == NAMES
    return made


def why(data: bytes, **limits: int) -> str:
    with pytest.raises(PictureError) as caught:
        decode(data, PictureLimits(**limits))
    return str(caught.value.details["why"])


def survive(data: bytes) -> bool:
    """Return whether ``data`` was decoded; fail on anything but a picture within limits or a reasoned refusal."""
    try:
        picture = decode(data, SMALL)
    except PictureError as error:
        refusal = error
    else:
        assert picture.rgb.shape == (picture.height, picture.width, 3)
        assert picture.rgb.size <= 3 * SMALL.max_pixels
        return True
    assert refusal.details["why"] in WHYS
    assert str(refusal).startswith("expected ")
    return False


# -- fuzz ----------------------------------------------------------------------------------------------------------


@given(
    name=st.sampled_from(NAMES),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=6),
    cut=st.floats(0, 1),
    whole=st.booleans(),
)
def test_mutated_pictures_are_decoded_or_refused_cleanly(
    name: str, changes: list[tuple[float, int]], cut: float, whole: bool, seeds: dict[str, bytes]
) -> None:
    data = bytearray(seeds[name])
    for place, value in changes:
        data[int(place * len(data))] = value
    survive(bytes(data if whole else data[: int(cut * len(data))]))


def test_many_mutations_of_headers_are_decoded_or_refused_cleanly(seeds: dict[str, bytes]) -> None:
    random = np.random.default_rng(12)
    decoded = []
    for seed in seeds.values():
        # A TIFF has its tags at its end.
        reach = len(seed) if seed[:2] == b"II" else min(len(seed), 600)
        for _ in range(60):
            data = bytearray(seed)
            for place in random.integers(2, reach, size=random.integers(1, 5)):
                data[place] = (0, 1, 127, 255, random.integers(256))[random.integers(5)]
            decoded.append(survive(bytes(data)))
    assert 100 < sum(decoded) < len(decoded) - 100  # both ways were taken often


@given(
    head=st.sampled_from(
        [
            b"GIF89a\x08\0\x08\0\x80\0\0" + bytes(6),
            b"II*\0\x08\0\0\0",
            b"MM\0*\0\0\0\x08\0",
            b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0",
            b"BM" + bytes(8) + b"\x36\0\0\0\x28\0\0\0",
            b"\0\0\0\x14ftypavif\0\0\0\0avif\0\0\0\x40meta\0\0\0\0",
        ]
    ),
    tail=st.binary(max_size=300),
)
def test_random_bytes_are_refused_cleanly(head: bytes, tail: bytes) -> None:
    survive(head + tail)


@pytest.mark.parametrize("name", NAMES)
def test_every_cut_of_a_file_is_refused_or_holds_the_same_picture(name: str, seeds: dict[str, bytes]) -> None:
    data = seeds[name]
    whole = decode(data).rgb
    for length in {*range(min(len(data), 64)), *range(64, len(data), max(1, len(data) // 40))}:
        try:
            picture = decode(data[:length])
        except PictureError as error:
            refused = error.details["why"] in {"truncated", "not-a-picture", "unreadable"}
        else:  # of an animation what comes after the first picture may be missing
            refused = name in ("gif-moving", "avif-moving") and np.array_equal(picture.rgb, whole)
        assert refused, length


# -- bombs ---------------------------------------------------------------------------------------------------------


def test_a_frame_or_screen_of_a_gif_that_is_too_large_is_refused(seeds: dict[str, bytes]) -> None:
    gif = seeds["gif"]
    frame = gif.index(b",\0\0\0\0")
    large = struct.pack("<HH", 60_000, 60_000)
    assert why(gif[:6] + large + gif[10:]) == "too-many-pixels"
    assert why(gif[: frame + 5] + large + gif[frame + 9 :]) == "too-many-pixels"
    assert why(gif[: frame + 1] + large + gif[frame + 5 :]) == "too-many-pixels"


def test_frames_beyond_the_first_cost_nothing_however_many(seeds: dict[str, bytes]) -> None:
    gif = seeds["gif-moving"]
    frame = gif.rindex(b",\0\0\0\0")
    many = gif[:frame] + gif[frame:-1] * 20_000 + b";"
    limits = 1 << 30
    assert len(many) > 10_000_000
    assert np.array_equal(decode(many, PictureLimits(max_bytes=limits)).rgb, decode(gif).rgb)
    assert len(read_container(many, limits).body) < 4000
    endless = gif[:frame] + gif[frame:-1] * MAX_PARTS + b";"
    assert why(endless, max_bytes=limits) == "unreadable"


def test_only_the_first_frame_or_page_reaches_the_decoder(seeds: dict[str, bytes], scene: Rgb, save: Save) -> None:
    webp = seeds["webp-moving"]
    assert webp.count(b"ANMF") == 2
    assert read_container(webp, 1 << 20).body.count(b"ANMF") == 1
    pages = save(scene, "TIFF", save_all=True, append_images=[Image.fromarray(scene)] * 5)
    assert len(pages) > 6 * scene.size
    assert len(read_container(pages, 1 << 20).body) < 1.01 * scene.size


def test_a_tile_larger_than_the_limit_is_refused() -> None:
    for width, height in ((1 << 31, 16), (40_000, 40_000), (16, 1 << 31)):
        tags = plain(16, 16, 1, (8,), t322=(4, (width,)), t323=(4, (height,)))
        assert why(tiff(tags, [bytes(256)], tiled=True)) == "too-many-pixels"


def test_strips_that_share_their_bytes_cannot_make_a_file_larger() -> None:
    count = 5000
    tags = [
        (256, 4, 1, 100),
        (257, 4, 1, count),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, count, 8 + 2 + 9 * 12 + 4),
        (277, 3, 1, 1),
        (278, 4, 1, 1),
        (279, 4, count, 8 + 2 + 9 * 12 + 4 + 4 * count),
    ]
    folder = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    offsets, sizes = struct.pack("<I", 8) * count, struct.pack("<I", 20_000) * count
    data = b"II*\0" + struct.pack("<I", 8) + folder + offsets + sizes
    with pytest.raises(PictureError, match=r"strips of at most 40,122 bytes in a TIFF, got 100,000,000"):
        decode(data)


def test_folders_of_tags_that_point_at_themselves_are_not_followed(scene: Rgb, save: Save) -> None:
    data = save(scene, "TIFF")
    (folder,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, folder)
    end = folder + 2 + 12 * count
    looped = data[:end] + struct.pack("<I", folder) + data[end + 4 :]
    assert np.array_equal(decode(looped).rgb, scene)


def test_an_avif_whose_coded_picture_is_larger_than_it_says_is_refused(save: Save, scene: Rgb) -> None:
    data = save(scene, "AVIF", speed=9)
    size = b"ispe\0\0\0\0" + struct.pack(">II", 300, 200)
    assert data.count(size) == 1
    small = data.replace(size, b"ispe\0\0\0\0" + struct.pack(">II", 16, 16))
    assert why(small, max_pixels=59_999) == "too-many-pixels"
    assert why(data.replace(size, b"ispe\0\0\0\0" + struct.pack(">II", 1 << 20, 1 << 20))) == "too-many-pixels"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's word on the peak of memory")
def test_bombs_are_refused_in_little_memory(save: Save, scene: Rgb) -> None:
    gif, avif = save(Image.fromarray(scene).convert("L"), "GIF"), save(scene, "AVIF", speed=9)
    tiff, bmp = save(scene, "TIFF", compression="tiff_lzw"), save(scene, "BMP")
    wide = struct.pack("<HHIHH", 256, 3, 1, 300, 0)
    bombs = [
        gif[:6] + b"\xff\xff\xff\xff" + gif[10:],
        avif.replace(struct.pack(">II", 300, 200), struct.pack(">II", 65_535, 65_535)),
        tiff.replace(wide, struct.pack("<HHII", 256, 4, 1, 1 << 31)),
        bmp[:18] + struct.pack("<ii", 65_535, 65_535) + bmp[26:],
    ]
    assert all(bomb not in (gif, avif, tiff, bmp) for bomb in bombs)
    script = f"""
        from pathlib import Path
        def peak():  # ru_maxrss begins with what the parent had
            return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
        from licet.errors import PictureError
        from licet.fingerprints.decode import _opener, decode
        for form in ("gif", "tiff", "bmp", "avif"):
            _opener(form)
        before = peak()
        for bomb in {bombs!r}:
            try:
                decode(bomb)
            except PictureError as error:
                print(error.details["why"])
        print((peak() - before) // 1024 < 16)
    """
    done = subprocess.run(
        [sys.executable, "-"], input=textwrap.dedent(script), capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["too-many-pixels"] * 4 + ["True"]


def test_a_damaged_tiff_writes_nothing_to_stderr(save: Save, scene: Rgb) -> None:
    data = bytearray(save(Image.fromarray(scene), "TIFF", compression="tiff_lzw"))
    data[200:260] = b"\xff" * 60
    script = f"""
        from licet.errors import PictureError
        from licet.fingerprints.decode import decode
        try:
            decode({bytes(data)!r})
        except PictureError as error:
            print(error.details["why"])
    """
    done = subprocess.run(
        [sys.executable, "-"], input=textwrap.dedent(script), capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout.strip(), done.stderr) == ("unreadable", "")


# -- what is not part of the picture -------------------------------------------------------------------------------


def test_what_follows_the_picture_does_not_change_it(seeds: dict[str, bytes]) -> None:
    for name, data in seeds.items():
        polyglot = data + b"PK\x03\x04<script>alert(1)</script>" * 9
        assert np.array_equal(decode(polyglot).rgb, decode(data).rgb), name
        assert b"<script>" not in read_container(polyglot, 1 << 20).body, name


def test_huge_metadata_does_not_reach_a_decoder(scene: Rgb, save: Save) -> None:
    exif = Image.Exif()
    exif[0x010E] = "GPS " * 10_000
    profile = b"profile " * 4000
    for form in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
        told = save(scene, form, exif=exif.tobytes() if form != "TIFF" else exif, icc_profile=profile)
        body = read_container(told, 1 << 20).body
        if form == "AVIF":  # where the pixels are is counted from the beginning: metadata is hidden, not removed
            assert b"infe\x02\0\0\0\0\x02\0\0Exif" in told
            assert b"infe\x02\0\0\0\0\x02\0\0none" in body
        else:
            assert b"GPS " not in body, form
            assert b"profile " not in body, form
        assert np.array_equal(decode(told).rgb, decode(save(scene, form)).rgb), form


def test_an_exif_of_an_avif_cannot_turn_or_break_it(scene: Rgb, save: Save) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description"
    told = save(scene, "AVIF", speed=9, exif=exif.tobytes())
    place = told.index(b"a description")
    for value in (b"\xff", b"\0", b"M"):
        broken = told[: place - 26] + value * 40 + told[place + 14 :]
        assert np.array_equal(decode(broken).rgb, decode(told).rgb)
    with Image.open(io.BytesIO(told)) as image:
        assert image.getexif()
