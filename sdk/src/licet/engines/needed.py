"""Libraries that an engine needs and that only its extra brings."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from licet.errors import InputError, ServiceError


def needed(module: str, extra: str) -> Any:
    """Return the library ``module``; raises ``InputError`` that names the extra which brings it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(f"{module}: expected it to be installed (pip install 'licet[{extra}]'), got {error}") from None


def lost(engine: str, error: Exception) -> ServiceError:
    """Return the error for a cluster that failed: what is done of the job stays, and the same call goes on."""
    told = str(error).strip().splitlines()
    return ServiceError(
        f"{engine} could not go on: {told[-1] if told else type(error).__name__}; the same call goes on"
    )
