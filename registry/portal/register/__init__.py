"""The public register's pages: what models were trained on, and what datasets were made of."""

from __future__ import annotations

from typing import Any, Final

from registry.portal.register import pages

ROUTES: Final[list[Any]] = pages.ROUTES
