"""The compiled loops of `licet.index.joining`. Importing this imports numba and compiles, or takes from its cache.

Each loop has one signature, so what numba keeps on disk beside this file (or in the user's cache folder, where this
one is read-only) is the same whichever process wrote it last.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit, types

from licet.compiled.compiling import compiled
from licet.compiled.counting import ones

#: Two chunks that meet differ in at most one bit of 16; they and the three chunks after them in at most seven of 64.
CHUNK_LIMIT: Final = 1
WINDOW_LIMIT: Final = 7

_CHUNK: Final = np.uint64(0xFFFF)
_LOW: Final = np.uint64(0xFF)
_EIGHT: Final = np.uint64(8)
_WORD: Final = np.uint64(64)
_NONE: Final = np.uint64(0)

_Bytes = types.Array(types.uint8, 2, "C", readonly=True)
_Tables = types.Array(types.uint64, 3, "C")
_Words = types.uint64[:, ::1]
_U8s = types.uint64[::1]
_U4s = types.uint32[::1]
_I8s = types.int64[::1]
_I2s = types.int16[::1]
_Flags = types.boolean[::1]


@compiled(types.void(_Bytes, _Tables, _Words))
def permute(hashes: Any, tables: Any, words: Any) -> None:
    """Fill the four rows of ``words`` with the hashes, their bits moved as ``tables`` say (byte × value × word)."""
    for row in range(hashes.shape[0]):
        first = second = third = fourth = _NONE
        for byte in range(32):
            value = hashes[row, byte]
            first |= tables[byte, value, 0]
            second |= tables[byte, value, 1]
            third |= tables[byte, value, 2]
            fourth |= tables[byte, value, 3]
        words[0, row] = first
        words[1, row] = second
        words[2, row] = third
        words[3, row] = fourth


@njit(nogil=True, inline="always")
def _window(low: Any, high: Any, shift: Any) -> Any:
    """The 64 bits that begin at bit ``shift`` of ``low`` and go on in ``high``."""
    return low if shift == _NONE else (low >> shift) | (high << (_WORD - shift))


@compiled(types.void(_U8s, _U8s, types.uint64, _I8s, _U8s, _U4s))
def order_queries(low: Any, high: Any, shift: Any, start: Any, key: Any, row: Any) -> None:
    """Sort the windows of queries by their first chunk; those of chunk v are at ``start[v]`` to ``start[v + 1]``."""
    start[:] = 0
    for at in range(low.shape[0]):
        start[((low[at] >> shift) & _CHUNK) + 1] += 1
    for value in range(65536):
        start[value + 1] += start[value]
    free = start[:65536].copy()
    for at in range(low.shape[0]):
        window = _window(low[at], high[at], shift)
        place = free[window & _CHUNK]
        free[window & _CHUNK] = place + 1
        key[place] = window
        row[place] = at


@compiled(types.void(_U8s, _U8s, types.uint64, _Flags, _I8s, _U8s, _U4s))
def split_stored(low: Any, high: Any, shift: Any, asked: Any, start: Any, key: Any, row: Any) -> None:
    """Sort the windows whose first chunk is ``asked`` for by that chunk's high byte: 256 parts, as streams."""
    start[:] = 0
    for at in range(low.shape[0]):
        chunk = (low[at] >> shift) & _CHUNK
        start[(chunk >> _EIGHT) + 1] += asked[chunk]
    for value in range(256):
        start[value + 1] += start[value]
    free = start[:256].copy()
    for at in range(low.shape[0]):
        window = _window(low[at], high[at], shift)
        chunk = window & _CHUNK
        if asked[chunk]:
            place = free[chunk >> _EIGHT]
            free[chunk >> _EIGHT] = place + 1
            key[place] = window
            row[place] = at


@njit(nogil=True)
def _order_part(key: Any, row: Any, start: Any, ordered_key: Any, ordered_row: Any) -> None:
    """Sort one part by the low byte of the chunk; it fits into the cache."""
    start[:] = 0
    for at in range(len(key)):
        start[(key[at] & _LOW) + 1] += 1
    for value in range(256):
        start[value + 1] += start[value]
    free = start[:256].copy()
    for at in range(len(key)):
        place = free[key[at] & _LOW]
        free[key[at] & _LOW] = place + 1
        ordered_key[place] = key[at]
        ordered_row[place] = row[at]


@njit(nogil=True)
def _any_close(keys: Any, window: Any) -> Any:
    """Whether one of ``keys`` is within the limit: no branch inside, so it is done several at a time."""
    close = 0
    for at in range(len(keys)):
        close += ones(keys[at] ^ window) <= WINDOW_LIMIT
    return close != 0


@njit(nogil=True)
def _met_before(first: Any, second: Any, third: Any, fourth: Any, chunk: Any) -> Any:
    """Whether hashes with these differing bits meet at a chunk before ``chunk``, where they were reported."""
    for earlier in range(chunk):
        word, shift = earlier >> 2, np.uint64(16 * (earlier & 3))
        low = first if word == 0 else second if word == 1 else third if word == 2 else fourth
        high = second if word == 0 else third if word == 1 else fourth if word == 2 else first
        window = _window(low, high, shift)
        if ones(window) <= WINDOW_LIMIT and ones(window & _CHUNK) <= CHUNK_LIMIT:
            return True
    return False


@compiled(
    types.int64(
        _Words, _Words, types.int64, types.int64, _I8s, _U8s, _U4s, _I8s, _U8s, _U4s, _U8s, _U4s, _U4s, _U4s, _I2s
    )
)
def sweep(
    stored: Any,
    queries: Any,
    chunk: Any,
    radius: Any,
    part_start: Any,
    part_key: Any,
    part_row: Any,
    query_start: Any,
    query_key: Any,
    query_row: Any,
    key: Any,
    row: Any,
    found_query: Any,
    found_stored: Any,
    found_distance: Any,
) -> int:
    """Return how many pairs first meet at ``chunk``; write down as many as there is room for.

    Part by part, bucket by bucket: the stored windows of a bucket lie in the first cache while the queries of its
    chunk and of the 16 chunks one bit away pass by.
    """
    found = 0
    start = np.empty(257, np.int64)
    for part in range(256):
        begin, end = part_start[part], part_start[part + 1]
        if begin == end:
            continue
        _order_part(part_key[begin:end], part_row[begin:end], start, key, row)
        for low in range(256):
            keys, rows = key[start[low] : start[low + 1]], row[start[low] : start[low + 1]]
            if len(keys) == 0:
                continue
            bucket = part << 8 | low
            for flip in range(17):
                value = bucket if flip == 0 else bucket ^ (1 << (flip - 1))
                for asked in range(query_start[value], query_start[value + 1]):
                    window = query_key[asked]
                    if not _any_close(keys, window):
                        continue
                    query = query_row[asked]
                    for at in range(len(keys)):
                        if ones(keys[at] ^ window) > WINDOW_LIMIT:
                            continue
                        there = rows[at]
                        first = stored[0, there] ^ queries[0, query]
                        second = stored[1, there] ^ queries[1, query]
                        third = stored[2, there] ^ queries[2, query]
                        fourth = stored[3, there] ^ queries[3, query]
                        distance = ones(first) + ones(second) + ones(third) + ones(fourth)
                        if distance > radius or _met_before(first, second, third, fourth, chunk):
                            continue
                        if found < len(found_query):
                            found_query[found] = query
                            found_stored[found] = there
                            found_distance[found] = distance
                        found += 1
    return found
