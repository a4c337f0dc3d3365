"""How much a caller may ask in a while, counted over all processes together."""

from __future__ import annotations

from registry.quotas.leases import Exceeded, Quota, Quotas, Standing

__all__ = ["Exceeded", "Quota", "Quotas", "Standing"]
