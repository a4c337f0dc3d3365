"""Keys: rows as they travel become columns, and whatever is wrong with one is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from licet.fingerprints.pdq import orientations_from_hashes
from licet.fingerprints.urls import url_key
from licet.index import UNKNOWN_QUALITY, Keys
from licet.wire.licensing import RowKeys

SHA = "ab" * 32
PDQ = "0f" * 32


def test_each_kind_lands_in_its_column() -> None:
    turned = ",".join(f"{n:02x}" * 32 for n in range(8))
    keys = Keys.from_rows(
        [
            RowKeys(sha256=SHA, pdq=turned, quality=80),
            RowKeys(pixels=SHA, url="https://Example.org:443/a"),
            RowKeys(pdq=PDQ),
            RowKeys(),
        ]
    )
    assert {kind: mask.tolist() for kind, (_, mask) in keys.exact.items()} == {
        "file": [True, False, False, False],
        "pixels": [False, True, False, False],
        "url": [False, True, False, False],
    }
    assert keys.exact["file"][0][0].tobytes() == bytes.fromhex(SHA)[:16]
    assert keys.exact["url"][0][1].tobytes() == url_key("https://example.org/a")
    assert keys.pdq is not None
    assert keys.pdq[0, :, 0].tolist() == list(range(8))
    assert np.array_equal(keys.pdq[2], orientations_from_hashes(np.full((1, 32), 0x0F, np.uint8))[0])
    assert keys.quality.tolist() == [80, UNKNOWN_QUALITY, UNKNOWN_QUALITY, UNKNOWN_QUALITY]
    assert keys.near_rows.tolist() == [0, 2]
    assert keys.examined(near=True).tolist() == [True, True, True, False]
    assert keys.examined(near=False).tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (RowKeys(sha256=SHA[:-1]), r"rows\[1\]\.sha256"),
        (RowKeys(pixels="g" * 64), r"rows\[1\]\.pixels"),
        (RowKeys(url="ftp://example.org/a"), r"^rows\[1\]\.url: expected the scheme"),
        (RowKeys(url="\ud800"), r"^rows\[1\]\.url: expected text"),
        (RowKeys(pdq=PDQ[:-1]), r"rows\[1\]\.pdq"),
        (RowKeys(pdq=f"{PDQ},{PDQ}"), r"rows\[1\]\.pdq"),
        (RowKeys(pdq=",".join([PDQ] * 7 + ["zz" * 32])), r"rows\[1\]\.pdq"),
        (RowKeys(pdq=PDQ, quality=101), r"rows\[1\]\.quality"),
        (RowKeys(pdq=PDQ, quality=-1), r"rows\[1\]\.quality"),
    ],
)
def test_what_is_wrong_is_named(row: RowKeys, field: str) -> None:
    with pytest.raises(InputError, match=field):
        Keys.from_rows([RowKeys(sha256=SHA, pixels=SHA, pdq=PDQ), row])


def any_rows(lowest: int, highest: int) -> st.SearchStrategy[list[RowKeys]]:
    """Return rows of any texts, with a quality between these."""
    row = st.builds(
        RowKeys,
        sha256=st.none() | st.text(max_size=70) | st.just(SHA),
        url=st.none() | st.text(max_size=40) | st.just("https://example.org/"),
        pdq=st.none() | st.text(alphabet="0f,é", max_size=70) | st.just(PDQ) | st.just(",".join([PDQ] * 8)),
        quality=st.none() | st.integers(lowest, highest),
        iscc=st.none() | st.text(max_size=20),
    )
    return st.lists(row, max_size=4)


@given(any_rows(0, 100))
def test_rows_that_are_wrong_are_told_and_lack_what_is_wrong(rows: list[RowKeys]) -> None:
    wrong: set[int] = set()
    keys = Keys.from_rows(rows, lambda place, _: wrong.add(place))
    for place, row in enumerate(rows):
        try:
            alone = Keys.from_rows([row])
        except InputError:
            assert place in wrong
            continue
        assert place not in wrong
        assert keys.pdq_mask[place] == alone.pdq_mask[0]
        for kind, (column, mask) in alone.exact.items():
            assert mask[0] == keys.exact[kind][1][place]
            assert np.array_equal(column[0], keys.exact[kind][0][place])
    for kind, field in (("file", "sha256"), ("url", "url")):
        if kind in keys.exact:
            assert not any(keys.exact[kind][1][place] and getattr(row, field) is None for place, row in enumerate(rows))
    if keys.addresses is not None:
        assert [each is not None for each in keys.addresses] == keys.exact["url"][1].tolist()


@given(any_rows(-5, 300))
def test_any_rows_become_keys_or_a_named_error(rows: list[RowKeys]) -> None:
    try:
        keys = Keys.from_rows(rows)
    except InputError as error:
        named = error.message
    else:
        named = f"rows[{len(keys)}]"
        assert np.array_equal(keys.pdq_mask, [row.pdq is not None for row in rows])
    assert named.startswith("rows[")


@pytest.mark.parametrize(
    "columns",
    [
        {"file": np.zeros((3, 16), np.uint8)},
        {"file": np.zeros((2, 32), np.uint8)},
        {"url": np.zeros((2, 16), np.int8)},
        {"pixels": np.zeros((2, 16), np.uint8), "pixels_mask": np.ones(3, np.bool_)},
        {"pdq": np.zeros((2, 8, 31), np.uint8)},
        {"pdq": np.zeros((3, 32), np.uint8)},
        {"quality": np.zeros(3, np.uint8)},
        {"quality": np.zeros(2, np.float64)},
    ],
)
def test_columns_of_another_shape_are_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Keys(2, **columns)
