"""The compiled loops of `licet.index.coding`. Importing this imports numba and compiles, or takes from its cache."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit, types

from licet.compiled.compiling import compiled
from licet.compiled.fetching import fetch
from licet.index.records import FLAGS, MAX_LEVEL

#: What `find` ends with where it did not write everything down: no room, or a value that no writer makes.
NO_ROOM, MALFORMED = 1, 2
#: Places for different cases, a power of two; a quarter of them are used at most.
CASES: Final = 1 << 14

_TOGETHER: Final = 256  # rows
_PARTS: Final = 1 << 12
_CROWDED: Final = 8  # keys in a bucket, above which it is searched by halving
_NO_TERMS: Final = 2**32 - 1
_LEVELS: Final = MAX_LEVEL + 1
_FLAGS: Final = 1 << len(FLAGS)
_CHALLENGED: Final = 1 << FLAGS.index("challenged")
_BYTE: Final = np.uint64(0xFF)
_EIGHT: Final = np.uint64(8)
_SPREADING: Final = np.uint64(0x9E3779B97F4A7C15)
_DOWN: Final = np.uint64(64 - 14)


def _stored(kind: Any, dimensions: int = 1) -> Any:
    return types.Array(kind, dimensions, "C", readonly=True)


_U8s, _U4s = _stored(types.uint64), _stored(types.uint32)
_Rows, _Cases = types.int32[::1], types.int64[::1]


@njit(nogil=True, inline="always")
def _turned(word: Any) -> Any:
    """The word whose bytes are those of ``word`` from the other end."""
    turned = np.uint64(0)
    for _ in range(8):
        turned = turned << _EIGHT | word & _BYTE
        word >>= _EIGHT
    return turned


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


@njit(nogil=True, inline="always")
def _part(word: Any) -> Any:
    """The first twelve bits of a key, which begins with the lowest byte of ``word``."""
    return np.int64((word & _BYTE) << np.uint64(4) | (word >> np.uint64(12) & np.uint64(15)))


@njit(nogil=True)
def _holds(dead: Any, row: Any) -> Any:
    low, high = 0, len(dead)
    while low < high:
        middle = (low + high) >> 1
        if dead[middle] < row:
            low = middle + 1
        else:
            high = middle
    return low < len(dead) and dead[low] == row


@compiled(types.int64(_stored(types.uint64, 2), _stored(types.boolean), _Rows, types.uint64[::1]))
def ordered(asked: Any, mask: Any, order: Any, wanted: Any) -> int:
    """Return how many rows ``mask`` counts, once ``order`` has them roughly by key and ``wanted`` their first halves.

    ``asked`` are big-endian halves of keys. What lies together is asked for together then.
    """
    starts = np.zeros(_PARTS + 1, np.int64)
    for row in range(len(asked)):
        starts[_part(asked[row, 0]) + 1] += mask[row]
    for part in range(_PARTS):
        starts[part + 1] += starts[part]
    for row in range(len(asked)):
        if mask[row]:
            part = _part(asked[row, 0])
            order[starts[part]], wanted[starts[part]] = row, _turned(asked[row, 0])
            starts[part] += 1
    return int(starts[_PARTS])


@compiled(
    types.int64(
        _stored(types.uint64, 2), _Rows, types.uint64[::1], types.int64, _U8s, _U8s, _U4s, _U4s, _stored(types.int64),
        _U4s, _stored(types.uint8), _stored(types.uint16), types.int64, types.int64, types.int64, _Rows, _Rows, _Cases,
        _Cases, _Cases,
    )
)  # fmt: skip
def find(
    asked: Any,
    order: Any,
    wanted: Any,
    count: Any,
    hi: Any,
    lo: Any,
    work: Any,
    bucket: Any,
    dead: Any,
    terms: Any,
    level: Any,
    flags: Any,
    last_terms: Any,
    first_terms: Any,
    key: Any,
    row_of: Any,
    case_of: Any,
    table: Any,
    cases: Any,
    counts: Any,
) -> int:
    """Write down which rows are found, and the case of each: all that its decision depends on (`answers.packed_cases`).

    ``count`` rows of ``asked`` as `ordered` left them; then a segment's key table and what it says of works. ``counts``
    are how many finds and how many different cases there are so far. Returns 0, or why not.

    Some rows at a time, one column after the other: what is waited for is memory, so every step asks for what the next
    one reads, of those rows alone that are still in question. Nothing is read beyond a column, whatever a bucket says:
    the file was held to its bounds when it was opened, and nothing keeps a mapped one from being changed.
    """
    bits = 0
    while len(bucket) - 1 > 1 << bits:
        bits += 1
    shift, size = np.uint64(64 - bits), len(hi)
    low, high = np.empty(_TOGETHER, np.int64), np.empty(_TOGETHER, np.int64)
    asking, row = np.empty(_TOGETHER, np.uint64), np.empty(_TOGETHER, np.int64)
    place, own = np.empty(_TOGETHER, np.int64), np.empty(_TOGETHER, np.int64)
    stated, packed = np.empty(_TOGETHER, np.int64), np.empty(_TOGETHER, np.int64)
    for at in range(min(_TOGETHER, count)):
        fetch(bucket.ctypes.data + 4 * np.int64(wanted[at] >> shift if bits else 0))
    for first in range(0, count, _TOGETHER):
        after = min(first + _TOGETHER, count)
        some = 0  # rows whose bucket is not empty: written down always, and kept by counting
        for at in range(first, after):
            begin = np.int64(wanted[at] >> shift) if bits else 0
            low[some], high[some] = bucket[begin], min(bucket[begin + 1], size)
            asking[some], row[some] = wanted[at], order[at]
            some += low[some] < high[some]
        for at in range(some):
            fetch(hi.ctypes.data + 8 * low[at])
        for at in range(after, min(after + _TOGETHER, count)):
            fetch(bucket.ctypes.data + 4 * np.int64(wanted[at] >> shift if bits else 0))
        likely = 0  # those whose bucket may hold the first half
        for at in range(some):
            there, only = hi[low[at]], high[at] - low[at] == 1
            asking[likely], row[likely], low[likely], high[likely] = asking[at], row[at], low[at], high[at]
            likely += (there == asking[at]) | ((there < asking[at]) & (not only))
        done = 0
        while done < likely:
            # Keys whose first halves are alike, as far as there is room; mostly all of these rows at once.
            held = 0
            while done < likely:
                begin, end = low[done], high[done]
                if end - begin > _CROWDED:
                    begin = _first(hi, lo, begin, end, asking[done], _turned(asked[row[done], 1]))
                while begin < end and hi[begin] < asking[done]:
                    begin += 1
                while begin < end and held < _TOGETHER and hi[begin] == asking[done]:
                    fetch(lo.ctypes.data + 8 * begin)
                    fetch(work.ctypes.data + 4 * begin)
                    place[held], stated[held] = begin, row[done]
                    held, begin = held + 1, begin + 1
                if begin < end and held == _TOGETHER and hi[begin] == asking[done]:
                    low[done] = begin  # the rest of them comes in another turn
                    break
                done += 1
            kept = 0
            for at in range(held):
                if lo[place[at]] == _turned(asked[stated[at], 1]):
                    mine = np.int64(work[place[at]])
                    if mine >= len(level):
                        return MALFORMED
                    if len(dead) == 0 or not _holds(dead, mine):
                        fetch(terms.ctypes.data + 4 * mine)
                        fetch(level.ctypes.data + mine)
                        fetch(flags.ctypes.data + 2 * mine)
                        own[kept], place[kept] = mine, stated[at]
                        kept += 1
            for at in range(kept):
                stated[at] = terms[own[at]]
                packed[at] = np.int64(level[own[at]]) << 16 | np.int64(flags[own[at]])
            for at in range(kept):
                of_level, of_flags = packed[at] >> 16, packed[at] & 0xFFFF
                if (stated[at] >= last_terms and stated[at] != _NO_TERMS) or of_level >= _LEVELS or of_flags >= _FLAGS:
                    return MALFORMED
                if of_flags & _CHALLENGED:
                    continue
                number = 0 if stated[at] == _NO_TERMS else stated[at] + first_terms + 1
                case = (number << 19 | packed[at]) << 8 | key
                slot = np.int64(np.uint64(case) * _SPREADING >> _DOWN)
                while table[slot] >= 0 and cases[table[slot]] != case:
                    slot = (slot + 1) & (CASES - 1)
                if table[slot] < 0:
                    if counts[1] == len(cases):
                        return NO_ROOM
                    cases[counts[1]] = case
                    table[slot] = counts[1]
                    counts[1] += 1
                if counts[0] == len(row_of):
                    return NO_ROOM
                row_of[counts[0]], case_of[counts[0]] = place[at], table[slot]
                counts[0] += 1
    return 0


@compiled(types.void(_Rows, _Rows, types.int64, types.uint8[::1], types.uint8[::1]))
def settle(row_of: Any, case_of: Any, count: Any, decided: Any, codes: Any) -> None:
    """Give each row that was found the highest code that was decided for a case of it."""
    for at in range(count):
        codes[row_of[at]] = 0
    for at in range(count):
        code = decided[case_of[at]]
        row = row_of[at]
        if code > codes[row]:
            codes[row] = code
