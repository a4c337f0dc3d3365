"""SHA-256 of many short texts: put together and padded in a table, then folded so many at a time.

Texts of as many blocks as each other are folded together: sixteen in lanes where the processor has them, else two.
"""

from __future__ import annotations

from typing import Any, Final

from numba import njit, types

from licet.compiled.compiling import compiled
from licet.compiled.copying import copy, zero
from licet.compiled.lanes import HAS_LANES, LANES, fold_lanes
from licet.compiled.sha256 import START, fold, fold_both

#: How many texts are put together before they are folded: what was written a moment ago is not yet where the
#: instructions read, and among many there are enough of one length.
TOGETHER: Final = 64
#: The bytes that `padded` and `licet.compiled.copying.spill` need behind a text.
PADDING: Final = 80

_BEHIND: Final = 72  # of which what SHA-256 puts there is at most so much

_WORTH_LANES: Final = 6  # texts from which on sixteen lanes are faster than pairs


@njit(nogil=True, forceinline=True)
def padded(texts: Any, row: Any, size: Any, before: Any) -> Any:
    """Pad ``size`` bytes of one of ``texts``, after ``before`` that are folded; return how many blocks they are."""
    blocks = (size + _BEHIND) >> 6
    texts[row, size] = 0x80
    zero(texts, row, size + 1, _BEHIND)  # always as many: that takes no call
    bits = (before + size) << 3  # below 2^32: a text here is not half a gigabyte
    for byte in range(4):
        texts[row, 64 * blocks - 1 - byte] = (bits >> (8 * byte)) & 0xFF
    return blocks


def _folded_lanes(
    states: Any, start: Any, begun: Any, texts: Any, blocks: Any, order: Any, first: Any, last: Any
) -> None:
    state, text, at = states.ctypes.data, texts.ctypes.data, order.ctypes.data
    for block in range(first, last, LANES):
        fold_lanes(start.ctypes.data, begun, text, texts.shape[1], state, blocks.ctypes.data, at, block, last)


def _folded_pairs(
    states: Any, start: Any, begun: Any, texts: Any, blocks: Any, order: Any, first: Any, last: Any
) -> None:
    if not begun:
        for place in range(first, last):
            for word in range(8):  # a view of a row would be counted
                states[order[place], word] = start[word]
    for place in range(first, last - 1, 2):
        one, other = order[place], order[place + 1]
        both = min(blocks[one], blocks[other])
        fold_both(states, texts, one, other, both)
        for row in (one, other):
            if blocks[row] > both:
                fold(states[row], texts[row], 64 * both, blocks[row] - both)
    if (last - first) & 1:
        row = order[last - 1]
        fold(states[row], texts[row], 0, blocks[row])
    for place in range(first, last):
        for word in range(8):
            value = states[order[place], word]
            turned = (value >> 24) | ((value >> 8) & 0xFF00) | ((value << 8) & 0xFF0000) | (value << 24)
            states[order[place], word] = turned & 0xFFFFFFFF


_Places = types.intp[::1]
_Words = types.Array(types.uint32, 1, "C", readonly=True)
_typed = compiled(
    types.void(
        types.uint32[:, ::1], _Words, types.boolean, types.uint8[:, ::1], _Places, _Places, types.intp, types.intp
    )
)
_fold_pairs: Any = _typed(_folded_pairs)
_fold_many: Any = _typed(_folded_lanes if HAS_LANES else _folded_pairs)


@njit(nogil=True)
def fold_padded(states: Any, start: Any, texts: Any, blocks: Any, order: Any, count: Any) -> None:
    """Have ``states`` be what becomes of ``start`` by the first ``count`` padded ``texts``, of so many ``blocks``.

    They are the bytes of digests. ``order`` is for this to work with: making an array here would take longer than some
    texts do.
    """
    _fold_sorted(states, start, False, texts, blocks, order, count)


@njit(nogil=True)
def fold_further(states: Any, texts: Any, blocks: Any, order: Any, count: Any) -> None:
    """Do what `fold_padded` does, each text from what its state is already, in words."""
    _fold_sorted(states, START, True, texts, blocks, order, count)


@njit(nogil=True)
def _fold_sorted(states: Any, start: Any, begun: Any, texts: Any, blocks: Any, order: Any, count: Any) -> None:
    for row in range(count):  # by how many blocks they have: they are few, and mostly alike
        place = row
        while place and blocks[order[place - 1]] > blocks[row]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = row
    many = count if count % LANES >= _WORTH_LANES else count - count % LANES
    if many:
        _fold_many(states, start, begun, texts, blocks, order, 0, many)
    if many < count:
        _fold_pairs(states, start, begun, texts, blocks, order, many, count)


@njit(nogil=True, forceinline=True)
def put_digest(states: Any, place: Any, table: Any, row: Any, at: Any) -> None:
    """Write the 32 bytes of a digest into a row of ``table`` from ``at`` on."""
    copy(states, 32 * place, 32, table, row, at)
