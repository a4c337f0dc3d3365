"""Exact fingerprints: digests as documented, keys as their first half, columns equal to single values."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from licet.fingerprints.exact import digest_keys, exact_key, file_digest, parse_hex, pixels_digest

Rgb = npt.NDArray[np.uint8]
DIGEST = hashlib.sha256(b"licet").hexdigest()


def test_file_digest_is_the_sha256_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"licet" * 300_000)
    assert file_digest(path) == file_digest(str(path)) == hashlib.sha256(b"licet" * 300_000).hexdigest()


@pytest.mark.parametrize("name", ["absent", ".", "nul\0"])
def test_an_unreadable_file_is_an_input_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="path: expected a readable file"):
        file_digest(tmp_path / name)


def test_pixels_digest_is_prefix_width_height_and_rows() -> None:
    rgb = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    body = b"licet/pixels/v1" + b"\0\0\0\3" + b"\0\0\0\2" + bytes(range(18))
    assert pixels_digest(rgb) == hashlib.sha256(body).hexdigest()
    assert pixels_digest(rgb) == "2e29a2d91a452b8a54ac8cadd5e453a18a542052cc428b18c3803c216997fe42"


def test_pixels_digest_tells_shapes_of_the_same_bytes_apart(scene: Rgb) -> None:
    assert pixels_digest(scene) != pixels_digest(scene.reshape(300, 200, 3))
    assert pixels_digest(scene[:, ::-1]) == pixels_digest(np.ascontiguousarray(scene[:, ::-1]))


@pytest.mark.parametrize("wrong", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 4), np.uint8), np.zeros((2, 2, 3))])
def test_pixels_digest_takes_rgb_only(wrong: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match="rgb: expected height × width × 3"):
        pixels_digest(wrong)


@pytest.mark.parametrize("kind", ["file", "pixels", "url"])
def test_an_exact_key_is_the_first_half_of_the_digest(kind: str) -> None:
    assert exact_key(kind, DIGEST) == hashlib.sha256(b"licet").digest()[:16]  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [DIGEST[:-1], DIGEST + "0", DIGEST.upper(), "g" * 64, "", None, b"0" * 64])
def test_an_exact_key_takes_64_lower_case_digits(wrong: str) -> None:
    with pytest.raises(InputError, match="file: expected a SHA-256"):
        exact_key("file", wrong)


def test_an_exact_key_takes_known_kinds_only() -> None:
    with pytest.raises(InputError, match="kind: expected file, pixels or url"):
        exact_key("pdq", DIGEST)  # type: ignore[arg-type]


HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
FOREIGN = st.one_of(
    st.none(), HEX, HEX.map(str.upper), st.text(max_size=70), HEX.map(lambda h: h[:62] + " \n"), st.just("é" * 64)
)


@given(st.lists(FOREIGN, max_size=12))
def test_a_column_of_digests_equals_its_single_values(values: list[str | None]) -> None:
    keys, valid = digest_keys(values)
    assert keys.shape == (len(values), 16)
    for value, key, good in zip(values, keys, valid, strict=True):
        if good:
            assert value is not None
            assert key.tobytes() == exact_key("file", value.lower())
        else:
            assert not key.any()
            assert value is None or len(value) != 64 or not set(value) <= set("0123456789abcdefABCDEF")


@given(st.lists(HEX, max_size=12))
def test_a_clean_column_is_parsed_whole(values: list[str]) -> None:
    table, valid = parse_hex(values, 32)
    assert valid.all()
    assert [row.tobytes().hex() for row in table] == values
    assert table.flags.writeable


def test_values_that_are_not_text_are_not_valid() -> None:
    table, valid = parse_hex([DIGEST, 7, b"0" * 64, ["0"] * 64], 32)  # type: ignore[list-item]
    assert valid.tolist() == [True, False, False, False]
    assert not table[1:].any()
