"""What our own Parquet writer makes is what Arrow, DuckDB and polars read, whatever is in the columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.datasets.results.parquet import Writer, columns, file
from licet.datasets.results.parquet.encodings import deltas, hybrid, packed
from licet.datasets.results.rows import _CODED, FILE_SCHEMA, METADATA, WRITTEN_SCHEMA, decisions_writer
from licet.decisions.rows import REQUIRED

_FEW = ("", "allow", "deny", "用", "unknown")
_MATCH = FILE_SCHEMA.field("matches").type.value_type


def _value(field: pa.Field, random: Random) -> Any:
    kind = field.type
    if field.name not in REQUIRED and random.random() < 0.3:
        return None
    if pa.types.is_string(kind):
        return random.choice(_FEW) if field.name in _CODED else "é" * random.randrange(9) + str(random.random())
    if pa.types.is_fixed_size_binary(kind):
        return random.randbytes(kind.byte_width)
    if pa.types.is_list(kind):
        return [{each.name: _value(each, random) for each in _MATCH} for _ in range(random.randrange(4))]
    if pa.types.is_int64(kind):
        return random.randrange(2**62)
    most = 2 ** (kind.bit_width - 1)
    return random.randrange(2 * most) if pa.types.is_unsigned_integer(kind) else random.randrange(-most, most)


def _rows(random: Random, count: int) -> list[dict[str, Any]]:
    """Rows of anything, of which some columns say nothing."""
    empty = {field.name for field in FILE_SCHEMA if field.name not in REQUIRED and random.random() < 0.3}
    return [
        {field.name: None if field.name in empty else _value(field, random) for field in FILE_SCHEMA}
        for _ in range(count)
    ]


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, FILE_SCHEMA)


def _written(path: Path, groups: list[pa.Table]) -> Path:
    with decisions_writer(path, b'{"v":1}') as writer:
        for group in groups:
            writer.write(group.cast(WRITTEN_SCHEMA))
    return path


@pytest.mark.parametrize("seed", range(12))
def test_every_value_comes_back(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    tables = [_table(_rows(random, random.randrange(1, 12)) * random.choice([1, 40])) for _ in range(3)]
    file = pq.ParquetFile(_written(tmp_path / "d.parquet", tables))
    assert file.schema_arrow.remove_metadata().equals(FILE_SCHEMA)
    assert file.schema_arrow.metadata == {METADATA: b'{"v":1}'}
    assert file.num_row_groups == len(tables)
    for number, table in enumerate(tables):
        found = file.read_row_group(number)
        found.validate(full=True)
        assert found.equals(table)
        # Without what Arrow says of itself in the file: what the Parquet schema alone means.
        read = pq.ParquetFile(tmp_path / "d.parquet", arrow_extensions_enabled=False).read_row_group(number)
        assert read.to_pylist() == table.to_pylist()
        for place in range(file.metadata.num_columns):
            chunk = file.metadata.row_group(number).column(place)
            if chunk.path_in_schema in ("part", "row", "verdict", "reason") and chunk.statistics is not None:
                there = [each.encode() if isinstance(each, str) else each for each in table[place].to_pylist()]
                found_bounds = [chunk.statistics.min, chunk.statistics.max]
                bounds = [each.encode() if isinstance(each, str) else each for each in found_bounds]
                assert (bounds, chunk.statistics.null_count) == ([min(there), max(there)], 0)


def _many(rows: int) -> pa.Table:
    """Rows as a filter of addresses has them: most without a match, some with one, a few with several."""
    matched = np.arange(rows) % 10 == 3
    match = [
        {
            "work": f"wrk_{number:026d}", "account": "art_" + "0" * 26, "statement": f"stm_{number // 50:026d}",
            "match": "exact", "key": "url", "distance": 0, "verdict": "deny", "reason": "denied", "claim_level": 2,
        }
        for number in range(rows)
    ]  # fmt: skip
    return pa.table(
        {
            "part": ["a.parquet"] * rows,
            "row": range(rows),
            "url": [f"https://a.example/{number}" if number % 7 else None for number in range(rows)],
            "verdict": ["deny" if there else "unknown" for there in matched],
            "reason": ["denied" if there else "not-examined" for there in matched],
            "examined": ["url"] * rows,
            "matches": [match[place : place + 1 + place % 3] if there else None for place, there in enumerate(matched)],
            **{
                name: pa.nulls(rows, field.type)
                for name, field in zip(FILE_SCHEMA.names, FILE_SCHEMA, strict=True)
                if name not in ("part", "row", "url", "verdict", "reason", "examined", "matches")
            },
        }
    ).select(FILE_SCHEMA.names).cast(FILE_SCHEMA)  # fmt: skip


@pytest.mark.parametrize(("first", "rows"), [(0, 40), (0, 43), (8, 33), (5, 40), (3, 1), (2, 8)])
def test_what_is_cut_out_of_more_comes_back(tmp_path: Path, first: int, rows: int) -> None:
    """Presence is taken as it lies in memory where that begins with a byte; lists of one are simpler than others."""
    lists: list[list[dict[str, Any]] | None] = [
        [{each.name: _value(each, Random(number)) for each in _MATCH}]
        if number % 3 == 0
        else ([] if number % 2 else None)
        for number in range(60)
    ]
    table = _table([{**row, "matches": each} for row, each in zip(_rows(Random(first), 60), lists, strict=True)])
    cut = table.cast(WRITTEN_SCHEMA).slice(first, rows)
    with decisions_writer(tmp_path / "d.parquet", b'{"v":1}') as writer:
        writer.write(cut)
    assert pq.read_table(tmp_path / "d.parquet").replace_schema_metadata(None).equals(table.slice(first, rows))


def test_what_lies_below_a_list_that_is_none_is_left_out(tmp_path: Path) -> None:
    table = _table([{**row, "matches": [{"work": f"wrk_{number}"}]} for number, row in enumerate(_rows(Random(1), 4))])
    lists = table["matches"].combine_chunks()
    hidden = pa.ListArray.from_arrays(lists.offsets, lists.values, mask=pa.array([False, True, False, True]))
    place = table.schema.get_field_index("matches")
    written = table.set_column(place, table.schema.field(place), hidden)
    _written(tmp_path / "d.parquet", [written])
    found = pq.read_table(tmp_path / "d.parquet")["matches"].to_pylist()
    assert [each and each[0]["work"] for each in found] == ["wrk_0", None, "wrk_2", None]


@given(st.data(), st.integers(0, 40), st.sampled_from((1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 31, 64)))
def test_packed_values_are_bits_end_to_end(data: st.DataObject, count: int, width: int) -> None:
    values = data.draw(st.lists(st.integers(0, 2**width - 1), min_size=count, max_size=count))
    number = sum(value << width * place for place, value in enumerate(values))
    assert packed(np.array(values, np.uint64), width) == number.to_bytes(-(-count // 8) * width, "little")


def test_other_readers_find_the_same(tmp_path: Path) -> None:
    duckdb, pl = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    table = _many(5000)
    path = _written(tmp_path / "d.parquet", [table.slice(0, 3000), table.slice(3000)])
    rows = table.select(["part", "row", "url", "verdict", "reason", "examined"]).to_pylist()
    names = "part, row, url, verdict, reason, examined"
    ducks = duckdb.connect()
    assert ducks.sql(f"select {names} from '{path}' order by row").to_arrow_table().to_pylist() == rows
    assert ducks.execute(f"select count(*) from '{path}' where verdict = 'deny' and row >= 4000").fetchall() == [(100,)]
    works = [each["work"] for row in table["matches"].to_pylist() for each in row or ()]
    unnested = f"select unnest(matches).work from (select * from '{path}' order by row)"
    assert [work for (work,) in ducks.execute(unnested).fetchall()] == works
    frame = pl.read_parquet(path)
    assert frame.select(names.split(", ")).to_dicts() == rows
    assert [each["work"] for row in frame["matches"].to_list() for each in row or ()] == works


def test_long_texts_are_more_than_one_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_PAGE", 4096)
    table = _many(2000)
    path = _written(tmp_path / "d.parquet", [table])
    assert pq.read_table(path).equals(table)
    chunk = pq.read_metadata(path).row_group(0).column(FILE_SCHEMA.names.index("url"))
    assert chunk.total_uncompressed_size > 3 * 4096


def test_columns_that_hold_much_are_more_than_one_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "_MOST", 20_000)
    table = _many(2000)
    path = _written(tmp_path / "d.parquet", [table])
    assert pq.read_table(path).equals(table)
    written = pq.read_metadata(path)
    groups = [written.row_group(place) for place in range(written.num_row_groups)]
    sizes = [group.column(FILE_SCHEMA.names.index("url")).total_uncompressed_size for group in groups]
    assert len(sizes) > 2
    assert max(sizes) <= 20_000


def test_a_file_without_rows_is_one(tmp_path: Path) -> None:
    path = _written(tmp_path / "d.parquet", [FILE_SCHEMA.empty_table()])
    assert pq.read_table(path).equals(FILE_SCHEMA.empty_table())


def test_what_is_not_closed_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), decisions_writer(tmp_path / "d.parquet", b"{}") as writer:
        writer.write(_many(10).cast(WRITTEN_SCHEMA))
        raise ZeroDivisionError
    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(tmp_path / "d.parquet")


@given(st.lists(st.integers(0, 2**62), max_size=700), st.integers(0, 62))
def test_differences_of_any_width_come_back(numbers: list[int], shift: int) -> None:
    wanted = [number >> shift for number in numbers]
    encoded = deltas(np.array(wanted, np.int64))
    assert list(_undone(encoded)) == wanted


def _undone(data: bytes) -> Iterator[int]:
    """Decode DELTA_BINARY_PACKED as the specification has it, one bit after the other."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def zigzag() -> int:
        value = varint()
        return value >> 1 if value % 2 == 0 else -((value + 1) >> 1)

    block, minis, count, last = varint(), varint(), varint(), zigzag()
    left = count - 1
    if count:
        yield last
    while left > 0:
        least = zigzag()
        widths = data[at : at + minis]
        at += minis
        for width in widths:
            if left <= 0:
                assert width == 0
                continue
            size = block // minis * width // 8
            bits = int.from_bytes(data[at : at + size], "little")
            at += size
            for _ in range(min(left, block // minis)):
                last += least + (bits & ((1 << width) - 1))
                bits >>= width
                yield last
                left -= 1
    assert at == len(data)


@given(st.lists(st.integers(0, 2**20), min_size=1, max_size=100))
def test_a_run_holds_what_was_put_in(values: list[int]) -> None:
    width = max(1, max(values).bit_length())
    data = hybrid(np.array(values), width)
    header = data[0] if data[0] < 0x80 else data[0] & 0x7F | data[1] << 7
    bits = int.from_bytes(data[1 if data[0] < 0x80 else 2 :], "little")
    if header & 1:
        assert [bits >> width * place & (1 << width) - 1 for place in range(len(values))] == values
    else:
        assert values == [bits] * (header >> 1)


def test_bounds_are_stated_of_what_is_named_alone(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("a", pa.string()), pa.field("b", pa.string())])
    with Writer(tmp_path / "d.parquet", schema, {}, ("a", "b"), ("a",)) as writer:
        writer.write(pa.table({"a": ["é", None, "z"] * 9, "b": ["x"] * 27}, schema))
    a, b = (pq.read_metadata(tmp_path / "d.parquet").row_group(0).column(place).statistics for place in range(2))
    assert (a.min, a.max, a.null_count) == ("z", "é", 9)
    assert b is None
