"""Where the files are that travel with the service: inside the wheel, or at the root of a checkout."""

from __future__ import annotations

from pathlib import Path


def packaged(name: str) -> Path:
    """Return the folder ``name`` (``migrations``, ``openapi``) of this installation.

    A wheel carries it as ``registry/_data/<name>``, a checkout at its root.
    """
    package = Path(__file__).resolve().parent
    inside = package / "_data" / name
    return inside if inside.is_dir() else package.parent / name
