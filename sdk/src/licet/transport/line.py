"""What a driver of either kind knows and decides: whom it speaks to, what to send, what to make of an answer."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from licet import times
from licet.errors import InputError, LicetError, NotAllowedError, ServiceError, UnreachableError
from licet.exchange.answers import MAX_ANSWER, MAX_REFUSAL, VERSION, Answer, Collected, failure
from licet.exchange.calls import Body, Call
from licet.exchange.clocks import wrong_clock
from licet.exchange.retrying import Timeouts, Tries, idempotency_key
from licet.identifiers import new_uuid
from licet.transport.library import httpx

T = TypeVar("T")
CHUNK: Final = 1 << 20  # bytes of a download at a time
JUDGED: Final = frozenset({400, 409, 422})  # answers that a wrong clock may have led to
WHOLE: Final = "a whole answer"
BEGINNING: Final = "the beginning of a download"
_TOKEN: Final = re.compile(r"[!-~]*", re.ASCII)
_NUMBER: Final = re.compile(r"\[Errno -?\d+\] ")  # which says to nobody what the words behind it do not
_LOOPBACK: Final = re.compile(r"http://(localhost|127(\.\d+){3}|\[::1\])(:\d+)?(/|$)")


class Line:
    """What both drivers know: whom they speak to and for whom, and what was heard of the service's version and time."""

    def __init__(self, url: str, token: str | None, timeout: Timeouts | float | None) -> None:
        if not _is_address(url):
            raise bad_address(url)
        if token is not None and not _TOKEN.fullmatch(token):
            raise InputError(
                "token: expected ASCII without spaces, as `licet token create` prints it, got something else"
            )
        if token and url.startswith("http://") and not _LOOPBACK.match(url):
            raise InputError.field(_given_as(url), "https for a token that leaves this machine", url)
        self.url = url.rstrip("/")
        self.token = token
        self.timeouts = Timeouts.of(timeout)
        self.elsewhere: str | None = None  # where the token that the caller has may be shown
        self.service_version: str | None = None
        self.clock_offset: float | None = None  # seconds that this machine's clock is ahead of the service's

    def heard(self, headers: Mapping[str, str]) -> None:
        """Note what an answer says of the service's version and time."""
        self.service_version = headers.get(VERSION) or self.service_version
        with contextlib.suppress(ValueError, TypeError, IndexError, OverflowError):
            moment = parsedate_to_datetime(headers.get("date", ""))
            if moment.tzinfo is not None:
                self.clock_offset = (times.now() - moment).total_seconds()

    def read(self, call: Call[T], answer: Answer) -> T:
        """Return what ``answer`` reads as; a ``ServiceError`` about it says of which version the service is."""
        try:
            return call.read(answer.body)
        except ServiceError as error:
            version = self.service_version
            said = f"is of version {version:.40}" if version else "does not say its version"
            details = {
                "status": answer.status,
                "request_id": answer.headers.get("x-request-id"),
                "service_version": version,
            }
            raise type(error)(f"{error.message} ({self.url} {said})", **{**details, **error.details}) from None

    def options(self) -> dict[str, Any]:
        return {
            "base_url": self.url,
            "timeout": _timeout(self.timeouts, None),
            "follow_redirects": False,
            # The proxies of the environment are for the world outside: a service on this machine is called directly.
            "trust_env": not _LOOPBACK.match(self.url),
            # Without TLS there is nothing to load the authorities for.
            "verify": self.url.startswith("https://"),
        }

    def headers(self, request_id: str, packed: str) -> dict[str, str]:
        sent = {"X-Request-Id": request_id, "Accept-Encoding": packed}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        return sent

    def refusal(self, call: Call[Any], response: httpx.Response, body: bytes, request_id: str) -> LicetError:
        headers = {"x-request-id": request_id, **lower(response.headers)}
        error = failure(response.status_code, headers, body, url=self.url, operation=call.operation)
        if error.status != 401:
            wrong = wrong_clock(self.clock_offset) if error.status in JUDGED else None
            return error if wrong is None else type(error)(f"{error.message}; {wrong}", **error.details)
        if self.token:
            why = (
                f"{self.url} does not take this token: it is mistyped, expired, revoked, or another registry's; "
                "`licet token create` makes one, from a profile with an account"
            )
        elif self.elsewhere:
            why = (
                f"no token was sent: this profile's is for {self.elsewhere} alone; unset LICET_URL, or use another "
                "--profile"
            )
        else:
            why = "no token was sent: set LICET_TOKEN, or make an account with `licet account create`"
        return NotAllowedError(f"{error.message}; {why}", **error.details)

    def unreachable(self, fault: BaseException, request_id: str) -> UnreachableError:
        reason = _reason(fault)
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            hint = "SSL_CERT_FILE names further authorities, and a wrong clock here makes a good certificate bad"
        elif _proxy_for(self.url):
            hint = "a proxy is in between (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY; NO_PROXY leaves a host out)"
        else:
            hint = "is the service running there?"
        return UnreachableError(f"no answer from {self.url}: {reason}; {hint}", request_id=request_id)

    def ranged(self, request_id: str, offset: int) -> dict[str, str]:
        """Return the headers that ask for a body as it is, from byte ``offset`` on."""
        sent = self.headers(request_id, "identity")
        return sent | {"Range": f"bytes={offset}-"} if offset else sent

    def begun(self, path: str, response: httpx.Response, offset: int) -> None:
        """Return if ``response`` begins the download that was asked for; raises ``ServiceError`` otherwise."""
        self.heard(lower(response.headers))
        if offset and response.status_code != 206:
            raise ServiceError(f"expected a part of {path} from byte {offset}, got the whole")
        coding = response.headers.get("content-encoding", "identity")
        if coding != "identity":
            raise ServiceError(f"expected {path} as it is, got it in {coding:.40}")

    def cut(self, path: str, fault: BaseException, request_id: str) -> UnreachableError:
        """Return the error for a download that broke off, or never began."""
        return UnreachableError(f"the download of {path} was cut: {_reason(fault)}", request_id=request_id)


