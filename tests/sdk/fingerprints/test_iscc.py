"""ISCC units: equal to the standard's conformance vectors, near for near copies, and refused when they are not one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import iscc_lib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from licet.fingerprints import iscc
from licet.fingerprints.decode import decode
from licet.fingerprints.iscc import BITS, distance, image_code, instance_code, parse, samples, text_code

Rgb = np.ndarray


@pytest.fixture(scope="module")
def conformance(vectors: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((vectors / "iscc" / "data.json").read_text("utf-8"))
    return read


def test_image_codes_are_those_of_the_standard(conformance: dict[str, Any]) -> None:
    cases = conformance["gen_image_code_v0"].values()
    assert len(cases) >= 3
    for case in cases:
        grey, bits = case["inputs"]
        assert iscc.image_code_of_samples(grey, bits) == case["outputs"]["iscc"]


@given(st.integers(0, 2**32), st.sampled_from([2, 256]))
def test_the_first_64_bits_of_a_picture_are_also_the_librarys(seed: int, values: int) -> None:
    random = np.random.default_rng(seed)
    grey = np.kron(random.integers(0, values, (8, 8)), np.ones((4, 4), int)) // 2 + random.integers(0, 99, (32, 32))
    data = grey.astype(np.uint8).tobytes()
    assert iscc.image_code_of_samples(data, 64) == iscc_lib.gen_image_code_v0(data, 64).iscc


def test_text_codes_are_those_of_the_standard(conformance: dict[str, Any]) -> None:
    cases = conformance["gen_text_code_v0"].values()
    assert len(cases) >= 5
    for case in cases:
        assert text_code(*case["inputs"]) == case["outputs"]["iscc"]


def test_instance_codes_are_those_of_the_standard(conformance: dict[str, Any], tmp_path: Path) -> None:
    cases = conformance["gen_instance_code_v0"].values()
    assert len(cases) >= 3
    for case in cases:
        stream, bits = case["inputs"]
        data = bytes.fromhex(stream.removeprefix("stream:"))
        (tmp_path / "file").write_bytes(data)
        assert instance_code(data, bits) == case["outputs"]["iscc"]
        assert instance_code(tmp_path / "file", bits) == case["outputs"]["iscc"]
        assert parse(instance_code(data)).digest.hex() == case["outputs"]["datahash"].removeprefix("1e20")


def test_every_unit_of_the_vectors_is_read_or_refused_by_its_kind(conformance: dict[str, Any]) -> None:
    ours = {"gen_image_code_v0": "image", "gen_text_code_v0": "text", "gen_instance_code_v0": "instance"}
    seen = 0
    for function, cases in conformance.items():
        for case in cases.values() if function.startswith("gen_") else ():
            code, bits = case["outputs"]["iscc"], case["inputs"][-1]
            if function in ours:
                seen += 1
                assert (parse(code).kind, 8 * len(parse(code).digest)) == (ours[function], bits)
            else:
                with pytest.raises(InputError, match="expected an ISCC image, text or instance code"):
                    parse(code)
    assert seen >= 11


def test_copies_of_a_picture_are_near_and_other_pictures_far(vectors: Path) -> None:
    folder = vectors / "pdq" / "bridge-mods"
    codes = {file.stem: image_code(decode(file.read_bytes()).rgb, 64) for file in folder.glob("*.jpg")}
    for name in ("blur-a-little", "sharpen-a-little", "high-saturation", "shrink-a-lot", "square-256x256"):
        assert distance(codes["aaa-orig"], codes[name]) <= 10, name
    other = image_code(decode((vectors / "pdq" / "misc" / "c.png").read_bytes()).rgb, 64)
    assert distance(codes["aaa-orig"], other) > 10


def test_a_border_of_one_colour_does_not_count(scene: Rgb) -> None:
    framed: Rgb = cv2.copyMakeBorder(scene, 9, 30, 0, 17, cv2.BORDER_CONSTANT, value=(1, 255, 7))
    assert samples(np.asarray(framed, np.uint8)) == samples(scene)
    plain = np.full((40, 60, 3), 77, np.uint8)
    assert samples(plain) == bytes([77]) * 1024


def test_a_shorter_code_is_the_beginning_of_a_longer_one(scene: Rgb) -> None:
    codes = [image_code(scene, bits) for bits in BITS]
    whole = parse(codes[-1]).digest
    assert [parse(code).digest for code in codes] == [whole[: bits // 8] for bits in BITS]
    assert {distance(codes[0], code) for code in codes} == {0}


def test_codes_of_different_kinds_have_no_distance(scene: Rgb) -> None:
    for one, other in ((image_code(scene), text_code("a")), (instance_code(b"a"), instance_code(b"b"))):
        with pytest.raises(InputError, match="expected two image codes or two text codes"):
            distance(one, other)


@given(st.text(max_size=90) | st.from_regex(r"(ISCC:)?[A-Z2-7]{2,70}", fullmatch=True))
def test_whatever_is_no_code_is_refused_and_what_is_one_is_spelt_in_one_way(text: str) -> None:
    try:
        unit = parse(text)
    except InputError:
        return
    kinds = {"text": (2, 0), "image": (2, 1), "instance": (4, 0)}
    written = iscc_lib.encode_component(*kinds[unit.kind], 0, 8 * len(unit.digest), unit.digest)
    assert text.removeprefix("ISCC:") == written


@pytest.mark.parametrize("bits", [0, 32, 63, 512, -64])
def test_other_lengths_are_refused(bits: int) -> None:
    for code in (lambda: text_code("a", bits), lambda: instance_code(b"", bits)):
        with pytest.raises(InputError, match="expected 64, 128, 192 or 256"):
            code()


def test_other_arrays_and_files_are_refused(tmp_path: Path) -> None:
    wrong: Any
    for wrong in (np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.float32), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(InputError, match="expected height × width × 3"):
            image_code(wrong)
    with pytest.raises(InputError, match="expected 1024 samples, got 3"):
        iscc.image_code_of_samples(b"abc")
    with pytest.raises(InputError, match="expected a readable file"):
        instance_code(tmp_path / "none")


@given(
    st.integers(1, 8),
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 2)), max_size=4),
)
def test_a_border_is_what_lies_around_all_pixels_that_differ_from_the_first(
    height: int, width: int, marks: list[tuple[int, int, int]]
) -> None:
    rgb = np.full((height, width, 3), 7, np.uint8)
    for row, column, channel in marks:
        rgb[row % height, column % width, channel] ^= 1
    rows, columns = np.nonzero((rgb != rgb[0, 0]).any(axis=2))
    inner = rgb[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] if len(rows) else rgb
    assert np.array_equal(iscc._trimmed(rgb), inner)


def _composite(*parts: str) -> str:
    return str(iscc_lib.gen_iscc_code_v0(list(parts)).iscc)


def test_a_composite_code_is_taken_apart_into_what_finds_works() -> None:
    data = str(iscc_lib.gen_data_code_v0(b"abc", 256).iscc)
    title = str(iscc_lib.gen_meta_code_v0("title").iscc)
    text, own = text_code("some words that are a text", 256), instance_code(b"abc", 256)
    expected = [(parse(text).kind, parse(text).digest[:8]), ("instance", parse(own).digest[:8])]
    assert iscc.units(_composite(title, text, data, own)) == expected
    assert iscc.units(f"{text} {own}") == [parse(text), parse(own)]
    assert iscc.units(data) == []  # says nothing of content
    wide = str(iscc_lib.gen_iscc_code_v0([data, own], True).iscc)
    assert iscc.units(wide) == [("instance", parse(own).digest[:16])]


def test_what_a_picture_is_signed_with_is_read_back() -> None:
    rgb = np.random.default_rng(3).integers(0, 256, (40, 60, 3), np.uint8)
    assert iscc.units(iscc.of_picture(b"abc", rgb)) == [parse(image_code(rgb)), parse(instance_code(b"abc"))]


_alphabet = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=1, max_size=130)
_codes = st.sampled_from(
    [text_code("a b c"), instance_code(b"x"), "ISCC:KACSIPCIXESXAN5WYMQADPVUM27ITYOKWF6ZL2KKHJSDPM5MHBDFCMY"]
)


@given(
    st.text(max_size=40)
    | _alphabet
    | _alphabet.map("ISCC:K{}".format)
    | st.builds(lambda code, at, by: code[:at] + by + code[at + 1 :], _codes, st.integers(5, 60), _alphabet)
)
def test_any_text_is_a_list_of_codes_or_refused(text: str) -> None:
    try:
        found = iscc.units(text)
    except InputError:
        return
    assert all(unit.kind in ("image", "text", "instance") and 8 * len(unit.digest) in BITS for unit in found)


@pytest.mark.parametrize("text", ["", " ", "ISCC:", "ISCC:" + "A" * 600, "é" * 20, None, "\ud800" * 12, "iscc:eaa"])
def test_what_states_no_code_is_refused_by_name(text: Any) -> None:
    with pytest.raises(InputError, match="iscc: expected"):
        iscc.units(text)
