"""Rows numbered by what they say in several columns together, so that what many share is put together once.

A column is a number for each row and a bitmap in Arrow's order (empty: all there), of which bit ``bit`` is the first
row's; a row that is not there has the number ``null``.
"""

from __future__ import annotations

from typing import Any

from numba import njit, types

from licet.compiled.compiling import compiled

_Numbers = types.Array(types.int32, 1, "C", readonly=True)
_Bits = types.Array(types.uint8, 1, "C", readonly=True)
_Codes = types.int32[::1]


@njit(nogil=True, forceinline=True)
def _value(numbers: Any, there: Any, bit: Any, null: Any, row: Any) -> Any:
    if len(there) and not (there[(bit + row) >> 3] >> ((bit + row) & 7)) & 1:
        return null
    return numbers[row]


@compiled(types.intp(_Codes, _Numbers, _Bits, types.intp, types.int32, types.intp, _Codes, _Codes, _Codes))
def merged(
    codes: Any,
    numbers: Any,
    there: Any,
    bit: Any,
    null: Any,
    size: Any,
    table: Any,
    former: Any,
    beside: Any,
) -> Any:
    """Number rows by their code and their number, below ``size``, in place; return how many of both there are.

    ``table`` holds −1 for each that there may be; ``former`` and ``beside`` take the code and the number of each.
    """
    count = 0
    for row in range(len(codes)):
        value = _value(numbers, there, bit, null, row)
        place = codes[row] * size + value
        code = table[place]
        if code < 0:
            code = count
            table[place], former[count], beside[count] = code, codes[row], value
            count += 1
        codes[row] = code
    return count


@compiled(types.boolean(_Codes, _Numbers, _Bits, types.intp, types.int32, _Codes))
def following(codes: Any, numbers: Any, there: Any, bit: Any, null: Any, found: Any) -> Any:
    """Return whether all rows with one code have one number, which ``found`` takes; it holds −1 for each code."""
    for row in range(len(codes)):
        value = _value(numbers, there, bit, null, row)
        known = found[codes[row]]
        if known < 0:
            found[codes[row]] = value
        elif known != value:
            return False
    return True
