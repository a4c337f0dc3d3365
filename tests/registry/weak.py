"""A store that fails: a line to a real S3 API on which requests are answered with errors, late, or not at all."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

Weakness = Literal["none", "500", "412", "slow", "cut", "lost"]
LATE = 1.5  # seconds


class Weak:
    """The line; ``weakness`` is of every request from now on: an error, a late answer, none, or one lost on its way."""

    def __init__(self, url: str) -> None:
        line, where = self, urlsplit(url).netloc
        self.weakness: Weakness = "none"
        self.met = 0  # requests that met a weakness

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                weakness = line.weakness
                line.met += weakness != "none"
                writes = self.command in {"PUT", "POST"}
                if weakness == "cut" or (weakness == "slow" and line.late()):
                    self.close_connection = True
                    return
                if weakness == "500" or (weakness == "412" and writes):
                    self.send_response(int(weakness))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                upstream = http.client.HTTPConnection(where, timeout=30)
                upstream.request(self.command, self.path, body or None, dict(self.headers))
                answered = upstream.getresponse()
                content = answered.read()
                upstream.close()
                if weakness == "lost" and writes:
                    self.close_connection = True
                    return
                self.send_response(answered.status)
                for name, value in answered.getheaders():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                        self.send_header(name, value)
                length = answered.getheader("Content-Length") if self.command == "HEAD" else None
                self.send_header("Content-Length", length or str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who waits no longer has gone
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def late(self) -> bool:
        """Return once whoever asked has gone."""
        time.sleep(LATE)
        return True

    def end(self) -> None:
        """Hang up."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def weak(url: str) -> Iterator[Weak]:
    """Give a line to the S3 API at ``url``."""
    line = Weak(url)
    try:
        yield line
    finally:
        line.end()
