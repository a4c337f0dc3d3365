"""One profile's connection to one registry: how the synchronous client asks, lists and closes."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

from licet.client.contact import Contact
from licet.client.endpoints.listing import Listing
from licet.exchange.calls import Flow
from licet.exchange.retrying import Timeouts
from licet.home import Home, Profile
from licet.transport import Transport
from licet.wire.common import Page

T = TypeVar("T")


class Connection:
    """A connection to one registry as one profile; close it, or use it in a ``with``.

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
        self.transport = Transport(self.contact.url, self.contact.token, timeout=timeout)
        self.transport.elsewhere = self.contact.elsewhere

    @classmethod
    def over(cls, contact: Contact, transport: Transport) -> Self:
        """Return a client that speaks through ``transport``; it stays the caller's to close."""
        client = cls.__new__(cls)
        client.contact, client.transport = contact, transport
        return client

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

    def _run(self, flow: Flow[T]) -> T:
        answer: Any = None
        while True:
            try:
                call = flow.send(answer)
            except StopIteration as end:
                done: T = end.value
                return done
            answer = self.transport.do(call)

    def _pages(self, listing: Listing[T]) -> Iterator[T]:
        page: Page[T] | None = None
        taken = 0
        while (call := listing.following(page, taken)) is not None:
            with listing.resumable(taken):
                page = self.transport.do(call)
            for item in listing.wanted(page, taken):
                taken += 1
                yield item

    def close(self) -> None:
        """Give back the connections."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
