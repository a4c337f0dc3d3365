"""An artist's terms where crawlers read: documents of a work in every dialect, headers, and the files of this site."""

from __future__ import annotations

from registry.publishing.hosting import preview_headers
from registry.works.above import ABOVE


def connect() -> None:
    """Let works say with every preview what may be done with it; again has no effect."""
    ABOVE.preview = preview_headers


__all__ = ["connect"]
