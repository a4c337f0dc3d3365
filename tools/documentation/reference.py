"""The pages of ``docs/reference/`` that are generated from the code: name → text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tools.documentation import commands, faults, http, metrics, names, settings

PAGES: Final[dict[str, Callable[[], str]]] = {
    "reference/licet.md": commands.licet,
    "reference/licet-registry.md": commands.registry,
    "reference/settings.md": settings.page,
    "reference/metrics.md": metrics.page,
    "reference/http.md": http.page,
    "reference/python.md": names.page,
    "reference/errors.md": faults.errors,
    "reference/problems.md": faults.problems,
}


def pages() -> dict[str, str]:
    """Return every generated page by its path below ``docs/``."""
    return {path: page() for path, page in PAGES.items()}
