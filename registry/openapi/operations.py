"""One operation: its parameters, body and security, read from the handler's signature."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any, Final

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg, HeaderParameter, PathParameter, QueryParameter, RawBody
from litestar.types import Empty

from licet.identifiers import KINDS
from licet.index.ranges import MOST_DIGITS, WHOLE
from registry.accounts.idempotency import HEADER
from registry.http.admission import rules_of
from registry.openapi import answers
from registry.openapi.limits import HEX, ID

# What a name that stands in a path is, wherever it stands.
_PATH_PATTERNS: Final = {
    "work": f"^wrk_{ID}$",
    "claim": f"^clm_{ID}$",
    "token": f"^tok_{ID}$",
    "licence": f"^lic_{ID}$",
    "quote": f"^quo_{ID}$",
    "ask": f"^ask_{ID}$",
    "report": f"^rpt_{ID}$",
    "duty": f"^dut_{ID}$",
    "dispute": f"^dsp_{ID}$",
    "invitation": f"^ivt_{ID}$",
    "finding": f"^fnd_{ID}$",
    "split": f"^spl_{ID}$",
    "model": f"^mdl_{ID}$",
    "dataset": f"^dst_{ID}$",
    "invoice": f"^inv_{ID}$",
    "period": "^[0-9]{4}-(0[1-9]|1[0-2])$",
    "remittance": f"^rem_{ID}$",
    "statement": f"^({'|'.join(KINDS)})_{ID}$",
    "sha256": HEX,
    "keyid": HEX,
    "digest": HEX,
    "prefix": f"^([0-9a-f]{{1,{MOST_DIGITS}}}|{WHOLE})$",
    "path": r"^(entries|[0-9]{1,2})(/x[0-9]{3})*/[0-9]{3}(\.p/[0-9]{1,3})?$",
}
_STRUCTURED: Final = frozenset({"application/json", "application/x-www-form-urlencoded"})
_TEXT: Final = r"^[^\u0000]*$"  # what `admission` lets through of a query
_PLACES: Final[dict[type, str]] = {PathParameter: "path", QueryParameter: "query", HeaderParameter: "header"}
IDEMPOTENCY_KEY: Final = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": "A quoted string; the same key with the same request has one effect and gets the same answer.",
    "schema": {"type": "string", "pattern": r'^"([ !#-\[\]-~]|\\["\\]){1,255}"$'},
    "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
}


def operation(path: str, method: str, handler: HTTPRouteHandler, schema_of: dict[Any, Any]) -> dict[str, Any]:
    """Return the description of ``handler`` under ``method``."""
    summary, _, rest = cleandoc(handler.fn.__doc__ or "").partition("\n\n")
    summary = " ".join(summary.split())
    described: dict[str, Any] = {
        "operationId": handler.operation_id,
        "summary": summary,
        "description": rest or summary,
        "tags": list(handler.tags or ()),
        "parameters": _parameters(method, handler),
    }
    body = body_of(handler)
    rules = rules_of(handler)
    if body is not None:
        schema = {} if body is bytes else schema_of[body]
        described["requestBody"] = {
            "required": True,
            "content": {
                media: {"schema": schema if media in _STRUCTURED or body is bytes else {}}
                for media in rules.media_types
            },
        }
    described["responses"] = answers.responses(method, handler, schema_of)
    limits = {"seconds": int(rules.seconds)}
    described["x-limits"] = {"body": rules.limit, **limits} if body is not None else limits
    names, scopes = handler.parsed_fn_signature.parameters, answers.scopes_of(handler)
    if scopes or "caller" in names:
        described["security"] = [*([{"bearer": [scope]} for scope in scopes] or [{"bearer": []}]), {"session": []}]
    elif "optional_caller" in names:
        described["security"] = [{}, {"bearer": []}, {"session": []}]
    else:
        described["security"] = []
    return described


def body_of(handler: HTTPRouteHandler) -> Any:
    """Return the type of the body that ``handler`` takes, bytes for one that it reads itself, None for none.

    One that reads its body itself may name the type of a body of JSON in ``opt["json"]``, of a form in ``opt["form"]``.
    """
    for name in ("json", "form"):
        if name in handler.opt:
            return handler.opt[name]
    for field in handler.parsed_fn_signature.parameters.values():
        if isinstance(field.kwarg_definition, BodyKwarg):
            return field.annotation
        if field.annotation is RawBody:
            return bytes
    return None


def _parameters(method: str, handler: HTTPRouteHandler) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, field in handler.parsed_fn_signature.parameters.items():
        kwarg = field.kwarg_definition
        place = _PLACES.get(type(kwarg))
        if place is None or getattr(kwarg, "name", None) == HEADER:
            continue
        schema = _schema(name, place, field, kwarg)
        required = place == "path" or (field.default is Empty and not field.is_optional)
        shown = {"name": getattr(kwarg, "name", None) or name, "in": place, "required": required, "schema": schema}
        if getattr(kwarg, "description", None):
            shown["description"] = kwarg.description  # type: ignore[union-attr]  # place is None for others
        found.append(shown)
    if answers.is_keyed(method, handler):
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    return found


def _schema(name: str, place: str, field: Any, kwarg: Any) -> dict[str, Any]:
    if place == "path":
        pattern = _PATH_PATTERNS.get(name)
        return {"type": "string", "pattern": pattern} if pattern else {"type": "string"}
    schema = dict(msgspec.json.schema(field.annotation))
    if "anyOf" in schema:  # a parameter may be absent, never null
        choices = [each for each in schema.pop("anyOf") if each != {"type": "null"}]
        schema |= choices[0] if len(choices) == 1 else {"anyOf": choices}
    if "enum" in schema:
        schema["enum"] = [each for each in schema["enum"] if each is not None]
        schema["type"] = "string"
    for ours, theirs in (
        ("ge", "minimum"),
        ("le", "maximum"),
        ("gt", "exclusiveMinimum"),
        ("lt", "exclusiveMaximum"),
        ("min_length", "minLength"),
        ("max_length", "maxLength"),
        ("min_items", "minItems"),
        ("max_items", "maxItems"),
        ("pattern", "pattern"),
    ):
        if getattr(kwarg, ours, None) is not None:
            schema[theirs] = getattr(kwarg, ours)
    schema |= getattr(kwarg, "schema_extra", None) or {}
    if place == "query" and schema.get("type") == "string" and not {"enum", "pattern"} & schema.keys():
        schema["pattern"] = _TEXT
    if field.default is not Empty and field.default is not None:
        schema["default"] = field.default
    return schema
