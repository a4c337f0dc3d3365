"""From terms to money: what a licence owes for a while, to the micro-unit, and how that came about.

One pure function, `due`, for whoever signs the figures, posts them or recomputes them (semantics 18, 19).
"""

from __future__ import annotations

from licet.pricing.asked import Item, Quantities, Window
from licet.pricing.derivation import LANGUAGES, Step, written
from licet.pricing.due import Due, Owed, due, together

__all__ = ["LANGUAGES", "Due", "Item", "Owed", "Quantities", "Step", "Window", "due", "together", "written"]
