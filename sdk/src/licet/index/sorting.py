"""The compiled loops that sort for `licet.index.exact`. Importing this imports numba and compiles, or uses a cache.

Keys are split by their leading bits into parts that fit near memory, and each part is sorted there.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types

from licet.compiled.compiling import compiled
from licet.compiled.copying import stream

#: The most parts, as a power of two: the line that waits for each of a part's columns stays near.
MOST_BITS: Final = 12

_WAITING: Final = 8  # keys of a part that wait: one line of halves
_ALONE: Final = 24  # keys that begin alike, above which they are left to whoever compares them whole
_ONE: Final = np.uint64(1)

_U8s = types.Array(types.uint64, 1, "C", readonly=True)
_U4s = types.Array(types.uint32, 1, "C", readonly=True)
_Halves, _Works, _Starts = types.uint64[::1], types.uint32[::1], types.int64[::1]


@compiled(types.void(_U8s, _U8s, _U4s, types.uint64, types.uint64, types.uint64, _Starts, _Halves, _Halves, _Works))
def split(
    hi: Any, lo: Any, work: Any, least: Any, up: Any, down: Any, starts: Any, to_hi: Any, to_lo: Any, to_work: Any
) -> None:
    """Write keys part by part, of each in their order; ``starts``, zeros at first, says where parts begin, and the end.

    A part is ``(hi - least) << up >> down``. The columns written to begin at multiples of 64 bytes. A key waits until
    there is a whole line of its part, which then goes to memory at once: thousands of lines half written would not
    stay near, and each would be read and written again and again.
    """
    parts = len(starts) - 1
    for at in range(len(hi)):
        starts[np.int64((hi[at] - least) << up >> down) + 1] += 1
    for part in range(parts):
        starts[part + 1] += starts[part]
    now = starts.copy()
    wait_hi, wait_lo = np.empty(parts * _WAITING, np.uint64), np.empty(parts * _WAITING, np.uint64)
    wait_work = np.empty(parts * _WAITING, np.uint32)
    for at in range(len(hi)):
        of = np.int64((hi[at] - least) << up >> down)
        to = now[of]
        now[of] = to + 1
        line, within = of * _WAITING, to & (_WAITING - 1)
        wait_hi[line + within], wait_lo[line + within], wait_work[line + within] = hi[at], lo[at], work[at]
        if within == _WAITING - 1:
            begin = to - within
            if begin >= starts[of]:
                stream(wait_hi.ctypes.data + 8 * line, to_hi.ctypes.data + 8 * begin)
                stream(wait_lo.ctypes.data + 8 * line, to_lo.ctypes.data + 8 * begin)
                for place in range(_WAITING):
                    to_work[begin + place] = wait_work[line + place]
            else:  # the line that the part before ends in
                for place in range(starts[of] - begin, _WAITING):
                    to_hi[begin + place], to_lo[begin + place] = wait_hi[line + place], wait_lo[line + place]
                    to_work[begin + place] = wait_work[line + place]
    for part in range(parts):
        for to in range(max(starts[part], now[part] & -_WAITING), now[part]):
            waiting = part * _WAITING + (to & (_WAITING - 1))
            to_hi[to], to_lo[to], to_work[to] = wait_hi[waiting], wait_lo[waiting], wait_work[waiting]


@compiled(types.int64(_Halves, _Halves, _Works, types.uint64, types.uint64, _Starts, types.boolean[::1]))
def sort_parts(hi: Any, lo: Any, work: Any, least: Any, up: Any, starts: Any, left: Any) -> int:
    """Sort each part by its first halves; mark in ``left`` what has to be compared whole, and return how much.

    ``(hi - least) << up`` is the key from where keys of a part may differ. Its leading bits, with the number within the
    part in the bits below, are one word each: words are counted into as many ranges as there are keys, and moved up
    where they are in one range. What is left to be done lies together, between what is below and what is above it.
    """
    most = 0
    for part in range(len(starts) - 1):
        most = max(most, starts[part + 1] - starts[part])
    finest = 1
    while 1 << finest < most and finest < 16:
        finest += 1
    ends: Any = np.empty((1 << finest) + 1, np.int32)
    words, sorted_words = np.empty(most, np.uint64), np.empty(most, np.uint64)
    own_hi, own_lo, own_work = np.empty(most, np.uint64), np.empty(most, np.uint64), np.empty(most, np.uint32)
    marked = 0
    for part in range(len(starts) - 1):
        begin, count = starts[part], starts[part + 1] - starts[part]
        ranges, bits = 1, np.uint64(1)
        while 1 << ranges < count and ranges < finest:
            ranges += 1
        while np.int64(_ONE << bits) < count:
            bits += _ONE
        down = np.uint64(64 - ranges)
        for at in range((1 << ranges) + 1):
            ends[at] = 0
        for at in range(count):
            word = (hi[begin + at] - least) << up >> bits << bits
            words[at] = word | np.uint64(at)
            own_hi[at], own_lo[at], own_work[at] = hi[begin + at], lo[begin + at], work[begin + at]
            ends[np.int64(word >> down) + 1] += 1
        largest = 0
        for at in range(1 << ranges):
            largest = max(largest, ends[at + 1])
            ends[at + 1] += ends[at]
        for at in range(count):
            within = np.int64(words[at] >> down)
            sorted_words[np.int64(ends[within])] = words[at]
            ends[within] += 1
        crowded = largest > _ALONE
        if crowded:
            first = 0
            for at in range(1 << ranges):
                if ends[at] - first > _ALONE:
                    for place in range(first, ends[at]):
                        left[begin + place] = True
                    marked += ends[at] - first
                first = ends[at]
        for at in range(1, count):
            if crowded and left[begin + at]:
                continue
            word, place = sorted_words[at], at
            while place > 0 and sorted_words[place - 1] > word:
                sorted_words[place] = sorted_words[place - 1]
                place -= 1
            sorted_words[place] = word
        number = (_ONE << bits) - _ONE
        for at in range(count):
            own = np.int64(sorted_words[at] & number)
            hi[begin + at], lo[begin + at], work[begin + at] = own_hi[own], own_lo[own], own_work[own]
        for at in range(1, count):
            if (sorted_words[at] ^ sorted_words[at - 1]) >> bits == 0:
                left[begin + at - 1] = left[begin + at] = True
                marked += 1
    return int(marked)


@compiled(types.boolean(_U8s, _U8s, _U4s, _Works))
def table(hi: Any, lo: Any, work: Any, bucket: Any) -> bool:
    """Have ``bucket``, 2^b + 1 zeros, say where each range of sorted ``hi`` begins; return whether rows repeat."""
    bits = 0
    while len(bucket) - 1 > 1 << bits:
        bits += 1
    down, repeats, total = np.uint64(63 - bits), False, np.uint32(0)
    for at in range(len(hi)):
        bucket[np.int64(hi[at] >> _ONE >> down) + 1] += np.uint32(1)
    for at in range(len(bucket)):
        total += bucket[at]
        bucket[at] = total
    for at in range(1, len(hi)):
        repeats |= (hi[at] == hi[at - 1]) & (lo[at] == lo[at - 1]) & (work[at] == work[at - 1])
    return repeats
