"""How loops are compiled: once for one signature, kept on disk beside the source or in the user's cache folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(signature: Any) -> Callable[[Any], Any]:
    """Return a decorator that compiles a loop for ``signature``; it runs without the interpreter's lock."""

    def decorated(loop: Any) -> Any:
        try:
            return njit(signature, nogil=True, cache=True)(loop)
        except Exception:  # noqa: BLE001 - no folder to keep it in, or a damaged one: it is compiled each time
            return njit(signature, nogil=True)(loop)

    return decorated
