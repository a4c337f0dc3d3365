"""What a page costs: the bytes that its first load takes on the way, and the statements that the database is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from registry.observing import tracing
from tests.registry.portal.people import HTML, Read

_IMPORTED = re.compile(r"""(?:from|import|Worker\()\s*\(?['"](\./[\w-]+\.js)['"]""")


class Load(NamedTuple):
    """Bytes of a first load by address, headers included; pictures of works are not ours and not in it."""

    sizes: dict[str, int]

    @property
    def whole(self) -> int:
        """All of them."""
        return sum(self.sizes.values())

    @property
    def scripts(self) -> int:
        """Those of scripts."""
        return sum(size for address, size in self.sizes.items() if address.endswith(".js"))


async def first_load(http: httpx.AsyncClient, path: str, *fetched: str) -> Load:
    """Return what a browser that has nothing yet fetches for the page at ``path``: it, and every file it asks for.

    ``fetched`` are addresses that its scripts ask for once they run.
    """
    sizes: dict[str, int] = {}
    waiting = [path, *fetched]
    while waiting:
        address = waiting.pop()
        if address in sizes:
            continue
        sizes[address], text = await _fetched(http, address)
        if address == path:
            waiting += [each for each in _loaded(Read(text)) if each.startswith("/assets/")]
        elif address.endswith(".js"):
            waiting += [address.rpartition("/")[0] + each[1:] for each in _IMPORTED.findall(text)]
    return Load(sizes)


async def _fetched(http: httpx.AsyncClient, address: str) -> tuple[int, str]:
    async with http.stream("GET", address, headers={**HTML, "Accept-Encoding": "gzip, deflate, br, zstd"}) as answer:
        assert answer.status_code == 200, address
        body = b"".join([each async for each in answer.aiter_raw()])
        headers = sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
    plain = await http.get(address, headers={**HTML, "Accept-Encoding": "identity"})
    return len(body) + headers, plain.text


def _loaded(page: Read) -> Iterator[str]:
    for tag, attributes in page.elements:
        if tag in ("script", "img") and attributes.get("src"):
            yield attributes["src"]
        elif tag == "link" and attributes.get("rel") in ("stylesheet", "icon"):
            yield attributes["href"]


class Asked:
    """Statements that the database was asked since they were counted last, by their names."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def counted(self) -> list[str]:
        """Return them in their order, and forget them; lending from a quota is asked for now and then, by any page."""
        spans = self._exporter.get_finished_spans()
        self._exporter.clear()
        names = [each.name for each in spans if "db.system.name" in (each.attributes or {})]
        return [each for each in names if not each.startswith("quotas.")]


@contextmanager
def asked() -> Iterator[Asked]:
    """Count the statements of requests in the block."""
    exporter = InMemorySpanExporter()
    tracing.start("", "test", exporter=exporter)
    try:
        yield Asked(exporter)
    finally:
        tracing.stop()
