"""Evidence for auditors and for those concerned: bundles of a month, and every derived figure computed again."""

from __future__ import annotations

from registry.auditing.types import Difference, Findings
from registry.auditing.verification import examine, verify

__all__ = ["Difference", "Findings", "examine", "verify"]
