"""Arrow streams from outside: read as what was packed, or refused by one of our errors; nothing in them grows."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.statements.envelope import Envelope, Signature
from licet.wire.usage_arrow import KEY, Signed, packed
from registry.errors import Invalid
from registry.usage import arrow
from tests.registry.usage.test_events import reported

EVENTS = sorted(reported(), key=lambda event: event.id)
ENVELOPE = Envelope("e30=", "application/vnd.licet.usage-batch+json", [Signature("ab" * 32, "AA==")])
BODY = packed(ENVELOPE, EVENTS, "c2VjcmV0")


def table() -> pa.Table:
    with pa.ipc.open_stream(BODY) as reader:
        return reader.read_all()


def stream(given: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, given.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(given)
    return bytes(sink.getvalue())


def test_a_stream_is_read_as_what_was_packed() -> None:
    found = arrow.submitted(BODY)
    assert (found.envelope, found.secret) == (ENVELOPE, "c2VjcmV0")
    assert [found.columns.event(row) for row in range(found.columns.size)] == EVENTS


def test_columns_may_come_in_another_order_and_type() -> None:
    given = table()
    plain = pa.schema(
        [
            (name, pa.int32() if name in {"seq", "quantity"} else pa.large_string())
            for name in reversed(given.schema.names)
        ],
        metadata=given.schema.metadata,
    )
    other = pa.table([given.column(name).cast(plain.field(name).type) for name in plain.names], schema=plain)
    found = arrow.submitted(stream(other)).columns
    assert [found.event(row) for row in range(found.size)] == EVENTS


def renamed(given: pa.Table) -> pa.Table:
    other = given.rename_columns(["identifier", *given.schema.names[1:]])
    return other.replace_schema_metadata(given.schema.metadata)


def changed(name: str, values: list[Any], kind: Any) -> Callable[[pa.Table], pa.Table]:
    def change(given: pa.Table) -> pa.Table:
        place = given.schema.get_field_index(name)
        return given.set_column(place, pa.field(name, kind), pa.array(values, kind))

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (renamed, "columns: expected each once"),
        (lambda given: given.append_column("more", pa.array([1, 2, 3])), "columns: expected each once"),
        (lambda given: given.append_column("id", given.column("id")), "columns: expected each once"),
        (lambda given: given.replace_schema_metadata({}), "licet.batch: expected the envelope and the secret"),
        (lambda given: given.replace_schema_metadata({KEY: b'{"secret": 1}'}), "expected"),
        (changed("seq", [0.0, 1.0, 2.0], pa.float64()), "seq: expected a column of int64"),
        (changed("quantity", [1, None, 1], pa.int64()), "quantity: expected a whole number in every row"),
        (changed("work", [b"a", b"b", b"c"], pa.binary()), "work: expected a column of utf8"),
        (changed("run", ["1", None, "2"], pa.string()), r"events\[1\].run: expected text"),
        (
            changed("match", ["exact", "exact", "exactly"], pa.string()),
            r"events\[2\].match: expected",
        ),
    ],
)
def test_another_table_is_refused_by_name(change: Callable[[pa.Table], pa.Table], expected: str) -> None:
    with pytest.raises(Invalid, match=expected):
        arrow.submitted(stream(change(table())))


def test_what_could_grow_is_refused_before_it_is_read() -> None:
    for codec in ("lz4", "zstd"):
        with pytest.raises(Invalid, match="expected buffers that are not compressed"):
            arrow.submitted(stream(table(), compression=codec))
    many = pa.concat_tables([table()] * 21_846)
    with pytest.raises(Invalid, match="expected 1 to 65536 events"):
        arrow.submitted(stream(many.combine_chunks()))
    with pytest.raises(Invalid, match="expected at most"):
        arrow.submitted(stream(pa.concat_tables([table()] * 3_000)))


def test_bytes_that_are_no_stream_are_refused() -> None:
    for body in (b"", b"{}", BODY[:100], BODY[: len(BODY) // 2], struct.pack("<iI", -1, 2**31 - 8), b"\xff" * 64):
        with pytest.raises(Invalid):
            arrow.submitted(body)


@given(st.lists(st.tuples(st.integers(0, len(BODY) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_stream_with_other_bytes_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    spoilt = bytearray(BODY)
    for place, byte in changes:
        spoilt[place] = byte
    try:
        found = arrow.submitted(bytes(spoilt))
    except Invalid:
        return
    for row in range(found.columns.size):
        found.columns.event(row)


def test_what_is_signed_is_the_documented_json() -> None:
    metadata = table().schema.metadata
    assert msgspec.json.decode(metadata[KEY], type=Signed) == Signed(ENVELOPE, "c2VjcmV0")
