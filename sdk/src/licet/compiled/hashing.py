"""Digests of many rows at a time: keys of addresses, leaves of decision rows, nodes of Merkle trees.

What each loop computes is defined where it is called, in plain Python that does the same; `agrees` compares the two on
a few rows before any of this is used.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numba import njit, types

from licet.compiled.compiling import compiled
from licet.compiled.sha256 import START, digest, end, fold

#: What became of an address: there is none, its key is there, or it is not canonical as it stands.
ABSENT, KEYED, OTHER = 0, 1, 2

#: A row's own fields in a salted leaf, in the order of its canonical JSON.
OWN: Final = ("pdq", "pixels", "sha256", "url")

_HASH: Final = 32
_NAMES: Final = np.frombuffer(b"".join(b',"%b":"' % name.encode() for name in OWN), np.uint8)
_NAME_AT: Final = np.cumsum([0, *(len(name) + 5 for name in OWN)])
_HEX: Final = np.array(
    [int(chr(byte), 16) if chr(byte) in "0123456789ABCDEF" else 255 for byte in range(256)], np.uint8
)
_ESCAPED: Final = np.array([byte < 0x20 or chr(byte) in '"\\' for byte in range(256)])  # of JSON's texts
_IN_LABEL: Final = np.array([chr(byte) in "abcdefghijklmnopqrstuvwxyz0123456789_-" for byte in range(256)])

_Bytes = types.Array(types.uint8, 1, "C", readonly=True)
_Table = types.uint8[:, ::1]
_Rows = types.uint8[::1]
_Marks = types.Array(types.uint8, 1, "C", readonly=True)
_Offsets = types.Array(types.int64, 1, "C", readonly=True)
_Numbers = types.Array(types.int64, 1, "C", readonly=True)
_Words = types.Array(types.uint32, 1, "C", readonly=True)


@njit(nogil=True)
def _put(source: Any, start: Any, stop: Any, target: Any, at: Any) -> Any:
    for byte in range(start, stop):
        target[at] = source[byte]
        at += 1
    return at


@njit(nogil=True)
def _put_number(number: Any, target: Any, at: Any) -> Any:
    """Write a number ≥ 0 in decimal."""
    length, left = 1, number // 10
    while left:
        length += 1
        left //= 10
    place = at + length
    while place > at:
        place -= 1
        target[place] = 48 + number % 10
        number //= 10
    return at + length


@compiled(types.void(_Bytes, types.intp, types.intp, _Table))
def nodes(level: Any, first: Any, last: Any, out: Any) -> None:
    """Hash each pair of neighbours of a level into its row of ``out``: SHA-256 of 0x01, left, right (RFC 6962)."""
    state, tail, text = np.empty(8, np.uint32), np.empty(128, np.uint8), np.empty(65, np.uint8)
    text[0] = 1
    for row in range(first, last):
        _put(level, 64 * row, 64 * row + 64, text, 1)
        digest(text, 0, 65, state, tail, out, row)


@compiled(types.void(_Bytes, _Offsets, _Numbers, types.intp, types.intp, types.intp, _Table))
def leaves(pieces: Any, piece_at: Any, numbers: Any, first: Any, last: Any, longest: Any, out: Any) -> None:
    """Hash each row: a zero byte, its pieces 1 and 2, its number in decimal, its pieces 3 and 4.

    Piece p of row r is ``pieces[piece_at[k] : piece_at[k + 1]]`` with k = p · rows + r.
    """
    rows = len(numbers)
    state, tail, text = np.empty(8, np.uint32), np.empty(128, np.uint8), np.empty(longest, np.uint8)
    text[0] = 0
    for row in range(first, last):
        at = _put(pieces, piece_at[rows + row], piece_at[rows + row + 1], text, 1)
        at = _put(pieces, piece_at[2 * rows + row], piece_at[2 * rows + row + 1], text, at)
        at = _put_number(numbers[row], text, at)
        at = _put(pieces, piece_at[3 * rows + row], piece_at[3 * rows + row + 1], text, at)
        at = _put(pieces, piece_at[4 * rows + row], piece_at[4 * rows + row + 1], text, at)
        digest(text, 0, at, state, tail, out, row)


@njit(nogil=True)
def _put_own(column: Any, row: Any, rows: Any, own: Any, own_at: Any, present: Any, text: Any, at: Any) -> Any:
    """Write a field of the row's own, if there is one; return where it ends, or −1 if JSON would escape of it."""
    place = column * rows + row
    if not present[place]:
        return at
    at = _put(_NAMES, _NAME_AT[column], _NAME_AT[column + 1], text, at)
    for byte in range(own_at[place], own_at[place + 1]):
        value = own[byte]
        if _ESCAPED[value]:
            return -1
        text[at] = value
        at += 1
    text[at] = 0x22
    return at + 1


