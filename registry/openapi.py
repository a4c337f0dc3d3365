"""The description of the HTTP interface (OpenAPI 3.1), made from the handlers and the wire types themselves.

Schemas come from msgspec, which knows what the decoder refuses (unknown fields, patterns, tagged unions); errors are
described as they are sent. The result is kept in ``openapi/openapi.json`` and compared by ``make check``. A handler
adds what its signature cannot say in ``opt``::

    opt={"problems": (410,), "body": "application/x-licet-keys", "partly": (206, 304)}
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from inspect import cleandoc
from typing import Any, Final

import msgspec
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg, HeaderParameter, PathParameter, QueryParameter, RawBody
from litestar.routes import HTTPRoute
from litestar.types import Empty

import registry
from licet.wire.accounts import SCOPES
from licet.wire.common import Page, Problem
from registry.accounts.idempotency import HEADER
from registry.packaged import packaged
from registry.problems import MEDIA_TYPE

REFERENCE: Final = "#/components/schemas/{name}"
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ABOUT: Final = """\
Artists register works with signed consent terms, trainers ask what they may use and pay for it, auditors check it.
Whatever changes a statement, licence or ledger answers with a receipt that proves its place in a public log.
Errors are RFC 9457 problem details. Every POST that writes needs an Idempotency-Key."""
_PLACES: Final[dict[type, str]] = {PathParameter: "path", QueryParameter: "query", HeaderParameter: "header"}
_PROBLEMS: Final = {
    400: "A parameter, header or body is not what it must be; `errors` names the fields.",
    401: "The token is missing, unknown, expired or revoked.",
    403: "The token or the kind of account does not allow this.",
    404: "There is none, or none that the caller may see.",
    409: "The state has changed, or the same identifier or a request under way stands for something else.",
    410: "It was there, and has been withdrawn or erased.",
    412: "It was changed since the revision that If-Match names.",
    413: "The body is over its limit.",
    416: "The range begins after the end of the file.",
    422: "The Idempotency-Key was used for another request.",
    429: "The quota is used up; Retry-After says for how long.",
    500: "Something failed on our side; `instance` is the id to ask about.",
    503: "A part that the answer needs is down or behind; nothing is known to have happened, asking again is safe.",
}


@get("/openapi.json", operation_id="getDescription", tags=["health"], media_type="application/json")
async def description() -> Response[bytes]:
    """This description."""
    content = await asyncio.to_thread((packaged("openapi") / "openapi.json").read_bytes)
    return Response(content, media_type="application/json", headers={"Cache-Control": "public, max-age=3600"})


ROUTES = [description]


def document(app: Litestar) -> bytes:
    """Return the description of ``app`` as indented JSON, the same bytes for the same interface."""
    handlers = sorted(
        ((route.path_format, method, found[0]) for route, method, found in _handlers(app)),
        key=lambda each: (each[0], METHODS.index(each[1])),
    )
    types = [Problem, *(kind for *_, handler in handlers for kind in (_body(handler)[1], _answer(handler)) if kind)]
    unique = list(dict.fromkeys(kind for kind in types if kind not in {bytes, str}))
    schemas, components = msgspec.json.schema_components(unique, ref_template=REFERENCE)
    for component in components.values():
        if "description" in component:
            # A docstring as it reads, on every Python: since 3.13 the compiler takes its indentation away.
            component["description"] = cleandoc(component["description"])
    schema_of = dict(zip(unique, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for path, method, handler in handlers:
        paths.setdefault(path, {})[method.lower()] = _operation(method, handler, schema_of)
    described = {
        "openapi": "3.1.0",
        "info": {
            "title": "Licet registry",
            "version": registry.__version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "responses": {str(status): _problem(text, schema_of[Problem]) for status, text in _PROBLEMS.items()},
            "parameters": {"IdempotencyKey": _IDEMPOTENCY_KEY},
            "headers": {
                "RequestId": {"description": "Names this request in our log.", "schema": {"type": "string"}},
                "Link": {
                    "description": 'The next page, `rel="next"`; absent at the end.',
                    "schema": {"type": "string"},
                },
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "lct_…",
                    "description": f"A token with the scopes that the operation names, of: {', '.join(SCOPES)}.",
                }
            },
        },
    }
    return msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n"


_IDEMPOTENCY_KEY: Final = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": "A quoted string; the same key with the same request has one effect and gets the same answer.",
    "schema": {"type": "string", "pattern": '^"[ -~]{1,255}"$'},
    "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
}


def _handlers(app: Litestar) -> list[tuple[HTTPRoute, str, tuple[HTTPRouteHandler, Any]]]:
    return [
        (route, method, found)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, found in route.route_handler_map.items()
        if method in METHODS
    ]


def _operation(method: str, handler: HTTPRouteHandler, schema_of: dict[Any, Any]) -> dict[str, Any]:
    summary, _, rest = cleandoc(handler.fn.__doc__ or "").partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": handler.operation_id,
        "summary": " ".join(summary.split()),
        "tags": list(handler.tags or ()),
    }
    if rest:
        operation["description"] = rest
    if parameters := _parameters(method, handler):
        operation["parameters"] = parameters
    content_type, body = _body(handler)
    if body is not None:
        schema = {} if body is bytes else schema_of[body]
        operation["requestBody"] = {"required": True, "content": {content_type: {"schema": schema}}}
    operation["responses"] = _responses(method, handler, schema_of)
    names, scopes = handler.parsed_fn_signature.parameters, _scopes(handler)
    if scopes or "caller" in names:
        operation["security"] = [{"bearer": [scope]} for scope in scopes] or [{"bearer": []}]
    elif "optional_caller" in names:
        operation["security"] = [{}, {"bearer": []}]
    return operation


def _parameters(method: str, handler: HTTPRouteHandler) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, field in handler.parsed_fn_signature.parameters.items():
        kwarg = field.kwarg_definition
        place = _PLACES.get(type(kwarg))
        if place is None or getattr(kwarg, "name", None) == HEADER:
            continue
        schema = _parameter_schema(place, field, kwarg)
        required = place == "path" or (field.default is Empty and not field.is_optional)
        shown = {"name": getattr(kwarg, "name", None) or name, "in": place, "required": required, "schema": schema}
        if getattr(kwarg, "description", None):
            shown["description"] = kwarg.description  # type: ignore[union-attr]  # place is None for others
        found.append(shown)
    if _is_keyed(method, handler):
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    return found


def _parameter_schema(place: str, field: Any, kwarg: Any) -> dict[str, Any]:
    if place == "path":
        return {"type": "string"}
    schema = dict(msgspec.json.schema(field.annotation))
    if "anyOf" in schema:  # a parameter may be absent, never null
        choices = [each for each in schema.pop("anyOf") if each != {"type": "null"}]
        schema |= choices[0] if len(choices) == 1 else {"anyOf": choices}
    for ours, theirs in (
        ("ge", "minimum"),
        ("le", "maximum"),
        ("gt", "exclusiveMinimum"),
        ("lt", "exclusiveMaximum"),
        ("min_length", "minLength"),
        ("max_length", "maxLength"),
        ("pattern", "pattern"),
    ):
        if getattr(kwarg, ours, None) is not None:
            schema[theirs] = getattr(kwarg, ours)
    if field.default is not Empty and field.default is not None:
        schema["default"] = field.default
    return schema


def _body(handler: HTTPRouteHandler) -> tuple[str, Any]:
    for field in handler.parsed_fn_signature.parameters.values():
        if isinstance(field.kwarg_definition, BodyKwarg):
            return str(handler.opt.get("body", "application/json")), field.annotation
        if field.annotation is RawBody:
            return str(handler.opt.get("body", "application/octet-stream")), bytes
    return "", None


def _answer(handler: HTTPRouteHandler) -> Any:
    """Return the type of a successful answer's body, None where it has none."""
    returned = handler.parsed_fn_signature.return_type
    if returned.origin is Response:
        returned = returned.inner_types[0]
    elif isinstance(returned.annotation, type) and issubclass(returned.annotation, Response):
        return bytes  # a file or a stream
    kinds = [each.annotation for each in returned.inner_types] if returned.is_union else [returned.annotation]
    kinds = [kind for kind in kinds if kind is not type(None)]
    return kinds[0] if kinds else None


