"""Structured field values (RFC 9651), as headers and lines of robots.txt carry them.

``http-sf`` parses; what is added are a limit, our error, and whether a key stood there twice: the last one counts, says
the RFC, and a reader that must not overlook a denial has to know that there was another.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from licet.errors import MalformedError

MAX_FIELD: Final = 16_384  # bytes, of all lines of a field


class Dictionary(NamedTuple):
    """``members``: key → value without its parameters. ``repeated``: what earlier ones of the same key had."""

    members: dict[str, Any]
    repeated: dict[str, list[Any]]


def dictionary(value: bytes) -> Dictionary:
    """Return the dictionary that ``value`` is; raises ``MalformedError`` for anything else and for more than 16 kB."""
    seen: list[str] = []
    parsed = parse(value, "dictionary", seen)
    members = {key: item[0] for key, item in parsed.items()}
    repeated: dict[str, list[Any]] = {key: [] for key in seen}
    if seen:
        for one in _members(value):
            (key, (item, _)) = next(iter(parse(one, "dictionary").items()))
            if key in repeated:
                repeated[key].append(item)
        for items in repeated.values():
            items.pop()  # the last, which counts
    return Dictionary(members, repeated)


def parse(value: bytes, kind: str, repeated: list[str] | None = None) -> Any:
    """Return the ``dictionary``, ``list`` or ``item`` that ``value`` is; keys that stand there twice go to
    ``repeated``. Raises ``MalformedError``."""
    from http_sf import parse as parse_field
    from http_sf.errors import StructuredFieldError

    if len(value) > MAX_FIELD:
        raise MalformedError(f"expected a field of at most {MAX_FIELD:,} bytes, got {len(value):,}")

    def note(key: str, _: str) -> None:
        if repeated is not None and key not in repeated:
            repeated.append(key)

    try:
        return parse_field(value, tltype=kind, on_duplicate_key=note)
    except StructuredFieldError as error:
        raise MalformedError(f"expected a structured field ({kind}), got one that is not: {error}") from None
    except (ValueError, ArithmeticError, OSError) as error:  # a date beyond the calendar, text that is no UTF-8
        raise MalformedError(f"expected a structured field ({kind}), got one that is not: {error}") from None


def _members(value: bytes) -> list[bytes]:
    """Return the members of a dictionary that parses, apart: split at commas that are in no string and no list."""
    parts, start, depth, quoted, at = [], 0, 0, False, 0
    while at < len(value):
        byte = value[at : at + 1]
        if quoted:
            if byte == b"\\":
                at += 1
            elif byte == b'"':
                quoted = False
        elif byte == b'"':
            quoted = True
        elif byte in (b"(", b")"):
            depth += 1 if byte == b"(" else -1
        elif byte == b"," and not depth:
            parts.append(value[start:at])
            start = at + 1
        at += 1
    return [*parts, value[start:]]
