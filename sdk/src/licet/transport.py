"""HTTP to the service: the only module that imports httpx, and the one place that knows about retries.

What to do next is decided by pure functions (`delay`, `failure`), so that a synchronous and an asynchronous client
can share them. Every write carries an idempotency key made from its content: a retry after a lost answer, even by
another process, has one effect.
"""

from __future__ import annotations

import contextlib
import email.utils
import hashlib
import random
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec

from licet.errors import (
    ConflictError,
    ExpiredError,
    InputError,
    LicetError,
    NotAllowedError,
    ServiceError,
    UnreachableError,
)

ATTEMPTS: Final = 6
FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 8.0
LONGEST_WAIT: Final = 60.0  # a Retry-After beyond this is not waited for
TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
MAX_ANSWER: Final = 256 << 20
RETRIED: Final = frozenset({429, 502, 503, 504})
_TOKEN: Final = re.compile(r"[!-~]*", re.ASCII)
_LOOPBACK: Final = re.compile(r"http://(localhost|127(\.\d+){3}|\[::1\])(:\d+)?(/|$)")


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
            raise ServiceError(f"expected JSON from the service, got something else: {error}") from None


def delay(attempt: int, status: int | None, headers: Mapping[str, str], chance: float) -> float | None:
    """Return seconds to wait before trying again, or ``None`` to give up.

    ``attempt`` counts from 1; ``status`` is None when no answer came; ``chance`` in [0, 1) spreads the retries of
    many clients (full jitter over the upper half). ``Retry-After`` (RFC 9110 §10.2.3) wins where it is longer.
    """
    if attempt >= ATTEMPTS or (status is not None and status not in RETRIED):
        return None
    wait: float = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** (attempt - 1)) * (0.5 + chance / 2)
    asked = _retry_after(headers.get("retry-after"))
    if asked is not None:
        if asked > LONGEST_WAIT:
            return None
        wait = max(wait, asked)
    return wait


def failure(status: int, headers: Mapping[str, str], body: bytes) -> LicetError:
    """Return the error of our tree that an unsuccessful answer stands for (RFC 9457 bodies, else the status)."""
    problem: dict[str, Any] = {}
    with contextlib.suppress(msgspec.MsgspecError):
        decoded = msgspec.json.decode(body)
        if isinstance(decoded, dict):
            problem = decoded
    title = str(problem.get("title") or f"the service answered {status}")
    detail = str(problem.get("detail") or "")
    message = f"{title}: {detail}" if detail and detail != title else title
    errors = [error for error in problem.get("errors") or [] if isinstance(error, dict)]
    for error in errors[:5]:
        got = f", got {error['got']}" if error.get("got") else ""
        line = f"{error.get('pointer', '')}: expected {error.get('expected', '')}{got}"
        if line not in message:  # a single one is the detail already
            message += f"\n  {line}"
    kind: type[LicetError]
    slug = str(problem.get("type", "")).rsplit("/", 1)[-1]
    if status in (401, 403):
        kind = NotAllowedError
    elif slug.endswith("expired"):
        kind = ExpiredError
    elif status in (409, 412):
        kind = ConflictError
    elif 400 <= status < 500 and status != 429:
        kind = InputError
    else:
        kind = ServiceError
    return kind(message, status=status, problem=slug, errors=errors, request_id=headers.get("x-request-id", "") or None)


def idempotency_key(*parts: bytes | str) -> str:
    """Return the key that stands for this content: equal requests share it, any other request has another."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:32]


class Transport:
    """A connection pool to one service. Not for sharing between processes; safe to share between threads."""

    def __init__(self, url: str, token: str | None = None, *, timeout: httpx.Timeout | float = TIMEOUT) -> None:
        if not _is_address(url):
            raise InputError.field("url", "an address such as http://localhost:8000", url)
        if token is not None and not _TOKEN.fullmatch(token):
            raise InputError(
                "token: expected ASCII without spaces, as `licet token create` prints it, got something else"
            )
        if token and url.startswith("http://") and not _LOOPBACK.match(url):
            raise InputError.field("url", "https for a token that leaves this machine", url)
        self.url = url.rstrip("/")
        self.token = token
        # The proxies of the environment are for the world outside: a service on this machine is called directly.
        try:
            self._http = httpx.Client(
                base_url=self.url,
                timeout=timeout,
                follow_redirects=False,
                trust_env=not _LOOPBACK.match(url),
                verify=url.startswith("https://"),  # without TLS there is nothing to load the authorities for
            )
        except httpx.InvalidURL:
            raise InputError.field("url", "an address such as http://localhost:8000", url) from None

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | str = False,
    ) -> Answer:
        """Return the service's successful answer.

        ``idempotent`` adds the content's idempotency key: for every POST that writes (a text is the key itself, for
        a write that is meant anew each time). Retried are answers of
        429, 502, 503, 504 and lost connections. Raises the error that `failure` names, or ``UnreachableError``.
        """
        sent = dict(headers or {})
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = content_type
        if idempotent:
            key = idempotent if isinstance(idempotent, str) else idempotency_key(method, path, body or b"")
            sent["Idempotency-Key"] = f'"{key}"'
        attempt = 0
        while True:
            attempt += 1
            try:
                response = self._http.request(method, path, content=body, params=params, headers=sent)
            except httpx.HTTPError as fault:
                wait = delay(attempt, None, {}, random.random())  # noqa: S311 - jitter, not a secret
                if wait is None or (isinstance(fault, httpx.ConnectError) and attempt >= 3):
                    raise UnreachableError(
                        f"no answer from {self.url}: {_reason(fault)}; is the service running there?"
                    ) from None
            else:
                if response.is_success or response.status_code == 304:
                    return Answer(response.status_code, _lower(response.headers), response.content)
                error = failure(response.status_code, response.headers, response.content)
                # The same request, sent before, is still being worked on: as good as a 503.
                status = 503 if error.details.get("problem") == "request-in-progress" else response.status_code
                wait = delay(attempt, status, response.headers, random.random())  # noqa: S311
                if wait is None:
                    raise self._explained(error) if status == 401 else error
            time.sleep(wait)

    def _explained(self, error: LicetError) -> LicetError:
        """Return a 401 with what to do about it."""
        if self.token:
            why = f"{self.url} does not take this token: it is mistyped, expired, revoked, or another registry's"
        else:
            why = "no token was sent: set LICET_TOKEN, or make an account with `licet account create`"
        return NotAllowedError(f"{error.message}; {why}", **error.details)

    @contextlib.contextmanager
    def stream(self, path: str, *, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Give the chunks of a large body from byte ``offset`` on (206 when not 0); not retried."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if offset:
            sent["Range"] = f"bytes={offset}-"
        try:
            with self._http.stream("GET", path, headers=sent) as response:
                if not response.is_success:
                    error = failure(response.status_code, response.headers, response.read())
                    raise self._explained(error) if response.status_code == 401 else error
                if offset and response.status_code != 206:
                    raise ServiceError(f"expected a part of {path} from byte {offset}, got the whole")
                yield response.iter_bytes(1 << 20)
        except httpx.HTTPError as error:
            raise UnreachableError(f"the download of {path} was cut: {_reason(error)}") from None

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def __enter__(self) -> Transport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port beyond 65535, brackets that do not close
        return False


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__


def _retry_after(value: str | None) -> float | None:
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    with contextlib.suppress(ValueError, TypeError):
        moment = email.utils.parsedate_to_datetime(value)
        if moment.tzinfo is not None:
            return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    return None
