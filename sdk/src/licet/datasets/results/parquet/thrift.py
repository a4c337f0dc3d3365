"""Thrift's compact protocol, as far as Parquet's headers and footers need it: written, and read to be written again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _, _STRUCT = range(1, 13)
_SHORT: Final = 15  # a longer list states its length apart
_SIZES: Final = {_TRUE: 0, _FALSE: 0, _BYTE: 1, _DOUBLE: 8}  # in a struct, where a type says what is true


class Value(NamedTuple):
    """A value as it is written, and of which type it is."""

    kind: int
    data: bytes


TRUE: Final = Value(_TRUE, b"")
FALSE: Final = Value(_FALSE, b"")


def varint(number: int) -> bytes:
    """Return a number ≥ 0 in groups of seven bits, the least first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(number: int) -> bytes:
    """Return a number as a varint that is short on both sides of 0."""
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def i8(number: int) -> Value:
    """Return a number of eight bits."""
    return Value(_BYTE, bytes([number]))


@lru_cache(1024)
def i32(number: int) -> Value:
    """Return a number of 32 bits, or one of an enumeration."""
    return Value(_I32, zigzag(number))


def i64(number: int) -> Value:
    """Return a number of 64 bits."""
    return Value(_I64, zigzag(number))


def binary(data: bytes | str) -> Value:
    """Return bytes, or a text."""
    data = data.encode() if isinstance(data, str) else data
    return Value(_BINARY, varint(len(data)) + data)


def listed(values: Sequence[Value]) -> Value:
    """Return a list of values of one type."""
    kind = values[0].kind if values else _STRUCT
    head = bytes([len(values) << 4 | kind]) if len(values) < _SHORT else bytes([0xF0 | kind]) + varint(len(values))
    return Value(_LIST, head + b"".join([each.data for each in values]))


def struct(fields: Mapping[int, Value | None]) -> Value:
    """Return a struct of fields by their ids, which rise; those that are None are left out."""
    out, before = [], 0
    for number, value in fields.items():
        if value is not None:
            out.append(bytes([(number - before) << 4 | value.kind]) + value.data)
            before = number
    return Value(_STRUCT, b"".join(out) + b"\0")


def number_of(value: Value) -> int:
    """Return the number that a value of 16, 32 or 64 bits is."""
    number, _ = _varint(value.data, 0)
    return number >> 1 ^ -(number & 1)


def fields_of(data: bytes) -> dict[int, Value]:
    """Return the fields of a struct by their ids, in their order; raises ``IndexError`` or ``ValueError`` for bytes
    that are none."""
    fields: dict[int, Value] = {}
    at = number = 0
    while head := data[at]:
        at += 1
        if head >> 4:
            number += head >> 4
        else:
            number, at = _varint(data, at)
            number = number >> 1 ^ -(number & 1)
        end = _end(head & 15, data, at)
        fields[number] = Value(head & 15, data[at:end])
        at = end
    return fields


def values_of(value: Value) -> Iterator[Value]:
    """Yield the values in a list."""
    kind, count, at = _opened(value.data, 0)
    for _ in range(count):
        end = _end_of_element(kind, value.data, at)
        yield Value(kind, value.data[at:end])
        at = end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while (byte := data[at]) & 0x80:
        number |= (byte & 0x7F) << shift
        shift += 7
        at += 1
    return number | byte << shift, at + 1


def _opened(data: bytes, at: int) -> tuple[int, int, int]:
    """Return of which type the values of a list are, how many there are, and where the first is."""
    head = data[at]
    if head >> 4 < _SHORT:
        return head & 15, head >> 4, at + 1
    count, at = _varint(data, at + 1)
    return head & 15, count, at


def _end(kind: int, data: bytes, at: int) -> int:
    """Return where the value that begins at a place ends."""
    if kind in (_I16, _I32, _I64):
        while data[at] & 0x80:
            at += 1
        return at + 1
    if kind == _BINARY:
        size, at = _varint(data, at)
        return at + size
    if kind == _STRUCT:
        while head := data[at]:
            at += 1
            if not head >> 4:
                _, at = _varint(data, at)
            at = _end(head & 15, data, at)
        return at + 1
    if kind in (_LIST, _SET):
        inside, count, at = _opened(data, at)
        for _ in range(count):
            at = _end_of_element(inside, data, at)
        return at
    if kind not in _SIZES:
        raise ValueError(f"expected a type of Parquet's footers, got {kind}")
    return at + _SIZES[kind]


def _end_of_element(kind: int, data: bytes, at: int) -> int:
    return at + 1 if kind in (_TRUE, _FALSE) else _end(kind, data, at)
