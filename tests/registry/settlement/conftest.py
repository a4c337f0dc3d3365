"""A service of its own for what needs real licences; the rest settles on a database alone."""

from __future__ import annotations

from tests.registry.sites import site

__all__ = ["site"]
