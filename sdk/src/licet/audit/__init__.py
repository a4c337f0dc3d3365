"""Evidence, checked without asking anybody: the whole log, and bundles of a period."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from licet.audit.report import Check, Report
    from licet.audit.verifying import verify_bundle

__all__ = ["Check", "Report", "verify_bundle"]

_HOME = {"Check": "licet.audit.report", "Report": "licet.audit.report", "verify_bundle": "licet.audit.verifying"}


def __getattr__(name: str) -> Any:
    # The whole log needs none of what bundles need.
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(name)
