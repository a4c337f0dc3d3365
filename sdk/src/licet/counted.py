"""Numbers of things, as people say them."""

from __future__ import annotations


def many(count: int, one: str, more: str | None = None) -> str:
    """Return ``1 work``, ``2 works``, ``3 entries``."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
