"""Settings in words: the variable of each, what it takes, what is wrong with what it was given."""

from __future__ import annotations

import difflib
import os
from collections.abc import Container, Iterable, Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from licet import money
from registry.settings.values import Rate

PREFIX = "LICET_REGISTRY_"
SECRET = frozenset({"database_url", "metrics_token"})  # never shown, wrong ones neither


def variable(field: str) -> str:
    """Return the name of the environment variable that sets ``field``."""
    return "DATABASE_URL" if field == "database_url" else PREFIX + field.upper()


def form(field: FieldInfo) -> str:
    """Return what a value of ``field`` looks like."""
    kind = field.annotation
    limits = {type(each).__name__: each for each in field.metadata}
    low, high = getattr(limits.get("Ge"), "ge", None), getattr(limits.get("Le"), "le", None)
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if kind is int:
        if low is not None and high is not None:
            return f"a whole number from {low} to {high}"
        return "a whole number" if low is None else f"a whole number, at least {low}"
    if kind is float:
        return "a number" if low is None or high is None else f"a number from {low} to {high}"
    if kind is timedelta:
        return "a duration such as 30s, 15m, 24h or 90d"
    if kind is Rate:
        return "a rate such as 6000/1m, or off"
    if kind == tuple[IPv4Network | IPv6Network, ...]:
        return "networks, separated by commas"
    if kind == tuple[money.Money, ...]:
        return "amounts such as 10USD,10EUR, one a currency"
    if kind == tuple[str, ...]:
        return "names, separated by commas"
    if kind is Path:
        return "a folder"
    if kind is bool:
        return "true or false"
    longest = getattr(limits.get("MaxLen"), "max_length", None)
    return "a text" if longest is None else f"a text of at most {longest} characters"


def shown(value: object) -> str:
    """Return a setting's value as its variable takes it; a secret stays hidden."""
    if value is None or value in ("", ()):
        return "(empty)"
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
            if seconds and seconds % size == 0 and seconds // size != 1:
                return f"{seconds // size}{unit}"
        return f"{seconds}s"
    if isinstance(value, tuple) and not isinstance(value, Rate):
        if all(isinstance(each, money.Money) for each in value):
            return ",".join(f"{money.to_decimal(each.micro)}{each.currency}" for each in value)
        return ",".join(str(each) for each in value)
    return str(value)


def unknown_variables(settings: Iterable[str]) -> list[str]:
    """Return what is wrong with variables that look like ours and are of none of ``settings``."""
    known = {variable(name) for name in settings} | {f"{PREFIX}DATABASE_URL"}
    found = []
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), sorted(known), n=1)
            hint = f", did you mean {near[0]}?" if near else "; `licet-registry settings --explain` lists them"
            found.append(f"{name}: expected a setting that exists{hint}")
    return found


def problem(error: Any, given: Container[str], fields: Mapping[str, FieldInfo]) -> str:
    """Return an error of the library in our words: the variable or option, what was expected, what came."""
    location = str(error["loc"][0]) if error["loc"] else ""
    name = next((field for field in fields if location in {field, variable(field)}), location)
    label = f"--{name.replace('_', '-')}" if name in given else variable(name)
    expected = str(error["msg"]).removeprefix("Value error, ")
    if not expected.startswith("expected "):  # the words of the library: ours say the form and the limits
        pattern = error.get("ctx", {}).get("pattern")
        expected = f"expected {f'a text like {pattern}' if pattern else form(fields[name])}"
    got = "…" if name in SECRET else repr(error["input"])
    return f"{label}: {expected}, got {got}"
