"""``hf://`` through the hub's own library, against the few endpoints of a hub on loopback, as a command of its own."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sdk.datasets.commands import Told
from tests.sdk.datasets.world import NO_AI, World, encoded, picture

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "acme/pictures"


class Hub(BaseHTTPRequestHandler):
    """One public data set, and one that takes a token."""

    files: dict[str, bytes] = {}  # noqa: RUF012 - of the server, as each request makes a new handler
    asked: list[str] = []  # noqa: RUF012

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.startswith(f"/api/datasets/{REPO}/paths-info/"):
            self.refuse(404)
            return
        given = json.loads(body) if body.startswith(b"{") else {"paths": [unquote(body.decode().partition("=")[2])]}
        paths = given["paths"] if isinstance(given["paths"], list) else [given["paths"]]
        found = [self.entry(path) for path in paths if path in self.files]
        folders = [path for path in paths if any(name.startswith(f"{path}/") for name in self.files)]
        self.answer([*found, *({"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in folders)])

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.asked.append(f"{self.command} {path} {self.headers.get('Range') or ''}".rstrip())
        if path.startswith("/api/datasets/acme/secret"):
            self.refuse(401)
        elif path in (
            f"/api/datasets/{REPO}",
            f"/api/datasets/{REPO}/revision/main",
            f"/api/datasets/{REPO}/revision/{COMMIT}",
        ):
            self.answer({"id": REPO, "sha": COMMIT, "private": False, "tags": [], "downloads": 0, "likes": 0})
        elif path.startswith(f"/api/datasets/{REPO}/tree/{COMMIT}"):
            folder = path.removeprefix(f"/api/datasets/{REPO}/tree/{COMMIT}").strip("/")
            there = [name for name in self.files if not folder or name.startswith(f"{folder}/")]
            self.answer([self.entry(name) for name in there]) if there else self.refuse(404, "EntryNotFound")
        elif path.startswith(f"/datasets/{REPO}/resolve/{COMMIT}/"):
            self.file(path.removeprefix(f"/datasets/{REPO}/resolve/{COMMIT}/"))
        else:
            self.refuse(404, "RepoNotFound")

    def entry(self, name: str) -> dict[str, Any]:
        return {
            "type": "file", "path": name, "size": len(self.files[name]),
            "oid": hashlib.sha1(self.files[name], usedforsecurity=False).hexdigest(),
        }  # fmt: skip

    def file(self, name: str) -> None:
        data = self.files.get(name)
        if data is None:
            self.refuse(404, "EntryNotFound")
            return
        first, _, last = (self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(data) - 1) + 1, len(data))
        self.send_response(206 if self.headers.get("Range") else 200)
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.send_header("ETag", f'"{self.entry(name)["oid"]}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data[start:end])

    def answer(self, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str = "") -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Told]]:
    """Types a command in a process that takes the loopback server for the hub."""
    world.work(encoded(picture(1)), "tomas", NO_AI, urls=("https://a.example/1",))
    world.registry.publish()
    out = io.BytesIO()
    pq.write_table(pa.table({"url": [f"https://a.example/{n}" for n in range(3)], "n": [0, 1, 2]}), out)
    files = {"data/t.parquet": out.getvalue(), "data/more/t.csv": b"url\nhttps://a.example/1\nhttps://a.example/2\n"}
    files |= {f"pictures/{number}.png": encoded(picture(number)) for number in range(3)}
    monkeypatch.setattr(Hub, "files", files)
    monkeypatch.setattr(Hub, "asked", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
        environment |= {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_TELEMETRY": "1", "HF_TOKEN": "hf_verysecret"}
        environment |= {"LICET_HOME": str(tmp_path / "home"), "LICET_URL": world.registry.url}

        def typed(*arguments: str) -> Told:
            command = [sys.executable, "-c", "from licet.cli import main; main()", *arguments]
            done = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
            )
            assert "Traceback" not in done.stderr, done.stderr
            assert "verysecret" not in done.stderr + done.stdout
            return Told(done.returncode, done.stdout, done.stderr)

        yield typed
        server.shutdown()


def test_a_data_set_of_the_hub_is_filtered_by_ranges_of_one_commit(hub: Callable[..., Told], tmp_path: Path) -> None:
    use = ("--use", "train-gen", "--unknown", "keep", "--json")
    table = hub("filter", f"hf://datasets/{REPO}/data/t.parquet", "-o", "t.parquet", *use)
    assert table.code == 0, table.err + table.out
    assert pq.read_table(tmp_path / "t.parquet")["n"].to_pylist() == [0, 2]
    assert any(each.startswith(f"GET /datasets/{REPO}/resolve/{COMMIT}/data/t.parquet bytes=") for each in Hub.asked)
    lines = hub("filter", f"hf://datasets/{REPO}/data/**.csv", "-o", "t.csv", *use)
    assert lines.code == 0, lines.err + lines.out
    assert (tmp_path / "t.csv").read_bytes() == b"url\nhttps://a.example/2\n"
    folder = hub("filter", f"hf://datasets/{REPO}@main/pictures", "-o", "pictures", *use)
    assert folder.code == 0, folder.err + folder.out
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["0.png", "2.png"]


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        (f"hf://datasets/{REPO}/data/none.csv", 2, "that exists"),
        ("hf://datasets/acme/nothing/t.csv", 2, "an address that exists"),
        ("hf://datasets/acme/secret/t.csv", 4, "HF_TOKEN"),
    ],
)
def test_what_the_hub_does_not_show_is_told(hub: Callable[..., Told], address: str, code: int, words: str) -> None:
    told = hub("filter", address, "-o", "out", "--use", "train-gen")
    assert (told.code, words in told.err) == (code, True), told.err
