"""The compiled loops of a search, where they are installed and worth their start; plain ones find exactly the same."""

from __future__ import annotations

import sys
from functools import cache
from types import ModuleType
from typing import Final

#: Postings from which on the compiled loops are worth it: once they are loaded, and with loading them.
_WORTH: Final = 20_000
_WORTH_LOADING: Final = 100_000
_MODULE: Final = "licet.derivative.kernels"


def worth(postings: int) -> ModuleType | None:
    """Return the compiled loops where they are there, and worth it for so many postings."""
    return loaded() if postings >= (_WORTH if _MODULE in sys.modules else _WORTH_LOADING) else None


def ready() -> ModuleType | None:
    """Return the compiled loops where a search has loaded them before."""
    return loaded() if _MODULE in sys.modules else None


@cache
def loaded() -> ModuleType | None:
    """Return the compiled loops, which takes a second or two at first; None where numba is not there."""
    try:
        from licet.derivative import kernels
    except ImportError:  # not installed, or not for this numpy
        return None
    return kernels
