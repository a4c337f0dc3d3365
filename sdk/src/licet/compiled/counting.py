"""Bits of a word in compiled loops, each by one instruction of the processor. Importing this imports numba."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_Word = ir.IntType(64)
_DEFINED = ir.Constant(ir.IntType(1), 0)  # also for a word without bits


def _counted(_context: Any, _value: Any) -> Any:
    """How many bits of a word are set."""

    def emit(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        count = builder.module.declare_intrinsic("llvm.ctpop", [_Word])
        return builder.call(count, arguments)

    return types.uint64(types.uint64), emit


def _first(_context: Any, _value: Any) -> Any:
    """The number of the lowest bit that is set; 64 if none is."""

    def emit(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], _DEFINED)

    return types.int64(types.int64), emit


def _last(_context: Any, _value: Any) -> Any:
    """The number of the highest bit that is set; −1 if none is."""

    def emit(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.sub(_Word(63), builder.ctlz(arguments[0], _DEFINED))

    return types.int64(types.int64), emit


ones: Any = intrinsic(_counted)
lowest: Any = intrinsic(_first)
highest: Any = intrinsic(_last)
