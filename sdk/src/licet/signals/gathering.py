"""All signals about an address, fetched politely: its site's files, its answer, and the documents that these point to.

robots.txt is asked for first, and what it keeps us from is not fetched. One host is asked one thing at a time, with a
pause between; many hosts are asked at once. A host that does not answer is soon not asked any more.
What came is kept (``licet.signals.cache``), so that a job which was stopped goes on where it was.

What should be there and cannot be had is for somebody to look at: a robots.txt or an answer that fails is no answer. A
page where a file of the site should be (as servers send that answer everything) is taken for no file.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

import msgspec

from licet import times
from licet.errors import InputError, LicetError
from licet.fingerprints.urls import canonical_url
from licet.signals import robots
from licet.signals.cache import Cache, Kept
from licet.signals.combining import Combined, combine, with_policy
from licet.signals.dialects import AI_TXT, ROBOTS, RSL, TDMREP
from licet.signals.files import read_file
from licet.signals.needed import ensure_readers
from licet.signals.readers import ai_txt, tdmrep
from licet.signals.readers.headers import read_headers
from licet.signals.readers.html import read_html
from licet.signals.readers.odrl import read_odrl
from licet.signals.readers.robots_txt import CARRIER as ROBOTS_TXT
from licet.signals.readers.robots_txt import MAX_AGE, signals_of
from licet.signals.readers.rsl import read_rsl
from licet.signals.types import Carrier, Signal, Standard
from licet.transport.strangers import MAX_REDIRECTS, TOTAL_TIMEOUT, Fetched, Strangers

AGENT: Final = "licet-signals"
FULL_AGENT: Final = f"{AGENT}/1.0 (reads what sites say about uses)"
AT_ONCE: Final = 16  # hosts
PAUSE: Final = 0.5  # seconds between two requests to one host
LONGEST_DELAY: Final = 60.0  # seconds of a Crawl-delay that is waited for; a host that asks for more is not asked
GIVEN_UP: Final = 3  # answers in a row that did not come, after which a host is not asked any more
MAX_AWAITED: Final = 8  # documents that the signals about one address point to
KEPT: Final = 24 * 3600.0  # seconds that an answer is relied on
FAILED: Final = 600.0  # and that it is relied on that none came

MAX_ROBOTS: Final = robots.MAX_BYTES + 1
MAX_DOCUMENT: Final = 8 << 20
MAX_CONTENT: Final = 32 << 20
_GONE: Final = frozenset({404, 410})
_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
_NOT_ASKED: Final = "not asked"
NOTHING_KEPT: Final = combine(())
_BRIEF: Final = "headers of "  # before an address in the cache: an answer without its body
#: How much of an address is looked at: all of its answer; its headers, and of a page all; its site's files alone.
Depth = Literal["whole", "headers", "site"]


class Seen(msgspec.Struct, frozen=True):
    """What was asked for, when it was fetched, and what came: a status, or the ``problem``."""

    url: str
    at: str
    status: int | None
    problem: str | None


class Gathered(msgspec.Struct, frozen=True):
    """All that is said about ``url``: what it comes to, and what was fetched for it.

    ``missed``: nobody was to be asked, and not everything had been fetched before.
    """

    url: str
    combined: Combined
    seen: tuple[Seen, ...]
    missed: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"url": self.url, **self.combined.document(), "seen": [msgspec.to_builtins(each) for each in self.seen]}


class _Host:
    """One origin: asked one thing at a time (``turn``), and not so soon after ``last``, on the monotonic clock;
    ``rules`` are of its robots.txt of ``rules_at``; ``failures`` counts answers in a row that did not come."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.last = -float("inf")
        self.reading = asyncio.Lock()
        self.rules = robots.Robots()
        self.rules_at: float | None = None
        self.failures = 0

    @property
    def delay(self) -> float:
        """How many seconds its robots.txt wants between two requests; 0 where it wants none in particular."""
        group = self.rules.group_for(AGENT)
        return 0.0 if group is None else group.delay


