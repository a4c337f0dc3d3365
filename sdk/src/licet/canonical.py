"""One byte form per value: RFC 8785 (JCS) for the subset of JSON that Licet signs.

The subset has ASCII keys, no floats, integers within ±(2^53-1) and no duplicate keys. Inside it,
sorting keys by code point equals JCS's sorting by UTF-16 unit and no number needs ECMAScript's
formatting, so msgspec's sorted encoder is exact; the tests hold it against an independent RFC 8785.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from licet.errors import InputError, MalformedError
from licet.misfits import misfit

MAX_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 64
DEFAULT_LIMIT: Final = 1 << 20

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODER: Final = msgspec.json.Decoder()

T = TypeVar("T")


def encode(obj: Any) -> bytes:
    """Return the one canonical byte form of ``obj`` (dicts, lists, Structs, str, int, bool, None).

    Raises ``InputError`` for floats, integers beyond ±(2^53-1), keys that are not ASCII strings,
    lone surrogates, nesting deeper than 64 and types that JSON does not have. Source: RFC 8785.
    """
    try:
        plain = msgspec.to_builtins(obj, order="sorted")
        _hold_to_subset(plain, 0, InputError)
        return _ENCODER.encode(plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"expected a value with a canonical form, got one without: {error}") from None


def decode(data: bytes, *, limit: int = DEFAULT_LIMIT) -> Any:
    """Return the value whose canonical form is exactly ``data``.

    Raises ``MalformedError`` for more than ``limit`` bytes, for what is not JSON, for anything outside
    the subset, and for every other spelling of a value (white space, key order, duplicate keys,
    needless escapes): ``encode(decode(data)) == data`` always holds.
    """
    if len(data) > limit:
        raise MalformedError(f"expected at most {limit} bytes of JSON, got {len(data)}")
    try:
        value = _DECODER.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedError(f"expected canonical JSON, got bytes that do not parse: {error}") from None
    _hold_to_subset(value, 0, MalformedError)
    if _ENCODER.encode(value) != data:
        raise MalformedError("expected canonical JSON (RFC 8785), got another spelling of the same value")
    return value


def decode_as(schema: type[T], data: bytes, limit: int = DEFAULT_LIMIT) -> T:
    """Return ``data`` as a ``schema``, having held it to all that `decode` demands and to the schema.

    A field that the schema does not know is refused: every Struct in it must be declared with
    ``forbid_unknown_fields=True`` (else ``TypeError``, an error of the programmer). Raises
    ``MalformedError`` with the JSON path of the first field that does not fit.
    """
    root: Any = schema
    _require_closed(root)
    value = decode(data, limit=limit)
    try:
        return msgspec.convert(value, schema)
    except (msgspec.ValidationError, ValueError) as error:
        raise MalformedError(f"the document does not fit its schema: {misfit(error)}") from None


def digest(obj: Any) -> str:
    """Return the lower-case hex SHA-256 of ``encode(obj)``."""
    return hashlib.sha256(encode(obj)).hexdigest()


def to_base64(data: bytes) -> str:
    """Return ``data`` in the standard alphabet with padding (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, field: str = "base64") -> bytes:
    """Return the bytes whose one padded spelling in the standard alphabet is ``text``.

    Raises ``MalformedError`` that names ``field``, also for non-zero bits under the padding: two texts
    never stand for the same bytes.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or to_base64(data) != text:
        raise MalformedError(f"{field}: expected canonical padded base64, got {text!r:.80}", field=field)
    return data


def _hold_to_subset(value: Any, depth: int, error: type[InputError]) -> None:
    if value is None or isinstance(value, (bool, str)):
        return
    if isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise error("expected integers within ±(2^53-1), got a larger one")
        return
    items: Any = value
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or not key.isascii():
                raise error(f"expected ASCII keys, got {key!r:.80}")
        items = value.values()
    elif not isinstance(value, (list, tuple)):
        raise error(f"expected no {type(value).__name__} in signed JSON, got one")
    if depth >= MAX_DEPTH:
        raise error(f"expected at most {MAX_DEPTH} levels of nesting, got more")
    for item in items:
        if type(item) is not str and item is not None:  # most values are text, which needs no look
            _hold_to_subset(item, depth + 1, error)


@lru_cache(maxsize=256)
def _require_closed(root: Any) -> None:
    pending: list[Any] = [msgspec.inspect.type_info(root)]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, msgspec.inspect.StructType) and not node.forbid_unknown_fields:
            raise TypeError(f"{node.cls.__name__} must be declared with forbid_unknown_fields=True")
        for name in node.__struct_fields__:
            child = getattr(node, name)
            parts = child if isinstance(child, tuple) else (child,)
            pending += [part for part in parts if isinstance(part, (msgspec.inspect.Type, msgspec.inspect.Field))]
