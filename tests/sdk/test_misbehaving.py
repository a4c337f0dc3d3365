"""Both drivers against a real server on loopback that breaks off, drips, lies about lengths, and sends bombs."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from licet.errors import (
    InputError,
    LicetError,
    NotAllowedError,
    QuotaError,
    ServiceError,
    UnreachableError,
    VersionError,
)
from licet.exchange.calls import Body, Call, reader
from licet.transport import AsyncTransport, Timeouts, Transport

pytestmark = pytest.mark.fault

Act = Callable[[socket.socket], None]
GET: Call[Any] = Call("getMe", "GET", "/v1/me", reader(dict))
KEYED: Call[Any] = Call("registerWorks", "POST", "/v1/works", reader(dict), body=Body(b"{}"), key="k" * 32)
UNKEYED: Call[Any] = Call("x", "POST", "/v1/x", reader(dict), body=Body(b"{}"), repeatable=False)


def http(status: int, body: bytes = b"{}", *, length: int | None = None, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(data: bytes) -> Act:
    return lambda connection: connection.sendall(data)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def then_reset(data: bytes) -> Act:
    def act(connection: socket.socket) -> None:
        connection.sendall(data)
        time.sleep(0.05)
        reset(connection)

    return act


def then_close(data: bytes) -> Act:
    def act(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.close()

    return act


def drips(whole: bytes, each: bytes = b"x") -> Act:
    """Send ``whole``, then ``each`` again and again: something comes before any step takes too long."""

    def act(connection: socket.socket) -> None:
        connection.sendall(whole)
        for _ in range(200):
            connection.sendall(each)
            time.sleep(0.05)

    return act


drip = drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
DRIPS: dict[str, Act] = {
    "in the body": drip,
    "in the status line": drips(b"HTTP/1.1 200 "),
    "in the headers": drips(b"HTTP/1.1 200 OK\r\nX-Long: "),
    "of heads before the head": drips(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "in the body of a refusal": drips(b"HTTP/1.1 400 X\r\nContent-Length: 100000\r\n\r\n"),
}


def takes_slowly(connection: socket.socket) -> None:
    """Read an upload so slowly that it never ends, though every piece goes out in time."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
    for _ in range(200):
        connection.recv(1 << 10)
        time.sleep(0.02)


