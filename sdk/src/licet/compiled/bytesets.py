"""Which of sixty-four bytes are of which kind: a bit for each, by a few comparisons of all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

#: Bytes that are looked at together.
WIDE: Final = 64

_Masks: Any = types.UniTuple
_Long: Final = ir.IntType(64)
_Bytes: Final = ir.VectorType(ir.IntType(8), WIDE)


def masks_of(*sets: Iterable[int]) -> Any:
    """Return a function for compiled loops: of an address, a mask (int64) for each set of bytes.

    Bit n of a mask says whether byte n from the address on is in the set. All 64 bytes must be there to be read.
    """
    runs = [list(_runs(each)) for each in sets]

    def masks(_context: Any, address: Any) -> Any:
        def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            block = builder.load(builder.inttoptr(arguments[0], _Bytes.as_pointer()))
            block.align = 1
            found = [_mask(builder, block, each) for each in runs]
            return target.make_tuple(builder, signature.return_type, found)

        return _Masks(types.int64, len(runs))(types.uintp), emit

    return intrinsic(masks)


def _mask(builder: Any, block: Any, runs: list[tuple[int, int]]) -> Any:
    within = None
    for low, high in runs:
        # One comparison for both ends: what is below wraps around.
        offset = builder.sub(block, _all(low)) if low else block
        here = builder.icmp_unsigned("<=", offset, _all(high - low))
        within = here if within is None else builder.or_(within, here)
    return builder.bitcast(within, _Long)


def _runs(values: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Yield the first and the last of each run of numbers that follow on each other."""
    for _, run in groupby(enumerate(sorted(values)), lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        yield numbers[0], numbers[-1]


def _all(byte: int) -> Any:
    return ir.Constant(_Bytes, [byte] * WIDE)
