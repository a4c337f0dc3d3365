"""What payloads of every kind are made of: versions, the registry that they name, amounts."""

from __future__ import annotations

from typing import Final

import msgspec

VERSION: Final = 1
PAYLOAD_TYPE: Final = "application/vnd.licet.{kind}+json"


class RegistryRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names the registry that a payload is meant for: no statement can be replayed at another one."""

    origin: str
    key: str  # SHA-256 of the registry's 32-byte root public key


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that may be taken in one currency, micro-units."""

    currency: str
    amount: int


class Total(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Micro-units of one currency over ``works`` distinct works."""

    currency: str
    amount: int
    works: int
