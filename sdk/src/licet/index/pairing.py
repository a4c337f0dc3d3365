"""The compiled loop of `licet.index.exact`. Importing this imports numba and compiles, or takes from its cache."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit, types

from licet.compiled.compiling import compiled
from licet.compiled.fetching import fetch

NO_ROOM: Final = -1

_TOGETHER: Final = 256  # queries
_PARTS: Final = 1 << 12
_DOWN: Final = np.uint64(64 - 12)
_CROWDED: Final = 8  # keys in a bucket, above which it is searched by halving

_U8s = types.Array(types.uint64, 1, "C", readonly=True)
_U4s = types.Array(types.uint32, 1, "C", readonly=True)
_Out = types.int64[::1]


@njit(nogil=True)
def _ordered(wanted: Any, order: Any, sorted_by: Any) -> None:
    """Order queries and their first halves roughly by key: what lies together is asked for together."""
    starts = np.zeros(_PARTS + 1, np.int64)
    for row in range(len(wanted)):
        starts[np.int64(wanted[row] >> _DOWN) + 1] += 1
    for part in range(_PARTS):
        starts[part + 1] += starts[part]
    for row in range(len(wanted)):
        at = np.int64(wanted[row] >> _DOWN)
        order[starts[at]], sorted_by[starts[at]] = row, wanted[row]
        starts[at] += 1


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


@compiled(types.int64(_U8s, _U8s, _U8s, _U8s, _U4s, _Out, _Out))
def pairs(wanted: Any, second: Any, hi: Any, lo: Any, bucket: Any, query: Any, place: Any) -> int:
    """Write down each pair of a query, whose halves are in ``wanted`` and ``second``, and a place with an equal key.

    Queries rise, and the places of each. Returns how many pairs there are, or `NO_ROOM`. Some queries at a time, one
    column after the other: what is waited for is memory, so every step asks for what the next one reads.
    """
    bits = 0
    while len(bucket) - 1 > 1 << bits:
        bits += 1
    shift, size = np.uint64(64 - bits), len(hi)
    low, high = np.empty(_TOGETHER, np.int64), np.empty(_TOGETHER, np.int64)
    asking, row = np.empty(_TOGETHER, np.uint64), np.empty(_TOGETHER, np.int64)
    order, sorted_by = np.empty(len(wanted), np.int32), np.empty(len(wanted), np.uint64)
    _ordered(wanted, order, sorted_by)
    of_query, at_place = np.empty(len(query), np.int64), np.empty(len(query), np.int64)
    found, count = 0, len(wanted)
    for at in range(min(_TOGETHER, count)):
        fetch(bucket.ctypes.data + 4 * np.int64(sorted_by[at] >> shift if bits else 0))
    for first in range(0, count, _TOGETHER):
        after = min(first + _TOGETHER, count)
        some = 0  # queries whose bucket is not empty: written down always, and kept by counting
        for at in range(first, after):
            begin = np.int64(sorted_by[at] >> shift) if bits else 0
            # The table was held to this when the file was opened, but nothing keeps a mapped file from being changed.
            low[some], high[some] = bucket[begin], min(bucket[begin + 1], size)
            asking[some], row[some] = sorted_by[at], order[at]
            some += low[some] < high[some]
        for at in range(some):
            fetch(hi.ctypes.data + 8 * low[at])
        for at in range(after, min(after + _TOGETHER, count)):
            fetch(bucket.ctypes.data + 4 * np.int64(sorted_by[at] >> shift if bits else 0))
        likely = 0  # those whose bucket may hold the first half
        for at in range(some):
            there, only = hi[low[at]], high[at] - low[at] == 1
            asking[likely], row[likely], low[likely], high[likely] = asking[at], row[at], low[at], high[at]
            fetch(lo.ctypes.data + 8 * low[at])
            likely += (there == asking[at]) | ((there < asking[at]) & (not only))
        for at in range(likely):
            begin, end, other = low[at], high[at], second[row[at]]
            if end - begin > _CROWDED:
                begin = _first(hi, lo, begin, end, asking[at], other)
            while begin < end and (hi[begin] < asking[at] or (hi[begin] == asking[at] and lo[begin] <= other)):
                if hi[begin] == asking[at] and lo[begin] == other:
                    if found == len(query):
                        return NO_ROOM
                    of_query[found], at_place[found] = row[at], begin
                    found += 1
                begin += 1
    starts = np.zeros(count + 1, np.int64)
    for at in range(found):
        starts[of_query[at] + 1] += 1
    for at in range(count):
        starts[at + 1] += starts[at]
    for at in range(found):
        to = starts[of_query[at]]
        query[to], place[to] = of_query[at], at_place[at]
        starts[of_query[at]] = to + 1
    return found
