"""Evidence for auditors and for those concerned: bundles of a month, and every derived figure computed again."""

from __future__ import annotations

from registry.auditing.verification import Difference, verify

__all__ = ["Difference", "verify"]
