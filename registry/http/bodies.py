"""JSON bodies, read as exactly what their handler takes: ``"true"`` is no boolean and ``1`` no text.

The framework reads a body as any JSON and bends it into shape afterwards, as it must for parameters; here the decoder
knows the type from the first byte on. What the type leaves open (terms, the use that is asked about) is held to the
depth that signed values have.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg

from licet.canonical import MAX_DEPTH
from licet.misfits import misfit
from registry.errors import Invalid, pointer
from registry.http.problems import field_error, sentence

_KEPT: Final = "licet_body"
_PLACE: Final = re.compile(r" - at `\$(?P<path>.*)`$", re.DOTALL)


class StrictRequest(Request[Any, Any, Any]):
    """A request whose JSON body is what its handler takes, or is refused."""

    async def json(self) -> Any:
        """Return the body as the handler's type; raises ``Invalid`` naming the field."""
        if (found := self.scope["state"].get(_KEPT)) is None:
            handler: Any = self.route_handler
            found = self.scope["state"][_KEPT] = read(await self.body(), *_taken(handler))
        return found


def read(body: bytes, decoder: msgspec.json.Decoder[Any], open_fields: Iterable[str] = ()) -> Any:
    """Return what ``body`` holds; raises ``Invalid`` naming the field. ``open_fields``: those of no certain depth."""
    try:
        found = decoder.decode(body)
    except msgspec.ValidationError as error:
        message, place = str(error), ""
        if (match := _PLACE.search(message)) is not None:
            message, place = message[: match.start()], pointer(match["path"].lstrip(".").replace("...", "*"))
        field = field_error(place, message)
        raise Invalid(sentence(field), errors=[field]) from None
    except msgspec.DecodeError as error:
        raise Invalid(f"expected a body of JSON, got {misfit(error).got}") from None
    for name in open_fields:
        if _is_deeper(getattr(found, name), MAX_DEPTH):
            raise Invalid.field(name, f"at most {MAX_DEPTH} levels of nesting", "more")
    return found


@functools.cache
def _taken(handler: HTTPRouteHandler) -> tuple[msgspec.json.Decoder[Any], tuple[str, ...]]:
    (kind,) = (
        field.annotation
        for field in handler.parsed_fn_signature.parameters.values()
        if isinstance(field.kwarg_definition, BodyKwarg)
    )
    open_fields = [each.name for each in msgspec.structs.fields(kind) if _is_open(msgspec.inspect.type_info(each.type))]
    return msgspec.json.Decoder(kind), tuple(open_fields)


def _is_open(kind: msgspec.inspect.Type) -> bool:
    """Return whether a value of ``kind`` may nest as it likes: it holds dicts or lists of anything."""
    if isinstance(kind, msgspec.inspect.AnyType):
        return True
    if isinstance(kind, msgspec.inspect.DictType):
        return _is_open(kind.value_type)
    if isinstance(kind, msgspec.inspect.CollectionType):
        return _is_open(kind.item_type)
    return isinstance(kind, msgspec.inspect.UnionType) and any(map(_is_open, kind.types))


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True
