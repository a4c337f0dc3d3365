"""Every error leaves as RFC 9457 problem details, with an id by which the log knows the request.

Handlers raise ``registry.errors``; errors of the SDK raised while reading what the caller sent, errors of the
framework and those that nobody foresaw are turned into the same form here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import asyncpg
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from licet import errors as sdk
from licet.misfits import told
from licet.wire.common import FieldError, Problem
from registry.errors import RegistryError, pointer
from registry.observing.requests import request_id

MEDIA_TYPE: Final = "application/problem+json"
TYPE_BASE: Final = "https://licet.example/problems/"
# What RFC 6749 calls a refusal that has no word of its own, by status.
_OAUTH: Final = {
    400: "invalid_request",
    401: "invalid_client",
    403: "unauthorized_client",
    503: "temporarily_unavailable",
}
_log = structlog.get_logger("registry.http.problems")

# What the framework itself refuses, by status; other statuses use their phrase.
SLUGS: Final = {
    400: "invalid-request",
    401: "not-authenticated",
    402: "licence-required",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "request-timeout",
    413: "too-large",
    415: "unsupported-media-type",
    429: "quota-exceeded",
    503: "unavailable",
}
# RFC 9110 renamed these; which name the standard library has depends on the version of Python.
_RENAMED: Final = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
# Errors of the SDK, the most special first: they speak of what the caller sent.
SDK_ERRORS: Final[tuple[tuple[type[sdk.LicetError], int, str], ...]] = (
    (sdk.PictureError, 400, "unreadable-picture"),
    (sdk.InputError, 400, "invalid-request"),
    (sdk.ExpiredError, 409, "expired"),
    (sdk.VerificationError, 400, "verification-failed"),
    (sdk.BudgetError, 409, "over-budget"),
    (sdk.NotAllowedError, 403, "not-allowed"),
    (sdk.ConflictError, 409, "conflict"),
    (sdk.ServiceError, 503, "unavailable"),
)


def problem(
    request: Request[Any, Any, Any],
    status: int,
    slug: str,
    title: str,
    detail: str,
    *,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
    oauth: str | None = None,
) -> Response[bytes]:
    """Return the response that carries these problem details."""
    body = Problem(
        type=TYPE_BASE + slug,
        title=title,
        status=status,
        detail=detail,
        instance=request_id(request.scope),
        errors=errors or [],
        error=oauth or msgspec.UNSET,
        error_description=detail if oauth else msgspec.UNSET,
    )
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def on_registry_error(request: Request[Any, Any, Any], error: RegistryError) -> Response[bytes]:
    """Answer an error of ``registry.errors``."""
    if error.status >= 500:
        _log.warning("refused", slug=error.slug, detail=error.detail, request_id=request_id(request.scope))
    if error.status == 500:  # a StartError inside a request is a fault of ours
        return _internal(request)
    detail = error.told or error.detail
    return problem(
        request,
        error.status,
        error.slug,
        error.title,
        detail,
        errors=error.errors,
        headers=error.headers,
        oauth=error.oauth or _OAUTH.get(error.status) if for_oauth(request) else None,
    )


def for_oauth(request: Request[Any, Any, Any]) -> bool:
    """Return whether clients of OAuth ask here, who look for its words in a refusal."""
    handler = request.scope.get("route_handler")
    return handler is not None and bool(handler.opt.get("client"))


def on_sdk_error(request: Request[Any, Any, Any], error: sdk.LicetError) -> Response[bytes]:
    """Answer an error that the SDK's code raised about what the caller sent."""
    known = next(((status, slug) for kind, status, slug in SDK_ERRORS if isinstance(error, kind)), None)
    if known is None:
        return on_unforeseen(request, error)
    status, slug = known
    details = error.details
    fields = []
    if isinstance(details.get("field"), str):
        expected, got = str(details.get("expected", "")), str(details.get("got", ""))
        fields = [FieldError(pointer=pointer(details["field"]), expected=expected, got=got)]
    title = slug.replace("-", " ").capitalize()
    headers = {"Retry-After": "1"} if status == 503 else None
    return problem(request, status, slug, title, error.message, errors=fields, headers=headers)


def phrase(status: int) -> str:
    """Return what RFC 9110 calls ``status``, the same on every Python."""
    return _RENAMED.get(status) or HTTPStatus(status).phrase


