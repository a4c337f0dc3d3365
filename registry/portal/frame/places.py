"""Countries as people write them: by code, or by name in either language of the portal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from babel import Locale

from licet.errors import InputError
from licet.terms import countries
from registry.portal.frame.languages import LANGUAGES, LOCALES

_COMMAS: Final = re.compile(r"[,;，、；]")


def places(text: str, field: str) -> list[str]:
    """Return the codes of countries that are named, by codes or in either language: ``Germany, JP, EU``."""
    found: list[str] = []
    for part in filter(None, map(str.strip, _COMMAS.split(text))):
        known = _code(part)
        codes: Sequence[str | None] = [known] if known else [_code(each) for each in part.split()]
        if None in codes:
            raise InputError.field(field, "countries, by name or by code such as DE, or EU", part)
        found += [each for each in codes if each is not None]
    return found


def _code(name: str) -> str | None:
    return name.upper() if name.upper() in countries.CODES else _names().get(name.casefold())


@cache
def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in LANGUAGES:
        named = Locale.parse(LOCALES[language]).territories
        found |= {str(named[code]).casefold(): code for code in sorted(countries.CODES) if code in named}
    return found
