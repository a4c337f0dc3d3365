"""A running service for tests that need no service of their own."""

from __future__ import annotations

from tests.registry.sites import site

__all__ = ["site"]
