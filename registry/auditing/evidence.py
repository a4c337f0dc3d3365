"""Proofs for a bundle: every statement under one checkpoint, that of the size where the bundle ends.

The log at an earlier size is the same log: its tree is in the tiles, and its key signs that size again, to the byte
what it signed when it was there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from licet.canonical import to_base64
from licet.log import checkpoint as checkpoints
from licet.log import proof as proofs
from licet.log.checkpoint import Checkpoint
from licet.statements import envelope as envelopes
from licet.wire.common import KeyEvidence, StatementFile
from registry.accounts import queries as account_queries
from registry.auditing import queries
from registry.database import Connection
from registry.errors import Gone
from registry.translog import RegistryKeys
from registry.translog import queries as log_queries
from registry.translog.keys import SUBJECT
from registry.translog.tree import inclusion_proofs, root_at


async def signed_checkpoint(conn: Connection, keys: RegistryKeys, size: int) -> str:
    """Return the log's signed checkpoint at ``size``."""
    return checkpoints.sign(Checkpoint(keys.origin, size, await root_at(conn, size)), *keys.log_signers(size))


class Prover:
    """Statement files under the checkpoint at ``size``; key histories are proven once."""

    def __init__(self, conn: Connection, keys: RegistryKeys, size: int, checkpoint: str) -> None:
        self.size = size
        self.checkpoint = checkpoint
        self._conn = conn
        self._keys = keys
        self._registry: list[KeyEvidence] = []
        self._histories: dict[UUID, list[KeyEvidence]] = {}

    async def registry(self) -> list[KeyEvidence]:
        """Return the registry's key statements, in log order."""
        if not self._registry:
            rows = await self._conn.fetch(log_queries.REGISTRY_KEYS, SUBJECT)
            self._registry = await self.evidence([row["id"] for row in rows])
        return self._registry

    async def files(self, statements: Sequence[tuple[int, UUID | None]]) -> list[StatementFile]:
        """Return the statement files of (pending, account that signed; None: the registry alone), in their order."""
        found = await self.evidence([pending for pending, _ in statements])
        registry = await self.registry()
        files = []
        for each, (_, account) in zip(found, statements, strict=True):
            history = [] if account is None else await self._history(account)
            files.append(StatementFile(each.envelope, each.salt, each.entry, each.proof, [*registry, *history]))
        return files

    async def evidence(self, pendings: Sequence[int]) -> list[KeyEvidence]:
        """Return the statements with their proofs, in order, without those that the log took at a larger size.

        Raises ``Gone`` for one that was erased: a month without it cannot be shown whole.
        """
        rows = {row["id"]: row for row in await self._conn.fetch(queries.PROVEN, list(pendings), self.size)}
        wanted = [rows[pending] for pending in pendings if pending in rows]
        if any(row["envelope"] is None for row in wanted):
            raise Gone("a statement of this month was erased; its log entry stays")
        hashes = await inclusion_proofs(self._conn, self.size, [row["index"] for row in wanted])
        return await asyncio.to_thread(
            lambda: [
                KeyEvidence(
                    envelopes.parse(row["envelope"]),
                    None if row["salt"] is None else to_base64(row["salt"]),
                    to_base64(row["entry"]),
                    proofs.encode(proofs.Proof(row["index"], tuple(path), self.checkpoint)),
                )
                for row, path in zip(wanted, hashes, strict=True)
            ]
        )

    async def _history(self, account: UUID) -> list[KeyEvidence]:
        if account not in self._histories:
            rows = await self._conn.fetch(account_queries.KEY_STATEMENTS, account)
            self._histories[account] = await self.evidence([row["id"] for row in rows])
        return self._histories[account]