def _responses(method: str, handler: HTTPRouteHandler, schema_of: dict[Any, Any]) -> dict[str, Any]:
    answer = _answer(handler)
    good: dict[str, Any] = {"description": HTTPStatus(handler.status_code).phrase}
    good["headers"] = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if getattr(answer, "__origin__", None) is Page:
        good["headers"]["Link"] = {"$ref": "#/components/headers/Link"}
    if answer is bytes or answer is str:
        kind = str(getattr(handler.media_type, "value", handler.media_type))
        schema = {"type": "string"} if kind.startswith("text/") else {}
        good["content"] = {kind: {"schema": schema}}
    elif answer is not None:
        good["content"] = {"application/json": {"schema": schema_of[answer]}}
    partly = {str(status): _partial(status, good) for status in handler.opt.get("partly", ())}
    statuses = sorted(_problems(method, handler))
    return {
        str(handler.status_code): good,
        **partly,
        **{str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses},
    }


def _partial(status: int, good: dict[str, Any]) -> dict[str, Any]:
    shown = {**good, "description": HTTPStatus(status).phrase}
    if status == HTTPStatus.NOT_MODIFIED:
        shown.pop("content", None)
    return shown


def _problems(method: str, handler: HTTPRouteHandler) -> set[int]:
    names = handler.parsed_fn_signature.parameters
    found = {500, *handler.opt.get("problems", ())}
    if _parameters(method, handler):
        found.add(400)
    if any(isinstance(field.kwarg_definition, PathParameter) for field in names.values()):
        found.add(404)
    if _body(handler)[1] is not None:
        found |= {400, 413}
    if _scopes(handler) or "caller" in names or "optional_caller" in names:
        found.add(401)
    if _scopes(handler):
        found.add(403)
    if _is_keyed(method, handler):
        found |= {409, 422}
    if "services" in names:
        found.add(503)
    return found


def _is_keyed(method: str, handler: HTTPRouteHandler) -> bool:
    return method == "POST" and handler.opt.get("idempotency") != "reads"


def _scopes(handler: HTTPRouteHandler) -> list[str]:
    """The scopes any one of which opens ``handler``."""
    return sorted({scope for guard in handler.resolve_guards() for scope in getattr(guard, "scopes", ())})


def _problem(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": text,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        "content": {MEDIA_TYPE: {"schema": schema}},
    }
