"""The two languages of the portal: every page has one in its address, ``/en/…`` or ``/zh/…``."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
#: As ``lang`` and ``hreflang`` have it, and as signed statements do (``shown.lang``).
TAGS: Final[dict[Language, Literal["en", "zh-Hans"]]] = {"en": "en", "zh": "zh-Hans"}
#: As Babel knows them: which forms numbers, dates and amounts have.
LOCALES: Final[dict[Language, str]] = {"en": "en_GB", "zh": "zh_Hans_CN"}
OTHER: Final[dict[Language, Language]] = {"en": "zh", "zh": "en"}
_LONGEST: Final = 500


def of_path(path: str) -> Language | None:
    """Return the language that an address is in, None where it is no page of the portal."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return next((each for each in LANGUAGES if each == first), None)


def everywhere(*paths: str) -> list[str]:
    """Return the addresses of a page in every language: ``/en/works`` and ``/zh/works`` for ``/works``."""
    return [f"/{language}{path}" for language in LANGUAGES for path in paths]


def preferred(accept: str | None) -> Language:
    """Return the language of ours that an ``Accept-Language`` header (RFC 9110, section 12.5.4) likes best."""
    best: tuple[float, Language] = (0.0, "en")
    for part in (accept or "")[:_LONGEST].split(","):
        tag, _, rest = part.strip().partition(";")
        name = tag.partition("-")[0].lower()
        try:
            quality = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            continue
        for language in LANGUAGES:
            if name == language and quality > best[0]:
                best = (quality, language)
    return best[1]
