"""The driver for asyncio; cancelling a call closes its connection and leaves the pool whole."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from licet.errors import InputError
from licet.exchange.answers import MAX_REFUSAL, Answer
from licet.exchange.calls import Body, Call, Open
from licet.exchange.retrying import Timeouts
from licet.identifiers import new_uuid
from licet.transport.library import httpx
from licet.transport.line import BEGINNING, CHUNK, WHOLE, Exchange, Late, Line, bad_address, plain_call

T = TypeVar("T")
pause = asyncio.sleep  # between attempts


class AsyncTransport(Line):
    """A connection pool to one service for one event loop; safe to share between its tasks."""

    def __init__(self, url: str, token: str | None = None, *, timeout: Timeouts | float | None = None) -> None:
        super().__init__(url, token, timeout)
        self._loop: asyncio.AbstractEventLoop | None = None
        try:
            self._http = httpx.AsyncClient(**self.options())
        except httpx.InvalidURL:
            raise bad_address(url) from None

    async def send(self, call: Call[Any]) -> Answer:
        """Return the service's successful answer, asked for again where that is safe and may help.

        Raises the error that `failure` names, or ``UnreachableError``.
        """
        self._same_loop()
        exchange = Exchange(self, call)
        while True:
            request, left = exchange.begin()
            try:
                async with (
                    _within(left, WHOLE, self.timeouts),
                    self._http.stream(**request, content=_content(call.body)) as response,
                ):
                    exchange.headed(response)
                    async for piece in response.aiter_raw():
                        if not exchange.take(response, piece):
                            break
            except (httpx.HTTPError, Late) as fault:
                wait = exchange.after_fault(fault)
            else:
                done = exchange.after_answer(response)
                if isinstance(done, Answer):
                    return done
                wait = done
            await pause(wait)

    async def do(self, call: Call[T]) -> T:
        """Return what ``call`` reads as."""
        return self.read(call, await self.send(call))

    async def request(
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
        return await self.send(plain_call(method, path, body, content_type, params, idempotent))

    @contextlib.asynccontextmanager
    async def stream(self, path: str, *, offset: int = 0) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the chunks of a large body from byte ``offset`` on (206 when not 0); not retried.

        It must begin within the time for a whole call, and then go on within the time to read.
        """
        self._same_loop()
        request_id = f"req_{new_uuid().hex}"
        try:
            async with contextlib.AsyncExitStack() as opened:
                async with _within(self.timeouts.total, BEGINNING, self.timeouts):
                    asked = self._http.stream("GET", path, headers=self.ranged(request_id, offset))
                    response = await opened.enter_async_context(asked)
                    if not response.is_success:
                        body = await _first(response.aiter_raw())
                        raise self.refusal(plain_call("GET", path, None, "", None, False), response, body, request_id)
                    self.begun(path, response, offset)
                yield response.aiter_raw(CHUNK)
        except (httpx.HTTPError, Late) as fault:
            raise self.cut(path, fault, request_id) from None

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _same_loop(self) -> None:
        # Connections belong to the loop that opened them; in another one they would hang or break strangely.
        running = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not running:
            raise InputError(
                "expected the event loop that this client was used in first, got another: make one for each"
            )
        self._loop = running


@contextlib.asynccontextmanager
async def _within(left: float | None, what: str, timeouts: Timeouts) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(left):
            yield
    except TimeoutError:
        raise Late(what, timeouts) from None


def _content(body: Body | None) -> bytes | AsyncIterator[bytes] | None:
    content = None if body is None else body.content
    return _pieces(content) if callable(content) else content


async def _pieces(opened: Open) -> AsyncIterator[bytes]:
    pieces = await asyncio.to_thread(opened)
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


async def _first(pieces: AsyncIterator[bytes]) -> bytes:
    """Return the beginning of the body of an error: no more than anybody reads."""
    data = b""
    async for piece in pieces:
        data += piece
        if len(data) > MAX_REFUSAL:
            break
    return data
