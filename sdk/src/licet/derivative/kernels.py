"""The loop over postings, compiled. Importing this imports numba and compiles, or takes from its cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from licet.compiled.compiling import compiled

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
                bits = stored[at] ^ wanted
                bits -= (bits >> np.uint64(1)) & np.uint64(0x5555555555555555)
                bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
                bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
                ones = (bits * np.uint64(0x0101010101010101)) >> np.uint64(56)
                if ones <= np.uint64(radius):
                    if count < room:
                        feature[count] = row
                        posting[count] = at
                        distance[count] = ones
                    count += 1
                    if count - before > most:
                        break
        if count - before > most:
            count = before
    return count
