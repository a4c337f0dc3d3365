"""Identifiers: a three-letter kind, an underscore, and a UUIDv7 in lower-case Crockford base32.

The text sorts as the bytes do, so "sorted by work id" means the same in SQL, in numpy and on paper.
"""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from licet.errors import InputError

KINDS: Final = {
    "art": "artist",
    "org": "organisation",
    "aud": "auditor",
    "opr": "operator",
    "wrk": "work",
    "stm": "statement",
    "lic": "licence",
    "quo": "quote",
    "dst": "dataset",
    "run": "training run",
    "bat": "usage batch",
    "tra": "transfer",
    "tok": "token",
    "evt": "event",
    "clm": "claim",
    "spl": "split",
    "mdl": "model",
    "crd": "model card",
    "inv": "invoice",
    "pay": "payment",
    "rem": "remittance",
    "ask": "licence request",
    "rpt": "revenue report",
    "dut": "duty",
    "fnd": "finding",
    "dsp": "dispute",
    "ivt": "invitation",
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS: Final = range(120, -1, -10)
_BODY: Final = re.compile(f"[0-7][{_ALPHABET}]{{25}}")  # 130 bits hold the 128 of a UUID
_BASE_32: Final = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")  # what `int` reads


def new_uuid(at: datetime | None = None) -> UUID:
    """Return a fresh UUIDv7 (RFC 9562): 48 bits of milliseconds, of this moment or of ``at``, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000 if at is None else _milliseconds(at)
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= ((random >> 62) & 0xFFF) << 64
    value |= 0b10 << 62
    value |= random & ((1 << 62) - 1)
    return UUID(int=value)


def earliest_uuid(at: datetime) -> UUID:
    """Return what no UUIDv7 of the moment ``at`` or a later one is below, and all of earlier ones are."""
    return UUID(int=_milliseconds(at) << 80)


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND


def new_id(kind: str) -> str:
    """Return a fresh identifier of ``kind`` (one of ``KINDS``), such as ``wrk_01h…``."""
    return from_uuid(kind, new_uuid())


def from_uuid(kind: str, value: UUID) -> str:
    """Return the text form of ``value`` as an identifier of ``kind``."""
    if kind not in KINDS:
        raise InputError.field("kind", f"one of {', '.join(KINDS)}", kind)
    number = value.int
    return f"{kind}_{''.join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])}"


def to_uuid(text: str, *kinds: str, field: str = "id") -> UUID:
    """Return the UUID of identifier ``text``, which must be of one of ``kinds`` (any, when none is named).

    Raises ``InputError`` that names ``field`` for anything that is not the one canonical spelling.
    """
    kind, _, body = text.partition("_") if isinstance(text, str) else ("", "", "")
    if kind not in KINDS or (kinds and kind not in kinds) or not _BODY.fullmatch(body):
        prefix = " or ".join(f"{kind}_" for kind in kinds) or "a prefix such as wrk_"
        expected = f"{prefix} and 26 letters and digits behind it"
        raise InputError.field(field, expected, text)
    return UUID(int=int(body.translate(_BASE_32), 32))


def kind_of(text: str) -> str:
    """Return the three-letter kind of identifier ``text``; raises ``InputError`` if it is none."""
    to_uuid(text)
    return text[:3]
