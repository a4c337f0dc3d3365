"""Leaves of decision rows, each put together from what it shares with others and its own.

Fields that rows share are dictionaries: ``codes[f, row]`` is the number of a text, ``texts[text_at[n]:text_at[n+1]]``,
which is all of a field in JSON with the comma before it, or nothing for a null. ``program`` is the order of a leaf: a
number from 0 on for a shared field, `ROW_NUMBER`, or ``OWN_FIELD - k`` for field k of the row's own, which only salted
leaves hold. Own field k of a row is ``own[own_at[k, row] : own_at[k, row + 1]]`` where ``present[k, row]``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit, types

from licet.compiled.batches import PADDING, TOGETHER, fold_padded, padded, put_digest
from licet.compiled.compiling import compiled
from licet.compiled.copying import SPILT, copy, spill
from licet.compiled.sha256 import START, fold
from licet.compiled.uncounted import uncounted

#: A row's own fields in a salted leaf, in the order of its canonical JSON.
OWN: Final = ("pdq", "pixels", "sha256", "url")
ROW_NUMBER: Final = -1
OWN_FIELD: Final = -2

_HASH: Final = 32
_DIGITS: Final = 20  # of a number, at most
_ROW: Final = np.frombuffer(b',"row":', np.uint8)
_NAMES: Final = np.frombuffer(b"".join(b',"%b":"' % name.encode() for name in OWN) + bytes(SPILT), np.uint8)
_NAME_AT: Final = np.cumsum([0, *(len(name) + 5 for name in OWN)])

_Bytes = types.Array(types.uint8, 1, "C", readonly=True)
_Offsets = types.Array(types.int64, 1, "C", readonly=True)
_Codes = types.Array(types.int32, 2, "C", readonly=True)
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


@njit(nogil=True, forceinline=True)
def _put_leaf(
    row: Any,
    digits: Any,
    length: Any,
    program: Any,
    codes: Any,
    texts: Any,
    text_at: Any,
    own: Any,
    own_at: Any,
    present: Any,
    looking: Any,
    out: Any,
    lane: Any,
    at: Any,
) -> Any:
    """Write the JSON of a row, whose number has ``length`` digits; return where it ends, or −1 if JSON would escape
    something of the row's own, which is looked at if ``looking``."""
    begun = at
    for place in range(len(program)):
        step = program[place]
        if step >= 0:
            code = codes[step, row]
            start = text_at[code]
            at = spill(texts, start, text_at[code + 1] - start, out, lane, at)
        elif step == ROW_NUMBER:
            at = copy(_ROW, 0, len(_ROW), out, lane, at)
            at = spill(digits, lane * digits.shape[1], length, out, lane, at)
        else:
            field = OWN_FIELD - step
            if present[field, row]:
                start, stop = own_at[field, row], own_at[field, row + 1]
                if looking and _must_escape(own, start, stop):
                    return -1
                at = spill(_NAMES, _NAME_AT[field], _NAME_AT[field + 1] - _NAME_AT[field], out, lane, at)
                if stop + SPILT <= len(own):
                    at = spill(own, start, stop - start, out, lane, at)
                else:
                    at = copy(own, start, stop - start, out, lane, at)
                out[lane, at] = 0x22
                at += 1
    out[lane, begun] = 0x7B  # the comma before the first field
    out[lane, at] = 0x7D
    return at + 1


@compiled(
    types.void(
        types.Array(types.int64, 1, "C", readonly=True), types.Array(types.int64, 1, "C", readonly=True),
        _Codes, _Bytes, _Offsets, _Offsets,
        _Bytes, types.Array(types.int64, 2, "C", readonly=True), types.Array(types.uint8, 2, "C", readonly=True),
        types.boolean, _Words, _Words, types.intp, types.intp, types.intp, types.intp, _Table, _Table,
        types.uint8[::1],
    )
)  # fmt: skip
def hashed(
    plain_program: Any,
    salted_program: Any,
    codes: Any,
    texts: Any,
    text_at: Any,
    numbers: Any,
    own: Any,
    own_at: Any,
    present: Any,
    looking: Any,
    inner: Any,
    outer: Any,
    part: Any,
    first: Any,
    last: Any,
    longest: Any,
    plain: Any,
    salted: Any,
    done: Any,
) -> None:
    """Hash the leaf of each row into ``plain`` and the one behind a salt into ``salted``, unless that has no rows.

    A salt is HMAC-SHA256 of shared field ``part`` and the number of the row; ``inner`` and ``outer`` are the states
    after the two blocks of its key. ``done`` says for which rows there is a salted leaf: all, unless ``looking``.
    ``texts`` has `SPILT` bytes more than it needs.
    """
    states, leaf = np.empty((TOGETHER, 8), np.uint32), np.empty((TOGETHER, longest + PADDING), np.uint8)
    blocks, digits = np.empty(TOGETHER, np.intp), np.empty((TOGETHER, _DIGITS + SPILT), np.uint8)
    lengths = np.empty(TOGETHER, np.intp)
    codes, texts, text_at = uncounted(codes), uncounted(texts), uncounted(text_at)
    own, own_at, present = uncounted(own), uncounted(own_at), uncounted(present)
    plain_program, salted_program, text = uncounted(plain_program), uncounted(salted_program), uncounted(leaf)
    digit = uncounted(digits)  # `digits` is named in each round below, or it would be let go here
    for begun in range(first, last, TOGETHER):
        count = min(TOGETHER, last - begun)
        for place in range(count):
            lengths[place] = put_number(numbers[begun + place], digits, place, 0)
        if len(plain):
            for place in range(count):
                leaf[place, 0] = 0
                size = _put_leaf(
                    begun + place, digit, lengths[place], plain_program, codes, texts, text_at, own, own_at, present,
                    looking, text, place, 1,
                )  # fmt: skip
                blocks[place] = padded(leaf, place, size, 0)
            fold_padded(states, START, leaf, blocks, count)
            for place in range(count):
                put_digest(states, place, plain, begun + place, 0)
        if len(salted):
            for place in range(count):
                code = codes[part, begun + place]
                size = spill(texts, text_at[code], text_at[code + 1] - text_at[code], leaf, place, 0)
                size = spill(digit, place * digit.shape[1], lengths[place], leaf, place, size)
                blocks[place] = padded(leaf, place, size, 64)
            fold_padded(states, inner, leaf, blocks, count)
            for place in range(count):
                put_digest(states, place, leaf, place, 0)
                blocks[place] = padded(leaf, place, _HASH, 64)
            fold_padded(states, outer, leaf, blocks, count)
            for place in range(count):
                row = begun + place
                leaf[place, 0] = 0
                put_digest(states, place, leaf, place, 1)
                size = _put_leaf(
                    row, digit, lengths[place], salted_program, codes, texts, text_at, own, own_at, present, looking,
                    text, place, 1 + _HASH,
                )  # fmt: skip
                done[row] = size > 0
                blocks[place] = padded(leaf, place, max(size, 0), 0)
            fold_padded(states, START, leaf, blocks, count)
            for place in range(count):
                put_digest(states, place, salted, begun + place, 0)


def state_after(block: bytes) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """Return the state of SHA-256 after one block of 64 bytes."""
    state = START.copy()
    fold(state, np.frombuffer(block, np.uint8), 0, 1)
    return state
