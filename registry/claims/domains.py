"""Domains as they are claimed: one spelling of each, and none that nobody controls alone."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from registry.errors import Invalid

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

LONGEST: Final = 245  # characters: with the label of its record in front it is a name of at most 253
RECORD: Final = "_licet"
FILE: Final = "/.well-known/licet.txt"

_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
#: Nobody's in the public DNS (RFC 6761, RFC 7686, RFC 8375, RFC 9476): a resolver may know those of its own house.
_NO_ONES: Final = frozenset({"localhost", "local", "internal", "onion", "arpa", "invalid", "alt"})


def domain_of(text: str) -> str:
    """Return the domain that ``text`` names as DNS has it: lower-case ASCII without a dot at its end.

    International names are mapped by UTS 46 and encoded by IDNA 2008 (RFC 5891). Raises ``Invalid`` naming the field
    ``domain`` for an address, a number, a name that is too long, and a public suffix: whoever runs ``co.uk`` or
    ``github.io`` says nothing about what is below it, and a proof of it would prove nothing.
    """
    name = _ascii(text)
    labels = name.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels) or _NUMBER.fullmatch(labels[-1]):
        raise Invalid.field("domain", "a domain such as example.org, without an address around it", text)
    if len(name) > LONGEST:
        raise Invalid.field("domain", f"at most {LONGEST} characters", f"{len(name)} characters")
    if labels[-1] in _NO_ONES:
        raise Invalid.field("domain", "a domain of the public DNS", text)
    if _suffixes().privatesuffix(name) is None:
        raise Invalid.field("domain", "a domain below a public suffix such as co.uk or github.io, not one itself", text)
    return name


def record_of(domain: str) -> str:
    """Return the name of the TXT record that proves ``domain``."""
    return f"{RECORD}.{domain}"


def file_of(domain: str) -> str:
    """Return the address of the file that proves ``domain``."""
    return f"https://{domain}{FILE}"


def _ascii(text: str) -> str:
    import idna

    name = text.strip().removesuffix(".")
    if len(name) > 4 * LONGEST:
        raise Invalid.field("domain", f"at most {LONGEST} characters", f"{len(name)} characters")
    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except UnicodeError:
        raise Invalid.field("domain", "a domain such as example.org, without an address around it", text) from None


@cache
def _suffixes() -> PublicSuffixList:
    # The list comes with the package, which is released anew whenever it changes; nothing is fetched.
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
