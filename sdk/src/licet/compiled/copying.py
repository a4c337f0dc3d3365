"""Bytes moved inside of compiled loops as libc and the processor move them, not one by one.

Rows are named by a table and a number: a view of a row would be counted, which takes longer than the copying.
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_Byte = ir.IntType(8).as_pointer()
_memcpy: Any = cgutils.raw_memcpy
_memset: Any = cgutils.memset

#: The bytes that `spill` moves at once.
SPILT: Final = 64
_Block: Final = ir.VectorType(ir.IntType(8), SPILT)
#: The bytes that `stream` moves.
LINE: Final = 64
_Line: Final = ir.VectorType(ir.IntType(64), LINE // 8)


def _copied(_context: Any, _source: Any, _target: Any, _size: Any) -> Any:
    def emit(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source, destination, size = arguments
        _memcpy(builder, builder.inttoptr(destination, _Byte), builder.inttoptr(source, _Byte), size, 1)
        return target.get_dummy_value()

    return types.void(types.uintp, types.uintp, types.intp), emit


def _zeroed(_context: Any, _target: Any, _size: Any) -> Any:
    def emit(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        destination, size = arguments
        _memset(builder, builder.inttoptr(destination, _Byte), size, 0)
        return target.get_dummy_value()

    return types.void(types.uintp, types.intp), emit


def _moved(_context: Any, _source: Any, _target: Any, _size: Any) -> Any:
    def emit(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source, destination, size = arguments
        before, body, done = builder.block, builder.append_basic_block("move"), builder.append_basic_block("moved")
        builder.branch(body)
        builder.position_at_end(body)
        offset = builder.phi(size.type)
        offset.add_incoming(size.type(0), before)
        value = builder.load(builder.inttoptr(builder.add(source, offset), _Block.as_pointer()))
        value.align = 1
        builder.store(value, builder.inttoptr(builder.add(destination, offset), _Block.as_pointer())).align = 1
        following = builder.add(offset, size.type(SPILT))
        offset.add_incoming(following, body)
        builder.cbranch(builder.icmp_signed("<", following, size), body, done)
        builder.position_at_end(done)
        return target.get_dummy_value()

    return types.void(types.uintp, types.uintp, types.intp), emit


def _streamed(_context: Any, _source: Any, _target: Any) -> Any:
    """Move 64 bytes from one address to another, which is a multiple of 64, past the caches.

    A line that is written as a whole is not read before, and nothing that is needed soon makes way for it.
    """

    def emit(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source, destination = (builder.inttoptr(each, _Line.as_pointer()) for each in arguments)
        value = builder.load(source)
        value.align = 8
        stored = builder.store(value, destination)
        stored.align = LINE
        stored.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        return target.get_dummy_value()

    return types.void(types.uintp, types.uintp), emit


_copy: Any = intrinsic(_copied)
_move: Any = intrinsic(_moved)
_zero: Any = intrinsic(_zeroed)
stream: Any = intrinsic(_streamed)


@njit(nogil=True, forceinline=True)
def copy(source: Any, start: Any, size: Any, table: Any, row: Any, at: Any) -> Any:
    """Copy ``size`` bytes of ``source``, from ``start`` on, into a row of ``table``, from ``at`` on; return the end."""
    _copy(source.ctypes.data + start, table.ctypes.data + row * table.shape[1] + at, size)
    return at + size


@njit(nogil=True, forceinline=True)
def spill(source: Any, start: Any, size: Any, table: Any, row: Any, at: Any) -> Any:
    """Do what `copy` does, in whole blocks of 64 bytes: without a call, for texts that are short.

    There must be 64 bytes more to be read, and as many that may be written over.
    """
    _move(source.ctypes.data + start, table.ctypes.data + row * table.shape[1] + at, size)
    return at + size


@njit(nogil=True, forceinline=True)
def zero(table: Any, row: Any, at: Any, size: Any) -> None:
    """Write ``size`` zeros into a row of ``table``, from ``at`` on."""
    _zero(table.ctypes.data + row * table.shape[1] + at, size)
