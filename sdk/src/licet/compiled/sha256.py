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
ROUND: Final = [_cube_root(prime << 96) & _MASK for prime in _primes(64)]
_ROUNDS: Final = np.array(ROUND, np.uint64)
_LOW: Final = np.uint64(_MASK)

_Four: Final = ir.VectorType(ir.IntType(32), 4)
HAS_INSTRUCTIONS: Final = bool(llvm.get_host_cpu_features().get("sha"))


def _instructed(_context: Any, _state: Any, _data: Any, _count: Any) -> Any:
    """Fold ``count`` blocks at address ``data`` into the eight words at address ``state``."""
    return types.void(types.uintp, types.uintp, types.intp), _emit


def _instructed_twice(_context: Any, _state: Any, _other: Any, _data: Any, _beside: Any, _count: Any) -> Any:
    """Fold ``count`` blocks at each of two addresses into two states: a step of one waits beside a step of the other,
    so that both take little longer than one."""
    return types.void(types.uintp, types.uintp, types.uintp, types.uintp, types.intp), _emit


def _emit(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    *addresses, count = arguments
    states, messages = addresses[: len(addresses) // 2], addresses[len(addresses) // 2 :]
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

    halves = [(load(state, 0), load(state, 16)) for state in states]
    before, head = builder.block, builder.append_basic_block("head")
    body, done = builder.append_basic_block("body"), builder.append_basic_block("done")
    # As the instructions want them.
    begun = [(mixed(low, high, 5, 4, 1, 0), mixed(low, high, 7, 6, 3, 2)) for low, high in halves]
    builder.branch(head)
    builder.position_at_end(head)
    block = builder.phi(count.type)
    block.add_incoming(count.type(0), before)
    now = [(builder.phi(_Four), builder.phi(_Four)) for _ in states]
    for pair, start in zip(now, begun, strict=True):
        for value, first_value in zip(pair, start, strict=True):
            value.add_incoming(first_value, before)
    builder.cbranch(builder.icmp_signed("<", block, count), body, done)

    builder.position_at_end(body)
    offset = builder.mul(block, count.type(64))
    words = [
        [builder.call(swapped, [load(builder.add(address, offset), 16 * part)]) for part in range(4)]
        for address in messages
    ]
    lefts, rights = [outer for outer, _ in now], [inner for _, inner in now]
    for step in range(16):
        for message in words:
            if step >= 4:
                one = builder.call(first, [message[step - 4], message[step - 3]])
                one = builder.add(one, mixed(message[step - 2], message[step - 1], 1, 2, 3, 4))
                message.append(builder.call(second, [one, message[step - 1]]))
        added = [builder.add(message[step], _words(ROUND[4 * step : 4 * step + 4])) for message in words]
        for lane, word in enumerate(added):
            rights[lane] = builder.call(rounds, [rights[lane], lefts[lane], word])
        for lane, word in enumerate(added):
            lefts[lane] = builder.call(rounds, [lefts[lane], rights[lane], mixed(word, word, 2, 3, 0, 0)])
    block.add_incoming(builder.add(block, count.type(1)), body)
    for (outer, inner), left, right in zip(now, lefts, rights, strict=True):
        outer.add_incoming(builder.add(left, outer), body)
        inner.add_incoming(builder.add(right, inner), body)
    builder.branch(head)

    builder.position_at_end(done)
    for state, (outer, inner) in zip(states, now, strict=True):
        for at, value in ((0, mixed(outer, inner, 3, 2, 7, 6)), (16, mixed(outer, inner, 1, 0, 5, 4))):
            builder.store(value, place(state, at)).align = 1
    return target.get_dummy_value()


def _declared(module: Any, name: str, takes: int) -> Any:
    return module.globals.get(name) or ir.Function(module, ir.FunctionType(_Four, [_Four] * takes), name)


def _words(values: Any) -> Any:
    return ir.Constant(_Four, [ir.Constant(ir.IntType(32), value) for value in values])


_instructions: Any = intrinsic(_instructed)
_instructions_twice: Any = intrinsic(_instructed_twice)


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


def _folded_twice(states: Any, texts: Any, one: Any, other: Any, count: Any) -> None:
    state, text, width = states.ctypes.data, texts.ctypes.data, texts.shape[1]
    _instructions_twice(state + 32 * one, state + 32 * other, text + width * one, text + width * other, count)


def _computed_twice(states: Any, texts: Any, one: Any, other: Any, count: Any) -> None:
    fold(states[one], texts[one], 0, count)
    fold(states[other], texts[other], 0, count)


#: Fold ``count`` blocks of two of ``texts`` into their ``states``, at little more than the cost of one.
fold_both: Any = compiled(types.void(types.uint32[:, ::1], types.uint8[:, ::1], types.intp, types.intp, types.intp))(
    _folded_twice if HAS_INSTRUCTIONS else _computed_twice
)
