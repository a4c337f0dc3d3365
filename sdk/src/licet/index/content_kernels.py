"""The compiled loops of `licet.index.content`. Importing this imports numba and compiles, or takes from its cache."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types

from licet.compiled.compiling import compiled
from licet.compiled.counting import ones

_CHUNK: Final = np.uint64(0xFFFF)
_U8s = types.uint64[::1]
_U4s = types.uint32[::1]
_I8s = types.int64[::1]
_Asked = types.Array(types.uint64, 1, "C", readonly=True)


@compiled(types.void(_U8s, types.uint64, _I8s, _U8s, _U4s))
def order(words: Any, shift: Any, start: Any, ordered: Any, row: Any) -> None:
    """Sort ``words`` by the 16 bits from ``shift`` on; those of chunk v are at ``start[v]`` to ``start[v + 1]``."""
    start[:] = 0
    for at in range(words.shape[0]):
        start[((words[at] >> shift) & _CHUNK) + 1] += 1
    for value in range(65536):
        start[value + 1] += start[value]
    free = start[:65536].copy()
    for at in range(words.shape[0]):
        word = words[at]
        place = free[(word >> shift) & _CHUNK]
        free[(word >> shift) & _CHUNK] = place + 1
        ordered[place] = word
        row[place] = at


@compiled(types.int64(_Asked, _U8s, _U4s, _I8s, types.int64, types.uint64, _U8s, _U8s, _U4s, _U4s))
def meet(
    asked: Any,
    ordered: Any,
    row: Any,
    start: Any,
    number: Any,
    radius: Any,
    flips: Any,
    limits: Any,
    query: Any,
    place: Any,
) -> Any:
    """Return how many pairs at most ``radius`` apart meet at chunk ``number`` and at none before it, and fill as many
    into ``query`` and ``place`` as there is room for. Two meet at a chunk if that differs in at most its of ``limits``
    bits; ``flips`` are all such differences of this one."""
    count = 0
    room = query.shape[0]
    shift = np.uint64(16 * number)
    for at in range(asked.shape[0]):
        word = asked[at]
        value = (word >> shift) & _CHUNK
        for each in range(flips.shape[0]):
            bucket = value ^ flips[each]
            for here in range(start[bucket], start[bucket + np.uint64(1)]):
                differing = word ^ ordered[here]
                if ones(differing) > radius:
                    continue
                first = True
                for before in range(number):
                    if ones((differing >> np.uint64(16 * before)) & _CHUNK) <= limits[before]:
                        first = False
                        break
                if first:
                    if count < room:
                        query[count] = at
                        place[count] = row[here]
                    count += 1
    return count
