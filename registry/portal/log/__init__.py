"""The public log for people: its newest checkpoint and entries, checked in the visitor's own browser; how to check it
elsewhere."""

from __future__ import annotations

from typing import Any, Final

from registry.portal.log import pages, verifying

ROUTES: Final[list[Any]] = [*pages.ROUTES, *verifying.ROUTES]
