"""Synchronous work in a thread, its calls in the event loop: what lets `AsyncClient` read files and snapshots with the
code that `Client` has for them, over its own connections, and be cancelled.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

from licet.errors import InterruptedJobError
from licet.exchange.answers import Answer
from licet.exchange.calls import Call
from licet.transport import AsyncTransport, Transport

T = TypeVar("T")


class Errand:
    """One piece of work in a thread; once it is given up, its next step that needs the network ends it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._given_up = False
        self._step: concurrent.futures.Future[Any] | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Return what ``work`` gives in a thread; a cancelled call ends once the thread has let go of everything."""
        thread = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(thread)
        except asyncio.CancelledError:
            self._given_up = True
            if self._step is not None:
                self._step.cancel()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await thread
            raise

    def wait_for(self, step: Coroutine[Any, Any, T]) -> T:
        """Return what ``step`` gives in the loop; called from the thread."""
        if self._given_up:
            step.close()
            raise InterruptedJobError("the call was cancelled")
        self._step = waiting = asyncio.run_coroutine_threadsafe(step, self._loop)
        if self._given_up:  # in between
            waiting.cancel()
        try:
            return waiting.result()
        except concurrent.futures.CancelledError:
            raise InterruptedJobError("the call was cancelled") from None

    def let_go(self, step: Coroutine[Any, Any, T]) -> T:
        """Return what ``step`` gives in the loop, given up or not: it frees what an earlier one took."""
        return asyncio.run_coroutine_threadsafe(step, self._loop).result()


class Bridge(Transport):
    """The connections of an `AsyncTransport`, for the thread of one errand."""

    def __init__(self, line: AsyncTransport, errand: Errand) -> None:  # opens nothing of its own
        self.__dict__.update(_line=line, _errand=errand)

    def __getattr__(self, name: str) -> Any:
        # Whom it speaks to, for whom, and what it has heard is the line's.
        return getattr(self.__dict__["_line"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["_line"], name, value)

    def send(self, call: Call[Any]) -> Answer:
        """Return the service's successful answer."""
        line: AsyncTransport = self._line
        errand: Errand = self._errand
        return errand.wait_for(line.send(call))

    @contextlib.contextmanager
    def stream(self, path: str, *, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Give the chunks of a large body from byte ``offset`` on."""
        line: AsyncTransport = self._line
        errand: Errand = self._errand
        opened = line.stream(path, offset=offset)
        chunks = errand.wait_for(opened.__aenter__())

        def each() -> Iterator[bytes]:
            while (chunk := errand.wait_for(_next(chunks))) is not None:
                yield chunk

        try:
            yield each()
        finally:
            errand.let_go(_close(opened))

    def close(self) -> None:
        """Leave the connections to the one whose they are."""


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


async def _close(opened: contextlib.AbstractAsyncContextManager[Any]) -> None:
    await opened.__aexit__(None, None, None)
