"""One profile's connection to one registry: how the asynchronous client asks, lists and closes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from licet.client.blocking import Client
from licet.client.bridging import Bridge, Errand
from licet.client.contact import Contact
from licet.client.endpoints.listing import Listing
from licet.exchange.calls import Flow
from licet.exchange.retrying import Timeouts
from licet.home import Home, Profile
from licet.transport import AsyncTransport
from licet.wire.common import Page

T = TypeVar("T")


class AsyncConnection:
    """A connection to one registry as one profile, for one event loop; close it, or use it in an ``async with``.

    ``timeout`` holds each step and the whole of every call (seconds), or says more as `licet.Timeouts`.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        home: Home | None = None,
        profile: str | None = None,
        timeout: Timeouts | float | None = None,
    ) -> None:
        self.contact = Contact(url, token, home, profile)
        self.transport = AsyncTransport(self.contact.url, self.contact.token, timeout=timeout)
        self.transport.elsewhere = self.contact.elsewhere

    @property
    def home(self) -> Home:
        """The folder that this client keeps things in."""
        return self.contact.home

    @property
    def profile(self) -> Profile:
        """The identity that this client speaks as."""
        return self.contact.profile

    @property
    def url(self) -> str:
        """Where the service is."""
        return self.contact.url

    def need_account(self) -> Profile:
        """Return the profile once it has an account and a key; raises ``NotAllowedError`` that says how to get one."""
        return self.contact.need_account()

    async def in_thread(self, work: Callable[[Client], T]) -> T:
        """Return what ``work`` gives in a thread, with a synchronous client over these same connections."""
        errand = Errand()
        client = Client.over(self.contact, Bridge(self.transport, errand))
        return await errand.run(lambda: work(client))

    async def _run(self, flow: Flow[T]) -> T:
        answer: Any = None
        while True:
            try:
                call = flow.send(answer)
            except StopIteration as end:
                done: T = end.value
                return done
            answer = await self.transport.do(call)

    async def _pages(self, listing: Listing[T]) -> AsyncIterator[T]:
        page: Page[T] | None = None
        taken = 0
        while (call := listing.following(page, taken)) is not None:
            with listing.resumable(taken):
                page = await self.transport.do(call)
            for item in listing.wanted(page, taken):
                taken += 1
                yield item

    async def close(self) -> None:
        """Give back the connections."""
        await self.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
