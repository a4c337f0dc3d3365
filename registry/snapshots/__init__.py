"""Snapshots: what decisions are made from, published as signed files and read as of this very moment."""

from __future__ import annotations

from registry.services import Services
from registry.snapshots.reader import ConsentUnreadable, Reader


def connect(services: Services) -> None:
    """Give this process its reader of decisions; again has no effect."""
    if services.reader is None:
        services.reader = Reader(services)


__all__ = ["ConsentUnreadable", "Reader", "connect"]
