"""The compiled loop of `licet.index.exact`. Importing this imports numba and compiles, or takes from its cache."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit, types

from licet.compiled.compiling import compiled

NO_ROOM: Final = -1

_TOGETHER: Final = 1024  # queries
_PARTS: Final = 1 << 12
_DOWN: Final = np.uint64(64 - 12)
_CROWDED: Final = 8  # keys in a bucket, above which it is searched by halving

_U8s = types.Array(types.uint64, 1, "C", readonly=True)
_U4s = types.Array(types.uint32, 1, "C", readonly=True)
_Out = types.int64[::1]


@njit(nogil=True)
def _ordered(wanted: Any, order: Any) -> None:
    """Order queries roughly by key: what lies together is asked for together."""
    starts = np.zeros(_PARTS + 1, np.int64)
    for row in range(len(wanted)):
        starts[np.int64(wanted[row] >> _DOWN) + 1] += 1
    for part in range(_PARTS):
        starts[part + 1] += starts[part]
    for row in range(len(wanted)):
        at = np.int64(wanted[row] >> _DOWN)
        order[starts[at]] = row
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

    Places of one query rise; queries come roughly by key. Returns how many pairs there are, or `NO_ROOM`. Some queries
    at a time, one column after the other: what is waited for is memory, and the next place is asked for meanwhile.
    """
    bits = 0
    while len(bucket) - 1 > 1 << bits:
        bits += 1
    shift, last = np.uint64(64 - bits), len(hi) - 1
    low, high = np.empty(_TOGETHER, np.int64), np.empty(_TOGETHER, np.int64)
    begins = np.empty(_TOGETHER, np.uint64)
    order = np.empty(len(wanted), np.int32)
    _ordered(wanted, order)
    found = 0
    for first in range(0, len(wanted), _TOGETHER):
        rows = min(_TOGETHER, len(wanted) - first)
        for at in range(rows):
            begin = np.int64(wanted[order[first + at]] >> shift) if bits else 0
            # The table was held to this when the file was opened, but nothing keeps a mapped file from being changed.
            low[at], high[at] = min(bucket[begin], len(hi)), min(bucket[begin + 1], len(hi))
        for at in range(rows):
            begins[at] = hi[min(low[at], last)]
        for at in range(rows):
            row, begin, end = order[first + at], low[at], high[at]
            if begin == end or (end - begin == 1 and begins[at] != wanted[row]):
                continue
            if end - begin > _CROWDED:
                begin = _first(hi, lo, begin, end, wanted[row], second[row])
            while begin < end and (hi[begin] < wanted[row] or (hi[begin] == wanted[row] and lo[begin] <= second[row])):
                if hi[begin] == wanted[row] and lo[begin] == second[row]:
                    if found == len(query):
                        return NO_ROOM
                    query[found], place[found] = row, begin
                    found += 1
                begin += 1
    return found
