"""What whole-system tests are played on: the real service, people with the real command line, and a line between
them that can be tampered with."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from tests import forking
from tests.registry import clusters

BIN = Path(sys.executable).parent
SECONDS = 240  # what hangs is ended; a busy machine is not


def clean_environment() -> dict[str, str]:
    """Return the environment of a user: none of our variables, and byte code is kept as Python does by itself."""
    ours = ("DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
    return {key: value for key, value in os.environ.items() if not key.startswith("LICET_") and key not in ours}


class Service:
    """``licet-registry up`` on a free port, or on ``port``; `settings` are its variables without their prefix.

    Our own program finds an empty cluster in its folder, ``programs`` from elsewhere make one.
    """

    def __init__(self, folder: Path, *, port: int = 0, programs: Path = BIN, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.programs = programs
        self.data = folder / "data"
        if programs == BIN:
            clusters.plant(self.data)
        self.log = folder / "up.log"
        self.environment = {
            **clean_environment(),
            "HOME": str(folder),
            "LICET_REGISTRY_DATA": str(self.data),
            **{f"LICET_REGISTRY_{name.upper()}": value for name, value in settings.items()},
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [self.programs / "licet-registry", "up", "--port", str(port)],
                env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        ready, _, self.url = self.process.stdout.readline().rstrip("\n").partition(" ")
        assert ready == "ready", self.log.read_text()
        self.port = int(self.url.rpartition(":")[2])

    def end(self) -> None:
        """End it by SIGTERM, as a clean end."""
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(SECONDS) == 0, self.log.read_text()
        assert self.process.stdout.read() == ""
        self.process.stdout.close()

    def office(self, *arguments: str | Path) -> dict[str, Any]:
        """Do what an operator does, and return the document that is printed."""
        program, words = self.programs / "licet-registry", [*map(str, arguments), "--json"]
        code, out, err = forking.run(program, *words, cwd=Path.cwd(), environment=self.environment, seconds=SECONDS)
        assert code == 0, err
        document: dict[str, Any] = json.loads(out)
        return document


class Told(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one document on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        assert found["schema_version"] == 1
        return found

    @property
    def message(self) -> str:
        """The message of the error document."""
        error = self.document["error"]
        assert error["code"], error
        return str(error["message"])


#: Which module of tests draws a picture at a service: one under the terms of two would be under the stricter.
DRAWN: dict[tuple[str, int], str] = {}


class Person:
    """Somebody with a home of their own and the ``licet`` command."""

    def __init__(self, folder: Path, url: str, *, programs: Path = BIN) -> None:
        self.folder = folder
        self.programs = programs
        self.home = folder / "licet"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = {**clean_environment(), "HOME": str(folder), "LICET_HOME": str(self.home), "LICET_URL": url}

    def types(self, *arguments: str | Path, **variables: str) -> Told:
        """Run ``licet …`` to its end in the person's folder; no command ever shows a traceback."""
        told = forking.run(
            self.programs / "licet", *map(str, arguments),
            cwd=self.folder, environment={**self.environment, **variables}, seconds=SECONDS,
        )  # fmt: skip
        assert "Traceback" not in told[2], told[2]
        return Told(*told)

    def starts(self, *arguments: str | Path, **variables: str) -> subprocess.Popen[str]:
        """Start ``licet …`` as a user does, with every import."""
        return subprocess.Popen(
            [self.programs / "licet", *map(str, arguments)],
            cwd=self.folder, env={**self.environment, **variables},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ended(self, process: subprocess.Popen[str]) -> Told:
        """Return what a command said once it has ended."""
        out, err = process.communicate(timeout=SECONDS)
        assert "Traceback" not in err, err
        return Told(process.returncode, out, err)

    def does(self, *arguments: str | Path, code: int = 0, **variables: str) -> dict[str, Any]:
        """Run ``licet … --json``, expect ``code``, and return the document."""
        told = self.types(*arguments, "--json", **variables)
        assert told.code == code, told
        return told.document

    def joins(self, kind: str, name: str) -> Person:
        """Make an account."""
        self.account: str = self.does("account", "create", "--kind", kind, "--name", name)["account"]
        return self

    def draws(self, folder: str, *seeds: int) -> Path:
        """Make a folder of pictures, named by their seeds."""
        place = self.folder / folder
        place.mkdir(parents=True, exist_ok=True)
        for seed in seeds:
            module = os.environ["PYTEST_CURRENT_TEST"].partition("::")[0]
            at = self.environment["LICET_URL"], seed
            assert DRAWN.setdefault(at, module) == module, f"picture {seed} is another module's too: {DRAWN[at]}"
            (place / f"{seed}.png").write_bytes(encoded(drawing(seed)))
        return place


Forward = Callable[[], bytes]
Hook = Callable[[str, str, Forward], bytes | None]


class Line:
    """A proxy to the service. ``hook(method, path, forward)`` may look, change an answer, or withhold it (None)."""

    def __init__(self, service: Service) -> None:
        line = self
        self.hook: Hook = lambda _method, _path, forward: forward()

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answered: list[http.client.HTTPResponse] = []

                def forward() -> bytes:
                    upstream = http.client.HTTPConnection("127.0.0.1", service.port, timeout=SECONDS)
                    upstream.request(self.command, self.path, body or None, dict(self.headers))
                    answered.append(upstream.getresponse())
                    data = answered[0].read()
                    upstream.close()
                    return data

                data = line.hook(self.command, self.path, forward)
                if data is None:
                    self.close_connection = True
                    return
                self.send_response(answered[0].status if answered else 200)
                for name, value in answered[0].getheaders() if answered else ():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def end(self) -> None:
        """Hang up."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def line_to(service: Service) -> Iterator[Line]:
    """Give a line to ``service``."""
    line = Line(service)
    try:
        yield line
    finally:
        line.end()


def drawing(seed: int, size: int = 96) -> Image.Image:
    """Return a picture unlike those of other seeds: coarse colours, smoothly enlarged."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


def encoded(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of a file of ``picture``."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()
