"""Keys of addresses that are canonical as they stand, by the grammar of `licet.fingerprints.urls`.

An address is looked at 64 bytes at a time: what kind each byte is of are bits of a word, and so the grammar is a few
operations on words.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from licet.compiled.batches import PADDING, TOGETHER, fold_padded, padded
from licet.compiled.bytesets import WIDE, masks_of
from licet.compiled.compiling import compiled
from licet.compiled.copying import SPILT, copy, spill
from licet.compiled.counting import highest, lowest, ones
from licet.compiled.sha256 import START
from licet.compiled.uncounted import uncounted

#: What became of an address: there is none, its key is there, or it is not known to be canonical as it stands.
ABSENT, KEYED, OTHER = 0, 1, 2

_HASH: Final = 32
_HEX: Final = np.array(
    [int(chr(byte), 16) if chr(byte) in "0123456789ABCDEF" else 255 for byte in range(256)], np.uint8
)
_IN_LABEL: Final = b"abcdefghijklmnopqrstuvwxyz0123456789_-"
_IN_QUERY: Final = _IN_LABEL + b"ABCDEFGHIJKLMNOPQRSTUVWXYZ.~!$&'()*+,;=:@/?"
_kinds: Any = masks_of(_IN_LABEL, b".", b"/", b"%", b"?", set(range(256)) - {*_IN_QUERY, *b"%"})

_HTTPS: Final = int.from_bytes(b"https://", "little")
_HTTP: Final = int.from_bytes(b"http://", "little")
_SEVEN: Final = (1 << 56) - 1
_LABEL: Final = 41  # bytes of a label, at most
_LABELS: Final = 5  # before the last one, at most

_Bytes = types.Array(types.uint8, 1, "C", readonly=True)
_Offsets = types.Array(types.int64, 1, "C", readonly=True)


def _read(_context: Any, _address: Any) -> Any:
    """The eight bytes at an address as a number, the first one the lowest."""

    def emit(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        word = builder.load(builder.inttoptr(arguments[0], ir.IntType(64).as_pointer()))
        word.align = 1
        return word

    return types.int64(types.uintp), emit


_word: Any = intrinsic(_read)


@njit(nogil=True, forceinline=True)
def _longer(bits: Any) -> Any:
    """Whether more than `_LABEL` bits in a row are set."""
    for step in (1, 2, 4, 8, 16):  # bits that begin so many, doubled: 32
        bits &= bits >> step
    return bits & (bits >> (_LABEL - 31)) != 0


@njit(nogil=True)
def _is_plain(text: Any, at: Any, size: Any, escaped: Any) -> Any:
    """Whether ``size`` bytes from ``at`` on are a canonical address, whose host ends within the first 64; there must be
    `WIDE` more to be read."""
    base = text.ctypes.data + at
    word = _word(base)
    if word == _HTTPS:
        begun = 8
    elif word & _SEVEN == _HTTP:
        begun = 7
    else:
        return False
    labels, dots, slashes, escapes, asks, strange = _kinds(base)
    end = lowest(slashes & -(1 << begun))
    if end >= min(size, WIDE):
        return False
    host = (1 << end) - (1 << begun)
    between = dots & host
    if (labels | dots) & host != host or between & ((between << 1) | (1 << begun) | (host & ~(host >> 1))):
        return False
    if not 1 <= ones(between) <= _LABELS or _longer(host & ~between):
        return False
    if not 0x61 <= text[at + highest(between) + 1] <= 0x7A:
        return False
    from_here, before, asked = -(1 << end), 0, False
    for first in range(0, size, WIDE):
        if first:
            labels, dots, slashes, escapes, asks, strange = _kinds(base + first)
        left = size - first
        if left < WIDE:
            from_here &= (1 << left) - 1
        if from_here & (strange | (dots & ((slashes << 1) | before))):
            return False
        before, asks, escapes = (slashes >> (WIDE - 1)) & 1, asks & from_here, escapes & from_here
        if asks and not asked:
            asked = True
            if first + lowest(asks) == size - 1:
                return False
        while escapes:
            place = first + lowest(escapes)
            if place + 2 >= size:
                return False
            high, low = _HEX[text[at + place + 1]], _HEX[text[at + place + 2]]
            if high > 15 or low > 15 or not escaped[16 * high + low]:
                return False
            escapes &= escapes - 1
        from_here = -1
    return True


@compiled(
    types.void(
        _Bytes, _Offsets, _Bytes, _Bytes, types.intp, types.intp, types.intp, types.uint8[:, ::1], types.uint8[::1]
    )
)  # fmt: skip
def addresses(
    data: Any, starts: Any, present: Any, escaped: Any, most: Any, first: Any, last: Any, out: Any, found: Any
) -> None:
    """Hash each address of at most ``most`` bytes that is canonical as it stands; ``found`` says what became of it.

    ``escaped`` says of each byte whether it may be escaped; ``out`` takes as much of the digest as it is wide.
    """
    width = most + PADDING
    states, texts = np.empty((TOGETHER, 8), np.uint32), np.empty((TOGETHER, width), np.uint8)
    blocks, order, rows = np.empty(TOGETHER, np.intp), np.empty(TOGETHER, np.intp), np.empty(TOGETHER, np.intp)
    flat, escaped, text = uncounted(texts.reshape(TOGETHER * width)), uncounted(escaped), uncounted(data)
    waiting = 0
    for row in range(first, last):
        at, size = starts[row], starts[row + 1] - starts[row]
        if not present[row]:
            found[row] = ABSENT
        elif size > most:
            found[row] = OTHER
        else:
            if at + size + SPILT <= len(text):
                spill(text, at, size, texts, waiting, 0)
            else:
                copy(text, at, size, texts, waiting, 0)
            if _is_plain(flat, waiting * width, size, escaped):
                found[row] = KEYED
                blocks[waiting] = padded(texts, waiting, size, 0)
                rows[waiting] = row
                waiting += 1
            else:
                found[row] = OTHER
        if waiting == TOGETHER or row == last - 1:
            fold_padded(states, START, texts, blocks, order, waiting)
            for place in range(waiting):
                copy(states, _HASH * place, out.shape[1], out, rows[place], 0)
            waiting = 0
