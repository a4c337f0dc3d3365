"""What every page stands in: languages and words, templates, files, forms, refusals, and who may enter."""

from __future__ import annotations

from typing import Any, Final

from registry.portal.frame.assets import asset

ROUTES: Final[list[Any]] = [asset]
