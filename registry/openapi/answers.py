"""What operations answer: successes as the handlers return them, problems as they are sent, headers of both."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from licet.wire.common import Page
from registry.accounts.metering import UNCOUNTED
from registry.http.admission import rules_of
from registry.http.problems import MEDIA_TYPE, TYPE_BASE, phrase, slug_of

_PROBLEMS: Final = {
    400: "A parameter, header or body is not what it must be; `errors` names the fields.",
    401: "The token is missing, unknown, expired or revoked.",
    402: "A licence is on offer for this, and none is held.",
    403: "The token or the kind of account does not allow this.",
    404: "There is none, or none that the caller may see.",
    406: "The Accept header leaves out the only form that there is.",
    408: "The body does not come, or comes too slowly.",
    409: "The state has changed, or the same identifier or a request under way stands for something else.",
    410: "It was there, and has been withdrawn or erased.",
    412: "It was changed since the revision that If-Match names.",
    413: "The body is over its limit; `x-limits` says how large it may be.",
    414: "Path and query are longer than any that we give out.",
    415: "The body is of another media type, or encoded.",
    416: "The range begins after the end of the file.",
    422: "The Idempotency-Key was used for another request, or the batch holds an event that cannot be.",
    429: "The quota is used up; Retry-After says for how long.",
    431: "The headers are larger than any that we ask for.",
    500: "Something failed on our side; `instance` is the id to ask about.",
    503: "A part that the answer needs is down or behind, or the answer took too long; asking again is safe.",
}
_TEXT: Final = {"type": "string"}
_SECONDS: Final = {"type": "integer", "minimum": 0}
_ITEMS: Final = r'^"[a-z-]+"(;[a-z]=[0-9]+){2}(, "[a-z-]+"(;[a-z]=[0-9]+){2})*$'
HEADERS: Final[dict[str, Any]] = {
    "RequestId": {
        "description": "Names this request in our log; the caller's own X-Request-Id, where it is a plain word.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{8,64}$"},
        "example": "req_01j0000000000000000000000",
    },
    "Link": {
        "description": 'The next page, `rel="next"`; absent at the end.',
        "schema": {"type": "string", "pattern": '^<.+>; rel="next"$'},
    },
    "RateLimitPolicy": {
        "description": "The quotas that were counted against: how many (q) in how many seconds (w).",
        "schema": {"type": "string", "pattern": _ITEMS},
        "example": '"default";q=30000;w=60',
    },
    "RateLimit": {
        "description": "How many of each are left (r), and in how many seconds they begin anew (t).",
        "schema": {"type": "string", "pattern": _ITEMS},
        "example": '"default";r=29999;t=60',
    },
    "RetryAfter": {
        "description": "Seconds after which asking again may help.",
        "required": True,
        "schema": _SECONDS,
        "example": 1,
    },
    "MayRetryAfter": {
        "description": "Seconds after which asking again may help, where waiting helps.",
        "schema": _SECONDS,
        "example": 1,
    },
    "Authenticate": {
        "description": "How to authenticate.",
        "required": True,
        "schema": _TEXT,
        "example": 'Bearer realm="licet"',
    },
    "Replayed": {
        "description": "`true` where the answer was given before and kept under the Idempotency-Key.",
        "schema": {"type": "string", "const": "true"},
    },
    "ContentRange": {"description": "The size of the file.", "required": True, "schema": _TEXT},
}


def responses(method: str, handler: HTTPRouteHandler, schema_of: dict[Any, Any]) -> dict[str, Any]:
    """Return every answer of ``handler``, by status."""
    answer = answer_of(handler)
    good: dict[str, Any] = {"description": phrase(handler.status_code), "headers": _headers(method, handler)}
    if answer is bytes or answer is str:
        kind = str(getattr(handler.media_type, "value", handler.media_type))
        schema = {"type": "string"} if kind.startswith("text/") else {}
        good["content"] = {kind: {"schema": schema}}
    elif answer is not None:
        good["content"] = {"application/json": {"schema": schema_of[answer]}}
    partly = {str(status): _partial(status, good) for status in handler.opt.get("partly", ())}
    return {
        str(handler.status_code): good,
        **partly,
        **{str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(_statuses(method, handler))},
    }


def problems(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the component of every problem, by status."""
    return {str(status): _problem(status, text, schema) for status, text in _PROBLEMS.items()}


