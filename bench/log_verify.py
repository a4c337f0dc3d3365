"""A log of a million entries, rebuilt from its published files and held to every tile and 1,000 checkpoints.

One figure reads the files from disk, the other over HTTP on loopback from Python's own file server.
"""

from __future__ import annotations

import functools
import tempfile
import threading
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from bench.measuring import in_turn, record
from licet.audit.whole_log import Seen, examine_log
from licet.log import checkpoint as checkpoints
from licet.log import entry as entries
from licet.log import merkle, note, tiles
from licet.log.checkpoint import Checkpoint
from licet.transport import Transport

ENTRIES: Final = 1_000_000
CHECKPOINTS: Final = 1_000
SIGNER: Final = note.Signer("registry.example/log", bytes(range(32)))
_TEMPLATE: Final = entries.encode(entries.Entry(1, "consent", "2026-11-22T10:00:00.000Z", "0" * 64))


def published(folder: Path) -> list[Seen]:
    """Write the files of a log of ``ENTRIES`` into ``folder``, and return checkpoints that were seen on the way."""
    before, after = _TEMPLATE.split(b"0" * 64)
    every = ENTRIES // CHECKPOINTS
    frontier = merkle.Frontier()
    seen: list[Seen] = []
    leaves: list[bytes] = []
    bundle: list[bytes] = []
    for at in range(ENTRIES):
        data = before + sha256(b"%d" % at).hexdigest().encode() + after
        bundle.append(data)
        leaves.append(merkle.leaf_hash(data))
        frontier.append(leaves[-1])
        if at % every == 0:
            seen.append(Seen(Checkpoint(SIGNER.name, frontier.size, frontier.root)))
        if len(bundle) == tiles.WIDTH or at == ENTRIES - 1:
            _write(folder, tiles.entries_path(at // tiles.WIDTH, len(bundle)), tiles.encode_bundle(bundle))
            bundle = []
    for tile, content in tiles.extend(0, leaves, lambda level, index, width: b""):
        _write(folder, tile.path, content)
    text = checkpoints.sign(Checkpoint(SIGNER.name, ENTRIES, frontier.root), SIGNER)
    _write(folder, "checkpoint", text.encode())
    return seen


def main() -> None:
    """Measure it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seen = published(folder / "log")
        handler = functools.partial(_Quiet, directory=name)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Transport(f"http://127.0.0.1:{server.server_address[1]}") as source:
            figures = in_turn(
                {
                    "from files": lambda: examine_log(
                        lambda path: (folder / "log" / path).read_bytes(), SIGNER.verifier, seen
                    ),
                    "over HTTP, 8 readers": lambda: examine_log(
                        lambda path: source.request("GET", f"/log/{path}").body, SIGNER.verifier, seen, readers=8
                    ),
                },
                ENTRIES,
                runs=3,
            )
        server.shutdown()
        server.server_close()
        record("log_verify", "entries", figures, entries=ENTRIES, checkpoints=CHECKPOINTS)


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its name in the standard library)
        return


def _write(folder: Path, path: str, content: bytes) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
