"""A witness over HTTP, with nothing but the standard library: a few logs ask a few times a minute.

Everything from outside has a limit: connections, the time of a request, its headers (as ``http.server`` has them) and
its body. TLS is for a proxy in front.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from licet.errors import InputError, LicetError
from licet.log.witness import MAX_BODY, TEXT, Answer, Witness
from licet.log.witnessing import ADD_CHECKPOINT

MAX_CONNECTIONS: Final = 128
REQUEST_SECONDS: Final = 20.0  # for a whole request, from its first byte; and between two on one connection
LAST_SECONDS: Final = 5.0  # for requests under way once the end was asked for
_CHECKPOINT: Final = "/checkpoint"


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness until `shutdown`; `stop` may be called from anywhere, a signal handler too."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, host: str, port: int, witness: Witness, vkeys: list[str], say: Callable[[str], None] = lambda line: None
    ) -> None:
        """Listen; ``say`` takes a line per request, and what went wrong. Raises ``InputError`` for a bad address."""
        self.witness: Final = witness
        self.vkeys: Final = vkeys
        self.say: Final = say
        self._deadlines: Final[dict[socket.socket, float]] = {}
        self._guard: Final = threading.Lock()
        self.under_way = 0
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            what = getattr(error, "strerror", None) or error
            raise InputError(f"{host}:{port}: expected an address to listen on, got {what}") from None

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        shown = host.decode() if isinstance(host, bytes) else host
        return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"

    def stop(self) -> None:
        """Ask for the end and return at once."""
        threading.Thread(target=self.shutdown, daemon=True).start()

    def run(self) -> None:
        """Serve until `stop`; requests that are under way then are answered."""
        try:
            self.serve_forever(poll_interval=0.2)
        finally:
            self.socket.close()
            end = time.monotonic() + LAST_SECONDS
            while self.under_way and time.monotonic() < end:
                time.sleep(0.01)
            self.server_close()

    def expect(self, connection: socket.socket) -> None:
        """Give a connection its time for the next request."""
        with self._guard:
            self._deadlines[connection] = time.monotonic() + REQUEST_SECONDS

    def count(self, change: int) -> None:
        """Note that a request began, or ended."""
        with self._guard:
            self.under_way += change

    # -- what the standard library calls -------------------------------------------------------------------------

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room for one more connection."""
        with self._guard:
            room = len(self._deadlines) < MAX_CONNECTIONS
        if room:
            self.expect(request)
        return room

    def service_actions(self) -> None:
        """End connections whose time is over; each then reads an end of file."""
        now = time.monotonic()
        with self._guard:
            late = [connection for connection, deadline in self._deadlines.items() if deadline < now]
        for connection in late:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        with self._guard:
            self._deadlines.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke off is no news; anything else is said in one line."""
        error = sys.exception()
        if not isinstance(error, (ConnectionError, TimeoutError)):
            self.say(f"a request ended with {type(error).__name__}: {error}")


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"  # keeps connections alive, as tlog-witness asks
    server_version = "licet-witness"
    sys_version = ""
    timeout = REQUEST_SECONDS
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        self.server.expect(self.connection)
        super().handle_one_request()

    def do_POST(self) -> None:
        self.server.count(+1)
        try:
            self._answer(self._post())
        finally:
            self.server.count(-1)

    def do_GET(self) -> None:
        hashed = self.path.removeprefix("/").removesuffix(_CHECKPOINT)
        if self.path == "/":
            self._answer(Answer(200, TEXT, "".join(f"{key}\n" for key in self.server.vkeys).encode()))
        elif self.path == f"/{ADD_CHECKPOINT}":
            self._answer(Answer(405, TEXT, b"expected a POST\n"))
        elif self.path == f"/{hashed}{_CHECKPOINT}":
            self._answer(self.server.witness.checkpoint(hashed))
        else:
            self._answer(Answer(404, TEXT, f"expected /{ADD_CHECKPOINT} or /<origin hash>/checkpoint\n".encode()))

    def do_HEAD(self) -> None:
        self.do_GET()

    def _post(self) -> Answer:
        length = self.headers.get("content-length", "")
        if not length.isascii() or not length.isdigit() or len(length) > 9 or "transfer-encoding" in self.headers:
            self.close_connection = True
            return Answer(411, TEXT, b"expected a Content-Length\n")
        if int(length) > MAX_BODY:
            self.close_connection = True
            return Answer(413, TEXT, f"expected at most {MAX_BODY} bytes\n".encode())
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.close_connection = True
            return Answer(400, TEXT, b"expected a whole body, got its beginning\n")
        if self.path != f"/{ADD_CHECKPOINT}":
            return Answer(404, TEXT, f"expected /{ADD_CHECKPOINT}\n".encode())
        try:
            return self.server.witness.add_checkpoint(body)
        except (OSError, LicetError) as error:
            self.server.say(f"nothing was cosigned: {error}")
            return Answer(503, TEXT, b"what is cosigned cannot be kept at the moment\n")

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store" if self.command == "POST" else "public, max-age=5")
        if answer.status == 405:
            self.send_header("Allow", "POST")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its name in the standard library)
        self.server.say(f"{self.client_address[0]} {format % args}")
