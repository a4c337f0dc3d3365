"""Arrays that compiled loops do not count.

numba counts who holds an array, one atomic step each time one is handed to a function that is not plain straight code:
for each row that takes longer than hashing it does, and threads wait for each other's counts.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.extending import intrinsic


def _without_owner(_context: Any, array: Any) -> Any:
    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = target.make_array(signature.args[0])(target, builder, arguments[0])
        made.meminfo = ir.Constant(made.meminfo.type, None)
        made.parent = ir.Constant(made.parent.type, None)
        return made._getvalue()

    return array(array), emit


#: The same array, which nobody counts: for whoever holds it until the last use, as a caller does. An array that a loop
#: makes for itself is let go after it is last named there: name it in the outermost loop, beside this.
uncounted: Any = intrinsic(_without_owner)