class Exchange:
    """One call on one line: which request to send, and what to do with what comes of it."""

    def __init__(self, line: Line, call: Call[Any]) -> None:
        self._line = line
        self._call = call
        self._tries = Tries(line.timeouts, call.repeatable)
        self._id = f"req_{new_uuid().hex}"
        self._collected: Collected | None = None
        self._spoilt = False

    def begin(self) -> tuple[dict[str, Any], float | None]:
        """Count an attempt: return its request without a body, and the seconds left for it (None: no end)."""
        call, left = self._call, self._tries.begin()
        sent = self._line.headers(self._id, "gzip")
        sent |= call.headers
        if call.body is not None:
            sent["Content-Type"] = call.body.content_type
            if call.body.size is not None:
                sent["Content-Length"] = str(call.body.size)
        if call.key is not None:
            sent["Idempotency-Key"] = f'"{call.key}"'
        timeout = _timeout(self._line.timeouts, left)
        request = {"method": call.method, "url": call.path, "headers": sent, "timeout": timeout}
        return request | ({"params": dict(call.params)} if call.params else {}), left

    def left(self) -> float:
        """Return seconds until the call as a whole is given up; raises `Late` once there are none."""
        return left(self._tries, self._line.timeouts, WHOLE)

    def take(self, response: httpx.Response, piece: bytes) -> bool:
        """Take a piece of the body; return whether to go on. Raises `Late` once the call's time is up."""
        self.left()
        collected = self._collected
        assert collected is not None
        try:
            collected.feed(piece)
        except ServiceError as error:
            if response.is_success:
                raise ServiceError(error.message, request_id=self._id, **error.details) from None
            self._spoilt = True  # the status says enough
        return not self._spoilt

    def headed(self, response: httpx.Response) -> None:
        """Note the head of an answer; its body is taken from here on."""
        headers = lower(response.headers)
        self._line.heard(headers)
        self._spoilt = False
        try:
            self._collected = Collected(headers, MAX_ANSWER if response.is_success else MAX_REFUSAL)
        except ServiceError as error:
            if response.is_success:
                raise ServiceError(error.message, request_id=self._id) from None
            self._collected, self._spoilt = Collected({}), True

    def after_fault(self, fault: BaseException) -> float:
        """Return seconds to wait before the next attempt; raises ``UnreachableError`` where there is none."""
        if isinstance(fault, Late) or "CERTIFICATE_VERIFY_FAILED" in str(fault):
            wait = None
        else:
            sent = not isinstance(fault, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError))
            wait = self._tries.after_fault(sent=sent)
        if wait is None:
            raise self._line.unreachable(fault, self._id) from None
        return wait

    def after_answer(self, response: httpx.Response) -> Answer | float:
        """Return the answer, or seconds to wait before asking again; raises the error that it stands for."""
        collected, status = self._collected, response.status_code
        assert collected is not None
        if response.is_success or status == 304:
            if not collected.whole:
                raise ServiceError("expected an answer in gzip, got one that breaks off", request_id=self._id)
            return Answer(status, lower(response.headers), collected.body())
        error = self._line.refusal(self._call, response, b"" if self._spoilt else collected.body(), self._id)
        # The same request, sent before, is still being worked on: as good as a 503.
        seen = 503 if error.problem == "request-in-progress" else status
        wait = self._tries.after_answer(seen, lower(response.headers))
        if wait is None:
            raise error
        return wait


