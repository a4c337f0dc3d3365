"""Ids and leaves of usage events, each put together from texts that events share and numbers of its own.

``program`` is the order of what is hashed: a number from 0 on for a shared text, ``texts[text_at[n] : text_at[n + 1]]``
with n in ``codes[step, row]``; `NAME` for the event's id in hex; ``NUMBER - k`` for number k of the row, in decimal.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types

from licet.compiled.batches import PADDING, TOGETHER, fold_padded, padded, put_digest
from licet.compiled.compiling import compiled
from licet.compiled.copying import copy
from licet.compiled.rows import put_number
from licet.compiled.sha256 import START
from licet.compiled.uncounted import uncounted

NAME: Final = -1
NUMBER: Final = -2

_HASH: Final = 32
_WIDE: Final = 64  # a digest in hex, and a block of SHA-256

_Bytes = types.Array(types.uint8, 1, "C", readonly=True)
_Places = types.Array(types.int64, 1, "C", readonly=True)
_Words = types.Array(types.uint32, 1, "C", readonly=True)


@compiled(
    types.void(
        _Places, types.Array(types.int32, 2, "C", readonly=True), _Bytes, _Places,
        types.Array(types.int64, 2, "C", readonly=True), _Bytes, types.boolean, _Words, _Words,
        types.intp, types.intp, types.intp, types.uint8[:, ::1],
    )
)  # fmt: skip
def events(
    program: Any,
    codes: Any,
    texts: Any,
    text_at: Any,
    numbers: Any,
    names: Any,
    salted: Any,
    inner: Any,
    outer: Any,
    first: Any,
    last: Any,
    longest: Any,
    out: Any,
) -> None:
    """Hash each row into ``out``; where ``salted``, as a leaf: a zero, its salt, the text.

    A salt is HMAC-SHA256 of the row's name; ``inner`` and ``outer`` are the states after the blocks of its key.
    """
    states, leaf = np.empty((TOGETHER, 8), np.uint32), np.empty((TOGETHER, longest + PADDING), np.uint8)
    blocks, order = np.empty(TOGETHER, np.intp), np.empty(TOGETHER, np.intp)
    salts = np.empty((TOGETHER, _HASH), np.uint8)
    flat, text = salts.reshape(TOGETHER * _HASH), uncounted(leaf)
    for begun in range(first, last, TOGETHER):
        count = min(TOGETHER, last - begun)
        if salted:
            for place in range(count):
                copy(names, _WIDE * (begun + place), _WIDE, leaf, place, 0)
                blocks[place] = padded(leaf, place, _WIDE, _WIDE)
            fold_padded(states, inner, leaf, blocks, order, count)
            for place in range(count):
                put_digest(states, place, leaf, place, 0)
                blocks[place] = padded(leaf, place, _HASH, _WIDE)
            fold_padded(states, outer, leaf, blocks, order, count)
            for place in range(count):
                put_digest(states, place, salts, place, 0)
        for place in range(count):
            row, at = begun + place, 0
            if salted:
                leaf[place, 0] = 0
                at = copy(flat, place * _HASH, _HASH, leaf, place, 1)
            for part in range(len(program)):
                step = program[part]
                if step >= 0:
                    start = text_at[codes[step, row]]
                    at = copy(texts, start, text_at[codes[step, row] + 1] - start, leaf, place, at)
                elif step == NAME:
                    at = copy(names, _WIDE * row, _WIDE, leaf, place, at)
                else:
                    at = put_number(numbers[NUMBER - step, row], text, place, at)
            blocks[place] = padded(leaf, place, at, 0)
        fold_padded(states, START, leaf, blocks, order, count)
        for place in range(count):
            put_digest(states, place, out, begun + place, 0)
