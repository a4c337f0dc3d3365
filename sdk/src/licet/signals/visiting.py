"""Gathering for whoever has no event loop: a thread that asks, for as long as a job takes.

One gatherer lives as long as the thread, so that hosts are treated politely from one batch to the next. What came is in
the cache once it is here: whoever is killed goes on from that.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Final, Self

from licet.errors import LicetError
from licet.fingerprints.urls import canonical_url
from licet.signals.cache import Cache
from licet.signals.gathering import FULL_AGENT, NOTHING_KEPT, PAUSE, Depth, Gathered, Gatherer, origin_of
from licet.transport.strangers import TOTAL_TIMEOUT, Strangers

AT_ONCE: Final = 4096  # addresses under way: many more than hosts, so that one slow host keeps nobody waiting
_LOOK: Final = 0.2  # seconds between two looks at whether all has come


class Visitor:
    """Asks hosts, or (without ``fetch``) only what was kept of them in ``cache``; ``loopback`` is for tests."""

    def __init__(
        self,
        cache: Path | None,
        *,
        fetch: bool = True,
        loopback: bool = False,
        pause: float = PAUSE,
        seconds: float = TOTAL_TIMEOUT,
    ) -> None:
        self._cache: Final = cache
        self._fetch: Final = fetch
        self._loopback: Final = loopback
        self._pause: Final = pause
        self._seconds: Final = seconds
        self._ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, Gatherer]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), name="licet-signals", daemon=True)
        self._thread.start()
        self._loop, self._end, self._gatherer = self._ready.result()
        #: Where nobody is asked: of which origins it is worth to look for what was kept, of millions of addresses.
        self._origins: frozenset[str] | None = None

    def gather(self, wanted: Mapping[str, Depth], done: Callable[[str], None] = lambda _: None) -> dict[str, Gathered]:
        """Return what is said about each address, which must be one of http or https; ``done`` is told of each, here.

        An interrupt stops at once; what came is kept.
        """
        if not wanted:
            return {}
        finished: SimpleQueue[str] = SimpleQueue()
        asked = asyncio.run_coroutine_threadsafe(self._gathered(wanted, finished), self._loop)
        try:
            while not asked.done() or not finished.empty():
                with suppress(Empty):
                    done(finished.get(timeout=_LOOK))
            return asked.result()
        except BaseException:
            asked.cancel()
            raise

    def close(self) -> None:
        """End the thread and what it is at."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _live(self) -> None:
        end = asyncio.Event()
        try:
            with Cache(self._cache) as cache:
                if not self._fetch:
                    self._ready.set_result((asyncio.get_running_loop(), end, Gatherer(None, cache)))
                    await end.wait()
                    return
                async with Strangers(FULL_AGENT, loopback=self._loopback, seconds=self._seconds) as strangers:
                    gatherer = Gatherer(strangers, cache, pause=self._pause)
                    self._ready.set_result((asyncio.get_running_loop(), end, gatherer))
                    await end.wait()
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
                return
            raise

    async def _gathered(self, wanted: Mapping[str, Depth], finished: SimpleQueue[str]) -> dict[str, Gathered]:
        places = asyncio.Semaphore(AT_ONCE)
        found: dict[str, Gathered] = {}
        if not self._fetch:
            self._origins = self._gatherer.origins() if self._origins is None else self._origins
            strange = [url for url in wanted if origin_of(canonical_url(url)) not in self._origins]
            found = {url: Gathered(url, NOTHING_KEPT, (), missed=True) for url in strange}
            for url in strange:
                finished.put(url)

        async def one(url: str, depth: Depth) -> None:
            async with places:
                found[url] = await self._gatherer.gather(url, depth)
                finished.put(url)

        try:
            async with asyncio.TaskGroup() as group:
                for url, depth in wanted.items():
                    if url not in found:
                        group.create_task(one(url, depth))
        except* LicetError as several:  # the cache, for one, cannot be written any more
            raise several.exceptions[0] from None
        self._gatherer.forget()
        return found