def slug_of(status: int) -> str:
    """Return the problem type that the framework's own refusal with ``status`` has."""
    return SLUGS.get(status) or phrase(status).lower().replace(" ", "-")


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer an error of the framework: no such route, wrong method, a body or parameter that does not fit."""
    status = error.status_code
    if status >= 500 and status != HTTPStatus.SERVICE_UNAVAILABLE:
        return on_unforeseen(request, error)
    slug = slug_of(status)
    fields = _fields(error)
    if fields:
        detail = "; ".join(sentence(field) for field in fields)
    elif status == HTTPStatus.NOT_FOUND:
        slug = "no-such-route"  # not a thing that is missing: clients of another version tell them apart
        detail = f"there is nothing at {request.url.path}"
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("allow", "another method")
        detail = f"expected {allowed}, got {request.method}"
    else:
        detail = error.detail[:1].lower() + error.detail[1:] if error.detail[1:2].islower() else error.detail
    headers = dict(error.headers or {})
    if "GET" in (methods := headers.get("allow", "").split(", ")):
        headers["allow"] = ", ".join(sorted({*methods, "HEAD"}))
    return problem(request, status, slug, phrase(status).capitalize(), detail, errors=fields, headers=headers)


def on_unforeseen(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer what nobody foresaw: the log gets everything, the caller the id to ask about."""
    _log.error(
        "unhandled error",
        exc_info=error,
        request_id=request_id(request.scope),
        method=request.method,
        path=request.url.path,
    )
    return _internal(request)


def on_foreign_text(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer text that the database cannot hold; it is the caller's, ours has none of it."""
    detail = "expected text without the character U+0000, got some with it"
    return problem(request, 400, "invalid-request", "Invalid request", detail)


def on_encoding(request: Request[Any, Any, Any], error: UnicodeDecodeError) -> Response[bytes]:
    """Answer a body that is not UTF-8."""
    _log.warning("refused", slug="invalid-request", detail=error.reason, request_id=request_id(request.scope))
    detail = f"expected a body in UTF-8, got one that is not at byte {error.start}"
    return problem(request, 400, "invalid-request", "Invalid request", detail)


def on_nesting(request: Request[Any, Any, Any], error: RecursionError) -> Response[bytes]:
    """Answer JSON that is nested too deeply to be read."""
    _log.warning("refused", slug="invalid-request", detail=str(error), request_id=request_id(request.scope))
    detail = "expected a body that can be read, got one that is nested too deeply"
    return problem(request, 400, "invalid-request", "Invalid request", detail)


def _internal(request: Request[Any, Any, Any]) -> Response[bytes]:
    detail = "something failed on our side; the request id tells us what"
    return problem(request, 500, "internal", "Internal error", detail)


EXCEPTION_HANDLERS: Final[dict[int | type[Exception], Any]] = {
    RegistryError: on_registry_error,
    sdk.LicetError: on_sdk_error,
    HTTPException: on_http_error,
    asyncpg.CharacterNotInRepertoireError: on_foreign_text,
    asyncpg.UntranslatableCharacterError: on_foreign_text,
    RecursionError: on_nesting,
    UnicodeDecodeError: on_encoding,
    Exception: on_unforeseen,
}

_PARAMETER: Final = re.compile(r"Missing required (?P<place>\w+) parameter '(?P<name>[^']+)' for path .*", re.DOTALL)
_NO_BODY: Final = "'data'"  # what the framework says where the argument of that name is missing
_PREFIX: Final = {"query": "?", "header": "header:", "cookie": "cookie:", "path": "path:"}


def _fields(error: HTTPException) -> list[FieldError]:
    """Return what the framework says about single parameters, in our words."""
    if (missing := _PARAMETER.fullmatch(error.detail)) is not None:
        place = _PREFIX.get(missing["place"], "") + missing["name"]
        return [FieldError(pointer=place, expected="a value", got="nothing")]
    extras = error.extra if isinstance(error.extra, list) else []
    told = [extra for extra in extras if isinstance(extra, dict) and isinstance(extra.get("message"), str)]
    if any(extra["message"] == _NO_BODY for extra in told):
        return [FieldError(pointer="", expected="a body", got="nothing")]
    return [field_error(_place(extra), extra["message"]) for extra in told]


def _place(extra: dict[str, Any]) -> str:
    source = extra.get("source", "")
    return _PREFIX.get(str(getattr(source, "value", source)), "") + str(extra.get("key", ""))


def field_error(place: str, message: str) -> FieldError:
    """Return what the decoder says of the value at ``place``, in our words."""
    name, expected, got = told("", message)
    return FieldError(pointer=f"{place}/{name}" if name else place, expected=expected, got=got)


def sentence(field: FieldError) -> str:
    """Return ``field`` as ``place: expected …, got …``."""
    got = f", got {field.got}" if field.got else ""
    return f"{field.pointer or 'body'}: expected {field.expected}{got}"
