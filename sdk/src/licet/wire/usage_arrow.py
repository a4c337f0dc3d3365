"""A usage batch as one Arrow stream: half the bytes of JSON, and read without an object for each event.

The columns are the fields of an `Event` by name, in any order: texts as utf8, large_utf8 or dictionaries of them,
``seq`` and ``quantity`` as int32 or int64, ``licence`` and ``statement`` with nulls. What is signed stands in the
metadata of the schema, under ``licet.batch``, as JSON: ``{"envelope": …, "secret": …}``. So the whole request is one
document that can be kept as it is and sent again, and no header grows with it. Buffers are not compressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import pyarrow as pa

from licet.statements.envelope import Envelope
from licet.statements.kinds import Event

MEDIA_TYPE: Final = "application/vnd.apache.arrow.stream"
KEY: Final = b"licet.batch"
_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
_SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("licence", _TEXT),
        pa.field("statement", _TEXT),
        pa.field("work", pa.string(), nullable=False),
        pa.field("atom", _TEXT, nullable=False),
        pa.field("run", _TEXT, nullable=False),
        pa.field("unit", _TEXT, nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("quantity", pa.int64(), nullable=False),
        pa.field("at", _TEXT, nullable=False),
        pa.field("match", _TEXT, nullable=False),
    ]
)


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is not a column: the ``usage-batch`` envelope, and the secret that salts the leaves (base64)."""

    envelope: Envelope
    secret: str


def packed(envelope: Envelope, events: Sequence[Event], secret: str) -> bytes:
    """Return a batch as the bytes of one Arrow stream."""
    schema = _SCHEMA.with_metadata({KEY: msgspec.json.encode(Signed(envelope, secret))})
    columns = []
    for field in schema:
        values = [getattr(event, field.name) for event in events]
        if pa.types.is_dictionary(field.type):
            columns.append(pa.array(values, pa.string()).dictionary_encode())
        else:
            columns.append(pa.array(values, field.type))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch(columns, schema=schema))
    return bytes(sink.getvalue())
