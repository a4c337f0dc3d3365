"""PDQ: equal to Meta's reference hashes, equal to the definition on any shape, and found again when turned."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from licet.fingerprints import pdq as module
from licet.fingerprints.decode import decode
from licet.fingerprints.pdq import (
    MIN_QUALITY,
    NEAR_RADIUS,
    ORIENTATIONS,
    hamming,
    orientations,
    orientations_from_hashes,
    pdq,
    pdq_from_gray,
    pdq_with_orientations,
)

Rgb = npt.NDArray[np.uint8]
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "internals" / "pdq.md"


def array(*hexes: str) -> Rgb:
    return np.frombuffer(bytes.fromhex("".join(hexes)), np.uint8).reshape(-1, 32)


def bits_apart(a: str, b: str) -> int:
    return (int(a, 16) ^ int(b, 16)).bit_count()


def box(values: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """Meta's box pass along the first axis, from its description: (width + 2) // 2 - 1 ahead, the rest behind."""
    ahead = (width + 2) // 2 - 1
    behind = width - 1 - ahead
    count = len(values)
    return np.stack([values[max(0, i - behind) : i + ahead + 1].mean(axis=0) for i in range(count)])


def samples_by_definition(rgb: Rgb) -> npt.NDArray[np.float64]:
    luma = rgb @ np.array([0.299, 0.587, 0.114])
    height, width = luma.shape
    for _ in range(2):
        luma = box(luma.T, (width + 127) // 128).T
        luma = box(luma, (height + 127) // 128)
    rows = [int((i + 0.5) * height / 64) for i in range(64)]
    columns = [int((i + 0.5) * width / 64) for i in range(64)]
    grid: npt.NDArray[np.float64] = luma[np.ix_(rows, columns)]
    return grid


@pytest.fixture(scope="module")
def measured(vectors: Path, reference: dict[str, Any]) -> dict[str, tuple[Any, Rgb]]:
    return {name: pdq_with_orientations(decode((vectors / "pdq" / name).read_bytes()).rgb) for name in reference}


def test_every_reference_picture_is_within_4_bits_of_one_of_metas_implementations(
    measured: dict[str, Any], reference: dict[str, Any]
) -> None:
    compared = 0
    for name, expected in reference.items():
        ours = measured[name][0]
        distances = [bits_apart(ours.hex, h) for h in (expected["cpp"], expected["published_python"]) if h]
        if expected["quality"] >= MIN_QUALITY:
            compared += 1
            assert min(distances) <= 4, name
    assert compared >= 27


def test_hash_quality_and_orientations_equal_metas_code_on_textured_pictures(
    measured: dict[str, Any], reference: dict[str, Any]
) -> None:
    for name, expected in reference.items():
        ours, turned = measured[name]
        assert ours.quality == expected["quality"], name
        assert ours.hex == expected["cpp"], name
        assert turned[0].tobytes() == ours.hash
        if expected["quality"] >= MIN_QUALITY:
            assert [row.tobytes().hex() for row in turned] == expected["dihedral"], name


def test_the_documented_agreement_is_what_is_measured(measured: dict[str, Any], reference: dict[str, Any]) -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (\d+) \| (\d+) \| (\d+) \| (\d+|–) \|$", DOCUMENT.read_text(), re.MULTILINE)
    found = []
    for name, expected in reference.items():
        ours, published = measured[name][0], expected["published_python"]
        python = str(bits_apart(ours.hex, published)) if published else "–"
        found.append(
            (name, str(expected["quality"]), str(ours.quality), str(bits_apart(ours.hex, expected["cpp"])), python)
        )
    assert rows == found


def test_orientations_from_a_stored_hash_are_close_to_those_of_the_picture(
    measured: dict[str, Any], reference: dict[str, Any]
) -> None:
    names = [name for name, expected in reference.items() if expected["quality"] >= MIN_QUALITY]
    true = np.stack([measured[name][1] for name in names])
    guessed = orientations_from_hashes(true[:, 0])
    distances = hamming(guessed, true)
    assert guessed.shape == (len(names), 8, 32)
    assert not distances[:, 0].any()
    assert distances.max() <= 28
    assert np.median(distances) <= 6


TURNS: dict[str, Callable[[Rgb], Rgb]] = {
    "original": lambda rgb: rgb,
    "rotate-90": lambda rgb: np.rot90(rgb, 1),
    "rotate-180": lambda rgb: np.rot90(rgb, 2),
    "rotate-270": lambda rgb: np.rot90(rgb, 3),
    "flip-x": lambda rgb: rgb[::-1],
    "flip-y": lambda rgb: rgb[:, ::-1],
    "flip-plus-1": lambda rgb: rgb.transpose(1, 0, 2),
    "flip-minus-1": lambda rgb: rgb[::-1, ::-1].transpose(1, 0, 2),
}


@pytest.mark.parametrize("name", TURNS)
def test_a_turned_picture_is_found_at_its_orientation(name: str, scene: Rgb) -> None:
    assert tuple(TURNS) == ORIENTATIONS
    turned = np.frombuffer(pdq(TURNS[name](scene)).hash, np.uint8)
    distances = hamming(orientations(scene), turned)
    assert distances.argmin() == ORIENTATIONS.index(name)
    assert distances.min() <= NEAR_RADIUS
    # The other way round, as a search does it: what is stored is upright, the query is turned.
    assert hamming(orientations(TURNS[name](scene)), array(pdq(scene).hex)).min() <= NEAR_RADIUS


@given(height=st.integers(5, 420), width=st.integers(5, 420), seed=st.integers(0, 2**32 - 1))
def test_samples_equal_the_definition_for_any_size(height: int, width: int, seed: int) -> None:
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    np.testing.assert_allclose(module._samples(rgb), samples_by_definition(rgb), atol=1e-9)


@pytest.mark.parametrize("shape", [(6, 700), (700, 6), (5, 5), (64, 64), (40, 5000)])
def test_long_and_small_pictures_follow_the_definition(shape: tuple[int, int]) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    grid = samples_by_definition(rgb)
    coefficients, quality = module._spectrum(rgb)
    np.testing.assert_allclose(coefficients * module._STEP, module._DCT @ grid @ module._DCT.T, atol=module._STEP)
    assert quality == 100


def test_kernels_are_exact_in_float32_up_to_the_width_where_they_stop_to_be() -> None:
    widest = module._taps(module._EXACT_WIDTH * 128)[0]
    assert widest.kernel.dtype == np.float32
    assert widest.kernel.sum() * 255 < 2**24
    assert module._taps(module._EXACT_WIDTH * 128 + 1)[0].kernel.dtype == np.float64


@pytest.mark.parametrize("length", [5, 63, 64, 127, 128, 129, 1000, 1024, 40_000, 3_000_000])
def test_every_kernel_is_an_average_inside_the_picture(length: int) -> None:
    for tap in module._taps(length):
        assert tap.start >= 0
        assert tap.start + len(tap.kernel) <= length
        assert abs(tap.kernel.sum() / tap.scale - 1) < 1e-6


@given(
    colour=st.tuples(*[st.integers(0, 255)] * 3),
    shape=st.tuples(st.integers(5, 300), st.integers(5, 300)),
)
def test_one_colour_has_hash_zero_and_quality_zero(colour: tuple[int, ...], shape: tuple[int, int]) -> None:
    result = pdq(np.full((*shape, 3), colour, dtype=np.uint8))
    assert (result.hash, result.quality) == (bytes(32), 0)


@pytest.mark.parametrize("shape", [(4, 4), (4, 900), (1, 1), (900, 4)])
def test_below_5_pixels_there_is_no_hash(shape: tuple[int, int]) -> None:
    rgb = np.random.default_rng(2).integers(0, 256, (*shape, 3), dtype=np.uint8)
    result, turned = pdq_with_orientations(rgb)
    assert (result.hash, result.quality) == (bytes(32), 0)
    assert not turned.any()


def test_what_is_zero_by_symmetry_has_no_bit_but_zero(scene: Rgb) -> None:
    half = scene[:64, :32]
    coefficients, _ = module._spectrum(np.concatenate((half, half[:, ::-1]), axis=1))
    assert not coefficients[:, ::2].any()
    assert coefficients[:, 1::2].all()


def test_grey_counts_as_rgb_of_equal_parts(scene: Rgb) -> None:
    gray = np.ascontiguousarray(scene[:, :, 1])
    assert pdq_from_gray(gray) == pdq(np.repeat(gray[:, :, None], 3, axis=2))


def test_strides_do_not_matter(scene: Rgb) -> None:
    assert pdq(scene[:, ::2]) == pdq(np.ascontiguousarray(scene[:, ::2]))


def test_a_row_of_hashes_is_compared_bit_by_bit() -> None:
    random = np.random.default_rng(3)
    a = random.integers(0, 256, (7, 1, 32), dtype=np.uint8)
    b = random.integers(0, 256, (5, 32), dtype=np.uint8)
    expected = [[bits_apart(x[0].tobytes().hex(), y.tobytes().hex()) for y in b] for x in a]
    assert hamming(a, b).tolist() == expected
    assert hamming(b, ~b).tolist() == [256] * 5


def test_turning_a_stored_hash_twice_gives_it_back() -> None:
    stored = np.random.default_rng(4).integers(0, 256, (9, 32), dtype=np.uint8)
    for index in (2, 4, 5, 6, 7):
        once = orientations_from_hashes(stored)[:, index]
        assert np.array_equal(orientations_from_hashes(once)[:, index], stored)
    once = orientations_from_hashes(stored)[:, 1]
    assert np.array_equal(orientations_from_hashes(once)[:, 3], stored)


@pytest.mark.parametrize(
    "wrong", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.float32)]
)
def test_other_arrays_are_refused(wrong: npt.NDArray[Any]) -> None:
    with pytest.raises(InputError, match="expected height × width × 3 of uint8"):
        pdq(wrong)


def test_other_hash_arrays_are_refused() -> None:
    with pytest.raises(InputError, match="last axis of 32"):
        hamming(np.zeros(31, np.uint8), np.zeros(32, np.uint8))
    with pytest.raises(InputError, match="n × 32"):
        orientations_from_hashes(np.zeros(32, np.uint8))
