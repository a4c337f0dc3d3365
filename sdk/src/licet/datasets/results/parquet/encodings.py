"""Parquet's encodings of many values: levels and codes in few bits, numbers as differences, texts end to end."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet.datasets.results.parquet.thrift import varint, zigzag

Numbers = npt.NDArray[Any]

_BLOCK: Final = 128  # values of a block of differences
_MINIBLOCK: Final = 32  # those that a width is stated for


def packed(values: Numbers, width: int) -> bytes:
    """Return values of ``width`` bits end to end, the least bit first, filled up to eight values with zeros."""
    if not width:
        return b""
    size = next(size for size in (1, 2, 4, 8) if 8 * size >= width)
    words = np.zeros(-(-len(values) // 8) * 8, f"<u{size}")
    words[: len(values)] = values
    if width == 8 * size:
        return words.tobytes()
    if width == 1:
        return np.packbits(words, bitorder="little").tobytes()
    if width < 8:  # eight values are as many bytes as one has bits: neighbours are moved together, three times
        eights = words.view("<u8")
        for count in (1, 2, 4):
            held = ((1 << count * width) - 1) * sum(1 << place for place in range(0, 64, 16 * count))
            left, right = np.uint64(held), np.uint64(held << count * width)
            eights = eights & left | eights >> np.uint64(count * (8 - width)) & right
        return eights.view(np.uint8).reshape(-1, 8)[:, :width].tobytes()
    bits = np.unpackbits(words.view(np.uint8).reshape(-1, size), axis=1, count=width, bitorder="little")
    return np.packbits(bits, bitorder="little").tobytes()


def repeated(value: int, count: int, width: int) -> bytes:
    """Return one value ``count`` times, of ``width`` bits each: a run of Parquet's hybrid encoding."""
    return varint(count << 1) + value.to_bytes(-(-width // 8), "little")


def hybrid(values: Numbers, width: int) -> bytes:
    """Return values of ``width`` bits as one run, of equal ones or of packed ones."""
    if len(values) and bool((values == values[0]).all()):
        return repeated(int(values[0]), len(values), width)
    return varint(-(-len(values) // 8) << 1 | 1) + packed(values, width)


def presence(column: pa.Array) -> bytes:
    """Return whether each value is there, as one run of bits, which Arrow has in the same order."""
    begun, rows = column.offset, len(column)
    if begun % 8:
        return hybrid(column.is_valid().to_numpy(zero_copy_only=False), 1)
    bits = bytearray(memoryview(column.buffers()[0])[begun // 8 :][: -(-rows // 8)])
    if rows % 8:
        bits[-1] &= (1 << rows % 8) - 1
    return varint(len(bits) << 1 | 1) + bits


def levels(run: bytes) -> bytes:
    """Return levels as a page holds them: their length, then the run."""
    return len(run).to_bytes(4, "little") + run


def deltas(values: Numbers) -> bytes:
    """Return numbers as the differences between neighbours (DELTA_BINARY_PACKED), all in one width."""
    head = varint(_BLOCK) + varint(_BLOCK // _MINIBLOCK) + varint(len(values))
    if not len(values):
        return head + zigzag(0)
    head += zigzag(int(values[0]))
    steps = np.diff(values.astype(np.int64, copy=False))
    if not len(steps):
        return head
    least = int(steps.min())
    rest = (steps - least).view(np.uint64)
    width = int(rest.max()).bit_length()
    blocks, ahead = -(-len(rest) // _BLOCK), zigzag(least)
    full = np.zeros(blocks * _BLOCK, np.uint64)
    full[: len(rest)] = rest
    out = np.empty((blocks, len(ahead) + _BLOCK // _MINIBLOCK + _BLOCK // 8 * width), np.uint8)
    out[:, : len(ahead)] = np.frombuffer(ahead, np.uint8)
    out[:, len(ahead) : len(ahead) + _BLOCK // _MINIBLOCK] = width
    out[:, len(ahead) + _BLOCK // _MINIBLOCK :] = np.frombuffer(packed(full, width), np.uint8).reshape(blocks, -1)
    # Of the last block, only what holds a value is there.
    there = -(-(len(rest) - (blocks - 1) * _BLOCK) // _MINIBLOCK)
    out[-1, len(ahead) + there : len(ahead) + _BLOCK // _MINIBLOCK] = 0
    missing = (_BLOCK // _MINIBLOCK - there) * (_MINIBLOCK // 8) * width
    return head + out.tobytes()[: out.size - missing]


def texts(column: pa.Array) -> list[bytes | memoryview]:
    """Return texts without nulls: how long each is, then their bytes end to end (DELTA_LENGTH_BYTE_ARRAY)."""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    return [deltas(np.diff(ends)), memoryview(data)[int(ends[0]) : int(ends[-1])] if data is not None else b""]


def plain_texts(column: pa.Array) -> bytes:
    """Return texts without nulls, each behind its length (PLAIN), as a dictionary's are."""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    size = int(ends[1] - ends[0])
    if size and bool((np.diff(ends) == size).all()):  # as ids are
        out = np.empty((len(column), 4 + size), np.uint8)
        out[:, :4] = np.frombuffer(size.to_bytes(4, "little"), np.uint8)
        out[:, 4:] = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]].reshape(-1, size)
        return out.tobytes()
    encoded = [value.encode() for value in column.to_pylist()]
    return b"".join([len(each).to_bytes(4, "little") + each for each in encoded])
