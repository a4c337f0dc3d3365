"""The same log seen by Go's sumdb packages: notes, trees, proofs and tiles are byte for byte the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from licet.log import checkpoint as checkpoints
from licet.log import cosignature, merkle, note, tiles

SOURCE = Path(__file__).parent / "against_go" / "main.go"
GOPATH = Path(os.environ.get("GOPATH", "/usr/share/gocode"))

pytestmark = pytest.mark.slow

Ask = Callable[[dict[str, Any]], dict[str, Any]]


def built(source: Path, folder: Path) -> Path:
    """Return the program that Go makes of ``source``; skips where Go is not on this machine."""
    go = shutil.which("go")
    if go is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("Go with golang.org/x/mod in its GOPATH is not on this machine")
    environment = {
        "PATH": os.environ["PATH"],
        "GOPATH": str(GOPATH),
        "GO111MODULE": "off",
        "CGO_ENABLED": "0",
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "-mod=",
    }
    program = folder / source.parent.name
    subprocess.run([go, "build", "-o", program, source], env=environment, check=True, timeout=110)
    return program


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Put a question to Go and return its answer; the program is compiled once."""
    program = built(SOURCE, tmp_path_factory.mktemp("go"))

    def put(question: dict[str, Any]) -> dict[str, Any]:
        done = subprocess.run(
            [program], input=json.dumps(question).encode(), capture_output=True, check=True, timeout=30
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return put


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that walks a published log."""
    return built(SOURCE.parent / "walk" / "main.go", tmp_path_factory.mktemp("walk"))


def decoded(values: list[str] | None) -> list[bytes]:
    return [b64decode(value) for value in values or []]


@pytest.mark.parametrize(
    ("size", "index", "old"), [(1, 0, 1), (7, 3, 4), (256, 255, 255), (600, 511, 257), (600, 599, 512)]
)
def test_go_agrees(ask: Ask, size: int, index: int, old: int) -> None:
    ours = note.Signer("ours.example/log", bytes(range(32)))
    text = f"line\n\nünï {size}\n"
    entries = [f"entry {number}".encode() for number in range(size)]
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    answer = ask(
        {
            "Note": b64encode(note.sign(text, ours).encode()).decode(),
            "Vkey": ours.verifier.vkey,
            "Text": b64encode(text.encode()).decode(),
            "Seed": list(range(32)),
            "Entries": [b64encode(entry).decode() for entry in entries],
            "Index": index,
            "Old": old,
        }
    )
    assert answer["Opened"] == text
    assert note.verify(b64decode(answer["Note"]), [note.Verifier.from_vkey(answer["Vkey"])]).text == text

    root, old_root = b64decode(answer["Root"]), b64decode(answer["OldRoot"])
    inclusion, consistency = decoded(answer["Inclusion"]), decoded(answer["Consistency"])
    assert (merkle.root(leaves), merkle.root(leaves[:old])) == (root, old_root)
    assert merkle.inclusion_proof(leaves, index) == inclusion
    assert merkle.consistency_proof(leaves, old, size) == consistency
    merkle.verify_inclusion(leaves[index], index, size, inclusion, root)
    merkle.verify_consistency(old, size, old_root, root, consistency)

    # Go names every width on the way, the old one too; of those we store the last where it is new.
    paths = [path.replace("tile/8/", "tile/", 1) for path in answer["Paths"]]
    theirs = dict(zip(paths, decoded(answer["Tiles"]), strict=True))
    widest = {(level, at): width for level, at, width in sorted(map(tiles.parse_path, theirs))}
    before = dict(tiles.extend(0, leaves[:old], never))
    expected = {tiles.Tile(level or 0, at, width) for (level, at), width in widest.items()} - set(before)

    stored = {(tile.level, tile.index): content for tile, content in before.items()}
    written = dict(tiles.extend(old, leaves[old:], lambda level, at, _: stored[level, at]))
    assert set(written) == expected
    assert all(theirs[tile.path] == content for tile, content in written.items())


@pytest.mark.parametrize("size", [1, 255, 256, 257, 70_000])
def test_go_walks_what_is_published_from_the_entries_up(walk: Path, tmp_path: Path, size: int) -> None:
    """The checkpoint is cosigned by keys that Go does not know; the log's own line is an ordinary Ed25519 one."""
    log = note.Signer("registry.example/log", bytes(range(32)))
    entries = [f"entry {at}".encode() for at in range(size)]
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    text = checkpoints.encode(checkpoints.Checkpoint(log.name, size, merkle.root(leaves)))
    cosigners = [cosignature.Signer("w.example", kind, bytes(32)) for kind in (4, 6)]
    files = {"checkpoint": note.sign(text, log, *cosigners).encode()}
    files |= {tile.path: content for tile, content in tiles.extend(0, leaves, never)}
    for start in range(0, size, 256):
        some = entries[start : start + 256]
        files[tiles.entries_path(start // 256, len(some))] = tiles.encode_bundle(some)

    def walked() -> tuple[int, str]:
        done = subprocess.run(
            [walk, tmp_path, log.verifier.vkey], capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, done.stdout

    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    count = sum(1 for path in files if not path.startswith("tile/entries/")) - 1
    assert walked() == (0, f"{size} entries, {count} tiles, 1 signatures, 2 unknown\n")
    for path in sorted(files)[:: max(1, len(files) // 4)]:
        spoilt = bytearray(files[path])
        spoilt[-1 if path.startswith("tile") else 30] ^= 1
        (tmp_path / path).write_bytes(spoilt)
        assert walked()[0] == 1, path
        (tmp_path / path).write_bytes(files[path])


def never(level: int, index: int, width: int) -> bytes:
    raise AssertionError(f"a new log has no tile to read, asked for {level}/{index} of {width}")
