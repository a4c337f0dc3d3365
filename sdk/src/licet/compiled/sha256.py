"""SHA-256 (FIPS 180-4) as a compiled function, for loops that hash millions of short texts.

`hashlib` hashes as fast, but calling it costs more than hashing a row does. Where the processor has instructions for
SHA-256 (x86: ``sha``), they are used; otherwise the rounds are computed.
"""

from __future__ import annotations

from math import isqrt
from typing import Any, Final

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from licet.compiled.compiling import compiled

_MASK: Final = 0xFFFFFFFF


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def _cube_root(number: int) -> int:
    low, high = 0, 1 << 64
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle - 1)
    return low


# The first 32 bits of the fractions of square and cube roots of the first primes (FIPS 180-4, 5.3.3 and 4.2.2).
START: Final = np.array([isqrt(prime << 64) & _MASK for prime in _primes(8)], np.uint32)
_ROUND: Final = [_cube_root(prime << 96) & _MASK for prime in _primes(64)]
_ROUNDS: Final = np.array(_ROUND, np.uint64)
_LOW: Final = np.uint64(_MASK)

_Four: Final = ir.VectorType(ir.IntType(32), 4)
HAS_INSTRUCTIONS: Final = bool(llvm.get_host_cpu_features().get("sha"))


def _instructed(_context: Any, _state: Any, _data: Any, _count: Any) -> Any:
    """Fold ``count`` blocks at address ``data`` into the eight words at address ``state``."""
    return types.void(types.uintp, types.uintp, types.intp), _emit