class Late(Exception):  # what happened, and never seen outside
    def __init__(self, what: str, timeouts: Timeouts) -> None:
        super().__init__(f"expected {what} within {timeouts.total:g} s, got none")


def left(tries: Tries, timeouts: Timeouts, what: str) -> float:
    """Return seconds until ``tries`` are given up; raises `Late` once there are none."""
    seconds = tries.left
    if seconds <= 0:
        raise Late(what, timeouts)
    return seconds


def plain_call(
    method: str,
    path: str,
    body: bytes | None,
    content_type: str,
    params: Mapping[str, str | int] | None,
    idempotent: bool | str,
) -> Call[bytes]:
    """Return the call for a request of no endpoint that is described; what writes without a key is not repeated."""
    key: str | None = None
    if isinstance(idempotent, str):
        key = idempotent
    elif idempotent or method in ("PUT", "PATCH", "DELETE"):
        key = idempotency_key(method, path, body or b"")
    content = None if body is None else Body(body, content_type)
    repeatable = method != "POST" or key is not None
    return Call("", method, path, bytes, params or {}, content, key, repeatable=repeatable)


def bad_address(url: str) -> InputError:
    """Return the error for an address that is none."""
    return InputError.field(_given_as(url), "an address such as http://localhost:8000", url)


def _given_as(url: str) -> str:
    """Return what somebody changes who gave the address: the variable, or the argument."""
    return "LICET_URL" if os.environ.get("LICET_URL") == url else "url"


def lower(headers: httpx.Headers) -> dict[str, str]:
    """Return the headers with lower-case names."""
    return {name.lower(): value for name, value in headers.items()}


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port beyond 65535, brackets that do not close
        return False


def _timeout(timeouts: Timeouts, left: float | None) -> httpx.Timeout:
    connect, read = timeouts.connect, timeouts.read
    if left is not None:
        connect, read = min(connect, left), min(read, left)
    return httpx.Timeout(read, connect=connect)


def _proxy_for(url: str) -> bool:
    from urllib.request import getproxies, proxy_bypass  # what httpx itself goes by

    parts, proxies = urlsplit(url), getproxies()
    host = parts.hostname or ""
    named = parts.scheme in proxies or "all" in proxies
    return bool(named and not _LOOPBACK.match(url) and not proxy_bypass(host))


def _reason(fault: BaseException) -> str:
    return _NUMBER.sub("", str(fault)) or type(fault).__name__
