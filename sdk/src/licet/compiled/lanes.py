"""SHA-256 of sixteen messages at a time, one in each lane of the processor's widest registers (x86: AVX-512).

A round is then some twenty instructions for all of them, which takes about half of what the instructions for SHA-256
take for as many blocks one by one: those wait for each other.
"""

from __future__ import annotations

from typing import Any, Final

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from licet.compiled.sha256 import ROUND

LANES: Final = 16
_FEATURES: Final = llvm.get_host_cpu_features()
HAS_LANES: Final = all(_FEATURES.get(name) for name in ("avx512f", "avx512bw"))

_Word: Final = ir.IntType(32)
_Wide: Final = ir.VectorType(_Word, LANES)
_State: Final = ir.VectorType(_Word, 8)
_CHOOSE, _MAJORITY, _ODD = 0xCA, 0xE8, 0x96  # what is made of three bits, for each of the eight that they can be


def _folded(
    _context: Any, _start: Any, _begun: Any, _texts: Any, _width: Any, _states: Any, _blocks: Any, _order: Any,
    _first: Any, _last: Any,
) -> Any:  # fmt: skip
    """Fold sixteen texts, each into ``start``, and write the states where they are to go, as bytes of digests.

    If they have ``begun``, each is folded into what its state is already instead. They are the rows of a table that is
    ``width`` bytes wide, numbered from ``order[first]`` on, the longest last; where there are fewer than sixteen up to
    ``last``, the last one is folded several times. All others are addresses: ``start`` of eight words, ``blocks`` of
    how many (int64) each row has, ``order`` of int64."""
    place = types.uintp
    return types.void(place, types.boolean, place, types.intp, place, place, place, types.intp, types.intp), _emit


fold_lanes: Any = intrinsic(_folded)


