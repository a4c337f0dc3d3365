"""Decision rows: one leaf a row, one root a job, the same however the rows were cut."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.canonical import decode
from licet.decisions.roots import RootBuilder
from licet.decisions.rows import (
    REQUIRED,
    ROW_FIELDS,
    VERDICT_FIELDS,
    decision_schema,
    decisions_root,
    leaf_hashes,
    row_leaf,
    salted_leaf_hashes,
    salted_row_leaf,
)
from licet.errors import InputError
from licet.log import merkle

TEXT = st.none() | st.sampled_from(("a", "b", "é", '"', "x" * 40))
ROW = st.fixed_dictionaries(
    {
        "part": st.just("part-0"),
        "verdict": st.sampled_from(("deny", "unknown", "license")),
        "reason": st.sampled_from(("denied", "no-match", "needs:territory")),
        "examined": st.sampled_from(("file,pixels,pdq", "url", "")),
        "work": TEXT,
        "statement": TEXT,
        "licence": TEXT,
        "match": st.none() | st.sampled_from(("exact", "near")),
        "distance": st.none() | st.integers(0, 31),
        "price": st.none() | st.sampled_from(("0.05", "1")),
        "currency": st.none() | st.just("USD"),
        "claim_level": st.none() | st.integers(0, 4),
        "url": TEXT,
        "sha256": TEXT,
        "path": TEXT,
    }
)
ROWS = st.lists(ROW, max_size=12).map(lambda rows: [row | {"row": 3 * number} for number, row in enumerate(rows)])


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=decision_schema())


def test_the_columns_are_those_of_the_interface():
    assert decision_schema().names == [
        *(
            "part",
            "row",
            "key",
            "path",
            "url",
            "verdict",
            "reason",
            "work",
            "statement",
            "licence",
            "match",
            "distance",
        ),
        *("examined", "price", "currency", "claim_level", "sha256", "pixels", "pdq", "matches"),
    ]
    assert [field.name for field in decision_schema() if not field.nullable] == [
        name for name in decision_schema().names if name in REQUIRED
    ]
    assert set(ROW_FIELDS) < set(decision_schema().names)


def test_a_leaf_is_canonical_json_of_the_verdict_fields_alone():
    row = {
        "part": "a",
        "row": 7,
        "verdict": "deny",
        "reason": "denied",
        "examined": "file",
        "work": "wrk_x",
        "path": "/p",
    }
    assert row_leaf(row) == (
        b'{"examined":"file","part":"a","reason":"denied","row":7,"verdict":"deny","work":"wrk_x"}'
    )
    assert sorted(VERDICT_FIELDS) == list(VERDICT_FIELDS)


@given(ROWS)
def test_the_batch_gives_the_leaves_of_the_single_rows(rows):
    expected = b"".join(merkle.leaf_hash(row_leaf(row)) for row in rows)
    table = _table(rows)
    assert leaf_hashes(table) == expected
    for batch in table.to_batches():
        assert leaf_hashes(batch) == expected
    assert leaf_hashes(pa.concat_tables([table.slice(0, 5), table.slice(5)])) == expected
    coded = table.set_column(5, "verdict", table.column("verdict").dictionary_encode())
    assert leaf_hashes(coded) == expected
    assert (
        leaf_hashes(table.select([*REQUIRED, *(name for name in VERDICT_FIELDS if name not in REQUIRED)])) == expected
    )


@given(ROWS)
def test_leaves_parse_back_to_what_was_decided(rows):
    for row in rows:
        assert decode(row_leaf(row)) == {name: row[name] for name in VERDICT_FIELDS if row.get(name) is not None}


def test_many_columns_of_many_values_do_not_collide():
    count = 65_535  # with the null, 2^16 codes a column: five of them would shift the first out of 64 bits
    wide = {
        name: [f"{name}-{number}" for number in range(count)]
        for name in ("licence", "match", "price", "statement", "work")
    }
    for name, values in wide.items():
        values.append(values[0 if name == "licence" else -1])
    count += 1
    fixed = {"part": "p", "verdict": "license", "reason": "offer", "examined": "file"}
    table = pa.table({"row": list(range(count)), **{name: [value] * count for name, value in fixed.items()}, **wide})
    hashes = leaf_hashes(table)
    for number in (0, 1, 31_337, count - 2, count - 1):
        row = table.slice(number, 1).to_pylist()[0]
        assert hashes[32 * number : 32 * number + 32] == merkle.leaf_hash(row_leaf(row))


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_value_is_named(name):
    row = {"part": "a", "row": 1, "verdict": "deny", "reason": "denied", "examined": "file"}
    with pytest.raises(InputError, match=f"^{name}: expected a value in every decision row"):
        row_leaf(row | {name: None})
    table = pa.table({key: [value] for key, value in row.items()})
    with pytest.raises(InputError, match=f"^{name}: expected a column of decision rows"):
        leaf_hashes(table.drop_columns([name]))
    kind = pa.int64() if name == "row" else pa.string()
    with pytest.raises(InputError, match=f"^{name}: expected a value in every decision row"):
        leaf_hashes(table.set_column(table.schema.get_field_index(name), name, pa.array([None], kind)))


def test_rows_out_of_order_are_refused():
    row = {"part": "a", "verdict": "deny", "reason": "denied", "examined": "file"}
    for numbers in ([2, 1], [1, 1]):
        table = pa.Table.from_pylist([row | {"row": number} for number in numbers])
        with pytest.raises(InputError, match=r"^row: expected rows of one part in their order"):
            leaf_hashes(table)


def test_a_row_with_a_number_below_zero_is_refused():
    row = {"part": "a", "row": -1, "verdict": "deny", "reason": "denied", "examined": "file"}
    with pytest.raises(InputError, match=r"^row: expected numbers from 0 on, got -1"):
        leaf_hashes(pa.Table.from_pylist([row]))


HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=9).map(b"".join)


@given(st.dictionaries(st.sampled_from(("a", "b", "a.b", "é")), HASHES), st.randoms())
def test_the_root_is_over_parts_by_name_whatever_order_they_come_in(parts, random):
    names = list(parts)
    random.shuffle(names)
    expected = merkle.root(b"".join(parts[name] for name in sorted(parts))).hex()
    assert decisions_root({name: parts[name] for name in names}) == expected
    assert decisions_root({name: [parts[name][:32], parts[name][32:]] for name in names}) == expected


@pytest.mark.parametrize("count", [0, 1, 65_535, 65_536, 65_537, 131_072, 200_001, 262_145])
def test_the_root_builder_agrees_with_the_tree_across_its_pieces(count):
    hashes = b"".join(sha256(number.to_bytes(4, "big")).digest() for number in range(count))
    builder = RootBuilder()
    for at in range(0, len(hashes), 32 * 50_000):
        builder.add(hashes[at : at + 32 * 50_000])
    assert builder.size == count
    assert builder.root == merkle.root(hashes).hex()


def test_half_a_hash_is_refused():
    with pytest.raises(InputError, match="whole hashes"):
        RootBuilder().add(b"x" * 33)


@given(ROWS)
def test_salted_leaves_open_one_row_and_hide_the_others(rows):
    secret = bytes(range(32))
    assert salted_leaf_hashes(secret, _table(rows)) == b"".join(
        merkle.leaf_hash(salted_row_leaf(secret, row)) for row in rows
    )
    for row in rows:
        leaf = salted_row_leaf(secret, row)
        assert leaf[:32] == hmac.digest(secret, f"{row['part']}\0{row['row']}".encode(), "sha256")
        opened = json.loads(leaf[32:])
        assert opened.get("sha256") == row["sha256"]
        assert "path" not in opened
        assert salted_row_leaf(bytes(32), row)[32:] == leaf[32:]
        assert salted_row_leaf(bytes(32), row)[:32] != leaf[:32]


def test_a_secret_has_32_bytes():
    with pytest.raises(InputError, match="secret: expected 32 bytes"):
        salted_row_leaf(b"short", {"part": "a", "row": 1, "verdict": "deny", "reason": "x", "examined": ""})
