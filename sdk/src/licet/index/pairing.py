"""The compiled loop of `licet.index.exact`. Importing this imports numba and compiles, or takes from its cache."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit, types

from licet.compiled.compiling import compiled
from licet.compiled.fetching import fetch

NO_ROOM: Final = -1
#: Keys that a table must have: so many are looked at side by side.
LEAST: Final = 4

_BATCH: Final = 1 << 16  # queries at once: what they take, 1.2 MB, stays near, and a row is 16 bits
_TOGETHER: Final = 64  # queries whose memory is asked for before any of it is read
_PARTS: Final = 1 << 8
_DOWN: Final = np.uint64(64 - 8)
_ONE: Final = np.uint64(1)
_NOWHERE: Final = -1

_WORD: Final = np.uint64(6)
_BIT: Final = np.uint64(63)

_U8s = types.Array(types.uint64, 1, "C", readonly=True)
_U4s = types.Array(types.uint32, 1, "C", readonly=True)
_Out = types.int64[::1]


@njit(nogil=True)
def _likely(wanted: Any, begin: Any, count: Any, bitmap: Any, keys: Any, rows: Any) -> Any:
    """Write down those of some queries whose leading bits some key has, and return how many they are."""
    bits = 6
    while len(bitmap) > 1 << (bits - 6):
        bits += 1
    down, kept = np.uint64(63 - bits), np.int64(0)
    for at in range(count):
        key = wanted[begin + at]
        number = key >> _ONE >> down
        keys[kept], rows[kept] = key, at
        kept += np.int64(bitmap[np.int64(number >> _WORD)] >> (number & _BIT) & _ONE)
    return kept


@njit(nogil=True)
def _ordered(keys: Any, rows: Any, count: Any, starts: Any, asking: Any, row: Any) -> None:
    """Order queries roughly by key, with their rows: what lies together is asked for together."""
    starts[:] = 0
    for at in range(count):
        starts[np.int64(keys[at] >> _DOWN) + 1] += 1
    for part in range(_PARTS):
        starts[part + 1] += starts[part]
    for at in range(count):
        of = np.int64(keys[at] >> _DOWN)
        to = np.int64(starts[of])
        asking[to], row[to] = keys[at], rows[at]
        starts[of] = to + 1


@compiled(types.void(_U8s, types.uint64[::1]))
def sow(hi: Any, bitmap: Any) -> None:
    """Set the bit of each key in ``bitmap``, a power of two of words, by as many leading bits as it has."""
    bits = 6
    while len(bitmap) > 1 << (bits - 6):
        bits += 1
    down = np.uint64(63 - bits)
    for at in range(len(hi)):
        number = hi[at] >> _ONE >> down
        bitmap[np.int64(number >> _WORD)] |= _ONE << (number & _BIT)


# It stands in `finding`, too: numba keeps a compiled loop by the state of its own file, so what it calls is in there.
@njit(nogil=True)
def _first(hi: Any, lo: Any, low: Any, high: Any, wanted_hi: Any, wanted_lo: Any) -> Any:
    """The first place from ``low`` to ``high`` whose key is not below the wanted one."""
    while low < high:
        middle = (low + high) >> 1
        there = hi[middle]
        if there < wanted_hi or (there == wanted_hi and lo[middle] < wanted_lo):
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True)
def _place(
    second: Any, begin: Any, count: Any, hi: Any, lo: Any, bucket: Any, asking: Any, row: Any, slot: Any, space: Any
) -> Any:
    """Put into ``slot`` the first place of each query's key, if there is one; return how many have another place.

    Some queries at a time, one column after the other: what is waited for is memory, so every step asks for what the
    next one reads. Steps keep what is still in question by counting, as the processor guesses branches wrongly.
    """
    bits = 0
    while len(bucket) - 1 > 1 << bits:
        bits += 1
    down = np.uint64(63 - bits)
    last: Any = len(hi) - LEAST
    size, twice = len(hi), np.int64(0)
    here, sought, who = space
    for at in range(min(_TOGETHER, count)):
        fetch(bucket.ctypes.data + 4 * np.int64(asking[at] >> _ONE >> down))
    for first in range(0, count, _TOGETHER):
        after = min(first + _TOGETHER, count)
        some = 0  # those whose bucket is not empty
        for at in range(first, after):
            number = np.int64(asking[at] >> _ONE >> down)
            here[some], sought[some], who[some] = bucket[number], asking[at], row[at]
            some += bucket[number] < bucket[number + 1]
        for at in range(some):
            fetch(hi.ctypes.data + 8 * np.int64(here[at]))
        for at in range(after, min(after + _TOGETHER, count)):
            fetch(bucket.ctypes.data + 4 * np.int64(asking[at] >> _ONE >> down))
        likely = 0  # those whose first half is there
        for at in range(some):
            # The table was held to its bounds when it was opened, but nothing keeps a mapped file from being changed.
            low, key, below = min(np.int64(here[at]), last), sought[at], 0
            for step in range(LEAST):
                below += hi[low + step] < key
            low += below
            if below == LEAST:
                high = min(np.int64(bucket[np.int64(key >> _ONE >> down) + 1]), size)
                low = min(_first(hi, lo, low, high, key, np.uint64(0)), size - 1)
            fetch(lo.ctypes.data + 8 * low)
            here[likely], sought[likely], who[likely] = low, key, who[at]
            likely += hi[low] == key
        for at in range(likely):
            low, key, other = np.int64(here[at]), sought[at], second[begin + np.int64(who[at])]
            if lo[low] != other:
                high = min(np.int64(bucket[np.int64(key >> _ONE >> down) + 1]), size)
                low = _first(hi, lo, low, high, key, other)
                if low >= high or hi[low] != key or lo[low] != other:
                    continue
            twice += low + 1 < size and hi[low + 1] == key and lo[low + 1] == other
            slot[np.int64(who[at])] = low
    return twice


@compiled(types.int64(_U8s, _U8s, _U8s, _U8s, _U4s, _U8s, _Out, _Out))
def pairs(wanted: Any, second: Any, hi: Any, lo: Any, bucket: Any, bitmap: Any, query: Any, place: Any) -> int:
    """Write down each pair of a query, whose halves are in ``wanted`` and ``second``, and a place with an equal key.

    Queries rise, and the places of each. Returns how many pairs there are, or `NO_ROOM`. There are at least `LEAST`
    keys. A key that is there once needs no sorting of what was found: its place waits in the slot of its query. Where
    `sow` made a ``bitmap`` (else there are no words), queries without a bit in it are not looked for.
    """
    room = min(len(wanted), _BATCH)
    starts, slot = np.empty(_PARTS + 1, np.int32), np.empty(room, np.int64)
    keys, rows = np.empty(room, np.uint64), np.empty(room, np.uint16)
    for at in range(room):
        rows[at] = at
    asking, row = np.empty(room, np.uint64), np.empty(room, np.uint16)
    space = np.empty(_TOGETHER, np.uint32), np.empty(_TOGETHER, np.uint64), np.empty(_TOGETHER, np.uint16)
    found, size = 0, len(hi)
    for begin in range(0, len(wanted), _BATCH):
        count = min(_BATCH, len(wanted) - begin)
        if len(bitmap):
            some = _likely(wanted, begin, count, bitmap, keys, rows)
            _ordered(keys, rows, some, starts, asking, row)
        else:
            some = count
            _ordered(wanted[begin : begin + count], rows, count, starts, asking, row)
        slot[:] = _NOWHERE
        twice = _place(second, begin, some, hi, lo, bucket, asking, row, slot, space)
        if twice == 0 and found + count <= len(query):
            for at in range(count):
                query[found], place[found] = begin + at, slot[at]
                found += slot[at] != _NOWHERE
            continue
        for at in range(count):
            to = slot[at]
            while to != _NOWHERE and to < size and hi[to] == wanted[begin + at] and lo[to] == second[begin + at]:
                if found == len(query):
                    return NO_ROOM
                query[found], place[found] = begin + at, to
                found, to = found + 1, to + 1
    return found
