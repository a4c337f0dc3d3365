"""Licet: check, filter and license training data against what artists consented to.

Names resolve on first use, so ``import licet`` stays cheap; heavy parts load when they are needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from licet.errors import (
    BudgetError,
    ConflictError,
    ExpiredError,
    InputError,
    InterruptedJobError,
    LicetError,
    MalformedError,
    NotAllowedError,
    PictureError,
    QuotaError,
    RollbackError,
    ServiceError,
    UnreachableError,
    VerificationError,
    VersionError,
)

if TYPE_CHECKING:
    from licet.datasets.asession import AsyncClient
    from licet.datasets.filtering.build import Wish
    from licet.datasets.licensing.budgets import Budget
    from licet.datasets.session import Client
    from licet.decisions import Request
    from licet.exchange.retrying import Timeouts
    from licet.terms import Terms

__version__ = "0.1.0"

# Public name → the module that defines it.
_LAZY: dict[str, str] = {
    "AsyncClient": "licet.datasets.asession",
    "Budget": "licet.datasets.licensing.budgets",
    "Client": "licet.datasets.session",
    "Request": "licet.decisions",
    "Terms": "licet.terms",
    "Timeouts": "licet.exchange.retrying",
    "Wish": "licet.datasets.filtering.build",
}

__all__ = [
    "AsyncClient",
    "Budget",
    "BudgetError",
    "Client",
    "ConflictError",
    "ExpiredError",
    "InputError",
    "InterruptedJobError",
    "LicetError",
    "MalformedError",
    "NotAllowedError",
    "PictureError",
    "QuotaError",
    "Request",
    "RollbackError",
    "ServiceError",
    "Terms",
    "Timeouts",
    "UnreachableError",
    "VerificationError",
    "VersionError",
    "Wish",
    "__version__",
]


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module 'licet' has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
