"""Looking for what a domain's owner has put up: a TXT record, then a file over HTTPS.

A stranger says where to look, so both are held to: names alone, whose addresses are looked up first and must all be
public; a connection to exactly those addresses, with the certificate of the name; no redirect, no proxy; limits of time
and size whatever the other side does. What callers are told is the same for a name that is not there and one that is
there in our own network only.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Literal

import httpcore
import msgspec

from licet.exchange.addresses import Address, is_public
from registry.claims.domains import FILE, file_of, record_of
from registry.settings import Settings

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

Method = Literal["dns", "file"]

DNS_TIMEOUT: Final = 5.0  # seconds, for one name
TOTAL_TIMEOUT: Final = 20.0
_STEP_TIMEOUT: Final = 5.0  # to connect, to read, to write
MAX_FILE: Final = 16_384  # bytes
LONGEST_PROBLEM: Final = 500  # characters
_MAX_RECORDS: Final = 100
_MAX_ADDRESSES: Final = 4


class Found(msgspec.Struct, frozen=True):
    """``method`` by which the value was found; else the ``problem``, and whether anything could be ``looked`` at."""

    method: Method | None = None
    problem: str | None = None
    looked: bool = True


class _Absent(Exception):
    """It is not there; the message says so to the domain's owner."""


class _Blind(Exception):
    """Our own resolver does not answer: nothing can be said of the domain."""


class Looker:
    """Looks for proofs as the settings say; keeps nothing from one time to the next but what it trusts."""

    def __init__(self, settings: Settings) -> None:
        self._resolver: Final = settings.claims_resolver
        self._loopback: Final = settings.claims_loopback_port
        self._authorities: Final = settings.claims_authorities

    async def look(self, domain: str, value: str) -> Found:
        """Return how ``value`` was found at ``domain``, or why not; whatever the other side does, it raises nothing."""
        problems, looked = [], True
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT):
                for method, find in (("dns", self._record), ("file", self._file)):
                    try:
                        if value in await find(domain):
                            return Found("dns" if method == "dns" else "file")
                        where = f"the TXT record {record_of(domain)}" if method == "dns" else file_of(domain)
                        problems.append(f"{where} is there, but does not hold the value")
                    except (_Absent, _Blind) as why:
                        looked = looked and not isinstance(why, _Blind)
                        problems.append(str(why))
        except TimeoutError:
            problems.append(f"looking took longer than {TOTAL_TIMEOUT:.0f} seconds")
        return Found(problem="; ".join(problems)[:LONGEST_PROBLEM], looked=looked)

    async def _record(self, domain: str) -> list[str]:
        """Return the texts of the domain's record."""
        name = record_of(domain)
        answers = await self._resolved(name, "TXT")
        if not answers:
            raise _Absent(f"there is no TXT record {name}")
        return [b"".join(each.strings).decode("ascii", "replace").strip() for each in answers]

    async def _file(self, domain: str) -> list[str]:
        """Return the lines of the domain's file."""
        addresses = await self._addresses(domain)
        if not addresses:
            raise _Absent(f"{domain} has no public address to fetch {FILE} from")
        content = await self._fetched(domain, addresses)
        return [line.strip() for line in content.decode("ascii", "replace").splitlines()]

    async def _addresses(self, domain: str) -> list[Address]:
        found: list[Address] = []
        for kind in ("A", "AAAA"):
            found += [ip_address(each.address) for each in await self._resolved(domain, kind)]
        if self._loopback:
            return found[:_MAX_ADDRESSES] if all(each.is_loopback for each in found) else []
        # One that is not public is no accident that the others make up for.
        return found[:_MAX_ADDRESSES] if all(is_public(each) for each in found) else []

    async def _resolved(self, name: str, kind: str) -> Sequence[Any]:
        import dns.exception
        import dns.resolver

        try:
            answer = await self._dns().resolve(f"{name}.", kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
            return []
        except dns.resolver.NoNameservers:
            raise _Absent(f"the name servers of {name} fail") from None
        except (dns.exception.DNSException, OSError) as error:
            raise _Blind(f"the name {name} cannot be looked up now ({type(error).__name__})") from None
        return list(answer)[:_MAX_RECORDS]

    def _dns(self) -> Resolver:
        from dns.asyncresolver import Resolver

        resolver = Resolver(configure=not self._resolver)
        if self._resolver:
            host, _, port = self._resolver.rpartition(":")
            resolver.nameservers, resolver.port = [host.strip("[]")], int(port)
        resolver.lifetime, resolver.timeout = DNS_TIMEOUT, DNS_TIMEOUT / 2
        resolver.use_edns(0, 0, 1232)
        return resolver

    async def _fetched(self, domain: str, addresses: Sequence[Address]) -> bytes:
        trusted = await asyncio.to_thread(self._trusted)
        port = self._loopback or 443
        steps = dict.fromkeys(("connect", "read", "write", "pool"), _STEP_TIMEOUT)
        headers = [("Accept", "text/plain"), ("Accept-Encoding", "identity"), ("User-Agent", "licet-registry")]
        try:
            async with (
                httpcore.AsyncConnectionPool(
                    ssl_context=trusted, network_backend=_Vetted(domain, addresses, port), max_connections=1
                ) as pool,
                pool.stream("GET", file_of(domain), headers=headers, extensions={"timeout": steps}) as answer,
            ):
                if answer.status != 200:
                    moved = ", and redirects are not followed" if 300 <= answer.status < 400 else ""
                    raise _Absent(f"{file_of(domain)} answers {answer.status}{moved}")
                content = bytearray()
                async for piece in answer.aiter_stream():
                    content += piece
                    if len(content) > MAX_FILE:
                        raise _Absent(f"{file_of(domain)} is longer than {MAX_FILE:,} bytes")
                return bytes(content)
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise _Absent(f"{file_of(domain)} cannot be fetched ({_words(error)})") from None

    def _trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=None if self._authorities is None else str(self._authorities))


class _Vetted(httpcore.AsyncNetworkBackend):
    """A network on which ``domain`` has these ``addresses``, at ``port``, and no other name has any."""

    def __init__(self, domain: str, addresses: Sequence[Address], port: int) -> None:
        self._domain: Final = domain
        self._addresses: Final = addresses
        self._port: Final = port
        self._real: Final = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failed: Exception = httpcore.ConnectError("no address")
        for address in self._addresses if host == self._domain else ():
            try:
                return await self._real.connect_tcp(str(address), self._port, timeout, local_address, socket_options)
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:  # another address may answer
                failed = error
        raise failed

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds)


def _words(error: BaseException) -> str:
    """Return the kind of ``error``: what the other side wrote is not repeated."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate does not hold: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
