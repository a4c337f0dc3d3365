"""Arrow streams from outside: read only when their frame says that they are small, whole and plain.

Each message is looked at before its buffers are: how many rows it announces, and that nothing is compressed, which
could grow without bound. What is read is checked in full, so that no offset points outside of its buffer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pyarrow as pa

from licet.statements.event_columns import NULLABLE, NUMBERS, TEXTS, EventColumns, coded
from licet.wire.usage_arrow import KEY, Signed
from registry.errors import Invalid
from registry.http import bodies
from registry.usage.events import MAX_EVENTS
from registry.usage.reading import Submitted

_MAX_METADATA: Final = 1 << 20
_MAX_MESSAGES: Final = 2_000
_FIELDS: Final = frozenset({"id", *TEXTS, *NUMBERS})
_SIGNED: Final = msgspec.json.Decoder(Signed)
# Places in the tables of the format's Message.fbs: what they hold is read here, and never trusted.
_HEADER_TYPE, _HEADER = 1, 2
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_LENGTH, _DATA, _COMPRESSION = 0, 1, 3


def submitted(body: bytes) -> Submitted:
    """Return what a batch's Arrow stream holds; raises ``Invalid`` for everything that is none, or too large."""
    try:
        _hold_to_limits(body)
        with pa.ipc.open_stream(body) as reader:
            schema = reader.schema
            signed = _signed(schema)
            _hold_to_columns(schema)
            table = reader.read_all()
        table.validate(full=True)
        columns = _columns(table)
    except (pa.ArrowException, struct.error, OSError, ValueError, OverflowError, KeyError) as error:
        raise Invalid(f"expected a body of one Arrow stream, got other bytes: {str(error)[:200]}") from None
    return Submitted(signed.envelope, signed.secret, columns)


def _signed(schema: pa.Schema) -> Signed:
    text = (schema.metadata or {}).get(KEY)
    if text is None or len(text) > _MAX_METADATA:
        raise Invalid.field("licet.batch", "the envelope and the secret, in the metadata of the schema", "none")
    found: Signed = bodies.read(text, _SIGNED)
    return found


def _hold_to_columns(schema: pa.Schema) -> None:
    names = schema.names
    if len(set(names)) != len(names) or set(names) != _FIELDS:
        raise Invalid.field("columns", f"each once: {', '.join(sorted(_FIELDS))}", ", ".join(names)[:300])
    for field in schema:
        kind = field.type
        if field.name in NUMBERS:
            if kind not in {pa.int32(), pa.int64()}:
                raise Invalid.field(field.name, "a column of int64", str(kind))
            continue
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if kind not in {pa.string(), pa.large_string()}:
            raise Invalid.field(field.name, "a column of utf8", str(field.type))


def _columns(table: pa.Table) -> EventColumns:
    # A null of a dictionary may stand in its values too, where the column itself counts none.
    texts: dict[str, Any] = {name: coded(table.column(name)) for name in TEXTS}
    ids = coded(table.column("id"))
    for name, column in (("id", ids), *texts.items()):
        if name not in NULLABLE and (column.codes < 0).any():
            raise Invalid.field(f"events[{int((column.codes < 0).argmax())}].{name}", "text", "null")
    numbers: dict[str, Any] = {}
    for name in NUMBERS:
        whole = table.column(name).combine_chunks().cast(pa.int64())
        if whole.null_count:
            raise Invalid.field(name, "a whole number in every row", "null")
        numbers[name] = whole.to_numpy(zero_copy_only=False)
    known = texts["match"].wrong(lambda value: value not in {"exact", "near"})
    if known.any():
        row = int(known.argmax())
        raise Invalid.field(f"events[{row}].match", "'exact' or 'near'", texts["match"].at(row))
    return EventColumns(id=[ids.values[code] for code in ids.codes.tolist()], **texts, **numbers)


def _hold_to_limits(body: bytes) -> None:
    rows = 0
    for number, message in enumerate(_messages(body)):
        if number > _MAX_MESSAGES:
            raise Invalid.field("body", f"at most {_MAX_MESSAGES} messages", "more")
        kind, batch = _batch_of(message)
        if batch is None:
            continue
        length = _number(message, _field(message, batch, _LENGTH), "<q")
        if _field(message, batch, _COMPRESSION):
            raise Invalid.field("body", "buffers that are not compressed", "compressed ones")
        if not 0 <= length <= MAX_EVENTS:
            raise Invalid.field("events", f"1 to {MAX_EVENTS} events", length)
        rows += length if kind == _RECORD_BATCH else 0
        if rows > MAX_EVENTS:
            raise Invalid.field("events", f"1 to {MAX_EVENTS} events", "more")


def _messages(body: bytes) -> Iterator[bytes]:
    """Yield the metadata of each message of the stream."""
    reader = pa.ipc.MessageReader.open_stream(body)
    while True:
        try:
            message = reader.read_next_message()
        except StopIteration:
            return
        yield message.metadata.to_pybytes()


def _batch_of(data: bytes) -> tuple[int, int | None]:
    """Return the kind of a message and the place of its record batch's table, if it holds one."""
    root = _number(data, 0, "<I")
    where = _field(data, root, _HEADER_TYPE)
    kind = _number(data, where, "<B") if where else 0
    header = _field(data, root, _HEADER)
    if kind not in {_DICTIONARY_BATCH, _RECORD_BATCH}:
        return kind, None
    table = _follow(data, header)
    return kind, table if kind == _RECORD_BATCH else _follow(data, _field(data, table, _DATA))


def _follow(data: bytes, place: int) -> int:
    if not place:
        raise ValueError("a message without its batch")
    return place + _number(data, place, "<I")


def _field(data: bytes, table: int, number: int) -> int:
    """Return where a field of a flatbuffer's table stands; 0 if it is left out."""
    entries = table - _number(data, table, "<i")
    size = _number(data, entries, "<H")
    at = 4 + 2 * number
    offset = _number(data, entries + at, "<H") if at + 2 <= size else 0
    return table + offset if offset else 0


def _number(data: bytes, place: int, form: str) -> int:
    if not place and form == "<q":
        return 0  # a field of its default
    if place < 0:
        raise ValueError("a place before the message")
    found: int = struct.unpack_from(form, data, place)[0]
    return found
