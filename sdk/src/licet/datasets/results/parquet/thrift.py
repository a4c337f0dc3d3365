"""Thrift's compact protocol, as far as Parquet's headers and footers need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

_BYTE, _I32, _I64, _BINARY, _LIST, _STRUCT = 3, 5, 6, 8, 9, 12
_SHORT: Final = 15  # a longer list states its length apart


class Value(NamedTuple):
    """A value as it is written, and of which type it is."""

    kind: int
    data: bytes


TRUE: Final = Value(1, b"")
FALSE: Final = Value(2, b"")


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