def _emit(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    start, had_begun, texts, width, states, blocks, order, begin, last = arguments
    emit = _Emitter(builder)
    rows = [emit.number(order, emit.least(builder.add(begin, begin.type(lane)), last)) for lane in range(LANES)]
    text_at = [builder.add(texts, builder.mul(width, row)) for row in rows]
    state_at = [builder.add(states, builder.mul(row, row.type(32))) for row in rows]
    sizes = [builder.trunc(emit.number(blocks, row), _Word) for row in rows]
    counts, most = emit.gathered(sizes), sizes[-1]

    with builder.if_else(builder.trunc(had_begun, ir.IntType(1))) as (own, same):
        with own:
            wide = [emit.widened(emit.load(_State, each)) for each in state_at]
            each_own, after_own = emit.transposed(wide)[:8], builder.block
        with same:
            each_same = [emit.spread(emit.load(_Word, builder.add(start, start.type(4 * word)))) for word in range(8)]
            after_same = builder.block
    begun = [builder.phi(_Wide) for _ in range(8)]
    for value, each, other in zip(begun, each_own, each_same, strict=True):
        value.add_incoming(each, after_own)
        value.add_incoming(other, after_same)

    before, head = builder.block, builder.append_basic_block("lanes.head")
    body, done = builder.append_basic_block("lanes.body"), builder.append_basic_block("lanes.done")
    builder.branch(head)
    builder.position_at_end(head)
    block = builder.phi(most.type)
    block.add_incoming(most.type(0), before)
    now = [builder.phi(_Wide) for _ in begun]
    for value, first in zip(now, begun, strict=True):
        value.add_incoming(first, before)
    builder.cbranch(builder.icmp_signed("<", block, most), body, done)

    builder.position_at_end(body)
    offset = builder.zext(builder.mul(block, block.type(64)), texts.type)
    words = emit.transposed([emit.swapped(emit.load(_Wide, builder.add(each, offset))) for each in text_at])
    after = emit.rounds(now, words)
    going = builder.icmp_unsigned(">", counts, emit.spread(block))
    block.add_incoming(builder.add(block, block.type(1)), body)
    for value, other in zip(now, after, strict=True):
        value.add_incoming(builder.select(going, builder.add(value, other), value), body)
    builder.branch(head)

    builder.position_at_end(done)
    turned = [emit.swapped(value) for value in now]
    for value, at in zip(emit.transposed([*turned, *[ir.Constant(_Wide, ir.Undefined)] * 8]), state_at, strict=True):
        builder.store(emit.narrowed(value), builder.inttoptr(at, _State.as_pointer())).align = 1
    return target.get_dummy_value()


class _Emitter:
    """Writes what SHA-256 does (FIPS 180-4, 6.2.2) for all lanes at once."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder
        self._turn = self._declared("llvm.fshr.v16i32", [_Wide] * 3)
        self._swap = self._declared("llvm.bswap.v16i32", [_Wide])
        self._logic = self._declared("llvm.x86.avx512.pternlog.d.512", [*[_Wide] * 3, _Word])

    def rounds(self, state: list[Any], words: list[Any]) -> list[Any]:
        """Return the eight words after 64 rounds, without the state that they began from."""
        builder, schedule = self._builder, list(words)
        a, b, c, d, e, f, g, h = state
        for step in range(64):
            if step >= LANES:
                early, late = schedule[step - 15], schedule[step - 2]
                one = self._mixed(_ODD, self._turned(early, 7), self._turned(early, 18), self._shifted(early, 3))
                two = self._mixed(_ODD, self._turned(late, 17), self._turned(late, 19), self._shifted(late, 10))
                schedule.append(self._sum(schedule[step - 16], one, schedule[step - 7], two))
            turned = self._mixed(_ODD, *(self._turned(e, by) for by in (6, 11, 25)))
            added = self._sum(h, schedule[step], _same(ROUND[step]), turned, self._mixed(_CHOOSE, e, f, g))
            turned = self._mixed(_ODD, *(self._turned(a, by) for by in (2, 13, 22)))
            whole = self._sum(added, turned, self._mixed(_MAJORITY, a, b, c))
            a, b, c, d, e, f, g, h = whole, a, b, c, builder.add(d, added), e, f, g
        return [a, b, c, d, e, f, g, h]

    def transposed(self, rows: list[Any]) -> list[Any]:
        """Return word n of all sixteen rows as row n."""
        for distance in (1, 2, 4, 8):
            low = [at if at & distance == 0 else LANES + at - distance for at in range(LANES)]
            high = [at + distance if at & distance == 0 else LANES + at for at in range(LANES)]
            mixed = list(rows)
            for at in range(LANES):
                if at & distance == 0:
                    pair = rows[at], rows[at | distance]
                    mixed[at], mixed[at | distance] = (self._shuffled(*pair, each) for each in (low, high))
            rows = mixed
        return rows

    def number(self, at: Any, which: Any) -> Any:
        """Return one of the numbers that lie at an address."""
        return self.load(which.type, self._builder.add(at, self._builder.mul(which, which.type(8))))

    def least(self, number: Any, below: Any) -> Any:
        """Return a number, or the one before ``below`` if that is less."""
        most = self._builder.sub(below, below.type(1))
        return self._builder.select(self._builder.icmp_signed("<", number, most), number, most)

    def gathered(self, words: list[Any]) -> Any:
        """Return a word in each lane."""
        value = ir.Constant(_Wide, ir.Undefined)
        for lane, word in enumerate(words):
            value = self._builder.insert_element(value, word, _Word(lane))
        return value

    def load(self, kind: Any, at: Any) -> Any:
        """Return what lies at an address, wherever it begins."""
        value = self._builder.load(self._builder.inttoptr(at, kind.as_pointer()))
        value.align = 1
        return value

    def swapped(self, value: Any) -> Any:
        """Return words that were read the other way round."""
        return self._builder.call(self._swap, [value])

    def narrowed(self, value: Any) -> Any:
        """Return the first eight words."""
        return self._shuffled(value, value, list(range(8)))

    def widened(self, value: Any) -> Any:
        """Return eight words, and eight more of no meaning."""
        return self._shuffled(value, value, [*range(8)] * 2)

    def spread(self, word: Any) -> Any:
        """Return a word in all lanes."""
        builder, nothing = self._builder, ir.Constant(_Wide, ir.Undefined)
        return self._shuffled(builder.insert_element(nothing, word, _Word(0)), nothing, [0] * LANES)

    def _sum(self, first: Any, *others: Any) -> Any:
        for other in others:
            first = self._builder.add(first, other)
        return first

    def _turned(self, value: Any, by: int) -> Any:
        return self._builder.call(self._turn, [value, value, _same(by)])

    def _shifted(self, value: Any, by: int) -> Any:
        return self._builder.lshr(value, _same(by))

    def _mixed(self, how: int, *words: Any) -> Any:
        return self._builder.call(self._logic, [*words, _Word(how)])

    def _shuffled(self, left: Any, right: Any, lanes: list[int]) -> Any:
        kind = ir.VectorType(_Word, len(lanes))
        return self._builder.shuffle_vector(left, right, ir.Constant(kind, [_Word(lane) for lane in lanes]))

    def _declared(self, name: str, takes: list[Any]) -> Any:
        module = self._builder.module
        return module.globals.get(name) or ir.Function(module, ir.FunctionType(_Wide, takes), name)


def _same(word: int) -> Any:
    return ir.Constant(_Wide, [ir.Constant(_Word, word)] * LANES)
