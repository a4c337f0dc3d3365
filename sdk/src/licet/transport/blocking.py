"""The driver for threads."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from licet.exchange.answers import MAX_REFUSAL, Answer
from licet.exchange.calls import Body, Call
from licet.exchange.retrying import Timeouts, Tries
from licet.identifiers import new_uuid
from licet.transport.holding import held, hold
from licet.transport.library import httpx
from licet.transport.line import BEGINNING, CHUNK, Exchange, Late, Line, bad_address, left, plain_call

T = TypeVar("T")
pause = time.sleep  # between attempts


class Transport(Line):
    """A connection pool to one service. Not for sharing between processes; safe to share between threads."""

    def __init__(self, url: str, token: str | None = None, *, timeout: Timeouts | float | None = None) -> None:
        super().__init__(url, token, timeout)
        try:
            self._http = httpx.Client(**self.options())
        except httpx.InvalidURL:
            raise bad_address(url) from None
        hold(self._http)

    def send(self, call: Call[Any]) -> Answer:
        """Return the service's successful answer, asked for again where that is safe and may help.

        Raises the error that `failure` names, or ``UnreachableError``.
        """
        exchange = Exchange(self, call)
        while True:
            request, _ = exchange.begin()
            try:
                with held(exchange.left), self._http.stream(**request, content=_content(call.body)) as response:
                    exchange.headed(response)
                    for piece in response.iter_raw():
                        if not exchange.take(response, piece):
                            break
            except (httpx.HTTPError, Late) as fault:
                wait = exchange.after_fault(fault)
            else:
                done = exchange.after_answer(response)
                if isinstance(done, Answer):
                    return done
                wait = done
            pause(wait)

    def do(self, call: Call[T]) -> T:
        """Return what ``call`` reads as."""
        return self.read(call, self.send(call))

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
        params: Mapping[str, str | int] | None = None,
        idempotent: bool | str = False,
    ) -> Answer:
        """Return the service's successful answer to a request that `licet.client.endpoints` does not describe.

        ``idempotent`` adds the content's idempotency key, which PUT, PATCH and DELETE always have: for every POST that
        writes (a text is the key itself, for a write that is meant anew each time).
        """
        return self.send(plain_call(method, path, body, content_type, params, idempotent))

    @contextlib.contextmanager
    def stream(self, path: str, *, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Give the chunks of a large body from byte ``offset`` on (206 when not 0); not retried.

        It must begin within the time for a whole call, and then go on within the time to read.
        """
        request_id, tries = f"req_{new_uuid().hex}", Tries(self.timeouts)
        try:
            with contextlib.ExitStack() as opened:
                with held(lambda: left(tries, self.timeouts, BEGINNING)):
                    asked = self._http.stream("GET", path, headers=self.ranged(request_id, offset))
                    response = opened.enter_context(asked)
                    if not response.is_success:
                        body = b"".join(_first(response.iter_raw()))
                        raise self.refusal(plain_call("GET", path, None, "", None, False), response, body, request_id)
                    self.begun(path, response, offset)
                yield response.iter_raw(CHUNK)
        except (httpx.HTTPError, Late) as fault:
            raise self.cut(path, fault, request_id) from None

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _content(body: Body | None) -> bytes | Iterator[bytes] | None:
    content = None if body is None else body.content
    return content() if callable(content) else content


def _first(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the beginning of the body of an error: no more than anybody reads."""
    total = 0
    for piece in pieces:
        yield piece
        total += len(piece)
        if total > MAX_REFUSAL:
            return