class Server:
    """Plays one act a request, keeping each connection until an act closes it."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.receives: Act | None = None  # instead of reading requests and playing acts
        self.seen: list[bytes] = []
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            with connection:
                if self.receives is not None:
                    self.receives(connection)
                    return
                while request := self._request(connection):
                    self.seen.append(request)
                    self.acts.pop(0)(connection)
        except OSError:
            pass

    @staticmethod
    def _request(connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        wanted = int(length[1]) if length else 0
        while len(body) < wanted:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body

    def end(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def header(self, name: str) -> list[str]:
        mark = f"\r\n{name.lower()}: "
        found = []
        for request in self.seen:
            head = request.decode("latin-1")
            at = head.lower().find(mark)
            found.append("" if at < 0 else head[at + len(mark) :].split("\r\n", 1)[0])
        return found


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.end()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits between attempts take no time here; what they would have been."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("licet.transport.blocking.pause", waited.append)
    monkeypatch.setattr("licet.transport.asynchronous.pause", sleep)
    return waited


class Sync:
    """The driver for threads."""

    def __init__(self, url: str, **options: Any) -> None:
        self.made = Transport(url, "lct_x" if "127.0.0.1" in url else None, **options)

    def do(self, *calls: Call[Any]) -> Any:
        with self.made as transport:
            return [transport.do(call) for call in calls][-1]

    def after_a_fault(self, first: Call[Any], *calls: Call[Any]) -> Any:
        with self.made as transport:
            with pytest.raises(LicetError):
                transport.do(first)
            return [transport.do(call) for call in calls][-1]

    def download(self, path: str) -> bytes:
        with self.made as transport, transport.stream(path) as chunks:
            return b"".join(chunks)


class Asynchronous:
    """The driver for asyncio."""

    def __init__(self, url: str, **options: Any) -> None:
        self.url, self.options = url, options

    def do(self, *calls: Call[Any]) -> Any:
        async def all_of_them() -> Any:
            token = "lct_x" if "127.0.0.1" in self.url else None
            async with AsyncTransport(self.url, token, **self.options) as transport:
                return [await transport.do(call) for call in calls][-1]

        return asyncio.run(all_of_them())

    def after_a_fault(self, first: Call[Any], *calls: Call[Any]) -> Any:
        async def all_of_them() -> Any:
            async with AsyncTransport(self.url, "lct_x", **self.options) as transport:
                with pytest.raises(LicetError):
                    await transport.do(first)
                return [await transport.do(call) for call in calls][-1]

        return asyncio.run(all_of_them())

    def download(self, path: str) -> bytes:
        async def whole() -> bytes:
            async with AsyncTransport(self.url, "lct_x", **self.options) as transport, transport.stream(path) as chunks:
                return b"".join([chunk async for chunk in chunks])

        return asyncio.run(whole())


@pytest.fixture(params=[Sync, Asynchronous])
def driver(request: pytest.FixtureRequest) -> Any:
    return request.param


GOOD = says(http(200, b'{"a":1}'))
BROKEN: dict[str, Act] = {
    "reset before the answer": reset,
    "reset in the middle of the body": then_reset(http(200, b'{"a":', length=500)),
    "closed in the middle of the head": then_close(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "fewer bytes than it says": then_close(http(200, b'{"a":1}', length=9)),
    "not HTTP": then_close(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "503 and when to come back": says(http(503, b"", Retry_After="2")),
    "429": says(http(429, b"", Retry_After="2")),
    "a proxy's 502": says(http(502, b"<html>Bad Gateway</html>", Content_Type="text/html")),
}


@pytest.mark.parametrize("act", BROKEN.values(), ids=list(BROKEN))
@pytest.mark.parametrize("call", [GET, KEYED], ids=["read", "keyed write"])
def test_a_lost_answer_is_asked_for_again_under_the_same_key_and_id(
    driver: Any, server: Server, act: Act, call: Call[Any]
) -> None:
    server.acts = [act, GOOD]
    assert driver(server.url).do(call) == {"a": 1}
    assert len(server.seen) == 2
    assert len(set(server.header("Idempotency-Key"))) == 1
    (request_id,) = set(server.header("X-Request-Id"))
    assert request_id.startswith("req_")


def test_what_may_not_be_repeated_is_not(driver: Any, server: Server) -> None:
    server.acts = [reset]
    with pytest.raises(UnreachableError) as caught:
        driver(server.url).do(UNKEYED)
    assert len(server.seen) == 1
    assert caught.value.request_id == server.header("X-Request-Id")[0]


def test_a_fault_of_the_service_is_its_own_and_final(driver: Any, server: Server, waits: list[float]) -> None:
    server.acts = [says(http(500, b'{"title":"Internal error"}', X_Request_Id="req_seen_here"))]
    with pytest.raises(ServiceError, match=r"Internal error \(request req_seen_here\)"):
        driver(server.url).do(GET)
    assert not waits


def test_a_closed_connection_that_was_kept_is_opened_again(driver: Any, server: Server) -> None:
    server.acts = [then_close(http(200)), GOOD]
    assert driver(server.url).do(GET, GET) == {"a": 1}
    assert server.connections == 2


def test_a_kept_connection_is_used_again(driver: Any, server: Server) -> None:
    server.acts = [GOOD, GOOD, GOOD]
    driver(server.url).do(GET, GET, GET)
    assert server.connections == 1


@pytest.mark.parametrize("act", DRIPS.values(), ids=list(DRIPS))
def test_an_answer_that_drips_ends_with_the_time_for_the_whole_call(driver: Any, server: Server, act: Act) -> None:
    server.acts = [act, GOOD]
    made = driver(server.url, timeout=Timeouts(connect=2, read=2, total=0.4))
    with pytest.raises(UnreachableError, match=r"expected a whole answer within 0\.4 s, got none"):
        made.do(GET)
    assert len(server.seen) == 1


@pytest.mark.parametrize("where", [where for where in DRIPS if where != "in the body"])
def test_a_download_that_never_begins_ends_with_the_time_for_the_whole_call(
    driver: Any, server: Server, where: str
) -> None:
    server.acts = [DRIPS[where]]
    made = driver(server.url, timeout=Timeouts(connect=2, read=2, total=0.4))
    with pytest.raises(UnreachableError, match=r"expected the beginning of a download within 0\.4 s, got none"):
        made.download("/snapshots/segments/x")


def test_a_download_that_has_begun_takes_the_time_that_it_needs(driver: Any, server: Server) -> None:
    def act(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")
        for _ in range(20):
            connection.sendall(b"x")
            time.sleep(0.03)

    server.acts = [act]
    made = driver(server.url, timeout=Timeouts(connect=2, read=2, total=0.4))
    assert made.download("/snapshots/segments/x") == b"x" * 20


def test_an_upload_that_is_taken_slowly_ends_with_the_time_for_the_whole_call(driver: Any, server: Server) -> None:
    server.receives = takes_slowly
    body = Body(bytes(8 << 20), "application/octet-stream")
    made = driver(server.url, timeout=Timeouts(connect=2, read=2, total=0.4))
    with pytest.raises(UnreachableError, match=r"within 0\.4 s"):
        made.do(Call("uploadPicture", "PUT", "/v1/uploads/x", reader(dict), body=body, key="k"))


@pytest.mark.parametrize("act", DRIPS.values(), ids=list(DRIPS))
def test_a_call_that_took_too_long_leaves_the_pool_whole(driver: Any, server: Server, act: Act) -> None:
    server.acts = [act, GOOD, GOOD]
    made = driver(server.url, timeout=Timeouts(connect=2, read=2, total=1.0))
    assert made.after_a_fault(GET, GET, GET) == {"a": 1}
    assert server.connections == 2


def test_silence_ends_with_the_time_to_read(driver: Any, server: Server) -> None:
    server.acts = [lambda _: time.sleep(0.6)] * 9
    with pytest.raises(UnreachableError):
        driver(server.url, timeout=Timeouts(connect=2, read=0.1, total=0.3)).do(GET)


def test_a_bomb_is_refused_while_it_unpacks(driver: Any, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("licet.transport.line.MAX_ANSWER", 1 << 20)
    bomb = gzip.compress(bytes(64 << 20), 9)
    assert len(bomb) < 1 << 17
    server.acts = [says(http(200, bomb, Content_Encoding="gzip"))]
    with pytest.raises(ServiceError, match="at most 1,048,576 bytes"):
        driver(server.url).do(GET)


def test_a_long_answer_is_refused_before_it_is_whole(
    driver: Any, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("licet.transport.line.MAX_ANSWER", 1000)
    server.acts = [then_close(http(200, bytes(5000), length=1 << 40))]
    with pytest.raises(ServiceError, match="at most 1,000 bytes"):
        driver(server.url).do(GET)


@pytest.mark.parametrize(
    ("body", "coding", "words"),
    [(b"no gzip at all", "gzip", "do not unpack"), (gzip.compress(b'{"a":1}')[:-6], "gzip", "breaks off"),
     (b"x", "br", "in br")],
    ids=["not packed", "cut short", "unknown packing"],  # by themselves they would hold the time of packing
)  # fmt: skip
def test_a_broken_packing_is_named(driver: Any, server: Server, body: bytes, coding: str, words: str) -> None:
    server.acts = [says(http(200, body, Content_Encoding=coding))]
    with pytest.raises(ServiceError, match=words):
        driver(server.url).do(GET)


def test_a_packed_answer_is_read(driver: Any, server: Server) -> None:
    server.acts = [says(http(200, gzip.compress(b'{"a":1}'), Content_Encoding="gzip"))]
    assert driver(server.url).do(GET) == {"a": 1}


def test_a_redirect_is_not_followed(driver: Any, server: Server) -> None:
    server.acts = [says(http(302, b"", Location="http://127.0.0.1:1/login"))]
    with pytest.raises(ServiceError, match=r"redirect to http://127\.0\.0\.1:1/login"):
        driver(server.url).do(GET)
    assert len(server.seen) == 1


def endless_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(10_000):
        connection.sendall(b"X-%d: " % number + b"a" * 8000 + b"\r\n")


#: By what answers end that nobody can read; what they do to memory is bounded by the library's own buffer.
NONSENSE: dict[str, tuple[Act, str]] = {
    "headers without end": (endless_headers, "Receive buffer too long"),
    "two lengths": (says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 900\r\n\r\n{}"), "Content-Length"),
    "a chunk larger than a machine": (
        then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFFF\r\nxx"), "chunked",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("act", "words"), NONSENSE.values(), ids=list(NONSENSE))
def test_an_answer_that_makes_no_sense_is_no_answer(driver: Any, server: Server, act: Act, words: str) -> None:
    server.acts = [act] * 6
    with pytest.raises(UnreachableError, match=words):
        driver(server.url).do(GET)
    assert len(server.seen) == 6


@pytest.mark.parametrize("status", [200, 400])
def test_nesting_without_end_is_an_error_of_ours(driver: Any, server: Server, status: int) -> None:
    server.acts = [says(http(status, b'{"title":' * 100_000))]
    with pytest.raises(LicetError):
        driver(server.url).do(GET)


def test_a_redirect_shows_the_token_to_nobody_else(driver: Any, server: Server) -> None:
    other = Server()
    try:
        where = f"{other.url}/v1/me"
        server.acts = [says(http(307, b"", Location=where))] * 2
        made = driver(server.url)
        with pytest.raises(ServiceError, match="a redirect to"):
            made.do(GET)
        with pytest.raises(ServiceError, match="a redirect to"):
            driver(server.url).download("/snapshots/segments/x")
        assert server.header("Authorization") == ["Bearer lct_x"] * 2
        assert other.connections == 0
    finally:
        other.end()


def test_a_page_where_json_belongs_is_no_answer(driver: Any, server: Server) -> None:
    server.acts = [says(http(200, b"<html>Welcome to the hotel</html>"))]
    with pytest.raises(ServiceError, match="does not say its version"):
        driver(server.url).do(GET)


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit": '"keys";r=0;t=41', "RateLimit_Policy": '"keys";q=1000;w=60', "Retry_After": "90"},
        {"RateLimit_Limit": "1000", "RateLimit_Remaining": "0", "RateLimit_Reset": "90"},
    ],
)
def test_a_used_up_quota_says_for_how_long(driver: Any, server: Server, headers: dict[str, Any]) -> None:
    problem = json.dumps({"type": "https://licet.example/problems/quota-exceeded", "title": "Quota exceeded"}).encode()
    server.acts = [says(http(429, problem, **headers))] * 9
    with pytest.raises(QuotaError, match="Quota exceeded") as caught:
        driver(server.url).do(GET)
    assert caught.value.reset == 90
    assert (caught.value.details["limit"], caught.value.details["remaining"]) == (1000, 0)
    assert caught.value.problem == "quota-exceeded"


def test_a_route_that_another_version_lacks_is_named(driver: Any, server: Server) -> None:
    problem = b'{"type":"https://licet.example/problems/no-such-route","title":"Not found"}'
    server.acts = [says(http(404, problem, Licet_Version="0.0.9"))]
    with pytest.raises(VersionError, match=r"is of version 0\.0\.9 and lacks getMe"):
        driver(server.url).do(GET)


def test_a_missing_thing_is_no_missing_route(driver: Any, server: Server) -> None:
    problem = b'{"type":"https://licet.example/problems/not-found","title":"Not found","detail":"no such work"}'
    server.acts = [says(http(404, problem, Licet_Version="9.0"))]
    with pytest.raises(InputError, match="no such work"):
        driver(server.url).do(GET)


def test_a_refused_token_says_what_to_do(driver: Any, server: Server) -> None:
    server.acts = [says(http(401, b""))]
    with pytest.raises(NotAllowedError, match="does not take this token") as caught:
        driver(server.url).do(GET)
    assert caught.value.status == 401


def test_an_upload_is_read_anew_for_each_attempt(driver: Any, server: Server, tmp_path: Path) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(bytes(range(256)) * 2000)
    opened = []

    def pieces() -> Iterator[bytes]:
        opened.append(True)
        with picture.open("rb") as file:
            while piece := file.read(100_000):
                yield piece

    body = Body(pieces, "application/octet-stream", picture.stat().st_size)
    server.acts = [reset, says(http(503, b"")), GOOD]
    driver(server.url).do(Call("uploadPicture", "PUT", "/v1/uploads/x", reader(dict), body=body, key="k"))
    assert len(opened) == 3
    assert all(request.endswith(picture.read_bytes()) for request in server.seen)


class Proxy(Server):
    """A proxy on loopback, and what it does to whoever comes through it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, self.url)
        for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_resets_is_asked_again_and_then_named(
    driver: Any, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    proxy = Proxy(monkeypatch)
    try:
        proxy.acts = [reset] * 9
        with pytest.raises(UnreachableError, match="NO_PROXY"):
            driver(f"{scheme}://registry.example").do(GET)
        assert len(proxy.seen) > 1
        verb = b"CONNECT registry.example:443" if scheme == "https" else b"GET http://registry.example"
        assert proxy.seen[0].startswith(verb)
    finally:
        proxy.end()


def test_a_proxy_that_resets_once_does_no_harm(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy(monkeypatch)
    try:
        proxy.acts = [reset, GOOD]
        assert driver("http://registry.example").do(GET) == {"a": 1}
    finally:
        proxy.end()


def test_what_is_on_this_machine_is_reached_without_the_proxy(
    driver: Any, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy(monkeypatch)
    try:
        server.acts = [GOOD]
        assert driver(server.url).do(GET) == {"a": 1}
        assert proxy.seen == []
    finally:
        proxy.end()


def test_a_cancelled_call_leaves_the_pool_whole(server: Server) -> None:
    async def play() -> None:
        async with AsyncTransport(server.url) as transport:
            server.acts = [drip, GOOD]
            slow = asyncio.create_task(transport.do(GET))
            while not server.seen:
                await asyncio.sleep(0.01)
            slow.cancel()
            with pytest.raises(asyncio.CancelledError):
                await slow
            assert await transport.do(GET) == {"a": 1}

    asyncio.run(play())


def test_another_event_loop_needs_another_client(server: Server) -> None:
    server.acts = [GOOD]
    transport = AsyncTransport(server.url)

    async def once() -> None:
        async with transport:
            await transport.do(GET)

    asyncio.run(once())
    with pytest.raises(InputError, match="make one for each"):
        asyncio.run(transport.do(GET))


def test_no_error_hides_the_tree(driver: Any, server: Server) -> None:
    """Whatever bytes come, the error is one of ours."""
    for line in ("\x00" * 64, "HTTP/9.9 200 OK", "HTTP/1.1 999999 X", "HTTP/1.1 200 OK\r\nA"):
        junk = f"{line}\r\n\r\n".encode()
        server.acts = [then_close(junk)] * 6
        with pytest.raises(LicetError):
            driver(server.url).do(GET)
