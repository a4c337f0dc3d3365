"""A registry is pinned once: neither another address nor another answer makes a profile trust another root key."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from licet.client import Client
from licet.errors import InputError, VerificationError
from licet.home import Home
from licet.statements.keys import SigningKey
from licet.wire.accounts import RegistryInfo


def info(root: SigningKey, **changes: Any) -> RegistryInfo:
    known = RegistryInfo("registry.example/log", root.keyid, root.public.hex(), "vkey", [], 1000, 1, "test")
    return msgspec.structs.replace(known, **changes)


class Serving:
    """A service that says who it is."""

    def __init__(self, says: RegistryInfo) -> None:
        answer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = answer.others.get(self.path) or msgspec.json.encode(answer.says)
                self.send_response(404 if self.path in answer.gone else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self.says = says
        self.others: dict[str, bytes] = {}  # what else it says, by path
        self.gone: set[str] = set()  # paths that it does not know
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def serve() -> Iterator[Any]:
    running: list[Serving] = []

    def start(says: RegistryInfo) -> Serving:
        running.append(Serving(says))
        return running[-1]

    yield start
    for each in running:
        each.end()


def test_another_registry_at_another_address_does_not_replace_the_pinned_one(serve: Any, tmp_path: Path) -> None:
    honest, other = serve(info(SigningKey.generate())), serve(info(SigningKey.generate()))
    home = Home(tmp_path)
    with Client(honest.url, home=home) as client:
        client.registry()
    pinned = home.profile().trust
    with Client(other.url, home=home) as client, pytest.raises(VerificationError, match="another --profile"):
        client.trust()
    assert home.profile().trust == pinned
    with Client(other.url, home=home, profile="other") as client:
        assert client.registry() == other.says


def test_the_same_registry_answers_at_several_addresses(serve: Any, tmp_path: Path) -> None:
    says = info(SigningKey.generate())
    for each in (serve(says), serve(says)):
        with Client(each.url, home=Home(tmp_path)) as client:
            assert client.registry_ref().key == says.key


def test_statements_name_no_key_but_the_digest_of_the_root(serve: Any, tmp_path: Path) -> None:
    lying = serve(info(SigningKey.generate(), key="00" * 32))
    with Client(lying.url, home=Home(tmp_path)) as client, pytest.raises(VerificationError, match="digest of root key"):
        client.registry_ref()
    assert Home(tmp_path).profile().trust is None


def test_of_a_snapshot_that_is_not_here_nobody_is_asked(tmp_path: Path) -> None:
    with Client("http://127.0.0.1:9", home=Home(tmp_path)) as client:  # nobody answers there
        for asks in (client.snapshot.info, client.snapshot.open, client.snapshot.pin, client.snapshot.keys):
            with pytest.raises(InputError, match="no registry is pinned in this profile"):
                asks()
    assert not list(tmp_path.iterdir())
