"""A running service whose domains know each other."""

from __future__ import annotations

from tests.registry.sites import lone, pictures, site

__all__ = ["lone", "pictures", "site"]
