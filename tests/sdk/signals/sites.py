"""Real servers of this machine that answer as sites do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Answers = dict[str, tuple[int, dict[str, str], bytes]]


class Site:
    """A host: what it answers by path, and what it was asked."""

    def __init__(self) -> None:
        self.answers: Answers = {}
        self.asked: list[tuple[str, str]] = []  # path, host
        self.url = ""

    def says(self, path: str, body: bytes = b"", status: int = 200, **headers: str) -> None:
        self.answers[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)

    def count(self, path: str) -> int:
        return sum(each == path for each, _ in self.asked)


@pytest.fixture
def sites() -> Iterator[list[Site]]:
    """Two hosts, at two ports."""
    made, servers = [], []
    for _ in range(2):
        site = Site()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            of = site

            def do_GET(self) -> None:
                self.of.asked.append((self.path, self.headers["Host"]))
                status, headers, body = self.of.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        site.url = f"http://localhost:{server.server_port}"
        made.append(site)
        servers.append(server)
    yield made
    for server in servers:
        server.shutdown()
        server.server_close()
