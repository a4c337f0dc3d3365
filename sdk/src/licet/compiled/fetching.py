"""Asking memory for what is read soon, in compiled loops. Importing this imports numba."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_Byte = ir.IntType(8).as_pointer()
_Word = ir.IntType(32)
_READ, _KEPT, _DATA = _Word(0), _Word(3), _Word(1)  # to be read, in every cache, and no instructions
_insert: Any = cgutils.get_or_insert_function


def _fetched(_context: Any, _address: Any) -> Any:
    """Have what lies at an address brought near; nothing waits for it, and none that is not there is an error."""

    def emit(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_Byte, _Word, _Word, _Word])
        fetch = _insert(builder.module, kind, "llvm.prefetch.p0")
        builder.call(fetch, [builder.inttoptr(arguments[0], _Byte), _READ, _KEPT, _DATA])
        return target.get_dummy_value()

    return types.void(types.uintp), emit


fetch: Any = intrinsic(_fetched)
