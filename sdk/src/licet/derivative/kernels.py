"""The loops of a search, compiled. Importing this imports numba and compiles, or takes from its cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from licet.compiled.compiling import compiled
from licet.compiled.counting import ones

_Starts = types.Array(types.int64, 2, "C")
_Asked = types.Array(types.uint64, 1, "C", readonly=True)
_Stored = types.Array(types.uint64, 1, "C", readonly=True)
_Found = types.int64[::1]
_Bits = types.uint8[::1]


@compiled(types.int64(_Starts, _Starts, _Asked, _Stored, types.int64, types.int64, _Found, _Found, _Bits))
def scan(
    start: Any, end: Any, asked: Any, stored: Any, radius: Any, most: Any, feature: Any, posting: Any, distance: Any
) -> Any:
    """Fill in every posting at most ``radius`` bits from the feature that looks there; return how many there are.

    More than fit into the last three arrays are counted, not written. A feature that finds more than ``most`` has none.
    """
    room = len(feature)
    count = 0
    for row in range(start.shape[0]):
        wanted = asked[row]
        before = count
        for word in range(start.shape[1]):
            if count - before > most:
                break
            for at in range(start[row, word], end[row, word]):
                bits = ones(stored[at] ^ wanted)
                if bits <= np.uint64(radius):
                    if count < room:
                        feature[count] = row
                        posting[count] = at
                        distance[count] = bits
                    count += 1
                    if count - before > most:
                        break
        if count - before > most:
            count = before
    return count


_Numbers = types.Array(types.int64, 1, "C", readonly=True)
_Distances = types.Array(types.uint8, 1, "C", readonly=True)
_Owners = types.Array(types.uint32, 1, "C", readonly=True)


@compiled(types.int64(_Numbers, _Numbers, _Distances, _Owners, _Found, _Found, _Found, _Found))
def once(feature: Any, posting: Any, bits: Any, owners: Any, seen: Any, kept: Any, work: Any, times: Any) -> Any:
    """Fill in, of each pair of feature (rising) and work, the find of fewest bits, the work, and how many finds it has.

    Of finds of equal bits the first posting counts.

    Return how many pairs there are, or −1 less the work of a posting that is none. ``seen`` is −1 for every work.
    """
    # Owners lie far apart: in a loop that does nothing else, many of them are on their way at a time.
    for at in range(len(feature)):
        work[at] = owners[posting[at]]
    count = 0
    begin = 0
    for at in range(len(feature)):
        if at and feature[at] != feature[at - 1]:
            begin = count
        owner = work[at]
        if owner >= len(seen):
            return -1 - owner
        row = seen[owner]
        if row >= begin:
            times[row] += 1
            best = kept[row]
            if bits[at] < bits[best] or (bits[at] == bits[best] and posting[at] < posting[best]):
                kept[row] = at
        else:
            seen[owner] = count
            kept[count] = at
            work[count] = owner
            times[count] = 1
            count += 1
    return count


_Places = types.Array(types.float64, 2, "C", readonly=True)
_Reals = types.Array(types.float64, 1, "C", readonly=True)
_Rows = types.Array(types.intp, 1, "C", readonly=True)


@compiled(types.void(_Places, _Places, _Reals, _Reals, _Rows, _Reals, _Reals, _Reals, _Found))
def meet(
    work: Any, asked: Any, turns: Any, sizes: Any, guesses: Any, cosines: Any, sines: Any, limits: Any, met: Any
) -> Any:
    """Fill in how many pairs meet under each guess: what `licet.derivative.geometry` says in arrays, to the bit."""
    for number in range(len(guesses)):
        at = guesses[number]
        cosine, sine = cosines[number], sines[number]
        count = 0
        for other in range(len(turns)):
            if not abs(sizes[other] - sizes[at]) < limits[2]:
                continue
            from_x, from_y = work[other, 0] - work[at, 0], work[other, 1] - work[at, 1]
            off_x = cosine * from_x - sine * from_y + asked[at, 0] - asked[other, 0]
            off_y = sine * from_x + cosine * from_y + asked[at, 1] - asked[other, 1]
            if not off_x * off_x + off_y * off_y < limits[0]:
                continue
            turn = (turns[other] - turns[at] + 128.0) % 256.0 - 128.0
            if abs(turn) < limits[1]:
                count += 1
        met[number] = count
