"""What ``licet[signals]`` brings, loaded where it is needed; without it nothing is read, and that is an error."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from licet.errors import InputError

#: What every reading may come to need; C2PA manifests and PDF files are looked for only where there are some.
ALWAYS: Final = ("http_sf", "lxml.etree")


def ensure_readers() -> None:
    """Return if signals can be read here; raises ``InputError`` without ``licet[signals]``."""
    try:
        for name in ALWAYS:
            import_module(name)
    except ImportError as error:
        raise InputError(f"reading signals needs the extra licet[signals]: {error}", extra="signals") from error
