"""Leaves of decision rows, each put together from what it shares with others and its own.

A leaf has two parts that many rows share, before and after the row's number; between their pieces a salted leaf has
what is each row's own. Piece k of frame n is ``text[at[count * n + k] : at[count * n + k + 1]]``, all of its fields in
JSON with the commas: so pieces beside each other are copied as one. `BEFORE` names the pieces of the first part,
`AFTER` those of the second. Own field k of a row is ``own[own_at[k, row] : own_at[k, row + 1]]`` where
``present[k, row]``; ``place`` says which k each of `OWN` has, −1 if no row has one.

What a plain leaf begins with is folded once for all rows that begin so, as far as it is whole blocks.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit, types

from licet.compiled.batches import PADDING, TOGETHER, fold_further, fold_padded, padded, put_digest
from licet.compiled.compiling import compiled
from licet.compiled.copying import SPILT, copy, spill
from licet.compiled.sha256 import START, fold
from licet.compiled.uncounted import uncounted

#: What a leaf begins with, fields up to a picture's hashes, fields up to the row's number and its name, and what a salt
#: is of beside the number.
BEFORE: Final = ("zero", "head", "price", "salting")
#: Fields up to the address, and the rest to the end.
AFTER: Final = ("statement", "tail")
#: A row's own fields in a salted leaf, in the order of its canonical JSON: two behind the head, one behind the number,
#: one behind the statement.
OWN: Final = ("pdq", "pixels", "sha256", "url")

_PDQ, _PIXELS, _DIGEST, _URL = range(len(OWN))
_HEAD, _PRICE, _SALTING, _ALL = 1, 2, 3, len(BEFORE)
_TAIL, _END = 1, len(AFTER)
_HASH: Final = 32
_DIGITS: Final = 20  # of a number, at most
_NAMES: Final = np.frombuffer(b"".join(b',"%b":"' % name.encode() for name in OWN) + bytes(SPILT), np.uint8)
_NAME_AT: Final = np.cumsum([0, *(len(name) + 5 for name in OWN)])
#: The bytes that a leaf may come to beside its pieces and what is the row's own.
BESIDE: Final = 1 + _HASH + _DIGITS + int(_NAME_AT[-1]) + len(OWN)

_Bytes = types.Array(types.uint8, 1, "C", readonly=True)
_Offsets = types.Array(types.int64, 1, "C", readonly=True)
_Codes = types.Array(types.int32, 1, "C", readonly=True)
_Words = types.Array(types.uint32, 1, "C", readonly=True)
_Table = types.uint8[:, ::1]


@njit(nogil=True, forceinline=True)
def put_number(number: Any, texts: Any, lane: Any, at: Any) -> Any:
    """Write a number ≥ 0 in decimal."""
    length, left = 1, number // 10
    while left:
        length += 1
        left //= 10
    place = at + length
    while place > at:
        place -= 1
        texts[lane, place] = 48 + number % 10
        number //= 10
    return at + length


@njit(nogil=True, forceinline=True)
def _must_escape(text: Any, start: Any, stop: Any) -> Any:
    """Whether JSON would write these bytes otherwise."""
    found = False
    for at in range(start, stop):  # to the end: so that it is done for many bytes at a time
        byte = text[at]
        found |= (byte < 0x20) | (byte == 0x22) | (byte == 0x5C)
    return found


@compiled(types.boolean(_Bytes))
def escaped(text: Any) -> Any:
    """Whether JSON would write any of these bytes otherwise: mostly not, and then no row is looked at by itself."""
    return _must_escape(text, 0, len(text))


@compiled(types.void(_Bytes, _Offsets, types.uint32[:, ::1], types.int64[::1]))
def begun(text: Any, at: Any, states: Any, folded: Any) -> None:
    """Fold what the plain leaf of each frame begins with: as many blocks as ``folded`` takes."""
    for frame in range(len(folded)):
        first = at[_ALL * frame]
        for word in range(8):
            states[frame, word] = START[word]
        folded[frame] = (at[_ALL * frame + _SALTING] - first) >> 6
        fold(states[frame], text, first, folded[frame])


@njit(nogil=True, forceinline=True)
def _put_numbers(numbers: Any, first: Any, count: Any, digits: Any, lengths: Any, same: Any) -> None:
    """Write numbers in decimal, a row of ``digits`` each: those that differ in the last digit are written once."""
    tens = np.int64(-1)
    length = 0
    for place in range(count):
        number = numbers[first + place]
        if number // 10 != tens:
            tens = number // 10
            length = put_number(number, same, 0, 0)
        spill(same, 0, length, digits, place, 0)
        digits[place, length - 1] = 48 + number - 10 * tens
        lengths[place] = length


@njit(nogil=True, forceinline=True)
def _put_own(
    field: Any, row: Any, own: Any, own_at: Any, present: Any, place: Any, looking: Any, out: Any, lane: Any, at: Any
) -> Any:
    """Write a field of the row's own, if it has it; return where it ends, or −1 if JSON would escape something."""
    which = place[field]
    if which < 0 or not present[which, row]:
        return at
    start, stop = own_at[which, row], own_at[which, row + 1]
    if looking and _must_escape(own, start, stop):
        return -1
    at = spill(_NAMES, _NAME_AT[field], _NAME_AT[field + 1] - _NAME_AT[field], out, lane, at)
    if stop + SPILT <= len(own):
        at = spill(own, start, stop - start, out, lane, at)
    else:
        at = copy(own, start, stop - start, out, lane, at)
    out[lane, at] = 0x22
    return at + 1


