"""GIF, TIFF, BMP and AVIF: the pixels that each form means, held against what went in and against a second decoder."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps

from licet.errors import PictureError
from licet.fingerprints.decode import decode
from tests.sdk.fingerprints.forging import gif, plain, tiff

Rgb = npt.NDArray[np.uint8]
Save = Callable[..., bytes]


def second(data: bytes) -> Rgb:
    """Return what OpenCV makes of ``data``."""
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    assert found is not None
    return found.astype(np.uint8, copy=False)


def on_white(image: Image.Image) -> Rgb:
    layer = image.convert("RGBA")
    page = Image.new("RGB", image.size, "white")
    page.paste(layer, mask=layer)
    return np.asarray(page)


def in_mode(scene: Rgb, mode: str) -> Image.Image:
    image = Image.fromarray(scene)
    if mode == "P":
        return image.quantize(64, Image.Quantize.FASTOCTREE)
    if mode == "I;16":
        return Image.fromarray(scene[:, :, 0].astype(np.uint16) * 257)
    turned = image.convert(mode)
    if mode in ("RGBA", "LA"):
        turned.putalpha(Image.fromarray(np.ascontiguousarray(scene[:, :, 1])))
    return turned


def meant(image: Image.Image) -> Rgb:
    if image.mode == "I;16":
        return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[:, :, None], 3, axis=2)
    return on_white(image) if image.mode in ("RGBA", "LA") else np.asarray(image.convert("RGB"))


# -- TIFF ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "P", "RGBA", "LA", "1", "I;16"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_every_form_of_tiff_holds_the_pixels_that_went_in(
    mode: str, compression: str | None, scene: Rgb, save: Save
) -> None:
    image = in_mode(scene, mode)
    data = save(image, "TIFF", **({"compression": compression} if compression else {}))
    picture = decode(data)
    assert np.array_equal(picture.rgb, meant(image))
    assert (picture.format, picture.width, picture.height) == ("tiff", 300, 200)
    assert picture.rgb.flags.c_contiguous
    if mode not in ("RGBA", "LA"):  # OpenCV leaves alpha out
        assert np.array_equal(picture.rgb, second(data))


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_a_fax_is_black_and_white(compression: str, scene: Rgb, save: Save) -> None:
    image = in_mode(scene, "1")
    assert np.array_equal(decode(save(image, "TIFF", compression=compression)).rgb, meant(image))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg_inside_a_tiff_is_decoded_as_a_second_decoder_does(mode: str, scene: Rgb, save: Save) -> None:
    data = save(in_mode(scene, mode), "TIFF", compression="jpeg")
    assert np.array_equal(decode(data).rgb, second(data))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_both_byte_orders_and_sizes_of_tiff_mean_the_same(order: str, big: bool, scene: Rgb) -> None:
    wide = scene.astype(np.uint16) * 256 + 99
    for array, depth in ((scene, 8), (wide, 16)):
        pixels = array.astype(f"{order}u{depth // 8}").tobytes()
        data = tiff(plain(300, 200, 2, (depth,) * 3), pixels, order, big=big)
        assert np.array_equal(decode(data).rgb, scene)
        grey = tiff(plain(300, 200, 1, (depth,)), pixels[: 60_000 * depth // 8], order, big=big)
        assert np.array_equal(decode(grey).rgb[:, :, 0].ravel(), scene.ravel()[:60_000])


def test_white_may_be_zero(scene: Rgb) -> None:
    grey = np.ascontiguousarray(scene[:, :, 0])
    assert np.array_equal(decode(tiff(plain(300, 200, 0, (8,)), grey.tobytes())).rgb[:, :, 1], 255 - grey)
    wide = (grey.astype("<u2") << 8).tobytes()
    assert np.array_equal(decode(tiff(plain(300, 200, 0, (16,)), wide)).rgb[:, :, 1], 255 - grey)


def test_alpha_that_is_multiplied_in_already_is_composed_onto_white_without_loss() -> None:
    alpha = np.arange(256, dtype=np.int64).repeat(3).reshape(256, 3)
    colour = alpha * np.array([0, 128, 255]) // 255
    pixels = np.concatenate((colour, alpha[:, :1]), axis=1).astype(np.uint8).tobytes()
    data = tiff(plain(256, 1, 2, (8,) * 4, t338=(3, (1,))), pixels)
    assert np.array_equal(decode(data).rgb[0], colour + 255 - alpha)
    grey = tiff(
        plain(256, 1, 1, (8, 8), t338=(3, (1,))), np.stack((colour[:, 1], alpha[:, 0]), 1).astype("u1").tobytes()
    )
    assert np.array_equal(decode(grey).rgb[0], (colour + 255 - alpha)[:, [1, 1, 1]])


def test_channels_that_are_no_alpha_do_not_count(scene: Rgb) -> None:
    four = np.dstack((scene, scene[:, :, 0])).tobytes()
    assert np.array_equal(decode(tiff(plain(300, 200, 2, (8,) * 4, t338=(3, (0,))), four)).rgb, scene)


def test_planes_may_lie_apart_plain_or_packed(scene: Rgb) -> None:
    tags = plain(300, 200, 2, (8, 8, 8), t284=(3, (2,)))
    planes = [scene[:, :, channel].tobytes() for channel in range(3)]
    assert np.array_equal(decode(tiff(tags, planes)).rgb, scene)
    packed = tiff(tags | {259: (3, (8,))}, [zlib.compress(plane) for plane in planes])
    assert np.array_equal(decode(packed).rgb, scene)
    with pytest.raises(PictureError, match="expected 3 strips or tiles in a TIFF, got 1 places and 1 sizes"):
        decode(tiff(tags, b"".join(planes)))


def test_tiles_may_reach_over_the_border(scene: Rgb) -> None:
    room = np.zeros((256, 384, 3), np.uint8)
    room[:200, :300] = scene
    tiles = [room[y : y + 128, x : x + 128].tobytes() for y in (0, 128) for x in (0, 128, 256)]
    tags = plain(300, 200, 2, (8, 8, 8), t322=(4, (128,)), t323=(4, (128,)))
    del tags[278]
    assert np.array_equal(decode(tiff(tags, tiles, tiled=True)).rgb, scene)
    packed = tiff(tags | {259: (3, (8,))}, [zlib.compress(tile) for tile in tiles], tiled=True)
    assert np.array_equal(decode(packed).rgb, scene)


def test_the_first_page_counts_and_a_preview_is_none(scene: Rgb, save: Save) -> None:
    pages = save(Image.fromarray(scene), "TIFF", save_all=True, append_images=[Image.fromarray(255 - scene)])
    assert np.array_equal(decode(pages).rgb, scene)
    previews: list[dict[str, Any]] = [{"t254": (4, (1,))}, {"t50706": (1, (1, 4, 0, 0))}]
    for tag in previews:
        with pytest.raises(PictureError, match="got a preview") as caught:
            decode(tiff(plain(300, 200, 2, (8, 8, 8), **tag), scene.tobytes()))
        assert caught.value.details["why"] == "unsupported-format"


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        (plain(2, 2, 1, (32,), t339=(3, (3,))), "got floating point"),
        (plain(2, 2, 1, (16,), t339=(3, (2,))), "got signed integers"),
        (plain(2, 2, 8, (8, 8, 8)), "got CIE Lab in 3 channels of 8 bits"),
        (plain(2, 2, 6, (8, 8, 8)), "got colours of kind 6"),
        (plain(2, 2, 32803, (16,)), "got a camera's raw samples"),
        (plain(2, 2, 1, (16, 16)), "2 channels of 16 bits"),
        (plain(2, 2, 1, (64,)), "1 channels of 64 bits"),
        (plain(2, 2, 2, (8, 8, 4)), "1 to 4 channels of one depth"),
        (plain(2, 2, 2, (8,) * 5), "1 to 4 channels of one depth"),
        (plain(2, 2, 5, (8,) * 4, t332=(3, (2,))), "colours of kind 5"),
        (plain(2, 2, 1, (8,)) | {259: (3, (6,))}, "got old-style JPEG"),
        (plain(2, 2, 1, (8,)) | {259: (3, (50000,))}, "got Zstandard"),
        (plain(2, 2, 1, (8,)) | {259: (3, (4,))}, "1 channels of 8 bits"),
    ],
)
def test_forms_of_tiff_that_are_not_read_are_named(tags: dict[int, Any], words: str) -> None:
    with pytest.raises(PictureError, match=words) as caught:
        decode(tiff(tags, bytes(64)))
    assert caught.value.details["why"] == "unsupported-format"


# -- GIF -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "P", "1"])
@pytest.mark.parametrize("interlace", [0, 1])
def test_a_gif_holds_the_pixels_that_went_in(mode: str, interlace: int, scene: Rgb, save: Save) -> None:
    image = in_mode(scene, mode)
    data = save(image, "GIF", interlace=interlace)
    assert np.array_equal(decode(data).rgb, meant(image))
    assert np.array_equal(decode(data).rgb, second(data))


def test_a_frame_lies_on_its_white_screen_where_it_says() -> None:
    rgb = decode(gif([[0, 1], [2, 1]], screen=(5, 4), place=(2, 1), transparent=1)).rgb
    expected = np.full((4, 5, 3), 255)
    expected[1, 2], expected[2, 2] = (16, 32, 48), (0, 0, 0)
    assert np.array_equal(rgb, expected)


def test_a_screen_that_is_too_small_grows_to_the_frame() -> None:
    for screen in ((0, 0), (1, 1), (2, 2)):
        assert decode(gif([[0, 1], [2, 1]], screen=screen)).rgb.tolist()[0] == [[16, 32, 48], [64, 80, 96]]


def test_a_frame_may_have_colours_of_its_own() -> None:
    local = bytes(range(12))
    for palette in (b"", b"\xaa" * 12):
        assert decode(gif([[1]], screen=(1, 1), palette=palette, local=local)).rgb.tolist() == [[[3, 4, 5]]]
    with pytest.raises(PictureError, match="with a palette"):
        decode(gif([[1]], screen=(1, 1), palette=b""))


def test_a_gif_without_its_last_byte_is_whole_and_one_cut_in_a_block_is_not(scene: Rgb, save: Save) -> None:
    data = save(in_mode(scene, "P"), "GIF")
    assert np.array_equal(decode(data[:-1]).rgb, decode(data).rgb)
    with pytest.raises(PictureError) as caught:
        decode(data[:-9])
    assert caught.value.details["why"] == "truncated"


# -- BMP -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
def test_a_bmp_holds_the_pixels_that_went_in(mode: str, scene: Rgb, save: Save) -> None:
    image = in_mode(scene, mode)
    data = save(image, "BMP")
    assert np.array_equal(decode(data).rgb, meant(image))
    assert np.array_equal(decode(data).rgb, second(data))


def test_a_bmp_may_be_upside_down_and_its_run_lengths_are_refused(scene: Rgb) -> None:
    pixels = np.ascontiguousarray(scene[:, :, ::-1]).tobytes()
    header = b"BM" + struct.pack("<IIIIiiHHIIiiII", 0, 0, 54, 40, 300, -200, 1, 24, 0, 0, 0, 0, 0, 0)
    assert np.array_equal(decode(header + pixels).rgb, scene)
    runs = b"BM" + struct.pack("<IIIIiiHHIIiiII", 0, 0, 54, 40, 300, 200, 1, 8, 1, 0, 0, 0, 0, 0)
    with pytest.raises(PictureError, match="an uncompressed BMP, got 8-bit run lengths") as caught:
        decode(runs + pixels)
    assert caught.value.details["why"] == "unsupported-format"


# -- AVIF ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
@pytest.mark.parametrize("quality", [50, 95])
def test_an_avif_is_decoded_as_a_second_decoder_does(subsampling: str, quality: int, scene: Rgb, save: Save) -> None:
    data = save(scene, "AVIF", quality=quality, subsampling=subsampling, speed=9)
    picture = decode(data)
    assert np.array_equal(picture.rgb, second(data))
    assert (picture.format, picture.width, picture.height) == ("avif", 300, 200)


def test_alpha_of_an_avif_is_composed_onto_white(scene: Rgb, save: Save) -> None:
    image = in_mode(scene, "RGBA")
    for multiplied in (False, True):
        rgb = decode(save(image, "AVIF", quality=100, subsampling="4:4:4", speed=9, alpha_premultiplied=multiplied)).rgb
        assert np.abs(rgb.astype(int) - meant(image)).mean() < 4
    clear = Image.fromarray(np.dstack((scene, np.zeros(scene.shape[:2], np.uint8))))
    assert (decode(save(clear, "AVIF", speed=9)).rgb == 255).all()


# -- all -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["AVIF", "TIFF"])
def test_orientation_is_applied(orientation: int, form: str, scene: Rgb, save: Save) -> None:
    tags = Image.Exif()
    tags[0x0112] = orientation
    data = save(scene, form, exif=tags.tobytes() if form == "AVIF" else tags)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(decode(data).rgb, expected)
    assert np.array_equal(decode(data).rgb.shape, (300, 200, 3) if orientation > 4 else (200, 300, 3))


@pytest.mark.parametrize("form", ["GIF", "AVIF", "WEBP", "PNG", "TIFF"])
def test_the_first_picture_of_several_counts(form: str, scene: Rgb, save: Save) -> None:
    first, later = Image.fromarray(scene), [Image.fromarray(255 - scene), Image.fromarray(scene[::-1].copy())]
    if form == "GIF":
        first, later = first.convert("L"), [image.convert("L") for image in later]
    known: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}, "AVIF": {"speed": 9}}
    options = known.get(form, {})
    alone = decode(save(first, form, **options)).rgb
    together = decode(save(first, form, save_all=True, append_images=later, **options)).rgb
    assert np.abs(together.astype(int) - alone).mean() < (3 if form == "AVIF" else 0.001)  # coded as a sequence


def test_ink_of_a_jpeg_may_be_inverted_or_coded_as_light_and_colour(scene: Rgb, save: Save) -> None:
    cmyk = 255 - np.dstack((scene, np.full(scene.shape[:2], 255, np.uint8)))
    adobe = save(Image.fromarray(cmyk, "CMYK"), "JPEG", quality=95)  # Pillow writes Adobe's mark, and inverts
    assert np.abs(decode(adobe).rgb.astype(int) - scene).mean() < 4
    mark = adobe.index(b"Adobe")
    # Both marks at once: the ink is inverted, and what is inverted is coded as light and colour.
    coded = np.asarray(Image.fromarray(255 - scene).convert("YCbCr"))
    told = save(Image.fromarray(np.dstack((255 - coded, cmyk[:, :, 3])), "CMYK"), "JPEG", quality=95)
    assert told[mark + 11] == 0
    assert np.abs(decode(told[: mark + 11] + b"\2" + told[mark + 12 :]).rgb.astype(int) - scene).mean() < 4


def test_a_profile_does_not_change_pixels(scene: Rgb, save: Save) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for form in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        told = decode(save(scene, form, icc_profile=profile))
        assert np.array_equal(told.rgb, decode(save(scene, form)).rgb), form
