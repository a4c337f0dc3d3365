"""Identifiers of many works at once: their bytes as text and back, as `licet.identifiers` has them one by one."""

from __future__ import annotations

from typing import Final

import numpy as np

from licet.errors import InputError
from licet.index.exact import halves
from licet.index.works import Bytes

_DIGITS: Final = b"0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = np.frombuffer(bytes(digit for first in _DIGITS for last in _DIGITS for digit in (first, last)), "u2")
_NONE: Final = 255
_VALUES: Final = np.array([_DIGITS.find(byte) % 256 for byte in range(256)], np.uint8)  # −1 is `_NONE`
#: How long an id is as text: three letters, an underscore, 26 digits of base 32.
ID_CHARACTERS: Final = 30


def work_texts(ids: Bytes, kind: str = "wrk") -> list[str]:
    """Return n × 16 bytes of work ids (or others of ``kind``) as ``wrk_…``, as ``identifiers.from_uuid`` does."""
    joined = id_bytes(kind, ids).tobytes().decode("ascii")
    return [joined[at : at + ID_CHARACTERS] for at in range(0, len(joined), ID_CHARACTERS)]


def id_bytes(kind: str, ids: Bytes) -> Bytes:
    """Return n × 16 bytes of ids as the texts that ``identifiers.from_uuid`` makes of them, n × 30 bytes of ASCII."""
    hi, lo = halves(ids)
    ten, digits = np.uint64(10), np.uint64(1023)
    texts = np.empty((len(hi), ID_CHARACTERS // 2), "u2")  # two characters at a time
    texts[:, :2] = np.frombuffer(f"{kind}_".encode(), "u2")
    for place in range(ID_CHARACTERS // 2 - 1, 1, -1):
        texts[:, place] = _PAIRS[(lo & digits).view(np.int64)]
        lo = lo >> ten | hi << np.uint64(54)
        hi = hi >> ten
    return texts.view(np.uint8)


def ids_of(kind: str, texts: Bytes) -> Bytes:
    """Return the n × 16 bytes that n × 30 characters, as `id_bytes` makes them, stand for; raises ``InputError`` for
    what is no identifier of ``kind`` as ``identifiers.to_uuid`` reads them."""
    prefix = np.frombuffer(f"{kind}_".encode(), np.uint8)
    digits = _VALUES[texts[:, len(prefix) :]]
    bits = np.unpackbits(digits[:, :, None], axis=2)[:, :, 3:].reshape(len(texts), 5 * digits.shape[1])
    # 130 bits hold the 128 of an id: the first two are none of them.
    wrong = (texts[:, : len(prefix)] != prefix).any(axis=1) | (digits == _NONE).any(axis=1) | bits[:, :2].any(axis=1)
    if wrong.any():
        text = texts[int(np.argmax(wrong))].tobytes().decode("latin-1")
        raise InputError.field("id", f"{kind}_ and 26 letters and digits behind it", text)
    return np.packbits(bits[:, 2:], axis=1)