class _Answer(NamedTuple):
    kept: Kept
    forbidden: bool = False

    @property
    def missed(self) -> bool:
        """Whether nobody was to be asked."""
        return self.kept.problem == _NOT_ASKED

    @property
    def good(self) -> Fetched | None:
        """The answer, where it is one of success."""
        answer = self.kept.answer
        return answer if answer is not None and 200 <= answer.status < 300 else None

    @property
    def absent(self) -> bool:
        """Whether the host says that there is nothing: any refusal but one that passes."""
        answer = self.kept.answer
        return answer is not None and 400 <= answer.status < 500 and answer.status != 429


class Gatherer:
    """Gathers within one event loop; ``cache`` may be shared with others and outlives it.

    Without ``strangers`` nobody is asked: what was fetched before, and may still be relied on, is all there is.
    """

    def __init__(self, strangers: Strangers | None, cache: Cache, *, pause: float = PAUSE) -> None:
        self._strangers: Final = strangers
        self._cache: Final = cache
        self._pause: Final = pause
        self._hosts: dict[str, _Host] = {}
        self._places: Final = asyncio.Semaphore(AT_ONCE)

    async def gather(self, url: str, depth: Depth = "whole") -> Gathered:
        """Return all that is said about ``url``; raises ``InputError`` for what is no http or https address.

        Nothing else is raised for what hosts do: it is in the result.
        """
        ensure_readers()
        address = canonical_url(url)
        seen: list[Seen] = []
        signals = [each async for each in self._signals(address, seen, depth)]
        found = [each async for each in self._resolved(address, signals, seen)]
        came = tuple(each for each in seen if each.problem != _NOT_ASKED)
        return Gathered(url, combine(found), came, missed=len(came) < len(seen))

    def origins(self) -> frozenset[str]:
        """Return the origins of which anything is kept."""
        return frozenset(origin_of(name.removeprefix(_BRIEF)) for name in self._cache.names())

    def forget(self) -> None:
        """Forget hosts that nothing is to be remembered of but what the cache has."""
        now = time.monotonic()
        for name, host in list(self._hosts.items()):
            if (
                host.last + max(self._pause, host.delay) <= now
                and not host.failures
                and not host.turn.locked()
                and not host.reading.locked()
            ):
                del self._hosts[name]

    async def _signals(self, url: str, seen: list[Seen], depth: Depth) -> AsyncIterator[Signal]:
        rules = await self._rules(url, seen)
        if isinstance(rules, Signal):
            yield rules
            return
        for each in signals_of(rules, url):
            yield each
        for place, read, standard, carrier in _FILES:
            for each in await self._of_file(urljoin(url, place), url, read, standard, carrier, seen):
                yield each
        if depth != "site":
            for each in await self._of_content(url, seen, brief=depth == "headers"):
                yield each

    async def _of_file(
        self,
        place: str,
        url: str,
        read: Callable[[bytes, str], tuple[Signal, ...]],
        standard: Standard,
        carrier: Carrier,
        seen: list[Seen],
    ) -> Sequence[Signal]:
        """Return what a file of the site says; nothing where there is none, or we may not look."""
        answer = await self._fetched(place, MAX_DOCUMENT, seen)
        if answer.good is not None:
            return () if _is_page(answer.good) else read(answer.good.body, url)
        if answer.absent or answer.forbidden or answer.missed:
            return ()
        return (standard.unreadable(carrier, place, _why(answer.kept), "unreachable"),)

    async def _of_content(self, url: str, seen: list[Seen], *, brief: bool) -> Sequence[Signal]:
        """Return what the answer says, and those on the way to it: where it is sent on, that host's robots.txt too."""
        found: list[Signal] = []
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._fetched(url, MAX_CONTENT, seen, redirects=0, brief=brief)
            if answer.missed:
                return found
            if answer.forbidden:
                said = f"{AGENT} may not look at what is there"
                return (*found, ROBOTS.unreadable(ROBOTS_TXT, url, said, "unreachable"))
            came = answer.kept.answer
            if came is None:
                return (*found, ROBOTS.unreadable("header", url, _why(answer.kept), "unreachable"))
            if came.target is None:
                return (*found, *await self._of_answer(url, answer, came, brief=brief))
            found += read_headers(came.headers, url)
            try:
                url = canonical_url(came.target)
            except InputError as error:
                return (*found, ROBOTS.unreadable("header", url, error.message, "unreachable"))
            rules = await self._rules(url, seen)
            if isinstance(rules, Signal):
                return (*found, rules)
            found += signals_of(rules, url)
        return (*found, ROBOTS.unreadable("header", url, f"more than {MAX_REDIRECTS} redirects", "unreachable"))

    async def _of_answer(self, url: str, answer: _Answer, came: Fetched, *, brief: bool) -> list[Signal]:
        kind, _, rest = came.header("content-type").lower().partition(";")
        found = list(read_headers(came.headers, url, picture=kind.strip().startswith("image/")))
        if answer.good is None:
            if came.status not in _GONE:
                found.append(ROBOTS.unreadable("header", url, _why(answer.kept), "unreachable"))
        elif kind.strip() in _PAGES:
            charset = rest.partition("charset=")[2].partition(";")[0].strip(" \"'") or None
            found += read_html(came.body, came.url, charset=charset)
        elif not brief:
            found += await asyncio.to_thread(read_file, came.body, came.url)
        if not came.whole:
            found.append(ROBOTS.unreadable("header", url, f"more than {MAX_CONTENT:,} bytes", "too-long"))
        return found

    async def _resolved(self, url: str, signals: Iterable[Signal], seen: list[Seen]) -> AsyncIterator[Signal]:
        """Yield signals with the documents read that they wait for; those that cannot be had leave them as they are."""
        documents: dict[str, _Answer] = {}
        for signal in signals:
            target = signal.awaits
            if target is None or (target not in documents and len(documents) >= MAX_AWAITED):
                yield signal
                continue
            if target not in documents:
                documents[target] = await self._awaited(target, seen)
            answer = documents[target].good
            if answer is None or not answer.whole:
                yield signal
            elif signal.standard == RSL.name:
                read = read_rsl(answer.body, None if signal.asset else url, at=target, carrier=signal.carrier)
                if ages := [each.max_age for each in read if each.max_age]:
                    self._cache.lengthen(target, float(min(ages)))
                for each in read:
                    yield msgspec.structs.replace(each, asset=signal.asset)
            else:
                for each in with_policy(signal, read_odrl(answer.body, at=target)):
                    yield each

    async def _awaited(self, target: str, seen: list[Seen]) -> _Answer:
        try:
            address = canonical_url(target)
        except InputError as error:
            return _Answer(Kept(None, error.message, time.time()))
        rules = await self._rules(address, seen)
        if isinstance(rules, Signal):
            return _Answer(Kept(None, rules.said, time.time()))
        return await self._fetched(address, MAX_DOCUMENT, seen)

    async def _rules(self, url: str, seen: list[Seen]) -> robots.Robots | Signal:
        """Return the host's robots.txt; where it may be there and cannot be had, a signal that says so."""
        place = urljoin(url, "/robots.txt")
        host = self._host(url)
        async with host.reading:
            answer = await self._asked(place, MAX_ROBOTS, seen)
            if answer.missed:
                return robots.Robots()
            if answer.good is None and not answer.absent:
                return ROBOTS.unreadable(ROBOTS_TXT, place, _why(answer.kept), "unreachable")
            if host.rules_at != answer.kept.at:
                host.rules = robots.parse_robots(b"" if answer.good is None else answer.good.body)
                if answer.good is not None and _is_page(answer.good):
                    host.rules.too_long = False  # a page is long; lines of it that are rules still count
                host.rules_at = answer.kept.at
        return host.rules

    async def _fetched(
        self, url: str, most: int, seen: list[Seen], redirects: int = MAX_REDIRECTS, *, brief: bool = False
    ) -> _Answer:
        """Return what ``url`` answers, unless its robots.txt, which has been read, keeps us from asking."""
        if not self._host(url).rules.allowed(AGENT, url):
            return _Answer(Kept(None, "kept out by robots.txt", time.time()), forbidden=True)
        return await self._asked(url, most, seen, redirects, brief=brief)

    async def _asked(
        self, url: str, most: int, seen: list[Seen], redirects: int = MAX_REDIRECTS, *, brief: bool = False
    ) -> _Answer:
        kept = self._cached(url, brief=brief)
        if kept is None and self._strangers is not None:
            kept = await self._in_turn(self._strangers, url, most, redirects, brief=brief)
        elif kept is None:
            kept = Kept(None, _NOT_ASKED, time.time())
        status = kept.answer.status if kept.answer is not None else None
        seen.append(Seen(url, _text(kept.at), status, kept.problem))
        return _Answer(kept)

    def _cached(self, url: str, *, brief: bool) -> Kept | None:
        """Return what came; where headers are all that is wanted, the whole answer serves as well."""
        kept = self._cache.get(url)
        return self._cache.get(_BRIEF + url) if kept is None and brief else kept

    async def _in_turn(self, strangers: Strangers, url: str, most: int, redirects: int, *, brief: bool) -> Kept:
        host = self._host(url)
        name = _BRIEF + url if brief else url
        async with host.turn:
            if (kept := self._cached(url, brief=brief)) is not None:  # somebody else asked meanwhile
                return kept
            if host.failures >= GIVEN_UP:
                return self._cache.keep(name, None, f"{GIVEN_UP} answers in a row did not come", FAILED)
            if host.delay > LONGEST_DELAY:
                asks = f"robots.txt asks for {host.delay:g} s between two requests, more than {LONGEST_DELAY:g}"
                return self._cache.keep(name, None, asks, FAILED)
            wait = host.last + max(self._pause, host.delay) - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            try:
                async with self._places:
                    wanted = _is_page_type if brief else _anything
                    answer = await strangers.get(url, max_bytes=most, redirects=redirects, wanted=wanted)
            except LicetError as error:
                host.failures += 1
                return self._cache.keep(name, None, error.message, FAILED)
            finally:
                host.last = time.monotonic()
            host.failures = 0
        passing = answer.status >= 500 or answer.status == 429
        return self._cache.keep(name, answer, None, FAILED if passing else min(KEPT, float(MAX_AGE)))

    def _host(self, url: str) -> _Host:
        origin = origin_of(url)
        found = self._hosts.get(origin)
        return found or self._hosts.setdefault(origin, _Host())


