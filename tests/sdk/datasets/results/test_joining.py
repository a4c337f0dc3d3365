"""Parquet files put end to end hold what each of them held, for every reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.datasets.results.parquet import Joined
from licet.datasets.results.parquet.thrift import fields_of, number_of, values_of
from licet.datasets.results.rows import FILE_SCHEMA, METADATA, WRITTEN_SCHEMA, decisions_writer
from licet.errors import MalformedError

DEEP = pa.struct([("x", pa.float64()), ("y", pa.list_(pa.struct([("z", pa.bool_())])))])


def table(first: int, rows: int) -> pa.Table:
    """Rows of many types, some of them null, with what pandas would say of them."""
    numbers = range(first, first + rows)
    columns: dict[str, Any] = {
        "URL": pa.array([f"https://x.example/{number}" if number % 7 else None for number in numbers], pa.string()),
        "few": pa.array([("a", "b", "用")[number % 3] for number in numbers], pa.string()).dictionary_encode(),
        "lists": pa.array([[number] * (number % 4) for number in numbers], pa.list_(pa.int64())),
        "deep": pa.array([{"x": number / 3, "y": [{"z": number % 2 == 0}]} for number in numbers], DEEP),
        "day": pa.array(list(numbers), pa.timestamp("us", "UTC")),
        "none": pa.nulls(rows, pa.int8()),
    }
    return pa.table(columns).replace_schema_metadata({"pandas": "{}"})


def joined(target: Path, paths: list[Path]) -> Path:
    with Joined(target) as file:
        for path in paths:
            file.append(path)
    return target


@pytest.mark.parametrize("codec", ["zstd", "snappy", "none"])
def test_rows_and_what_files_say_of_them_come_back(tmp_path: Path, codec: str) -> None:
    tables = [table(0, 40), table(40, 0), table(40, 1), table(41, 300)]
    paths = [tmp_path / f"{number}.parquet" for number in range(len(tables))]
    for each, path in zip(tables, paths, strict=True):
        pq.write_table(each, path, row_group_size=13, compression=codec, write_page_index=True)
    found = pq.ParquetFile(joined(tmp_path / "all.parquet", paths))
    assert found.read().equals(pa.concat_tables(tables))
    assert found.schema_arrow.equals(pq.read_schema(paths[0]), check_metadata=True)
    before = [pq.read_metadata(path) for path in paths]
    groups = [each.row_group(place) for each in before for place in range(each.num_row_groups)]
    assert found.metadata.num_row_groups == len(groups)
    for number, group in enumerate(groups):
        now = found.metadata.row_group(number)
        assert (now.num_rows, now.total_byte_size) == (group.num_rows, group.total_byte_size)
        for place in range(group.num_columns):
            stated, states = (each.column(place).to_dict() for each in (group, now))
            moved = dict.fromkeys(("file_offset", "data_page_offset", "dictionary_page_offset"))
            assert stated | moved == states | moved
    again = pq.ParquetFile(joined(tmp_path / "again.parquet", [tmp_path / "all.parquet", *paths]))
    assert again.read().equals(pa.concat_tables([*tables, *tables]))


def test_other_readers_take_it(tmp_path: Path) -> None:
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    tables = [table(0, 20), table(20, 33)]
    for number, each in enumerate(tables):
        pq.write_table(each, tmp_path / f"{number}.parquet", row_group_size=9)
    path = joined(tmp_path / "all.parquet", [tmp_path / "0.parquet", tmp_path / "1.parquet"])
    urls = [url for each in tables for url in each["URL"].to_pylist()]
    assert polars.read_parquet(path)["URL"].to_list() == urls
    assert [url for (url,) in duckdb.sql(f"select URL from '{path}'").fetchall()] == urls
    assert duckdb.sql(f"select count(*) from '{path}' where few = '用'").fetchall() == [(17,)]


def test_decisions_are_joined_too(tmp_path: Path) -> None:
    tables = []
    for first, rows in ((0, 30), (30, 0), (30, 17)):
        rest = {"part": "p", "verdict": "deny", "reason": "x", "examined": "url"}
        listed = [{"row": row, **rest, "url": f"https://x.example/{row}"} for row in range(first, first + rows)]
        tables.append(pa.Table.from_pylist(listed, FILE_SCHEMA))
    paths = [tmp_path / f"{number}.parquet" for number in range(len(tables))]
    for each, path in zip(tables, paths, strict=True):
        with decisions_writer(path, b'{"v":1}') as writer:
            writer.write(each.cast(WRITTEN_SCHEMA))
    found = pq.ParquetFile(joined(tmp_path / "all.parquet", paths))
    assert found.read().replace_schema_metadata().equals(pa.concat_tables(tables))
    assert found.schema_arrow.metadata == {METADATA: b'{"v":1}'}
    assert found.metadata.row_group(1).column(1).statistics.min == 30


def footer(path: Path) -> tuple[bytes, list[dict[int, Any]]]:
    data = path.read_bytes()
    fields = fields_of(data[-8 - int.from_bytes(data[-8:-4], "little") :])
    return data, [fields_of(group.data) for group in values_of(fields[4])]


def test_all_that_has_a_place_has_its_new_one(tmp_path: Path) -> None:
    paths = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    for number, path in enumerate(paths):
        pq.write_table(table(40 * number, 40), path, row_group_size=20, write_page_index=True)
    data, groups = footer(joined(tmp_path / "all.parquet", paths))
    before = [(data, group) for data, groups in map(footer, paths) for group in groups]
    assert len(groups) == 4
    seen = 0
    for (old, group), now in zip(before, groups, strict=True):
        for one, other in zip(values_of(group[1]), values_of(now[1]), strict=True):
            then, there = fields_of(one.data), fields_of(other.data)
            for at, size in ((4, 5), (6, 7)):  # the indexes of a column's pages: where they are, and how long
                assert then[size] == there[size]
                places = [number_of(each[at]) for each in (then, there)]
                length = number_of(then[size])
                assert old[places[0] : places[0] + length] == data[places[1] : places[1] + length]
                seen += 1
    assert seen == 2 * 4 * pq.read_metadata(paths[0]).num_columns


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    good, other, torn = tmp_path / "good.parquet", tmp_path / "other.parquet", tmp_path / "torn.parquet"
    pq.write_table(table(0, 9), good)
    pq.write_table(table(0, 9).rename_columns(["url", "few", "lists", "deep", "day", "none"]), other)
    with pytest.raises(MalformedError, match=r"other\.parquet: .* another schema"):
        joined(tmp_path / "all.parquet", [good, other])
    data = good.read_bytes()
    length = int.from_bytes(data[-8:-4], "little")
    for wrong in (b"", b"PAR1", data[:-1], data[:-8] + (1 << 30).to_bytes(4, "little") + b"PAR1"):
        torn.write_bytes(wrong)
        with pytest.raises(MalformedError, match=r"torn\.parquet: expected a Parquet file to go on with"):
            joined(tmp_path / "all.parquet", [good, torn])
    for place in range(len(data) - 8 - length, len(data) - 8):  # a footer cut off anywhere says so, or means the same
        torn.write_bytes(data[:place] + (place - len(data) + 8 + length).to_bytes(4, "little") + b"PAR1")
        with pytest.raises(MalformedError):
            joined(tmp_path / "all.parquet", [torn])
