"""What a request counts against: the quotas of its account, or of its address where it carries no token.

Every request takes one of ``requests``, called ``default`` in the headers, before its handler runs; what else it takes
is said by its handler: in ``opt={"quota": "accounts"}`` for one of something, or, where the body says how many, by
``await meter.spend("keys", len(rows))`` with the dependency ``meter``. Every counted answer tells how it stands
(``RateLimit-Policy`` and ``RateLimit``, draft-ietf-httpapi-ratelimit-headers).

What anybody may cache, and what operators watch, is not counted: the files of the log and of pages, and health.
"""

from __future__ import annotations

import functools
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final, cast

from litestar.connection import Request
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from registry.accounts.identity import Caller, authenticated
from registry.database import answering
from registry.errors import DatabaseUnavailable, NotAuthenticated
from registry.quotas import Exceeded, Quota, Standing
from registry.services import Services
from registry.settings import Rate, Settings

UNCOUNTED: Final = frozenset({"health", "log", "assets"})  # tags
_KEPT: Final = "licet_meter"
_SHOWN: Final = {"requests": "default"}
PATIENCE: Final = 10.0  # seconds for the database to say who asks, and to count: cut off from it, it never would
_IPV6_NETWORK: Final = 64  # bits: whoever has one address of an IPv6 network has all of them


class Meter:
    """The quotas of one request's caller, and how they stand."""

    def __init__(self, services: Services, caller: Caller | None, scope: HTTPScope) -> None:
        self._services = services
        self._scope = scope
        self._account = None if caller is None else f"account:{caller.account.hex}"
        self._standings: dict[str, Standing] = {}

    async def spend(self, what: str, amount: int = 1) -> None:
        """Take ``amount`` of the quota ``what``; raises ``QuotaExceeded``, ``DatabaseUnavailable``."""
        # An account opens no accounts: whoever asks for one counts by address, with a token too.
        account = None if what == "accounts" else self._account
        rate = rate_for(self._services.settings, what, account is not None)
        if not rate.most or not amount:
            return
        quota = Quota(_SHOWN.get(what, what), rate)
        quotas, who = self._services.quotas, account or self._address
        try:
            standing = quotas.at_once(who, quota, amount)
            if standing is None:
                async with answering(PATIENCE):
                    standing = await quotas.spend(who, quota, amount)
            self._standings[what] = standing
        except Exceeded as error:
            self._standings[what] = error.standing
            raise

    @functools.cached_property
    def _address(self) -> str:
        return f"address:{address_of(self._scope, self._services.settings)}"

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers that tell how the quotas stand that were counted against."""
        if not self._standings:
            return []
        standings = self._standings.values()
        return [
            (b"ratelimit-policy", ", ".join(each.policy for each in standings).encode()),
            (b"ratelimit", ", ".join(each.limit for each in standings).encode()),
        ]


class Metering(ASGIMiddleware):
    """Stands before every handler that is counted; see the module."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Count, answer, and tell how it stands."""
        http = cast("HTTPScope", scope)
        handler = cast("HTTPRouteHandler", http["route_handler"])
        if UNCOUNTED.intersection(handler.tags or ()):
            await next_app(scope, receive, send)
            return
        services: Services = scope["litestar_app"].state.services
        request: Request[Any, Any, Any] = Request(scope)
        try:
            async with answering(PATIENCE):
                caller = await authenticated(request)
        except NotAuthenticated:
            await _spend(Meter(services, None, http), http, "requests")  # guessing tokens is counted, too
            raise
        meter = Meter(services, caller, http)
        scope["state"][_KEPT] = meter

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *meter.headers()]
            await send(message)

        try:
            await _spend(meter, http, "requests")
            if "quota" in handler.opt:
                await meter.spend(str(handler.opt["quota"]))
        except Exceeded as error:
            error.headers |= {name.decode(): value.decode() for name, value in meter.headers()}
            raise
        await next_app(scope, receive, told)


def meter_of(request: Request[Any, Any, Any]) -> Meter:
    """Return the meter of a request that is counted."""
    found: Meter = request.scope["state"][_KEPT]
    return found


def meter(
    request: Request[Any, Any, Any],
    optional_caller: NamedDependency[Caller | None],  # one by one: see `registry.accounts.identity`
) -> Meter:
    """Dependency ``meter``."""
    return meter_of(request)


def rate_for(settings: Settings, what: str, known: bool) -> Rate:
    """Return the rate that ``settings`` set for ``what``, for accounts or for addresses."""
    if what == "requests":
        return settings.quota_requests if known else settings.quota_anonymous
    if what == "keys" and not known:
        return settings.quota_anonymous_keys
    if what == "parts" and not known:
        return settings.quota_anonymous_parts
    rate: Rate = getattr(settings, f"quota_{what.replace('-', '_')}")
    return rate


def address_of(scope: HTTPScope, settings: Settings) -> str:
    """Return the address that a request comes from: the last in ``X-Forwarded-For`` that is not a proxy of ours.

    The header counts only as far as ``trusted_proxies`` wrote it. An IPv6 address stands for its /64.
    """
    peer = (scope.get("client") or ("unknown", 0))[0]
    hops = [peer]
    for name, value in scope["headers"]:
        if name.lower() == b"x-forwarded-for":
            hops[:0] = [part.strip() for part in value.decode("latin-1").split(",")]
    found = peer
    while hops:
        hop = hops.pop()
        try:
            address = ip_address(hop)
        except ValueError:
            break  # a proxy wrote something else: what it stands for is all that is known
        found = _network(address) if isinstance(address, IPv6Address) else str(address)
        if not any(address in network for network in settings.trusted_proxies if network.version == address.version):
            break
    return found


def _network(address: IPv6Address) -> str:
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _IPV6_NETWORK), strict=False))


async def _spend(meter: Meter, scope: HTTPScope, what: str) -> None:
    """Take one; where the count cannot be reached, what only reads goes on uncounted, and what writes is refused."""
    try:
        await meter.spend(what)
    except DatabaseUnavailable:
        if scope["method"] not in {"GET", "HEAD"}:
            raise
