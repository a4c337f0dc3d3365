"""Logs for witnesses to watch: an honest one, and one that shows another tree from some size on."""

from __future__ import annotations

import http.client
from typing import Final

from licet.log import checkpoint as checkpoints
from licet.log import merkle, note, witnessing
from licet.log.checkpoint import Checkpoint

LENGTH: Final = 40
FORKS_AT: Final = 12


class WatchedLog:
    """A log of ``LENGTH`` entries under one key, in two versions that are the same up to ``FORKS_AT``."""

    def __init__(self, origin: str, seed: int) -> None:
        self.origin = origin
        self.signer = note.Signer(origin, bytes([seed]) * 32)
        honest = [merkle.leaf_hash(f"{origin} {at}".encode()) for at in range(LENGTH)]
        other = [*honest[:FORKS_AT], *(merkle.leaf_hash(f"other {at}".encode()) for at in range(FORKS_AT, LENGTH))]
        self.trees = (honest, other)

    def root(self, size: int, version: int = 0) -> bytes:
        return merkle.root(self.trees[version][:size])

    def checkpoint(self, size: int, version: int = 0, *signers: note.NoteSigner) -> str:
        return checkpoints.sign(Checkpoint(self.origin, size, self.root(size, version)), self.signer, *signers)

    def proof(self, old: int, size: int, version: int = 0) -> list[bytes]:
        if not 0 < old <= size:
            return []
        return merkle.consistency_proof(self.trees[version], old, size)

    def request(self, old: int, size: int, version: int = 0) -> bytes:
        return witnessing.request_body(old, self.proof(old, size, version), self.checkpoint(size, version))


def post(url: str, body: bytes, path: str = "/add-checkpoint", timeout: float = 30) -> tuple[int, str, bytes]:
    """Return status, content type and body of what a witness at ``url`` answers."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()