def origin_of(url: str) -> str:
    """Return scheme, host and port of a canonical address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


_FILES: Final[tuple[tuple[str, Callable[[bytes, str], tuple[Signal, ...]], Standard, Carrier], ...]] = (
    (tdmrep.WELL_KNOWN, tdmrep.read_tdmrep, TDMREP, "tdmrep.json"),
    (ai_txt.WELL_KNOWN, ai_txt.read_ai_txt, AI_TXT, "ai.txt"),
)


async def gather_all(
    urls: Sequence[str],
    cache: Cache,
    *,
    loopback: bool = False,
    pause: float | None = None,
    seconds: float = TOTAL_TIMEOUT,
) -> list[Gathered]:
    """Return all that is said about each of ``urls``, in their order; ``loopback`` is for tests.

    Raises ``InputError`` for what is no address, before anything is fetched.
    """
    return await gather_each(urls, cache, loopback=loopback, pause=pause, seconds=seconds)


async def gather_each(
    urls: Sequence[str],
    cache: Cache,
    *,
    loopback: bool = False,
    pause: float | None = None,
    seconds: float = TOTAL_TIMEOUT,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Gathered]:
    """Return what :func:`gather_all` does; ``advance`` is told of each address that is done."""
    for url in urls:
        canonical_url(url)
    async with Strangers(FULL_AGENT, loopback=loopback, seconds=seconds) as strangers:
        gatherer = Gatherer(strangers, cache, pause=PAUSE if pause is None else pause)

        async def one(url: str) -> Gathered:
            found = await gatherer.gather(url)
            advance(1)
            return found

        return list(await asyncio.gather(*map(one, urls)))


def _is_page_type(kind: str) -> bool:
    return kind in _PAGES


def _anything(_: str) -> bool:
    return True


def _is_page(answer: Fetched) -> bool:
    return answer.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def _why(kept: Kept) -> str:
    return f"answered {kept.answer.status}" if kept.answer is not None else kept.problem or "no answer"


def _text(at: float) -> str:
    return times.to_text(datetime.fromtimestamp(at, tz=UTC))
