"""Decoding: the pixels a file means, whatever its form; anything else is a PictureError that says why."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from licet.errors import InputError, PictureError
from licet.fingerprints import containers
from licet.fingerprints import decode as decoding
from licet.fingerprints.containers import Container, exif_orientation, read_container
from licet.fingerprints.decode import Picture, PictureLimits, _opened, decode

Rgb = npt.NDArray[np.uint8]
Save = Callable[..., bytes]
WHYS = {"truncated", "not-a-picture", "too-large", "too-many-pixels", "unsupported-format", "unreadable"}
SMALL = PictureLimits(max_bytes=1 << 18, max_pixels=1 << 18)


def why(data: bytes, **limits: int) -> str:
    with pytest.raises(PictureError) as caught:
        decode(data, PictureLimits(**limits))
    return str(caught.value.details["why"])


def pixels_or_why(data: bytes) -> bytes | str:
    try:
        return decode(data, SMALL).rgb.tobytes()
    except PictureError as error:
        return str(error)


JPEGS: list[tuple[str, dict[str, Any]]] = [
    ("RGB", {"quality": 90}),
    ("RGB", {"quality": 60, "progressive": True}),
    ("RGB", {"quality": 75, "subsampling": 0}),
    ("RGB", {"quality": 80, "subsampling": 1, "restart_marker_blocks": 3}),
    ("RGB", {"quality": 80, "keep_rgb": True}),
    ("L", {"quality": 80}),
    ("CMYK", {"quality": 80}),
]


def damaged(data: bytes, random: np.random.Generator) -> bytes:
    """Return a JPEG with some bytes changed, taken out or cut off."""
    spoilt = bytearray(data)
    for _ in range(random.choice([0, 1, 1, 2, 8])):
        at, how = int(random.integers(2, len(spoilt))), random.random()
        if how < 0.7:
            spoilt[at] = random.integers(256)
        elif how < 0.85:
            del spoilt[at : at + int(random.integers(1, 40))]
        else:
            spoilt[at:] = b"\xff\xd9" if how < 0.95 else b""
    return bytes(spoilt)


@pytest.mark.parametrize(("mode", "options"), JPEGS)
def test_jpegs_give_the_same_pixels_or_the_same_refusal_with_opencv_and_without(
    mode: str, options: dict[str, Any], scene: Rgb, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert decoding._opencv() is not None, "expected the locked OpenCV to decode as the locked Pillow does"
    random = np.random.default_rng(len(repr(options)))
    whole = save(Image.fromarray(scene[:77, :101]).convert(mode), "JPEG", **options)
    files = [whole, *(damaged(whole, random) for _ in range(150))]
    with_opencv = [pixels_or_why(each) for each in files]
    monkeypatch.setattr(decoding, "_opencv", lambda: None)
    assert [pixels_or_why(each) for each in files] == with_opencv
    assert isinstance(with_opencv[0], bytes)
    assert any(isinstance(each, str) for each in with_opencv)


def test_pictures_are_read_where_opencv_is_not(scene: Rgb, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    data = save(scene, "JPEG")
    expected = decode(data).rgb
    monkeypatch.setitem(sys.modules, "cv2", None)
    decoding._opencv.cache_clear()
    try:
        assert decoding._opencv() is None
        assert np.array_equal(decode(data).rgb, expected)
    finally:
        decoding._opencv.cache_clear()


# -- what pixels mean ----------------------------------------------------------------------------------------------


def test_pixels_equal_those_of_a_second_decoder(vectors: Path, scene: Rgb, save: Save) -> None:
    files = [path.read_bytes() for path in sorted((vectors / "pdq").glob("*/*.[jp]*g"))]
    assert len(files) == 30
    jpegs = ({"quality": 90}, {"quality": 40, "progressive": True}, {"quality": 80, "subsampling": 0})
    files += [save(scene, "JPEG", **options) for options in jpegs]
    files += [save(scene[:, :, 0], "JPEG"), save(scene, "WEBP", quality=70), save(scene, "WEBP", lossless=True)]
    for data in files:
        second = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
        assert second is not None
        assert np.array_equal(decode(data).rgb, second)


@pytest.mark.parametrize(("form", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_lossless_files_hold_the_pixels_that_went_in(
    form: str, options: dict[str, Any], scene: Rgb, save: Save
) -> None:
    picture = decode(save(scene, form, **options))
    assert np.array_equal(picture.rgb, scene)
    assert (picture.format, picture.width, picture.height) == (form.lower(), 300, 200)
    assert picture.rgb.flags.c_contiguous


def on_white(colour: npt.NDArray[np.int64], alpha: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.rint((colour * alpha + 255 * (255 - alpha)) / 255).astype(np.int64)


FORMS = [(0, d) for d in (1, 2, 4, 8, 16)] + [(2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8)]
FORMS += [(4, 8), (4, 16), (6, 8), (6, 16)]


@pytest.mark.parametrize(("colour", "depth"), FORMS)
@pytest.mark.parametrize("transparent", [False, True])
def test_every_form_of_png_means_its_rgb_on_white(
    colour: int, depth: int, transparent: bool, png: Callable[..., bytes]
) -> None:
    random = np.random.default_rng(depth * 10 + colour)
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    samples = random.integers(0, 1 << depth, (9, 13, channels))
    palette = random.integers(0, 256, (1 << min(depth, 8), 3))
    alphas = random.integers(0, 256, max(1, len(palette) - 1))
    before: list[tuple[bytes, bytes]] = []
    eight = samples >> 8 if depth == 16 else samples * 255 // ((1 << depth) - 1)
    if colour == 3:
        before.append((b"PLTE", palette.astype(np.uint8).tobytes()))
        table = palette
        if transparent:
            before.append((b"tRNS", alphas.astype(np.uint8).tobytes()))
            table = on_white(palette, np.append(alphas, 255)[:, None])
        expected = table[samples[:, :, 0]]
    elif colour in (0, 2):
        expected = np.repeat(eight, 3, axis=2) if colour == 0 else eight
        if transparent:
            before.append((b"tRNS", samples[3, 4].astype(">u2").tobytes()))
            key = samples[3, 4] if (colour, depth) != (2, 16) else None
            hit = (samples == key).all(axis=2) if key is not None else (eight == eight[3, 4]).all(axis=2)
            assert hit.any()
            expected = np.where(hit[:, :, None], 255, expected)
    else:
        expected = on_white(eight[:, :, :-1], eight[:, :, -1:])
        if colour == 4:
            expected = np.repeat(expected, 3, axis=2)
    picture = decode(png(samples, colour, depth, before=tuple(before)))
    assert np.array_equal(picture.rgb, expected)
    assert picture.rgb.dtype == np.uint8


def test_alpha_is_rounded_to_nearest_for_every_value(save: Save) -> None:
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256))
    layer = np.stack((colour, colour, colour, alpha), axis=2).astype(np.uint8)
    assert np.array_equal(decode(save(layer, "PNG")).rgb[:, :, 0], on_white(colour, alpha))


def test_webp_alpha_is_composed_onto_white(save: Save, scene: Rgb) -> None:
    alpha = np.arange(256, dtype=np.uint8)[:200, None].repeat(300, axis=1)
    data = save(np.dstack((scene, alpha)), "WEBP", lossless=True, exact=True)
    assert np.array_equal(decode(data).rgb, on_white(scene.astype(np.int64), alpha[:, :, None].astype(np.int64)))


def test_what_hides_under_full_transparency_does_not_count(save: Save, scene: Rgb) -> None:
    hidden = np.dstack((scene, np.zeros(scene.shape[:2], np.uint8)))
    assert (decode(save(hidden, "PNG")).rgb == 255).all()


def test_a_palette_index_beyond_the_palette_is_black(png: Callable[..., bytes]) -> None:
    data = png(np.array([[[0], [1], [7]]]), 3, 8, before=((b"PLTE", b"\x10\x20\x30\x40\x50\x60"),))
    assert decode(data).rgb.tolist() == [[[16, 32, 48], [64, 80, 96], [0, 0, 0]]]


def test_cmyk_becomes_rgb(save: Save) -> None:
    image = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    assert np.abs(decode(save(image, "JPEG", quality=95)).rgb.astype(int) - (255, 0, 0)).max() <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("form", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 90})])
def test_orientation_is_applied(orientation: int, form: str, options: dict[str, Any], scene: Rgb, save: Save) -> None:
    tags = Image.Exif()
    tags[0x0112] = orientation
    data = save(scene, form, exif=tags.tobytes(), **options)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    picture = decode(data)
    assert np.array_equal(picture.rgb, expected)
    assert (picture.height, picture.width) == expected.shape[:2]


@pytest.mark.parametrize("colour", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_orientation_is_applied_in_every_mode(colour: str, scene: Rgb, save: Save, exif: Callable[..., bytes]) -> None:
    image = Image.fromarray(scene)
    image = Image.fromarray(scene[:, :, 0].astype(np.uint16) * 257) if colour == "I;16" else image.convert(colour)
    upright = decode(save(image, "PNG")).rgb
    assert np.array_equal(decode(save(image, "PNG", exif=exif(6))).rgb, np.rot90(upright, 3))


def test_the_first_picture_of_an_animation_counts(scene: Rgb, save: Save) -> None:
    frames = [Image.fromarray(scene), Image.fromarray(255 - scene)]
    for form, options in (("PNG", {}), ("WEBP", {"lossless": True})):
        data = save(frames[0], form, save_all=True, append_images=frames[1:], **options)
        assert np.array_equal(decode(data).rgb, scene), form


# -- what does not change pixels -----------------------------------------------------------------------------------


@given(level=st.integers(0, 9), optimize=st.booleans())
def test_another_compression_of_a_png_holds_the_same_pixels(level: int, optimize: bool, scene: Rgb, save: Save) -> None:
    assert np.array_equal(decode(save(scene, "PNG", compress_level=level, optimize=optimize)).rgb, scene)


def with_jpeg_segments(data: bytes, *segments: tuple[int, bytes]) -> bytes:
    added = b"".join(bytes((0xFF, kind)) + struct.pack(">H", len(body) + 2) + body for kind, body in segments)
    return data[:2] + added + data[2:]


@given(
    segments=st.lists(st.tuples(st.sampled_from([0xE1, 0xE2, 0xED, 0xEF, 0xFE]), st.binary(max_size=300)), max_size=4)
)
def test_jpeg_metadata_does_not_change_pixels(segments: list[tuple[int, bytes]], scene: Rgb, save: Save) -> None:
    plain = save(scene, "JPEG", quality=85)
    assert np.array_equal(decode(with_jpeg_segments(plain, *segments)).rgb, decode(plain).rgb)


def test_png_metadata_does_not_change_pixels(scene: Rgb, save: Save, png_chunk: Callable[..., bytes]) -> None:
    plain = save(scene, "PNG")
    bomb = png_chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(80 << 20)))
    extra = bomb + png_chunk(b"iCCP", b"broken") + png_chunk(b"gAMA", b"\0\0\0\1") + png_chunk(b"caBX", b"c2pa")
    assert np.array_equal(decode(plain[:33] + extra + plain[33:]).rgb, scene)


def test_what_follows_the_picture_does_not_change_pixels(scene: Rgb, save: Save) -> None:
    for form, options in (("PNG", {}), ("JPEG", {}), ("WEBP", {"quality": 80})):
        plain = save(scene, form, **options)
        polyglot = plain + b"PK\x03\x04<script>\xff\xd8\xff\xda\xff\xd9" * 9
        assert np.array_equal(decode(polyglot).rgb, decode(plain).rgb)
        assert read_container(polyglot, 1 << 20).body == read_container(plain, 1 << 20).body


def test_an_orientation_that_is_damaged_or_out_of_range_means_upright(exif: Callable[..., bytes]) -> None:
    assert [exif_orientation(exif(value, order)) for value in (1, 6, 8) for order in "<>"] == [1, 1, 6, 6, 8, 8]
    assert exif_orientation(b"Exif\0\0" + exif(3)) == 3
    for block in (b"", b"II*\0", exif(0), exif(9), exif(6)[:-7], b"MM\0*\xff\xff\xff\xff\0\1", exif(6)[1:]):
        assert exif_orientation(block) == 1


@given(st.binary(max_size=64))
def test_no_exif_block_is_too_strange(tail: bytes) -> None:
    for head in (b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"MM\0*", b""):
        assert 1 <= exif_orientation(head + tail) <= 8


# -- what is refused -----------------------------------------------------------------------------------------------


def test_a_png_of_900_megapixels_in_a_small_file_is_refused_by_its_header(
    png_chunk: Callable[..., bytes],
) -> None:
    squeeze = zlib.compressobj(9)
    line = bytes(1 + 30_000 // 8)
    packed = b"".join(squeeze.compress(line * 1000) for _ in range(30)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts)
    assert len(bomb) < 200_000
    with pytest.raises(
        PictureError, match=r"at most 100,000,000 pixels, got 900,000,000 \(30,000 × 30,000\)"
    ) as caught:
        decode(bomb)
    assert caught.value.details["why"] == "too-many-pixels"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's word on the peak of memory")
def test_bombs_are_refused_in_little_memory(scene: Rgb, save: Save) -> None:
    small = scene[:40, :56]
    jpeg, lossy, lossless = save(small, "JPEG"), save(small, "WEBP"), save(small, "WEBP", lossless=True)
    frame = jpeg.index(b"\xff\xc0") + 5
    extended = struct.pack("<4sIB3x", b"VP8X", 10, 0) + (16382).to_bytes(3, "little") * 2
    bombs = [
        jpeg[:frame] + b"\xff\xdc\xff\xdc" + jpeg[frame + 4 :],
        lossy[:26] + struct.pack("<HH", 16383, 16383) + lossy[30:],
        lossless[:21] + b"\xff\xff\xff\x0f" + lossless[25:],
        b"RIFF" + struct.pack("<I", len(lossless) - 8 + len(extended)) + b"WEBP" + extended + lossless[12:],
    ]
    script = f"""
        from pathlib import Path
        def peak():  # ru_maxrss begins with what the parent had
            return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
        from licet.errors import InputError, PictureError
        from licet.fingerprints.decode import decode
        import PIL.JpegImagePlugin, PIL.PngImagePlugin, PIL.WebPImagePlugin
        before = peak()
        for bomb in {bombs!r}:
            try:
                decode(bomb)
            except PictureError as error:
                print(error.details["why"])
        print(peak() - before < 20_000)
    """
    done = subprocess.run(
        [sys.executable, "-"], input=textwrap.dedent(script), capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["too-many-pixels"] * 4 + ["True"]
    assert done.stderr == ""


def test_a_jpeg_of_thousands_of_scans_is_refused(scene: Rgb, save: Save) -> None:
    data = save(scene, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    assert why(data[:-2] + data[last:-2] * 300 + b"\xff\xd9") == "unreadable"


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {"quality": 80}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_a_picture_cut_anywhere_is_truncated(form: str, options: dict[str, Any], scene: Rgb, save: Save) -> None:
    data = save(scene, form, **options)
    for kept in (*range(12, 40), *range(41, len(data), len(data) // 60), len(data) - 2, len(data) - 1):
        with pytest.raises(PictureError) as caught:
            decode(data[:kept])
        assert caught.value.details["why"] == "truncated", kept


def png_of(packed: bytes, png_chunk: Callable[..., bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", 300, 200, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts)


def test_pixels_that_break_off_inside_a_whole_container_are_truncated(
    png_chunk: Callable[..., bytes], scene: Rgb
) -> None:
    rows = b"".join(b"\0" + row.tobytes() for row in scene)
    assert np.array_equal(decode(png_of(zlib.compress(rows), png_chunk)).rgb, scene)
    for packed in (zlib.compress(rows)[:-50], zlib.compress(rows)[:400], b""):
        assert why(png_of(packed, png_chunk)) == "truncated"


def test_pixels_that_end_early_by_themselves_are_followed_by_black(png_chunk: Callable[..., bytes], scene: Rgb) -> None:
    rows = b"".join(b"\0" + row.tobytes() for row in scene[:150])
    rgb = decode(png_of(zlib.compress(rows), png_chunk)).rgb
    assert np.array_equal(rgb[:150], scene[:150])
    assert not rgb[150:].any()


@pytest.mark.parametrize(
    ("data", "reason", "message"),
    [
        (b"", "not-a-picture", "got an empty file"),
        (b"just a text that somebody named .jpg\n", "not-a-picture", "got bytes that begin with 6a 75 73 74"),
        (b"<!doctype html><title>404</title>", "not-a-picture", "bytes that begin"),
        (b"%PDF-1.7\n", "not-a-picture", "bytes that begin"),
        (b"\xff\xd8", "truncated", "end of a JPEG"),
        (b"\x89PNG", "truncated", "its first 4 bytes"),
        (b"GIF8", "truncated", "its first 4 bytes"),
        (b"GIF89a\x01\0\x01\0", "truncated", "header of a GIF"),
        (b"GIF89a" + bytes(30), "unreadable", "unknown kind 0x00"),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "truncated", "header of a BMP"),
        (b"II*\0\x08\0\0\0", "truncated", "tags of a TIFF"),
        (b"\0\0\0\x14ftypavif\0\0\0\0avif", "truncated", "still picture in an AVIF, got none"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "unsupported-format", "got HEIF .* export it as JPEG or PNG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "unsupported-format", "got JPEG XL"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x"/>', "unsupported-format", "got SVG"),
        (b"\xff\xd8\xff\xd9", "unreadable", "pixels in a JPEG, got none"),
        (b"\xff\xd8\xff\xe0\0\1", "unreadable", "at least 2 bytes, got 1"),
        (b"\xff\xd8\xff\xc9\0\x0b\x08\0\x10\0\x10\1\1\x11\0", "unsupported-format", "got type 9 with 8 bits"),
        (b"\xff\xd8\xff\xc1\0\x0b\x0c\0\x10\0\x10\1\1\x11\0", "unsupported-format", "got type 1 with 12 bits"),
        (b"\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\x10\1\1\x11\0", "unreadable", "at least 1, got 16 × 0"),
        (b"RIFF\x0c\0\0\0WEBPVP8X\0\0\0\0", "unreadable", "frame header"),
        (b"RIFF\x04\0\0\0WEBP", "unreadable", "pixels in a WEBP, got none"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "not-a-picture", "52 49 46 46"),
    ],
)
def test_what_is_no_picture_of_ours_is_refused_with_a_reason(data: bytes, reason: str, message: str) -> None:
    with pytest.raises(PictureError, match=message) as caught:
        decode(data)
    assert caught.value.details["why"] == reason


def test_a_damaged_png_is_unreadable(scene: Rgb, save: Save, png_chunk: Callable[..., bytes]) -> None:
    data = save(scene, "PNG")
    flipped = bytearray(data)
    flipped[1000] ^= 1
    assert why(bytes(flipped)) == "unreadable"
    assert why(data[:8] + png_chunk(b"IDAT", b"") + data[8:]) == "unreadable"
    assert why(data[:33] + data[8:]) == "unreadable"
    assert why(data[:33] + png_chunk(b"ZZZZ", b"") + data[33:]) == "unsupported-format"
    assert why(data[:33] + png_chunk(b"IEND", b"")) == "truncated"
    assert why(data[:33] + png_chunk(b"tEXt", b"") * containers.MAX_PARTS + data[33:]) == "unreadable"


def test_a_png_palette_has_whole_colours(png: Callable[..., bytes]) -> None:
    one = np.zeros((1, 1, 1), np.int64)
    for palette in (b"\0\0", bytes(771)):
        assert why(png(one, 3, 8, before=((b"PLTE", palette),))) == "unreadable"
    assert why(png(one, 3, 8)) == "unreadable"


def test_a_damaged_jpeg_is_unreadable(scene: Rgb, save: Save) -> None:
    data = save(scene, "JPEG")
    start = data.index(b"\xff\xc0")
    frame = data[start : start + 19]
    assert why(data[:start] + frame + data[start:]) == "unreadable"
    assert why(data[:start] + data[start + 19 :]) == "unreadable"
    assert why(data[:start] + b"\xff\xc0\0\4\x08\0" + data[start + 19 :]) == "unreadable"
    assert why(data[:2] + b"\xff\xd8" + data[2:]) == "unreadable"
    assert why(data[:2] + b"\xff\xfe\0\2" * containers.MAX_PARTS + data[2:]) == "unreadable"
    # What libjpeg skips is skipped: stray bytes, fill bytes and restart marks between segments.
    assert np.array_equal(decode(data[:start] + b"stray\xff\0\xff\xd0\xff\xff" + data[start:]).rgb, decode(data).rgb)


def test_a_webp_of_too_many_parts_is_unreadable(scene: Rgb, save: Save) -> None:
    data = save(scene, "WEBP") + b"note\0\0\0\0" * containers.MAX_PARTS
    assert why(data[:4] + struct.pack("<I", len(data) - 8) + data[8:]) == "unreadable"


def test_a_decoder_that_sees_another_size_than_the_header_is_not_believed(scene: Rgb, save: Save) -> None:
    with pytest.raises(PictureError, match="expected 1 × 1 pixels, got") as caught:
        _opened(Container("png", 1, 1, 1, save(scene, "PNG")))
    assert caught.value.details["why"] == "unreadable"


def test_without_the_extra_the_error_names_it(scene: Rgb, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    data = save(scene, "PNG")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(InputError, match=r"needs the extra licet\[images\]"):
        decode(data)


def test_a_frame_of_another_size_than_its_canvas_is_unreadable(save: Save, scene: Rgb) -> None:
    data = save(np.dstack((scene, scene[:, :, 0])), "WEBP")
    assert data[12:16] == b"VP8X"
    assert why(data[:24] + b"\x40\0\0" + data[27:]) == "unreadable"


def test_limits_are_inclusive(scene: Rgb, save: Save) -> None:
    data = save(scene, "PNG")
    assert decode(data, PictureLimits(max_bytes=len(data), max_pixels=60_000)).width == 300
    assert why(data, max_bytes=len(data) - 1) == "too-large"
    assert why(data, max_pixels=59_999) == "too-many-pixels"


def test_between_90_and_178_megapixels_no_warning_leaks(png_chunk: Callable[..., bytes]) -> None:
    header = struct.pack(">IIBBBBB", 10_000, 9_000, 1, 0, 0, 0, 0)
    packed = zlib.compress(bytes((1 + 10_000 // 8) * 9_000), 1)
    parts = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts)
    assert decode(data).rgb.size == 3 * 90_000_000


# -- fuzz ----------------------------------------------------------------------------------------------------------


def attempt(data: bytes) -> Picture | PictureError:
    try:
        return decode(data, SMALL)
    except PictureError as error:
        return error


def survive(data: bytes) -> bool:
    """Return whether ``data`` was decoded; fail on anything but a picture within limits or a reasoned refusal."""
    result = attempt(data)
    if isinstance(result, PictureError):
        assert result.details["why"] in WHYS
        assert str(result).startswith("expected ")
        return False
    assert result.rgb.shape == (result.height, result.width, 3)
    assert result.rgb.size <= 3 * SMALL.max_pixels
    return True


HEADS = [
    b"",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08\x08\2\0\0\0",
    b"RIFF\x40\0\0\0WEBPVP8 ",
    b"RIFF\x40\0\0\0WEBPVP8L",
    b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0",
]


@given(head=st.sampled_from(HEADS), tail=st.binary(max_size=400))
def test_random_bytes_are_refused_cleanly(head: bytes, tail: bytes) -> None:
    survive(head + tail)


@pytest.fixture(scope="module")
def seeds(scene: Rgb, save: Save, exif: Callable[..., bytes]) -> list[bytes]:
    small = np.ascontiguousarray(scene[:40, :56])
    image = Image.fromarray(small)
    alpha = np.dstack((small, small[:, :, 0]))
    return [
        save(small, "JPEG", quality=60, exif=exif(6)),
        save(small, "JPEG", quality=60, progressive=True),
        save(image.convert("CMYK"), "JPEG", quality=60),
        save(small, "PNG"),
        save(image.quantize(16), "PNG", transparency=3),
        save(alpha, "PNG", exif=exif(5)),
        save(small[:, :, 0].astype(np.uint16) * 257, "PNG"),
        save(small, "WEBP", quality=50, exif=exif(8)),
        save(alpha, "WEBP", quality=50),
        save(alpha, "WEBP", lossless=True),
        save(image, "WEBP", save_all=True, append_images=[Image.fromarray(255 - small)]),
    ]


def rechecked(data: bytes) -> bytes:
    """Return a PNG with right checksums, so that mutations reach what lies behind them."""
    parts, place = [data[:8]], 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if place + 12 + length > len(data):
            break
        body = data[place + 4 : place + 8 + length]
        parts.append(data[place : place + 4] + body + zlib.crc32(body).to_bytes(4, "big"))
        place += 12 + length
    return b"".join(parts) + data[place:]


@given(
    which=st.integers(0, 10),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=6),
    cut=st.floats(0, 1),
    whole=st.booleans(),
)
def test_mutated_pictures_are_decoded_or_refused_cleanly(
    which: int, changes: list[tuple[float, int]], cut: float, whole: bool, seeds: list[bytes]
) -> None:
    data = bytearray(seeds[which])
    for place, value in changes:
        data[int(place * len(data))] = value
    mutant = bytes(data if whole else data[: int(cut * len(data))])
    survive(rechecked(mutant) if mutant.startswith(b"\x89PNG") else mutant)


def test_many_mutations_of_headers_are_decoded_or_refused_cleanly(seeds: list[bytes]) -> None:
    random = np.random.default_rng(11)
    decoded = []
    for seed in seeds:
        for _ in range(150):
            data = bytearray(seed)
            for place in random.integers(2, min(len(data), 700), size=random.integers(1, 5)):
                data[place] = random.integers(0, 256)
            decoded.append(survive(rechecked(bytes(data)) if seed.startswith(b"\x89PNG") else bytes(data)))
    assert 100 < sum(decoded) < len(decoded) - 100  # both ways were taken often
