"""Data sets that describe themselves (Croissant), and pages that do (JSON-LD): licences and ``usageInfo``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from licet.signals.dialects import CROISSANT, SCHEMA_ORG
from licet.signals.documents import loads
from licet.signals.readers.odrl import is_policy, policies
from licet.signals.strictness import UNSET
from licet.signals.types import Carrier, Signal, Standard

MAX_BYTES: Final = 8 << 20
MAX_DEPTH: Final = 50
_NAMES: Final = ("license", "usageinfo", "acquirelicensepage")
_CONFORMS: Final = "mlcommons.org/croissant"


def read_croissant(body: bytes, *, at: str) -> tuple[Signal, ...]:
    """Return what a Croissant file says of the data set that it describes: ODRL policies, and where terms lie."""
    if len(body) > MAX_BYTES:
        return (CROISSANT.unreadable("document", at, f"{len(body):,} bytes", "too-long"),)
    try:
        value = loads(body)
    except (ValueError, RecursionError):
        return (CROISSANT.unreadable("document", at, body[:400].decode("utf-8", "replace")),)
    return tuple(described(value, CROISSANT, "document", at))


def is_croissant(value: Any) -> bool:
    """Return whether a JSON value says that it conforms to Croissant."""
    said = value.get("conformsTo", value.get("dct:conformsTo")) if isinstance(value, dict) else None
    return _CONFORMS in str(said)


def described(value: Any, standard: Standard, carrier: Carrier, at: str) -> Iterator[Signal]:
    """Yield what ``license`` and ``usageInfo`` anywhere in a JSON-LD value say.

    A licence that is only named permits nothing and denies nothing: where it lies is what is known.
    """
    for name, each in _named(value, MAX_DEPTH):
        if is_policy(each):
            yield from policies(each, at=at, carrier=carrier)
            continue
        address = each.get("url", each.get("@id", each.get("name"))) if isinstance(each, dict) else each
        if isinstance(address, str) and address:
            yield standard.signal(carrier, at, f"{name}: {address}", UNSET, "licence-named", terms=address)


def read_json_ld(body: bytes, at: str) -> Iterator[Signal]:
    """Yield what a JSON-LD script of a page says; one that names a licence and cannot be read is to be looked at."""
    try:
        value = loads(body)
    except (ValueError, RecursionError):
        if any(name in body.lower() for name in (b"license", b"usageinfo", b"odrl")):
            yield SCHEMA_ORG.unreadable("html", at, body[:400].decode("utf-8", "replace"))
        return
    yield from described(value, SCHEMA_ORG, "html", at)


def _named(value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if depth <= 0:
        return
    if isinstance(value, list):
        for each in value:
            yield from _named(each, depth - 1)
    elif isinstance(value, dict):
        for name, each in value.items():
            bare = name.rpartition(":")[2] if isinstance(name, str) else ""
            if bare.lower() in _NAMES:
                yield from ((bare, one) for one in (each if isinstance(each, list) else [each]))
            else:
                yield from _named(each, depth - 1)
