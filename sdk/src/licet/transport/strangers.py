"""Fetching from hosts that strangers name: only public addresses, within limits of time and size, by no proxy.

A name is resolved first, all of its addresses must be public, and the connection goes to one of those that were looked
at, with the certificate of the name; each redirect starts from the beginning. The time limit is for the whole of it, so
a host that trickles gains nothing. Connections are not kept: two hosts at one address never share one.

Proxies of the environment are not used, because a proxy resolves names by itself.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urljoin, urlsplit, urlunsplit

import msgspec

from licet.errors import InputError, UnreachableError
from licet.exchange.addresses import Address, is_public
from licet.transport.library import httpx

TOTAL_TIMEOUT: Final = 20.0  # seconds for one fetch, redirects and all
STEP_TIMEOUT: Final = 8.0  # to connect, and for each piece that is read
MAX_REDIRECTS: Final = 5
MAX_HEADERS: Final = 300
MAX_URL: Final = 8192
_MAX_ADDRESSES: Final = 4
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_DECODED: Final = frozenset({"", "identity"}) | _PACKED
_GZIP: Final = 32 + zlib.MAX_WBITS  # gzip or zlib, as its head says


class Fetched(msgspec.Struct, frozen=True):
    """An answer: ``url`` is where it came from after redirects, ``whole`` tells whether ``body`` is all of it."""

    url: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    whole: bool = True

    @property
    def target(self) -> str | None:
        """Where the answer sends on to; None for one that does not."""
        place = self.header("location")
        return urljoin(self.url, place) if self.status in _REDIRECTS and place else None

    def header(self, name: str) -> str:
        """Return the first header of that name, in any case; "" without one."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class Strangers:
    """Fetches, one answer after another or many at once, within one event loop.

    ``agent`` is what hosts are told. With ``loopback``, for tests, only this machine's own addresses are connected to.
    """

    def __init__(self, agent: str, *, loopback: bool = False, seconds: float = TOTAL_TIMEOUT) -> None:
        self._loopback: Final = loopback
        self._seconds: Final = seconds
        self._headers: Final = {"User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "gzip, identity"}
        self._http = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=min(STEP_TIMEOUT, seconds),
            verify=_authorities(),
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def get(
        self,
        url: str,
        *,
        max_bytes: int,
        redirects: int = MAX_REDIRECTS,
        wanted: Callable[[str], bool] = lambda _: True,
    ) -> Fetched:
        """Return what ``url`` answers, cut after ``max_bytes``; with no ``redirects``, also where it sends elsewhere.

        ``wanted`` is told the media type of an answer, in lower case: of one that is not wanted no body is read.
        Raises ``UnreachableError`` for no answer in time, an address that is not public, too many redirects, and what
        is no HTTP; ``InputError`` for what is no http or https address.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._followed(url, max_bytes, redirects, wanted)
        except TimeoutError:
            raise UnreachableError(f"{url:.200}: no whole answer within {self._seconds:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError, zlib.error) as error:
            raise UnreachableError(f"{url:.200}: {type(error).__name__}") from None

    async def _followed(self, url: str, max_bytes: int, redirects: int, wanted: Callable[[str], bool]) -> Fetched:
        for _ in range(redirects + 1):
            answer = await self._one(url, max_bytes, wanted)
            if not redirects or answer.target is None:
                return answer
            url = answer.target
        raise UnreachableError(f"{url:.200}: more than {redirects} redirects")

    async def _one(self, url: str, max_bytes: int, wanted: Callable[[str], bool]) -> Fetched:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        if parts.scheme not in ("http", "https") or not host or parts.username is not None or len(url) > MAX_URL:
            raise InputError.field("url", "an address of http or https", url)
        named = f"[{host}]" if ":" in host else host
        failed: Exception = UnreachableError(f"{url:.200}: the name has no address")
        for address in await self._addresses(host, port, url):
            at = f"[{address}]" if address.version == 6 else str(address)
            direct = urlunsplit((parts.scheme, f"{at}:{port}", parts.path or "/", parts.query, ""))
            shown = named if parts.port is None else f"{named}:{port}"
            try:
                return await self._answer(url, direct, {"Host": shown}, {"sni_hostname": host}, max_bytes, wanted)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # another address may answer
                failed = error
        raise failed

    async def _answer(
        self,
        url: str,
        direct: str,
        headers: dict[str, str],
        extensions: dict[str, Any],
        max_bytes: int,
        wanted: Callable[[str], bool],
    ) -> Fetched:
        asked = self._http.stream("GET", direct, headers={**self._headers, **headers}, extensions=extensions)
        async with asked as response:
            given = [(name, value) for name, value in response.headers.multi_items()][: MAX_HEADERS + 1]
            coding = response.headers.get("content-encoding", "").strip().lower()
            if coding not in _DECODED:
                raise UnreachableError(f"{url:.200}: an answer in {coding:.40}, which was not asked for")
            body = bytearray()
            # Inflated here, no further than wanted: httpx would inflate a whole piece before anybody can look at it.
            unpacked = zlib.decompressobj(_GZIP) if coding in _PACKED else None
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if response.status_code not in _REDIRECTS and wanted(kind):
                async for piece in response.aiter_raw(1 << 16):
                    left = max_bytes + 1 - len(body)
                    body += piece[:left] if unpacked is None else unpacked.decompress(piece, left)
                    if len(body) > max_bytes:
                        return Fetched(url, response.status_code, given, bytes(body[:max_bytes]), whole=False)
            return Fetched(url, response.status_code, given, bytes(body))

    async def _addresses(self, host: str, port: int, url: str) -> Sequence[Address]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise UnreachableError(f"{url:.200}: the name {host:.100} has no address") from None
        addresses = list(dict.fromkeys(ip_address(place[4][0]) for place in found))
        # One that is not public is no accident that the others make up for.
        if not all(each.is_loopback if self._loopback else is_public(each) for each in addresses):
            raise UnreachableError(f"{url:.200}: {host:.100} is not on the public internet", refused=True)
        return addresses[:_MAX_ADDRESSES]

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


@cache
def _authorities() -> ssl.SSLContext:
    """Return what certificates are held to; loading it takes longer than a fetch does."""
    return httpx.create_ssl_context()
