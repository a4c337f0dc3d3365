"""Counting bits in compiled loops. Importing this imports numba."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _counted(_context: Any, _value: Any) -> Any:
    """How many bits of a word are set: one instruction of the processor."""

    def emit(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        count = builder.module.declare_intrinsic("llvm.ctpop", [ir.IntType(64)])
        return builder.call(count, arguments)

    return types.uint64(types.uint64), emit


ones: Any = intrinsic(_counted)