def _emit(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    state, data, count = arguments
    rounds, first, second, swapped = (
        _declared(builder.module, f"llvm.{name}", takes)
        for name, takes in (
            ("x86.sha256rnds2", 3), ("x86.sha256msg1", 2), ("x86.sha256msg2", 2), ("bswap.v4i32", 1),
        )
    )  # fmt: skip

    def place(address: Any, offset: int) -> Any:
        return builder.inttoptr(builder.add(address, address.type(offset)), _Four.as_pointer())

    def load(address: Any, offset: int) -> Any:
        value = builder.load(place(address, offset))
        value.align = 1
        return value

    def mixed(left: Any, right: Any, *lanes: int) -> Any:
        return builder.shuffle_vector(left, right, _words(lanes))

    low, high = load(state, 0), load(state, 16)
    before, head = builder.block, builder.append_basic_block("head")
    body, done = builder.append_basic_block("body"), builder.append_basic_block("done")
    feba, hgdc = mixed(low, high, 5, 4, 1, 0), mixed(low, high, 7, 6, 3, 2)  # as the instructions want them
    builder.branch(head)
    builder.position_at_end(head)
    block, outer, inner = builder.phi(count.type), builder.phi(_Four), builder.phi(_Four)
    for value, start in ((block, count.type(0)), (outer, feba), (inner, hgdc)):
        value.add_incoming(start, before)
    builder.cbranch(builder.icmp_signed("<", block, count), body, done)

    builder.position_at_end(body)
    address = builder.add(data, builder.mul(block, count.type(64)))
    message = [builder.call(swapped, [load(address, 16 * part)]) for part in range(4)]
    left, right = outer, inner
    for step in range(16):
        if step >= 4:
            one = builder.call(first, [message[step - 4], message[step - 3]])
            one = builder.add(one, mixed(message[step - 2], message[step - 1], 1, 2, 3, 4))
            message.append(builder.call(second, [one, message[step - 1]]))
        words = builder.add(message[step], _words(_ROUND[4 * step : 4 * step + 4]))
        right = builder.call(rounds, [right, left, words])
        left = builder.call(rounds, [left, right, mixed(words, words, 2, 3, 0, 0)])
    for value, end in (
        (block, builder.add(block, count.type(1))),
        (outer, builder.add(left, outer)),
        (inner, builder.add(right, inner)),
    ):
        value.add_incoming(end, body)
    builder.branch(head)

    builder.position_at_end(done)
    for offset, value in ((0, mixed(outer, inner, 3, 2, 7, 6)), (16, mixed(outer, inner, 1, 0, 5, 4))):
        builder.store(value, place(state, offset)).align = 1
    return target.get_dummy_value()


def _declared(module: Any, name: str, takes: int) -> Any:
    return module.globals.get(name) or ir.Function(module, ir.FunctionType(_Four, [_Four] * takes), name)


def _words(values: Any) -> Any:
    return ir.Constant(_Four, [ir.Constant(ir.IntType(32), value) for value in values])


_instructions: Any = intrinsic(_instructed)


@njit(inline="always")
def _turned(word: Any, by: Any) -> Any:
    return ((word >> np.uint64(by)) | (word << np.uint64(32 - by))) & _LOW


def computed(state: Any, data: Any, at: Any, count: Any) -> None:
    # In 64 bits, cut to 32 after each sum: sums of narrower numbers widen in compiled loops.
    schedule = np.empty(64, np.uint64)
    for block in range(count):
        for step in range(16):
            word: Any = np.uint64(0)
            for byte in range(4):
                word = (word << np.uint64(8)) | np.uint64(data[at + 64 * block + 4 * step + byte])
            schedule[step] = word
        for step in range(16, 64):
            early, late = schedule[step - 15], schedule[step - 2]
            one = _turned(early, 7) ^ _turned(early, 18) ^ (early >> np.uint64(3))
            two = _turned(late, 17) ^ _turned(late, 19) ^ (late >> np.uint64(10))
            schedule[step] = (schedule[step - 16] + one + schedule[step - 7] + two) & _LOW
        a, b, c, d = np.uint64(state[0]), np.uint64(state[1]), np.uint64(state[2]), np.uint64(state[3])
        e, f, g, h = np.uint64(state[4]), np.uint64(state[5]), np.uint64(state[6]), np.uint64(state[7])
        for step in range(64):
            one = h + (_turned(e, 6) ^ _turned(e, 11) ^ _turned(e, 25)) + ((e & f) ^ (~e & g))
            one += _ROUNDS[step] + schedule[step]
            two = (_turned(a, 2) ^ _turned(a, 13) ^ _turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
            a, b, c, d, e, f, g, h = (one + two) & _LOW, a, b, c, (d + one) & _LOW, e, f, g
        for word, value in enumerate((a, b, c, d, e, f, g, h)):
            state[word] = (np.uint64(state[word]) + value) & _LOW


def _folded(state: Any, data: Any, at: Any, count: Any) -> None:
    _instructions(state.ctypes.data, data.ctypes.data + at, count)


_State = types.uint32[::1]
_Data = types.Array(types.uint8, 1, "C", readonly=True)

#: Fold ``count`` blocks of ``data``, from byte ``at`` on, into ``state``; by instructions or by computing.
fold: Any = compiled(types.void(_State, _Data, types.intp, types.intp))(_folded if HAS_INSTRUCTIONS else computed)


@njit(inline="always")
def begin(state: Any) -> None:
    """Set ``state`` to what SHA-256 begins with."""
    for word in range(8):
        state[word] = START[word]


@njit(nogil=True)
def end(state: Any, data: Any, at: Any, rest: Any, size: Any, tail: Any, out: Any, row: Any) -> None:
    """Write the digest to ``out[row]``: ``rest`` < 64 bytes of ``data`` from ``at`` on are left of ``size`` in all.

    ``tail`` is scratch of 128 bytes.
    """
    for byte in range(rest):
        tail[byte] = data[at + byte]
    tail[rest] = 0x80
    length = 64 if rest < 56 else 128
    for byte in range(rest + 1, length - 8):
        tail[byte] = 0
    bits = size << 3
    for byte in range(8):
        tail[length - 1 - byte] = (bits >> (8 * byte)) & 0xFF
    fold(state, tail, 0, length >> 6)
    for word in range(8):
        value = state[word]
        out[row, 4 * word] = value >> 24
        out[row, 4 * word + 1] = (value >> 16) & 0xFF
        out[row, 4 * word + 2] = (value >> 8) & 0xFF
        out[row, 4 * word + 3] = value & 0xFF


@njit(nogil=True)
def digest(data: Any, at: Any, size: Any, state: Any, tail: Any, out: Any, row: Any) -> None:
    """Write SHA-256 of ``size`` bytes of ``data`` from ``at`` on to ``out[row]``; ``state``, ``tail`` are scratch."""
    begin(state)
    whole = size >> 6
    fold(state, data, at, whole)
    end(state, data, at + (whole << 6), size & 63, size, tail, out, row)
