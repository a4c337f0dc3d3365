"""Kept rows of a Parquet file are written as they were: with dictionaries where values repeat themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.datasets.forms.files import LocalFile
from licet.datasets.forms.parquet import ParquetPart

ROWS = 30_000


def copied(source: Path, target: Path) -> pq.ParquetFile:
    """Copy every second row."""
    copying = ParquetPart(LocalFile(source), source.name).write(target)
    batch = next(copying, None)
    while batch is not None:
        try:
            batch = copying.send(np.arange(len(batch)) % 2 == 0)
        except StopIteration:
            break
    return pq.ParquetFile(target)


@pytest.mark.parametrize("begun", [True, False, ["language"]])
def test_only_what_repeats_itself_gets_a_dictionary(tmp_path: Path, begun: bool | list[str]) -> None:
    rows = pa.table(
        {
            "url": [f"https://a.example/pictures/of/everything/{number:08d}.jpg?width=1024" for number in range(ROWS)],
            "language": ["de", "en", "fr"] * (ROWS // 3),
            "tags": [[{"tag": f"tag {number % 5}"}] * (number % 3) for number in range(ROWS)],
        }
    )
    # As a writer leaves it that begins a dictionary of every column.
    pq.write_table(rows, tmp_path / "in.parquet", use_dictionary=begun)
    file = copied(tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert file.read().equals(rows.filter(pa.array(np.arange(ROWS) % 2 == 0)))
    group = file.metadata.row_group(0)
    chunks = {(chunk := group.column(place)).path_in_schema: chunk for place in range(group.num_columns)}
    coded = {name for name, chunk in chunks.items() if chunk.has_dictionary_page}
    expected = {"language", "tags.list.element.tag"} if begun is True else set(begun or [])
    assert coded == expected


def test_a_file_without_rows_stays_one(tmp_path: Path) -> None:
    pq.write_table(pa.table({"url": pa.array([], pa.string())}), tmp_path / "in.parquet")
    assert copied(tmp_path / "in.parquet", tmp_path / "out.parquet").read().num_rows == 0


def test_views_of_text_and_bytes_are_copied_as_they_are(tmp_path: Path) -> None:
    text, data = pa.string_view(), pa.binary_view()
    rows = pa.table(
        {
            "url": pa.array([f"https://a.example/{number}" for number in range(100)], text),
            "raw": pa.array([None, b"x" * 40] * 50, data),
            "tags": pa.array([["a" * 20] * (number % 3) for number in range(100)], pa.list_(text)),
            "meta": pa.array([{"a": "x", "b": {"c": b"y"}}] * 100, pa.struct({"a": text, "b": pa.struct({"c": data})})),
            "named": pa.array([[("k", str(number))] for number in range(100)], pa.map_(pa.string(), text)),
            "pair": pa.array([["x", None]] * 100, pa.list_(text, 2)),
            "number": range(100),
        }
    )
    pq.write_table(rows, tmp_path / "in.parquet")
    found = copied(tmp_path / "in.parquet", tmp_path / "out.parquet").read()
    assert found.schema.equals(pq.read_schema(tmp_path / "in.parquet"))
    assert found.to_pylist() == rows.to_pylist()[::2]
