"""A registry that lies: its own keys, and what it would publish of a log that is not the one it has shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, Route

from licet.canonical import from_base64, to_base64
from licet.log import checkpoint as checkpoints
from licet.log import entry as entries
from licet.log import merkle, note, tiles
from licet.statements import envelope as envelopes
from licet.statements.keys import SigningKey
from licet.statements.kinds import PublicKey, RegistryKey, RegistryKeyRevoke, RegistryRef
from tests.whole.stage import Service

Alter = Callable[[bytes], bytes]


@dataclass
class Liar:
    """What ``service`` could say if its operator wanted to deceive: everything is signed by the real keys."""

    service: Service
    page: Page

    def fetched(self, path: str) -> bytes:
        """Return a file of the log as it is published."""
        answer = httpx.get(f"{self.service.url}/log/{path}")
        assert answer.status_code == 200, path
        return answer.content

    @property
    def checkpoint(self) -> checkpoints.Checkpoint:
        """The newest checkpoint."""
        return checkpoints.parse(note.parse(self.fetched("checkpoint")).text)

    def key(self, name: str) -> SigningKey:
        """Return a private key of the registry."""
        return SigningKey.load(self.service.data / "keys" / f"{name}.pem")

    def says(self, path: str, content: bytes | str) -> None:
        """Answer with ``content`` whenever ``path`` of the log is asked for; ``**`` stands for anything."""

        def answer(route: Route) -> None:
            route.fulfill(status=200, body=content, content_type="application/octet-stream")

        self.page.route(f"**/log/{path}", answer)

    def alters(self, path: str, alter: Alter) -> None:
        """Answer with what ``alter`` makes of each file that ``path`` stands for."""

        def answer(route: Route) -> None:
            content = httpx.get(route.request.url).content
            route.fulfill(status=200, body=alter(content), content_type="application/octet-stream")

        self.page.route(f"**/log/{path}", answer)

    def signs(self, size: int, root: bytes, key: SigningKey | None = None, *, as_id: bytes | None = None) -> str:
        """Return a checkpoint signed by the log's key, or by ``key``, whose line then may claim the id ``as_id``."""
        stated = self.checkpoint
        text = checkpoints.encode(checkpoints.Checkpoint(stated.origin, size, root))
        line = note.Signer(stated.origin, (key or self.key("log")).seed).sign(text)
        if as_id is not None:
            line = note.Signature(line.name, as_id, line.value)
        return note.serialise(note.Note(text, (line,)))

    def publishes(self, contents: Sequence[bytes]) -> None:
        """Show a whole other log, of ``contents``, signed by the real key."""
        leaves = [merkle.leaf_hash(each) for each in contents]
        for tile, content in tiles.extend(0, leaves, lambda *_: b""):
            self.says(tile.path, content)
        for at in range(0, len(contents), tiles.WIDTH):
            bundle = contents[at : at + tiles.WIDTH]
            self.says(tiles.entries_path(at // tiles.WIDTH, len(bundle)), tiles.encode_bundle(bundle))
        self.says("checkpoint", self.signs(len(contents), merkle.root(leaves)))

    @property
    def contents(self) -> list[bytes]:
        """Every entry as it is published."""
        return self.up_to(self.checkpoint.size)

    def up_to(self, size: int) -> list[bytes]:
        """Return the first ``size`` entries: others go on adding to the log."""
        found: list[bytes] = []
        for at in range(0, size, tiles.WIDTH):
            width = min(tiles.WIDTH, size - at)
            found += tiles.decode_bundle(self.fetched(tiles.entries_path(at // tiles.WIDTH, width)), width)
        return found

    def keys(self, root: SigningKey, key: SigningKey) -> bytes:
        """Return a list of keys in which ``root`` names ``key`` as the log's."""
        ref = RegistryRef(self.checkpoint.origin, root.keyid)
        named = RegistryKey(ref, "log", PublicKey(key.public.hex()), "2026-01-01T00:00:00.000Z", valid_until=None)
        return _listed([(0, envelopes.seal(named, root))])

    def ended(self, index: int) -> bytes:
        """Return the published list of keys with one more statement: the root has ended the log's key at ``index``."""
        placed = json.loads(self.fetched("keys"))
        root = self.key("root")
        end = RegistryKeyRevoke(
            RegistryRef(self.checkpoint.origin, root.keyid),
            self.key("log").keyid,
            "compromised",
            "2026-01-02T00:00:00.000Z",
        )
        sealed = json.loads(envelopes.encode(envelopes.seal(end, root)))
        return json.dumps([*placed, {"index": index, "envelope": sealed}]).encode()

    def honest(self) -> None:
        """Lie no more."""
        self.page.unroute_all()


def _listed(placed: Sequence[tuple[int, envelopes.Envelope]]) -> bytes:
    found = [{"index": index, "envelope": json.loads(envelopes.encode(each))} for index, each in placed]
    return json.dumps(found).encode()


def other_entry(content: bytes) -> bytes:
    """Return an entry of the same kind and time that commits to another statement."""
    stated = entries.parse(content)
    digest = f"{int(stated.commitment[0], 16) ^ 1:x}{stated.commitment[1:]}"
    return entries.encode(entries.Entry(stated.v, stated.kind, stated.time, digest))


def flipped(content: bytes, at: int) -> bytes:
    """Return ``content`` with one bit of the byte ``at`` turned."""
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def resigned(text: str, at: int) -> str:
    """Return a note whose first signature line has one bit turned, of its key id or its signature."""
    parsed = note.parse(text)
    first, *rest = parsed.signatures
    whole = flipped(first.key_id + first.value, at)
    return note.serialise(note.Note(parsed.text, (note.Signature(first.name, whole[:4], whole[4:]), *rest)))


def with_hash(file: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a statement file one hash of whose proof is another."""
    head, blank, rest = file["proof"].partition("\n\n")
    lines = head.split("\n")
    at = 2 + number
    lines[at] = to_base64(flipped(from_base64(lines[at], "hash"), 0))
    return {**file, "proof": "\n".join(lines) + blank + rest}


def saved(folder: Path, name: str, content: str | dict[str, Any]) -> Path:
    """Return a file with ``content``."""
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path
