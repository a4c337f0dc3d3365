"""Digests of many rows at a time: nodes of Merkle trees; keys and leaves: `licet.compiled.addresses`, `rows`, `events`.

What each loop computes is defined where it is called, in plain Python that does the same; `agrees` compares the two on
a few rows before any of this is used.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numba import types

from licet.compiled.addresses import ABSENT, KEYED, OTHER, addresses
from licet.compiled.batches import PADDING, TOGETHER, fold_padded, padded, put_digest
from licet.compiled.compiling import compiled
from licet.compiled.copying import SPILT, copy
from licet.compiled.events import NAME, NUMBER, events
from licet.compiled.merging import following, merged
from licet.compiled.rows import AFTER, BEFORE, BESIDE, OWN, begun, escaped, hashed, state_after
from licet.compiled.sha256 import START

__all__ = ["ABSENT", "AFTER", "BEFORE", "BESIDE", "KEYED", "NAME", "NUMBER", "OTHER", "OWN", "SPILT", "addresses",
           "agrees", "begun", "digests", "escaped", "events", "following", "hashed", "merged", "nodes",
           "state_after"]  # fmt: skip

_HASH: Final = 32

_Bytes = types.Array(types.uint8, 1, "C", readonly=True)
_Table = types.uint8[:, ::1]
_Offsets = types.Array(types.int64, 1, "C", readonly=True)


@compiled(types.void(_Bytes, types.intp, types.intp, _Table))
def nodes(level: Any, first: Any, last: Any, out: Any) -> None:
    """Hash each pair of neighbours of a level into its row of ``out``: SHA-256 of 0x01, left, right (RFC 6962)."""
    states = np.empty((TOGETHER, 8), np.uint32)
    texts = np.empty((TOGETHER, 1 + 2 * _HASH + PADDING), np.uint8)
    blocks, order = np.empty(TOGETHER, np.intp), np.empty(TOGETHER, np.intp)
    for place in range(TOGETHER):
        texts[place, 0] = 1
        blocks[place] = padded(texts, place, 1 + 2 * _HASH, 0)
    for block in range(first, last, TOGETHER):
        count = min(TOGETHER, last - block)
        for place in range(count):
            copy(level, 2 * _HASH * (block + place), 2 * _HASH, texts, place, 1)
        fold_padded(states, START, texts, blocks, order, count)
        for place in range(count):
            put_digest(states, place, out, block + place, 0)


@compiled(types.void(_Bytes, _Offsets, types.intp, types.intp, _Table))
def digests(data: Any, starts: Any, first: Any, last: Any, out: Any) -> None:
    """Hash the bytes of each row."""
    longest = 0
    for row in range(first, last):
        longest = max(longest, starts[row + 1] - starts[row])
    states, texts = np.empty((TOGETHER, 8), np.uint32), np.empty((TOGETHER, longest + PADDING), np.uint8)
    blocks, order = np.empty(TOGETHER, np.intp), np.empty(TOGETHER, np.intp)
    for block in range(first, last, TOGETHER):
        count = min(TOGETHER, last - block)
        for place in range(count):
            size = starts[block + place + 1] - starts[block + place]
            copy(data, starts[block + place], size, texts, place, 0)
            blocks[place] = padded(texts, place, size, 0)
        fold_padded(states, START, texts, blocks, order, count)
        for place in range(count):
            put_digest(states, place, out, block + place, 0)


def agrees() -> bool:
    """Whether digests of all lengths to beyond three blocks are what `hashlib` says."""
    text = bytes(range(256)) * 80
    starts = np.cumsum(np.arange(201))
    out = np.empty((200, _HASH), np.uint8)
    digests(np.frombuffer(text, np.uint8), starts, 0, 200, out)
    return all(
        row.tobytes() == sha256(text[start:stop]).digest()
        for row, (start, stop) in zip(out, pairwise(starts), strict=True)
    )
