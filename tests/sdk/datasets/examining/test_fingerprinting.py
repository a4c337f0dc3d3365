"""What is found out about a row: from its file, or from what is stated of it, and never an error for a bad row."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.datasets.examining.evidence import EXAMINED, Evidence
from licet.datasets.examining.fingerprinting import examine
from licet.datasets.forms.columns import find_columns
from licet.datasets.forms.parts import PROBLEMS
from licet.fingerprints.decode import PictureLimits
from licet.fingerprints.pdq import orientations_from_hashes
from licet.fingerprints.picture import examine_bytes
from licet.fingerprints.urls import url_key
from tests.sdk.datasets.world import encoded, picture

PICTURE = encoded(picture(1), "JPEG", quality=90)


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


def batch(**columns: list[Any]) -> pa.RecordBatch:
    kinds = {"image": pa.large_binary()}
    return pa.RecordBatch.from_pydict(
        {name: pa.array(values, kinds.get(name, pa.large_string())) for name, values in columns.items()}
    )


def found(evidence: Evidence, row: int = 0) -> tuple[str | None, str | None]:
    return EXAMINED[evidence.examined[row]], PROBLEMS[evidence.problem[row]]


def test_a_picture_in_a_column_or_on_disk_is_the_same_picture(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    (tmp_path / "a.jpg").write_bytes(PICTURE)
    rows = batch(path=["a.jpg", None], image=[None, PICTURE])
    evidence = examine(rows, tmp_path, pool)
    done = examine_bytes(PICTURE)
    for row in range(2):
        assert found(evidence, row) == ("files", None)
        assert evidence.sha256[0][row].tobytes().hex() == done.fingerprint.sha256
        assert evidence.pixels[0][row].tobytes().hex() == done.fingerprint.pixels
        assert np.array_equal(evidence.pdq[0][row], done.orientations)
        assert evidence.quality[row] == done.fingerprint.quality


def test_hugging_face_images_are_read_from_bytes_or_path(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    (tmp_path / "a.jpg").write_bytes(PICTURE)
    rows = pa.RecordBatch.from_pylist(
        [{"image": {"bytes": PICTURE, "path": None}}, {"image": {"bytes": None, "path": "a.jpg"}}]
    )
    evidence = examine(rows, tmp_path, pool)
    assert [found(evidence, row) for row in range(2)] == [("files", None)] * 2


@pytest.mark.parametrize(
    ("data", "problem", "hashed"),
    [
        (PICTURE[: len(PICTURE) // 2], "malformed", True),
        (b"this is a text that calls itself a picture", "malformed", True),
        (b"", "malformed", True),
        (b"GIF89a" + bytes(40), "unreadable", True),
        (None, "unreadable", False),
    ],
)
def test_a_file_that_is_no_picture_keeps_its_row_and_its_digest(
    tmp_path: Path, pool: ThreadPoolExecutor, data: bytes | None, problem: str, hashed: bool
) -> None:
    if data is not None:
        (tmp_path / "a.jpg").write_bytes(data)
    evidence = examine(batch(path=["a.jpg"]), tmp_path, pool)
    assert found(evidence) == ("files" if hashed else None, problem)
    assert evidence.sha256[1][0] == hashed
    if data is not None:
        assert evidence.sha256[0][0].tobytes() == sha256(data).digest()


def test_a_picture_that_takes_too_long_is_that_rows_problem_alone(pool: ThreadPoolExecutor) -> None:
    slow = encoded(np.zeros((5000, 5000), np.uint8))
    rows = batch(image=[PICTURE, slow, PICTURE])
    evidence = examine(rows, Path(), pool, PictureLimits(max_seconds=0.05))
    assert [found(evidence, row) for row in range(3)] == [("files", None), ("files", "timeout"), ("files", None)]
    assert evidence.sha256[0][1].tobytes() == sha256(slow).digest()
    assert evidence.pixels[1].tolist() == [True, False, True]


def test_digests_and_hashes_may_be_bytes_or_their_text_as_bytes(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    done = examine_bytes(PICTURE)
    digest, first, whole = done.fingerprint.sha256, done.orientations[0].tobytes(), done.orientations.tobytes()
    spelled = ",".join(row.tobytes().hex() for row in done.orientations)
    rows = pa.RecordBatch.from_pydict(
        {
            "sha256": [bytes.fromhex(digest), digest.encode(), digest.upper().encode(), b"z" * 64, b"", None],
            "pdq": [first, first.hex().encode(), spelled.encode(), whole, b"\xff" * 64, b"0" * 63],
        }
    )
    evidence = examine(rows, tmp_path, pool)
    assert evidence.sha256[1].tolist() == [True, True, True, False, False, False]
    assert len({row.tobytes() for row in evidence.sha256[0][:3]}) == 1
    assert evidence.pdq[1].tolist() == [True, True, True, True, False, False]
    assert np.array_equal(evidence.pdq[0][2], done.orientations)
    assert np.array_equal(evidence.pdq[0][0], evidence.pdq[0][1])
    assert [PROBLEMS[each] for each in evidence.problem] == [None, None, None, "malformed", "malformed", "malformed"]


def test_stated_digests_hashes_and_addresses_are_keys(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    done = examine_bytes(PICTURE)
    whole = ",".join(row.tobytes().hex() for row in done.orientations)
    rows = batch(
        url=["https://A.example/x#y", None, None, None],
        sha256=[None, done.fingerprint.sha256.upper(), None, None],
        pdq=[None, None, done.fingerprint.pdq, whole],
    )
    evidence = examine(rows, tmp_path, pool)
    assert [found(evidence, row) for row in range(4)] == [("urls", None), *[("digests", None)] * 3]
    assert evidence.url[0][0].tobytes() == url_key("https://a.example/x")
    assert np.array_equal(evidence.pdq[0][3], done.orientations)
    assert np.array_equal(evidence.pdq[0][2], orientations_from_hashes(done.orientations[:1])[0])


@pytest.mark.parametrize(
    "row",
    [
        {"url": "not an address"},
        {"sha256": "abc"},
        {"pdq": "00" * 31},
        {"pdq": ",".join(["00" * 32] * 2)},
        {"url": "https://a.example/", "sha256": "zz" * 32},
        {"url": None},
    ],
)
def test_what_is_stated_and_does_not_parse_makes_the_row_malformed(
    tmp_path: Path, pool: ThreadPoolExecutor, row: dict[str, str | None]
) -> None:
    evidence = examine(batch(**{name: [value] for name, value in row.items()}), tmp_path, pool)
    assert PROBLEMS[evidence.problem[0]] == "malformed"


def test_a_picture_that_was_examined_outweighs_what_is_stated_of_it(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    rows = batch(image=[PICTURE], sha256=["nonsense"], url=["nonsense"])
    assert found(examine(rows, tmp_path, pool)) == ("files", None)


def test_text_that_is_not_utf8_makes_its_row_malformed_and_no_other(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    raw = pa.array([b"https://a.example/\xff", b"https://a.example/"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    schema = pa.schema([("url", pa.string()), ("PATH", pa.string())])
    rows = pa.RecordBatch.from_arrays([text, pa.array([None, None], pa.string())], schema=schema)
    plain = find_columns(schema, "rows").select(rows)
    evidence = examine(plain, tmp_path, pool)
    assert [found(evidence, row) for row in range(2)] == [(None, "malformed"), ("urls", None)]


def test_evidence_survives_being_kept(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    rows = batch(image=[PICTURE, None, b"x"], url=[None, "https://a.example/", None], sha256=[None, "00" * 32, None])
    evidence = examine(rows, tmp_path, pool)
    back = Evidence.from_batch(evidence.to_batch())
    for name in ("examined", "problem", "quality"):
        assert np.array_equal(getattr(back, name), getattr(evidence, name))
    for name in ("url", "sha256", "pixels", "pdq"):
        (table, mask), (kept, there) = getattr(evidence, name), getattr(back, name)
        assert np.array_equal(mask, there)
        assert np.array_equal(table[mask], kept[mask])


values = st.one_of(
    st.none(), st.text(max_size=80), st.sampled_from(["00" * 32, "https://a.example/", "a.png", ".", "/"])
)


@given(rows=st.lists(st.fixed_dictionaries(dict.fromkeys(("url", "sha256", "pdq", "path"), values)), max_size=5))
def test_no_row_of_text_is_ever_an_error(tmp_path_factory: Any, rows: list[dict[str, str | None]]) -> None:
    folder = tmp_path_factory.getbasetemp()
    columns = {name: [row[name] for row in rows] for name in ("url", "sha256", "pdq", "path")}
    with ThreadPoolExecutor(1) as pool:
        evidence = examine(batch(**columns), folder, pool)
    assert len(evidence) == len(rows)
    assert ((evidence.examined > 0) | (evidence.problem > 0)).all()


@given(images=st.lists(st.none() | st.binary(max_size=200), max_size=4))
def test_no_bytes_are_ever_an_error(images: list[bytes | None]) -> None:
    with ThreadPoolExecutor(1) as pool:
        evidence = examine(batch(image=images), Path(), pool)
    assert (evidence.problem > 0).all()
