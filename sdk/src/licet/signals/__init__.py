"""What others say about uses, in every dialect: readers of each, and the rule that makes one verdict of them all.

A reader takes bytes or headers and returns signals; none opens a socket or a file, and none raises for what is in them.
``docs/internals/signals.md`` has the table of standards, and why each of our uses is called what it is there.
"""

from __future__ import annotations

from licet.signals.combining import Combined, UseVerdict, combine, combined_mask, verdicts_of
from licet.signals.strictness import PERMISSIONS, Permission, permissions
from licet.signals.types import Signal

__all__ = [
    "PERMISSIONS",
    "Combined",
    "Permission",
    "Signal",
    "UseVerdict",
    "combine",
    "combined_mask",
    "permissions",
    "verdicts_of",
]
