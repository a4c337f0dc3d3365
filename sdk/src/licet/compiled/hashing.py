"""Digests of many rows at a time: keys of addresses, nodes of Merkle trees; leaves: `licet.compiled.rows`, `events`.

What each loop computes is defined where it is called, in plain Python that does the same; `agrees` compares the two on
a few rows before any of this is used.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numba import njit, types

from licet.compiled.batches import PADDING, TOGETHER, fold_padded, padded, put_digest
from licet.compiled.compiling import compiled
from licet.compiled.copying import SPILT, copy, spill
from licet.compiled.events import NAME, NUMBER, events
from licet.compiled.rows import OWN, OWN_FIELD, ROW_NUMBER, escaped, hashed, state_after
from licet.compiled.sha256 import START
from licet.compiled.uncounted import uncounted

__all__ = ["ABSENT", "KEYED", "NAME", "NUMBER", "OTHER", "OWN", "OWN_FIELD", "ROW_NUMBER", "SPILT", "addresses",
           "agrees", "digests", "escaped", "events", "hashed", "nodes", "state_after"]  # fmt: skip

#: What became of an address: there is none, its key is there, or it is not canonical as it stands.
ABSENT, KEYED, OTHER = 0, 1, 2

_HASH: Final = 32
_HEX: Final = np.array(
    [int(chr(byte), 16) if chr(byte) in "0123456789ABCDEF" else 255 for byte in range(256)], np.uint8
)
_IN_LABEL: Final = np.array([chr(byte) in "abcdefghijklmnopqrstuvwxyz0123456789_-" for byte in range(256)])

_Bytes = types.Array(types.uint8, 1, "C", readonly=True)
_Table = types.uint8[:, ::1]
_Rows = types.uint8[::1]
_Marks = types.Array(types.uint8, 1, "C", readonly=True)
_Offsets = types.Array(types.int64, 1, "C", readonly=True)


@compiled(types.void(_Bytes, types.intp, types.intp, _Table))
def nodes(level: Any, first: Any, last: Any, out: Any) -> None:
    """Hash each pair of neighbours of a level into its row of ``out``: SHA-256 of 0x01, left, right (RFC 6962)."""
    states = np.empty((TOGETHER, 8), np.uint32)
    texts = np.empty((TOGETHER, 1 + 2 * _HASH + PADDING), np.uint8)
    blocks = np.empty(TOGETHER, np.intp)
    for place in range(TOGETHER):
        texts[place, 0] = 1
        blocks[place] = padded(texts, place, 1 + 2 * _HASH, 0)
    for begun in range(first, last, TOGETHER):
        count = min(TOGETHER, last - begun)
        for place in range(count):
            copy(level, 2 * _HASH * (begun + place), 2 * _HASH, texts, place, 1)
        fold_padded(states, START, texts, blocks, count)
        for place in range(count):
            put_digest(states, place, out, begun + place, 0)


@njit(nogil=True)
def _is_plain(data: Any, at: Any, stop: Any, in_path: Any, in_query: Any, escaped: Any) -> Any:
    """Whether an address is canonical as it stands, by the grammar of `licet.fingerprints.urls`."""
    if stop - at < 10 or data[at] != 0x68 or data[at + 1] != 0x74 or data[at + 2] != 0x74 or data[at + 3] != 0x70:
        return False
    at += 5 if data[at + 4] == 0x73 else 4
    if data[at] != 0x3A or data[at + 1] != 0x2F or data[at + 2] != 0x2F:
        return False
    at += 3
    labels, begun = 0, at
    while at < stop:
        byte = data[at]
        if byte == 0x2E:
            if at == begun:
                return False
            labels, begun = labels + 1, at + 1
        elif byte == 0x2F:
            break
        elif not _IN_LABEL[byte] or at - begun >= 41:
            return False
        at += 1
    if not begun < at < stop or not 1 <= labels <= 5 or not 0x61 <= data[begun] <= 0x7A:
        return False
    asked = False
    before = np.uint8(0)
    while at < stop:
        byte = data[at]
        if byte == 0x2E and before == 0x2F:
            return False
        if byte == 0x25:
            if at + 2 >= stop:
                return False
            high, low = _HEX[data[at + 1]], _HEX[data[at + 2]]
            if high > 15 or low > 15 or not escaped[16 * high + low]:
                return False
            byte = data[at + 2]
            at += 2
        elif asked:
            if not in_query[byte]:
                return False
        elif byte == 0x3F:
            if at + 1 == stop:
                return False
            asked = True
        elif not in_path[byte]:
            return False
        before = byte
        at += 1
    return True


@compiled(
    types.void(_Bytes, _Offsets, _Marks, _Marks, _Marks, _Marks, types.intp, types.intp, types.intp, _Table, _Rows)
)
def addresses(
    data: Any,
    starts: Any,
    present: Any,
    in_path: Any,
    in_query: Any,
    escaped: Any,
    most: Any,
    first: Any,
    last: Any,
    out: Any,
    found: Any,
) -> None:
    """Hash each address of at most ``most`` bytes that is canonical as it stands; ``found`` says what became of it.

    ``out`` takes as much of the digest as it is wide.
    """
    states, texts = np.empty((TOGETHER, 8), np.uint32), np.empty((TOGETHER, most + PADDING), np.uint8)
    blocks, rows = np.empty(TOGETHER, np.intp), np.empty(TOGETHER, np.intp)
    in_path, in_query, escaped, text = uncounted(in_path), uncounted(in_query), uncounted(escaped), uncounted(data)
    waiting = 0
    for row in range(first, last):
        at, stop = starts[row], starts[row + 1]
        if not present[row]:
            found[row] = ABSENT
        elif stop - at > most or not _is_plain(text, at, stop, in_path, in_query, escaped):
            found[row] = OTHER
        else:
            found[row] = KEYED
            if stop + SPILT <= len(text):
                spill(text, at, stop - at, texts, waiting, 0)
            else:
                copy(text, at, stop - at, texts, waiting, 0)
            blocks[waiting] = padded(texts, waiting, stop - at, 0)
            rows[waiting] = row
            waiting += 1
        if waiting == TOGETHER or row == last - 1:
            fold_padded(states, START, texts, blocks, waiting)
            for place in range(waiting):
                copy(states, _HASH * place, out.shape[1], out, rows[place], 0)
            waiting = 0


@compiled(types.void(_Bytes, _Offsets, types.intp, types.intp, _Table))
def digests(data: Any, starts: Any, first: Any, last: Any, out: Any) -> None:
    """Hash the bytes of each row."""
    longest = 0
    for row in range(first, last):
        longest = max(longest, starts[row + 1] - starts[row])
    states, texts = np.empty((TOGETHER, 8), np.uint32), np.empty((TOGETHER, longest + PADDING), np.uint8)
    blocks = np.empty(TOGETHER, np.intp)
    for begun in range(first, last, TOGETHER):
        count = min(TOGETHER, last - begun)
        for place in range(count):
            size = starts[begun + place + 1] - starts[begun + place]
            copy(data, starts[begun + place], size, texts, place, 0)
            blocks[place] = padded(texts, place, size, 0)
        fold_padded(states, START, texts, blocks, count)
        for place in range(count):
            put_digest(states, place, out, begun + place, 0)


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