@compiled(
    types.void(
        _Words, _Words, _Bytes, _Offsets, _Bytes, _Offsets, _Marks, _Numbers,
        types.intp, types.intp, types.intp, _Table, _Rows,
    )
)  # fmt: skip
def salted(
    inner: Any,
    outer: Any,
    pieces: Any,
    piece_at: Any,
    own: Any,
    own_at: Any,
    present: Any,
    numbers: Any,
    first: Any,
    last: Any,
    longest: Any,
    out: Any,
    done: Any,
) -> None:
    """Hash each row behind its salt, HMAC-SHA256 of its part and its number; ``done`` says for which that was possible.

    ``inner`` and ``outer`` are the states after the two blocks of the key. Pieces are as in `leaves`, piece 0 is the
    part with a zero byte; the row's own fields `OWN` come after the first, second and third of the others. Field f of
    row r is ``own[own_at[k] : own_at[k + 1]]`` with k = f · rows + r, where ``present[k]``.
    """
    rows = len(numbers)
    state, tail = np.empty(8, np.uint32), np.empty(128, np.uint8)
    salt, text = np.empty((1, _HASH), np.uint8), np.empty(longest, np.uint8)
    for row in range(first, last):
        at = _put(pieces, piece_at[row], piece_at[row + 1], text, 0)
        at = _put_number(numbers[row], text, at)
        for word in range(8):
            state[word] = inner[word]
        whole = at >> 6
        fold(state, text, 0, whole)
        end(state, text, whole << 6, at & 63, at + 64, tail, salt, 0)
        for word in range(8):
            state[word] = outer[word]
        end(state, salt[0], 0, _HASH, 64 + _HASH, tail, salt, 0)

        text[0] = 0
        at = _put(salt[0], 0, _HASH, text, 1)
        at = _put(pieces, piece_at[rows + row], piece_at[rows + row + 1], text, at)
        at = _put_own(0, row, rows, own, own_at, present, text, at)
        if at > 0:
            at = _put_own(1, row, rows, own, own_at, present, text, at)
        if at > 0:
            at = _put(pieces, piece_at[2 * rows + row], piece_at[2 * rows + row + 1], text, at)
            at = _put_number(numbers[row], text, at)
            at = _put_own(2, row, rows, own, own_at, present, text, at)
        if at > 0:
            at = _put(pieces, piece_at[3 * rows + row], piece_at[3 * rows + row + 1], text, at)
            at = _put_own(3, row, rows, own, own_at, present, text, at)
        done[row] = at > 0
        if at > 0:
            at = _put(pieces, piece_at[4 * rows + row], piece_at[4 * rows + row + 1], text, at)
            digest(text, 0, at, state, tail, out, row)


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
    """Hash each address of at most ``most`` bytes that is canonical as it stands; ``found`` says what became of it."""
    state, tail = np.empty(8, np.uint32), np.empty(128, np.uint8)
    for row in range(first, last):
        at, stop = starts[row], starts[row + 1]
        if not present[row]:
            found[row] = ABSENT
        elif stop - at > most or not _is_plain(data, at, stop, in_path, in_query, escaped):
            found[row] = OTHER
        else:
            digest(data, at, stop - at, state, tail, out, row)
            found[row] = KEYED


@compiled(types.void(_Bytes, _Offsets, types.intp, types.intp, _Table))
def digests(data: Any, starts: Any, first: Any, last: Any, out: Any) -> None:
    """Hash the bytes of each row."""
    state, tail = np.empty(8, np.uint32), np.empty(128, np.uint8)
    for row in range(first, last):
        digest(data, starts[row], starts[row + 1] - starts[row], state, tail, out, row)


def state_after(block: bytes) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """Return the state of SHA-256 after one block of 64 bytes."""
    state = START.copy()
    fold(state, np.frombuffer(block, np.uint8), 0, 1)
    return state


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
