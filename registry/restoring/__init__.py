"""A database that is behind what was let out catches up, or is refused: it never goes on as if nothing had happened."""

from __future__ import annotations

from registry.restoring.recovery import Place, recover

__all__ = ["Place", "recover"]
