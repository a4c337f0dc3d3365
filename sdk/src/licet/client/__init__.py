"""Both clients: `endpoints` says once what can be asked, `contact` who asks whom, `blocking` and `asynchronous` wait.

``Client`` and ``AsyncClient`` here speak to the service; those of `licet` itself add the work on datasets.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from licet.client.asynchronous import AsyncClient
    from licet.client.blocking import Client

__all__ = ["AsyncClient", "Client"]


def __getattr__(name: str) -> Any:
    # On first use: who asks for one part need not bring the others.
    module = {"AsyncClient": "asynchronous", "Client": "blocking"}.get(name)
    if module is None:
        raise AttributeError(f"module 'licet.client' has no attribute {name!r}")
    return getattr(import_module(f"licet.client.{module}"), name)
