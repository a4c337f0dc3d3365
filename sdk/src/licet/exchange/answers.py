"""What an answer means: its body collected within limits, and for a failure the error that it stands for."""

from __future__ import annotations

import contextlib
import os
import re
import zlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from licet.errors import (
    BudgetError,
    ConflictError,
    ExpiredError,
    InputError,
    LicetError,
    NotAllowedError,
    QuotaError,
    ServiceError,
    VersionError,
)
from licet.exchange.retrying import retry_after
from licet.misfits import unlike

MAX_ANSWER: Final = 256 << 20  # bytes, after unpacking
MAX_REFUSAL: Final = 1 << 20  # bytes of the body of an error: a page of a proxy needs no more
VERSION: Final = "licet-version"
_SCOPE: Final = re.compile(r'\bscope="([^"]*)"')


class Answer(msgspec.Struct, frozen=True):
    """A successful answer: status, lower-case headers, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON; raises ``ServiceError`` if it is none."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.MsgspecError as error:
            raise ServiceError(f"expected JSON from the service, got {unlike(error)}") from None


class Collected:
    """A body as it comes in: unpacked piece by piece, never more than ``limit`` bytes of it in memory."""

    def __init__(self, headers: Mapping[str, str], limit: int = MAX_ANSWER) -> None:
        coding = headers.get("content-encoding", "identity").strip().lower() or "identity"
        if coding not in ("identity", "gzip", "x-gzip"):
            raise ServiceError(f"expected an answer as it is or in gzip, got one in {coding:.40}")
        self._unpacking = None if coding == "identity" else zlib.decompressobj(31)
        self._limit = limit
        self._data = bytearray()

    def feed(self, piece: bytes) -> None:
        """Take the next bytes from the wire; raises ``ServiceError`` beyond the limit and for a broken packing."""
        if self._unpacking is None:
            self._data += piece
        else:
            room = self._limit + 1 - len(self._data)
            try:
                self._data += self._unpacking.decompress(piece, room)
            except zlib.error as error:
                raise ServiceError(f"expected an answer in gzip, got bytes that do not unpack: {error}") from None
        if len(self._data) > self._limit:
            raise ServiceError(f"expected an answer of at most {self._limit:,} bytes, got more", too_large=True)

    @property
    def whole(self) -> bool:
        """Whether the packing has come to its end."""
        return self._unpacking is None or self._unpacking.eof

    def body(self) -> bytes:
        """Return the body."""
        return bytes(self._data)


def failure(
    status: int, headers: Mapping[str, str], body: bytes, *, url: str = "the service", operation: str | None = None
) -> LicetError:
    """Return the error of our tree that an unsuccessful answer stands for (RFC 9457 bodies, else the status).

    ``headers`` have lower-case names. The error carries ``status``, ``problem`` (the slug), ``errors`` (the fields)
    and ``request_id``, and what is particular to its kind: ``scopes`` that are missing, ``reset`` in seconds.
    """
    problem = _problem(body)
    slug = str(problem.get("type", "")).rsplit("/", 1)[-1]
    errors = [error for error in problem.get("errors") or [] if isinstance(error, dict)]
    details: dict[str, Any] = {
        "status": status,
        "problem": slug or None,
        "errors": errors,
        "request_id": headers.get("x-request-id") or None,
        "service_version": headers.get(VERSION) or None,
    }
    message = _message(status, headers, problem, errors, url)
    if slug == "no-such-route" or (status in (404, 405) and not problem):
        return _lacking(status, headers, url, operation, details)
    if status == 403 and (scopes := _SCOPE.search(headers.get("www-authenticate", ""))) is not None:
        details["scopes"] = scopes[1].split()
        wanted = " or ".join(details["scopes"])
        stands = "; LICET_TOKEN is set and stands for every profile, until it is unset"
        return NotAllowedError(
            f"{message}; `licet token create --scope {details['scopes'][0]}` makes one, from a profile "
            f"whose own token has the scope {wanted}{stands if os.environ.get('LICET_TOKEN') else ''}",
            **details,
        )
    if status == 429:
        details |= quota(headers)
        again = f"; there is some again in {details['reset']:g} s" if details["reset"] is not None else ""
        return QuotaError(f"{message}{again}", **details)
    return _kind(status, slug)(message, **details)


def quota(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return what the headers say of a quota: ``limit``, ``remaining`` and ``reset`` (seconds), None where unsaid.

    Read are ``RateLimit`` fields in both forms of draft-ietf-httpapi-ratelimit-headers, and ``Retry-After``.
    """
    found: dict[str, Any] = {}
    for name in ("limit", "remaining", "reset"):
        text = headers.get(f"ratelimit-{name}", "").partition(";")[0].partition(",")[0].strip()
        found[name] = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    fields = headers.get("ratelimit", "")
    for name, mark in (("remaining", "r"), ("reset", "t")):
        value = re.search(rf";\s*{mark}=(\d{{1,9}})", fields)
        if value is not None:
            found[name] = int(value[1])
    limit = re.search(r";\s*q=(\d{1,9})", headers.get("ratelimit-policy", ""))
    if limit is not None:
        found["limit"] = int(limit[1])
    asked = retry_after(headers.get("retry-after"))
    if asked is not None and asked < 1e9:
        found["reset"] = max(found["reset"] or 0, asked)
    return found


def _problem(body: bytes) -> dict[str, Any]:
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        decoded = msgspec.json.decode(body)
        if isinstance(decoded, dict):
            return decoded
    return {}


def _message(
    status: int, headers: Mapping[str, str], problem: dict[str, Any], errors: list[dict[str, Any]], url: str
) -> str:
    if not problem.get("title"):
        what = headers.get("content-type", "").partition(";")[0].strip()
        if 300 <= status < 400:
            place = headers.get("location", "")[:120]
            return f"{url} answered {status}, a redirect to {place or 'nowhere'}: expected the service itself there"
        foreign = f" with {what:.40}" if what and "json" not in what else ""
        return f"the service answered {status}{foreign}"
    title = str(problem["title"])
    detail = str(problem.get("detail") or "")
    message = f"{title}: {detail}" if detail and detail != title else title
    for error in errors[:5]:
        got = f", got {error['got']}" if error.get("got") else ""
        line = f"{error.get('pointer', '')}: expected {error.get('expected', '')}{got}"
        dotted = line.removeprefix("/").replace("/", ".", line.partition(":")[0].count("/") - 1)
        if line not in message and dotted not in message:  # a single one is the detail already
            message += f"; {line}"
    return message


def _lacking(
    status: int, headers: Mapping[str, str], url: str, operation: str | None, details: dict[str, Any]
) -> LicetError:
    what = f" {operation}" if operation else " what was asked for"
    version = headers.get(VERSION)
    if version:
        return VersionError(
            f"the service at {url} is of version {version:.40} and lacks{what}, which this licet {_ours()} asks for: "
            "install the licet of that version, unless the address has a path too much",
            **details,
        )
    return VersionError(
        f"expected a Licet registry at {url}, got an answer of {status} from something that does not say its "
        f"version: it lacks{what}; is the address right?",
        **details,
    )


def _ours() -> str:
    from licet import __version__

    return __version__


def _kind(status: int, slug: str) -> type[LicetError]:
    if status in (401, 403):
        return NotAllowedError
    if slug.endswith("expired"):
        return ExpiredError
    if slug in ("over-budget", "over-spend-limit"):
        return BudgetError
    if status in (409, 412):
        return ConflictError
    if 400 <= status < 500 and status != 408:
        return InputError
    return ServiceError