@njit(nogil=True, forceinline=True)
def _put_piece(text: Any, frames: Any, first: Any, last: Any, out: Any, lane: Any, at: Any) -> Any:
    """Write pieces beside each other."""
    return spill(text, frames[first], frames[last] - frames[first], out, lane, at)


@compiled(
    types.void(
        _Codes, _Offsets, _Bytes, types.Array(types.uint32, 2, "C", readonly=True), _Offsets,
        _Codes, _Offsets, _Bytes, _Offsets,
        _Bytes, types.Array(types.int64, 2, "C", readonly=True), types.Array(types.uint8, 2, "C", readonly=True),
        _Offsets, types.boolean, _Words, _Words, types.intp, types.intp, types.intp, _Table, _Table, types.uint8[::1],
    )
)  # fmt: skip
def hashed(
    before_codes: Any,
    before_at: Any,
    before: Any,
    begun_states: Any,
    begun_blocks: Any,
    after_codes: Any,
    after_at: Any,
    after: Any,
    numbers: Any,
    own: Any,
    own_at: Any,
    present: Any,
    place_of: Any,
    looking: Any,
    inner: Any,
    outer: Any,
    first: Any,
    last: Any,
    longest: Any,
    plain: Any,
    salted: Any,
    done: Any,
) -> None:
    """Hash the leaf of each row into ``plain`` and the one behind a salt into ``salted``, unless that has no rows.

    A salt is HMAC-SHA256 of its frame's last piece and the number of the row; ``inner`` and ``outer`` are the states
    after the two blocks of its key. ``begun_states`` are those after so many ``begun_blocks`` of a plain leaf, as
    `begun` gives them. ``done`` says for which rows there is a salted leaf: all, unless JSON escapes something of
    theirs, which is looked at if ``looking``. Texts of frames have `SPILT` bytes more than they need.
    """
    states, leaf = np.empty((TOGETHER, 8), np.uint32), np.empty((TOGETHER, longest + PADDING), np.uint8)
    blocks, order, lengths = np.empty(TOGETHER, np.intp), np.empty(TOGETHER, np.intp), np.empty(TOGETHER, np.intp)
    digits, same = np.empty((TOGETHER, _DIGITS + SPILT), np.uint8), np.empty((1, _DIGITS + SPILT), np.uint8)
    before, before_at, after, after_at = uncounted(before), uncounted(before_at), uncounted(after), uncounted(after_at)
    own, own_at, present, place_of = uncounted(own), uncounted(own_at), uncounted(present), uncounted(place_of)
    text = uncounted(leaf)
    for block in range(first, last, TOGETHER):
        count = min(TOGETHER, last - block)
        _put_numbers(numbers, block, count, digits, lengths, same)
        if len(plain):
            for place in range(count):
                row = block + place
                frame = before_codes[row]
                for word in range(8):
                    states[place, word] = begun_states[frame, word]
                size = begun_blocks[frame] << 6
                start = before_at[_ALL * frame] + size
                at = spill(before, start, before_at[_ALL * frame + _SALTING] - start, leaf, place, 0)
                at = spill(digits, place * digits.shape[1], lengths[place], leaf, place, at)
                at = _put_piece(
                    after, after_at, _END * after_codes[row], _END * (after_codes[row] + 1), leaf, place, at
                )
                blocks[place] = padded(leaf, place, at, size)
            fold_further(states, leaf, blocks, order, count)
            for place in range(count):
                put_digest(states, place, plain, block + place, 0)
        if len(salted):
            for place in range(count):
                frame = _ALL * before_codes[block + place]
                at = _put_piece(before, before_at, frame + _SALTING, frame + _ALL, leaf, place, 0)
                at = spill(digits, place * digits.shape[1], lengths[place], leaf, place, at)
                blocks[place] = padded(leaf, place, at, 64)
            fold_padded(states, inner, leaf, blocks, order, count)
            for place in range(count):
                put_digest(states, place, leaf, place, 0)
                blocks[place] = padded(leaf, place, _HASH, 64)
            fold_padded(states, outer, leaf, blocks, order, count)
            for place in range(count):
                row = block + place
                frame, end = _ALL * before_codes[row], _END * after_codes[row]
                leaf[place, 0] = 0
                put_digest(states, place, leaf, place, 1)
                at = _put_piece(before, before_at, frame + _HEAD, frame + _PRICE, text, place, 1 + _HASH)
                escapes = False
                for field in (_PDQ, _PIXELS):
                    after_own = _put_own(field, row, own, own_at, present, place_of, looking, text, place, at)
                    escapes, at = escapes or after_own < 0, max(at, after_own)
                at = _put_piece(before, before_at, frame + _PRICE, frame + _SALTING, text, place, at)
                at = spill(digits, place * digits.shape[1], lengths[place], leaf, place, at)
                after_own = _put_own(_DIGEST, row, own, own_at, present, place_of, looking, text, place, at)
                escapes, at = escapes or after_own < 0, max(at, after_own)
                at = _put_piece(after, after_at, end, end + _TAIL, text, place, at)
                after_own = _put_own(_URL, row, own, own_at, present, place_of, looking, text, place, at)
                escapes, at = escapes or after_own < 0, max(at, after_own)
                at = _put_piece(after, after_at, end + _TAIL, end + _END, text, place, at)
                done[row] = not escapes
                blocks[place] = padded(leaf, place, at, 0)
            fold_padded(states, START, leaf, blocks, order, count)
            for place in range(count):
                put_digest(states, place, salted, block + place, 0)


def state_after(block: bytes) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """Return the state of SHA-256 after one block of 64 bytes."""
    state = START.copy()
    fold(state, np.frombuffer(block, np.uint8), 0, 1)
    return state
