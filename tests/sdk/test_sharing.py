"""One client for many: threads that share it, tasks that are cancelled, lists that are walked page by page."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from licet.client import AsyncClient, Client
from licet.client.endpoints.listing import Listing
from licet.exchange.calls import get
from licet.home import Home
from licet.transport import AsyncTransport, Transport
from licet.wire.common import Page

THREADS, CALLS, TASKS = 8, 25, 20
PAGES = [[0, 1, 2], [3], [], [4, 5], [6]]


class Echo:
    """A service that says what it was asked, keeps connections, lists `PAGES`, and is silent at ``/silent``."""

    def __init__(self) -> None:
        echo = self
        self.asked: list[str] = []
        self.ids: list[str] = []
        self.opened = 0
        self.open = 0
        self._lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                with echo._lock:
                    echo.opened += 1
                    echo.open += 1

            def finish(self) -> None:
                super().finish()
                with echo._lock:
                    echo.open -= 1

            def do_GET(self) -> None:
                with echo._lock:
                    echo.asked.append(self.path)
                    echo.ids.append(self.headers["X-Request-Id"])
                parts = urlsplit(self.path)
                if parts.path == "/silent":
                    self.connection.recv(1)  # until the other side hangs up
                    self.close_connection = True
                    return
                if parts.path == "/pages":
                    place = int(parse_qs(parts.query).get("cursor", ["0"])[0])
                    following = str(place + 1) if place + 1 < len(PAGES) else None
                    body = json.dumps({"items": PAGES[place], "next": following}).encode()
                else:
                    time.sleep(0.002)
                    body = json.dumps({"path": self.path}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.end()


def test_threads_share_a_client_and_each_gets_its_own_answer(echo: Echo) -> None:
    begin = threading.Barrier(THREADS)
    with Transport(echo.url) as transport:

        def many(thread: int) -> list[tuple[str, str]]:
            begin.wait()
            paths = [f"/{thread}/{number}" for number in range(CALLS)]
            return [(path, transport.do(get("getMe", path, dict[str, str]))["path"]) for path in paths]

        with ThreadPoolExecutor(THREADS) as pool:
            answers = [pair for each in pool.map(many, range(THREADS)) for pair in each]
    assert len(answers) == THREADS * CALLS
    assert all(asked == answered for asked, answered in answers)
    assert len(set(echo.ids)) == THREADS * CALLS
    assert echo.opened <= THREADS


def test_cancelled_calls_hang_up_and_leave_the_client_whole(echo: Echo) -> None:
    async def play() -> None:
        async with AsyncTransport(echo.url) as transport:
            silent = [asyncio.create_task(transport.do(get("getMe", "/silent", dict[str, str]))) for _ in range(TASKS)]
            while len(echo.asked) < TASKS:
                await asyncio.sleep(0.01)
            for task in silent:
                task.cancel()
            ended = await asyncio.gather(*silent, return_exceptions=True)
            assert all(isinstance(each, asyncio.CancelledError) for each in ended)
            while echo.open:  # a connection that leaked would keep this from ending
                await asyncio.sleep(0.01)
            assert (await transport.do(get("getMe", "/after", dict[str, str])))["path"] == "/after"
            assert echo.opened == TASKS + 1

    asyncio.run(asyncio.wait_for(play(), 120))


def test_a_call_that_waits_to_be_asked_again_can_be_cancelled(echo: Echo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]

    async def play() -> None:
        async with AsyncTransport(f"http://127.0.0.1:{nobody}") as transport:
            task = asyncio.create_task(transport.do(get("getMe", "/", dict[str, str])))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(play())


def walked(kind: str, url: str, home: Home, limit: int | None) -> list[int]:
    listing = Listing(get("listWorks", "/pages", Page[int]), limit)
    if kind == "sync":
        with Client(url, home=home) as client:
            return list(client._pages(listing))

    async def walk() -> list[int]:
        async with AsyncClient(url, home=home) as client:
            return [each async for each in client._pages(listing)]

    return asyncio.run(walk())


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("limit", [None, 0, 1, 3, 4, 5, 7, 99])
def test_a_list_is_walked_once_and_no_further_than_is_wanted(
    echo: Echo, tmp_path: Path, kind: str, limit: int | None
) -> None:
    everything = [each for page in PAGES for each in page]
    wanted = everything if limit is None else everything[:limit]
    assert walked(kind, echo.url, Home(tmp_path), limit) == wanted
    needed = next((n for n in range(len(PAGES) + 1) if sum(map(len, PAGES[:n])) >= len(wanted)), 0)
    if limit is None or limit > len(everything):
        needed = len(PAGES)  # only the last page says that there is no more
    assert len(echo.asked) == needed
