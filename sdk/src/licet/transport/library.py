"""httpx, without the command line that it imports where click and rich are installed: half of its time, never used."""

from __future__ import annotations

import sys
from typing import Final

_COMMAND_LINE: Final = "httpx._main"
_halted = "httpx" not in sys.modules and _COMMAND_LINE not in sys.modules
if _halted:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # the documented way to halt an import
try:
    import httpx
finally:
    if _halted:
        sys.modules.pop(_COMMAND_LINE, None)

__all__ = ["httpx"]
