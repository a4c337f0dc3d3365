"""TDMRep: a reservation, and the policy that says under which conditions it is lifted; ``/.well-known/tdmrep.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin

from licet.signals.dialects import TDMREP, TDMREP_RESERVATION
from licet.signals.documents import loads
from licet.signals.robots import escaped, matches, path_of, unescaped
from licet.signals.types import Carrier, Signal

WELL_KNOWN: Final = "/.well-known/tdmrep.json"
MAX_BYTES: Final = 1 << 20
MAX_RULES: Final = 10_000


def reservation(
    value: Any, policy: Any, carrier: Carrier, place: str, url: str, *, asset: bool | None = None
) -> Iterator[Signal]:
    """Yield what a reservation says; nothing for one that is absent or empty.

    1 reserves, and stays so until its policy has been read; 0 does not. Anything else is for somebody to look at.
    """
    text = ("1" if value else "0") if isinstance(value, bool) else str("" if value is None else value).strip()
    if not text:
        return
    if text == "1":
        address = _address(policy, url)
        said = f"tdm-reservation: 1, tdm-policy: {address}" if address else "tdm-reservation: 1"
        denied = TDMREP_RESERVATION.denied()
        yield TDMREP.signal(carrier, place, said, denied, "reserved", asset=asset, terms=address, awaits=address)
    elif text == "0":
        said = "tdm-reservation: 0"
        yield TDMREP.signal(carrier, place, said, TDMREP_RESERVATION.allowed(), "not-reserved", asset=asset)
    else:
        said = f"tdm-reservation: {text}"
        doubtful = TDMREP_RESERVATION.doubtful()
        yield TDMREP.signal(carrier, place, said, doubtful, "unknown-value", asset=asset)


class Rules(NamedTuple):
    """A site's ``tdmrep.json``, taken apart: patterns of paths with the members of their rule, and what is damaged."""

    rules: list[tuple[str, dict[str, Any], str]]
    damaged: tuple[Signal, ...]


def read_tdmrep(body: bytes, url: str) -> tuple[Signal, ...]:
    """Return what a site's ``tdmrep.json`` says of ``url``: the first location that matches, ``*`` and ``$`` in it.

    Read leniently: a byte order mark, a comma too many at the end of a list or an object, one object without a list
    around it. What cannot be read even so is for somebody to look at.
    """
    parsed = parse_tdmrep(body)
    path = path_of(url)
    for pattern, rule, place in parsed.rules:
        if matches(pattern, path):
            return (*parsed.damaged, *of_rule(rule, place, url))
    return parsed.damaged


def of_rule(rule: dict[str, Any], place: str, url: str) -> Iterator[Signal]:
    """Yield what the rule says that decides on ``url``."""
    yield from reservation(rule.get("tdm-reservation"), rule.get("tdm-policy"), "tdmrep.json", place, url)


def parse_tdmrep(body: bytes) -> Rules:
    """Return ``body`` taken apart, whatever it is."""
    if len(body) > MAX_BYTES:
        return Rules([], (TDMREP.unreadable("tdmrep.json", "file", f"{len(body):,} bytes", "too-long"),))
    try:
        rules = loads(body)
    except (ValueError, RecursionError):
        return Rules([], (TDMREP.unreadable("tdmrep.json", "file", body[:400].decode("utf-8", "replace")),))
    if isinstance(rules, dict):
        rules = [rules]
    if not isinstance(rules, list) or len(rules) > MAX_RULES:
        said = f"{type(rules).__name__}, expected a list of at most {MAX_RULES:,} rules"
        return Rules([], (TDMREP.unreadable("tdmrep.json", "file", said),))
    found = Rules([], ())
    for number, rule in enumerate(rules, 1):
        place = f"rule {number}"
        location = rule.get("location") if isinstance(rule, dict) else None
        if isinstance(location, str):
            found.rules.append((_pattern(location), rule, place))
        else:
            found = found._replace(damaged=(TDMREP.unreadable("tdmrep.json", place, json.dumps(rule)[:400]),))
    return found


def _pattern(location: str) -> str:
    """Return a location as a pattern for paths; one that is a whole address is taken by its path."""
    pattern = path_of(location) if "://" in location else location
    return unescaped(escaped(("/" + pattern if not pattern.startswith(("/", "*")) else pattern).encode()))


def _address(policy: Any, url: str) -> str | None:
    if not isinstance(policy, str) or not policy.strip():
        return None
    try:
        return urljoin(url, policy.strip())
    except ValueError:
        return policy.strip()
