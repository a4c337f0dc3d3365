"""What a value must be beyond its type; each raises ``ValueError`` that says what was expected."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

#: An address as people have it: of letters, digits and few signs, at a host with a dot in its name.
_MAIL: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]"
)


def absolute(value: str) -> str:
    """Return ``value`` without a slash at its end: an address of the web, or nothing."""
    if not value:
        return value
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("expected an address such as https://registry.example")
    return value.rstrip("/")


def reached(value: str) -> str:
    """Return ``value``, where people are reached: an e-mail address, an address of the web, or nothing."""
    if not value or _MAIL.fullmatch(value):
        return value
    try:
        parts = urlsplit(value)
        plain = parts.scheme == "https" and parts.hostname and not parts.username and parts.port != 0
    except ValueError:
        plain = False
    if not plain or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("expected an e-mail address such as help@registry.example, or an https:// address")
    return value


def bucket(value: str) -> str:
    """Return ``value`` without a slash at its end: the address of a bucket, or nothing."""
    parts = urlsplit(value)
    if value and (parts.scheme != "s3" or not parts.netloc or parts.username or parts.query or parts.fragment):
        raise ValueError("expected an address such as s3://bucket/prefix")
    return value.rstrip("/")


def accounts(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``value``, accounts at banks."""
    if not all(each.isascii() and each.isalnum() and len(each) <= 34 for each in value):
        raise ValueError("expected accounts of 1 to 34 letters and digits")
    return value


def resolver(value: str) -> str:
    """Return ``value``, the address and port of a resolver, or nothing."""
    if not value:
        return value
    host, _, port = value.rpartition(":")
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        port = ""
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise ValueError("expected an address and a port such as 192.0.2.53:53")
    return value


def none_if_empty(value: object) -> object:
    """Return ``value``, or None where the variable is set to nothing."""
    return value or None


def postgresql(value: SecretStr | None) -> SecretStr | None:
    """Return ``value``, the address of a database; None where the variable is set to nothing."""
    if value is None or not value.get_secret_value():
        return None
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("expected an address such as postgresql://user:password@host/name")
    for part in parts.netloc.rpartition("@")[2].split(","):  # several hosts may be named
        port = part.rpartition("]")[2].partition(":")[2]
        if port and not (port.isascii() and port.isdigit() and int(port) < 65_536):
            raise ValueError("expected a port from 0 to 65535 in the address")
    return value
