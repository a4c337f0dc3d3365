"""Parquet files that say little and mean much: memory follows what the file holds, not what it repeats."""

from __future__ import annotations

import struct
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.datasets.forms import groups, parquet
from licet.datasets.forms.files import LocalFile
from licet.datasets.forms.opening import open_input
from licet.datasets.forms.parts import Part
from licet.errors import LicetError, MalformedError
from tests.sdk.datasets.forms.test_opening import copied

ROWS = 200_000
LONG = "https://a.example/" + "x" * 1_000_000


def part_of(path: Path) -> Part:
    [part] = open_input([path]).parts
    return part


def repeated(value: str, rows: int = ROWS) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([value]))


def written(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, store_schema=False, **options)
    return path


def test_an_address_that_a_dictionary_repeats_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MOST_BYTES", 16 << 20)
    monkeypatch.setattr(groups, "STEP_BYTES", 4 << 20)
    path = written(tmp_path / "bomb.parquet", {"url": repeated(LONG)})
    assert path.stat().st_size < 100_000
    part = part_of(path)
    with pytest.raises(
        MalformedError, match=r"row group 0: expected 65,536 rows of at most 16,777,216 bytes, got more"
    ):
        next(part.batches())


@pytest.mark.parametrize("kind", ["text", "list", "struct", "fixed"])
def test_a_step_is_as_small_as_the_longest_value_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(groups, "STEP_BYTES", 4 << 20)
    rows = 64
    values = repeated(LONG, rows).dictionary_decode()
    other: Any = {
        "text": lambda: values,
        "list": lambda: pa.ListArray.from_arrays(pa.array(range(0, rows + 1, 2), pa.int32()), values),
        "struct": lambda: pa.StructArray.from_arrays([values, values], ["a", "b"]),
        "fixed": lambda: pa.array([b"x" * 1_000_000] * rows, pa.binary(1_000_000)),
    }[kind]()
    path = written(tmp_path / "t.parquet", {"n": range(len(other)), "caption": other})
    with ExitStack() as stack:
        read = groups.Groups(LocalFile(path), stack)
        steps = [(len(step), step.nbytes) for step in read.all_steps(None, 1000)]
    assert sum(count for count, _ in steps) == len(other)
    assert max(size for _, size in steps) <= 5 << 20


def test_what_else_a_table_repeats_is_not_copied_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_READ", 64 << 20)
    monkeypatch.setattr(groups, "STEP_BYTES", 4 << 20)
    urls = [f"https://a.example/{number}" for number in range(1000)]
    path = written(tmp_path / "t.parquet", {"url": urls, "caption": repeated(LONG, 1000)})
    with pytest.raises(MalformedError, match=r"expected rows of at most 67,108,864 bytes, or 1000 times the file"):
        copied(part_of(path), tmp_path / "out.parquet", [np.ones(1000, np.bool_)])


def test_rows_beside_their_addresses_are_copied_in_step_whatever_the_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "BATCH_ROWS", 70)
    monkeypatch.setattr(groups, "_STEP_ROWS", 11)
    count = 500
    columns = {"url": [f"https://a.example/{number}" for number in range(count)], "n": list(range(count))}
    path = written(tmp_path / "t.parquet", columns, row_group_size=150)
    keep = np.arange(count) % 3 == 0
    sizes = [70, 70, 10] * 3 + [50]
    ends = np.cumsum(sizes)
    masks = [keep[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    copied(part_of(path), tmp_path / "out.parquet", masks)
    assert pq.read_table(tmp_path / "out.parquet")["n"].to_pylist() == np.flatnonzero(keep).tolist()


def test_what_a_footer_claims_becomes_an_error_of_ours(tmp_path: Path) -> None:
    data = written(tmp_path / "t.parquet", {"url": ["https://a.example/1"] * 1000}).read_bytes()
    length = struct.unpack("<I", data[-8:-4])[0]
    body, foot = data[: -8 - length], data[-8 - length : -8]
    deep = b"\x1c" * 200_000
    claimed = {
        "the longest footer": body + foot + struct.pack("<I", 0xFFFFFFFF) + b"PAR1",
        "no footer": body + foot + struct.pack("<I", 0) + b"PAR1",
        "a footer cut short": body + foot + struct.pack("<I", length - 3) + b"PAR1",
        "a list without end": body + foot.replace(b"\x2c", b"\xfc\xff\xff\xff\xff\x07", 1)
        + struct.pack("<I", length + 5) + b"PAR1",
        "nesting without end": b"PAR1" + deep + struct.pack("<I", len(deep)) + b"PAR1",
        "the mark alone": b"PAR1PAR1",
    }  # fmt: skip
    for what, bad in claimed.items():
        (tmp_path / "bad.parquet").write_bytes(bad)
        with pytest.raises(LicetError, match=r"bad\.parquet: expected a Parquet file"):
            list(part_of(tmp_path / "bad.parquet").batches())
            pytest.fail(what)


def test_columns_are_read_by_paths_within_them(tmp_path: Path) -> None:
    lists = pa.array([[{"a": "x", "b": LONG}], None, []])
    path = written(tmp_path / "lists.parquet", {"l": lists, "n": [1, 2, 3]})
    with ExitStack() as stack:
        file = groups.Groups(LocalFile(path), stack)
        [batch] = file.batches(0, ["l.list.element.a"], 10)
    assert batch.to_pylist() == [{"l": [{"a": "x"}]}, {"l": None}, {"l": []}]


@pytest.mark.parametrize("dictionary", [False, True])
def test_a_column_of_bytes_has_room_where_any_row_has_some(tmp_path: Path, dictionary: bool) -> None:
    values = pa.array([None] * 50 + [bytes(224)] + [None] * 99, pa.binary(224))
    path = written(tmp_path / "fixed.parquet", {"b": values}, row_group_size=50, use_dictionary=dictionary)
    with ExitStack() as stack:
        file = groups.Groups(LocalFile(path), stack)
        assert [file.has_room(group, "b") for group in range(file.groups)] == [False, True, False]


@pytest.mark.parametrize("few", [{}, {"dictionary_pagesize_limit": 50}], ids=["coded", "coded and then not"])
@pytest.mark.parametrize("most", [1000, 7])
def test_texts_come_as_dictionaries_where_all_of_a_file_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: dict[str, Any], most: int
) -> None:
    monkeypatch.setattr(groups, "STEP_BYTES", 1)  # a row a step, each with a dictionary of its own
    texts = [None if row % 5 == 0 else f"text {row % 23}" for row in range(100)]
    columns = {"a": texts, "b": texts}
    options = {"use_dictionary": ["a"], "column_encoding": {"b": "DELTA_LENGTH_BYTE_ARRAY"}}
    path = written(tmp_path / "texts.parquet", columns, row_group_size=40, **options, **few)
    with ExitStack() as stack:
        file = groups.Groups(LocalFile(path), stack, coded=("a", "b", "there is none"))
        found = [batch for group in range(file.groups) for batch in file.batches(group, None, most)]
    assert {str(batch.schema.field("a").type)[:10] for batch in found} == {"dictionary"}
    assert {batch.schema.field("b").type for batch in found} == {pa.string()}
    for name in columns:
        assert [text for batch in found for text in batch[name].to_pylist()] == texts