def answer_of(handler: HTTPRouteHandler) -> Any:
    """Return the type of a successful answer's body, None where it has none."""
    returned = handler.parsed_fn_signature.return_type
    if returned.origin is Response:
        returned = returned.inner_types[0]
    elif isinstance(returned.annotation, type) and issubclass(returned.annotation, Response):
        return bytes  # a file or a stream
    kinds = [each.annotation for each in returned.inner_types] if returned.is_union else [returned.annotation]
    kinds = [kind for kind in kinds if kind is not type(None)]
    return kinds[0] if kinds else None


def scopes_of(handler: HTTPRouteHandler) -> list[str]:
    """Return the scopes any one of which opens ``handler``."""
    return sorted({scope for guard in handler.resolve_guards() for scope in getattr(guard, "scopes", ())})


def is_keyed(method: str, handler: HTTPRouteHandler) -> bool:
    """Return whether ``handler`` needs an Idempotency-Key."""
    return method == "POST" and handler.opt.get("idempotency") != "reads"


def _is_counted(handler: HTTPRouteHandler) -> bool:
    return not UNCOUNTED.intersection(handler.tags or ())


def _headers(method: str, handler: HTTPRouteHandler) -> dict[str, Any]:
    names = {"X-Request-Id": "RequestId"}
    if getattr(answer_of(handler), "__origin__", None) is Page:
        names["Link"] = "Link"
    if _is_counted(handler):
        names |= {"RateLimit-Policy": "RateLimitPolicy", "RateLimit": "RateLimit"}
    if is_keyed(method, handler) and handler.opt.get("idempotency") != "secret":
        names["Idempotency-Replayed"] = "Replayed"
    shown = {name: {"$ref": f"#/components/headers/{ours}"} for name, ours in names.items()}
    extra = {name: {"description": text, "schema": _TEXT} for name, text in handler.opt.get("headers", {}).items()}
    return shown | extra


def _partial(status: int, good: dict[str, Any]) -> dict[str, Any]:
    shown = {**good, "description": phrase(status)}
    if status == HTTPStatus.NOT_MODIFIED:
        shown.pop("content", None)
    return shown


def _statuses(method: str, handler: HTTPRouteHandler) -> set[int]:
    names = handler.parsed_fn_signature.parameters
    found = {400, 406, 413, 414, 431, 500, 503, *handler.opt.get("problems", ())}
    if any(isinstance(field.kwarg_definition, PathParameter) for field in names.values()):
        found.add(404)
    if rules_of(handler).media_types:
        found |= {408, 415}
    if _is_counted(handler):
        found |= {401, 429}
    if scopes_of(handler):
        found |= {401, 403}
    if is_keyed(method, handler):
        found |= {409, 422}
    return found


def _problem(status: int, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    names = {"X-Request-Id": "RequestId"}
    if status in {429, 503}:
        names["Retry-After"] = "RetryAfter"
    if status == 409:
        names["Retry-After"] = "MayRetryAfter"
    if status in {401, 402}:
        names["WWW-Authenticate"] = "Authenticate"
    if status == 416:
        names["Content-Range"] = "ContentRange"
    if status not in {400, 406, 413, 414, 415, 431}:
        names |= {"RateLimit-Policy": "RateLimitPolicy", "RateLimit": "RateLimit"}
    return {
        "description": text,
        "headers": {name: {"$ref": f"#/components/headers/{ours}"} for name, ours in names.items()},
        "content": {
            MEDIA_TYPE: {
                "schema": schema,
                "example": {
                    "type": TYPE_BASE + slug_of(status),
                    "title": phrase(status).capitalize(),
                    "status": status,
                    "detail": text.partition(";")[0],
                    "instance": "req_01j0000000000000000000000",
                },
            }
        },
    }
