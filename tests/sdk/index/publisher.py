"""A registry in memory that publishes snapshots as the service does: keys under a root, a log, manifests, receipts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from licet import times
from licet.canonical import to_base64
from licet.index import Published, WorkRecord, manifest, state_root, write_segments
from licet.index.store import envelope_digest
from licet.log import checkpoint, entry, merkle, note, proof
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey
from licet.statements.trust import Purpose, RegistryKeys, Trust, verify_registry_keys
from licet.wire.common import KeyEvidence, Receipt

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ORIGIN = "registry.example/log"
PURPOSES: tuple[Purpose, ...] = ("log", "snapshot", "licence", "office")


def signing_key(number: int) -> SigningKey:
    return SigningKey.from_seed(bytes([number]) * 32)


class Publisher:
    """Publishes into ``folder``; ``now`` is its clock. ``root`` numbers its root key."""

    def __init__(self, folder: Path, root: int = 1) -> None:
        self.folder = folder
        self.now = NOW
        self.root = signing_key(root)
        self.working = {purpose: signing_key(10 + root + n) for n, purpose in enumerate(PURPOSES)}
        self.trust = Trust(ORIGIN, self.root.public.hex())
        self.leaves: list[bytes] = []
        self.sequence = 0
        self.previous: str | None = None
        self.requests: list[tuple[str, int]] = []
        evidence = []
        for purpose, key in self.working.items():
            statement = kinds.RegistryKey(
                self.trust.ref,
                purpose,
                kinds.PublicKey(key.public.hex()),
                times.to_text(NOW - timedelta(days=9)),
                None,
            )
            envelope = envelopes.seal(statement, self.root)
            receipt = self.log(envelope)
            evidence.append(KeyEvidence(envelope, receipt.salt, receipt.entry, receipt.proof))
        self.keys: RegistryKeys = verify_registry_keys(self.trust, evidence)
        self.evidence = evidence

    def log(self, envelope: Envelope) -> Receipt:
        """Append a public statement and return its receipt."""
        stated = entry.Entry(
            1, envelope.kind, times.to_text(self.now), entry.commitment(envelope.kind, None, envelopes.encode(envelope))
        )
        data = entry.encode(stated)
        self.leaves.append(merkle.leaf_hash(data))
        tree = merkle.Tree(self.leaves)
        signer = note.Signer(ORIGIN, self.working["log"].seed)
        signed = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, tree.size, tree.root), signer)
        index = tree.size - 1
        text = proof.encode(proof.Proof(index, tuple(tree.inclusion_proof(index)), signed))
        return Receipt("stm", envelope.kind, index, to_base64(data), None, text)

    def manifest(self, records: Iterable[WorkRecord], **changes: Any) -> kinds.Snapshot:
        """Write the segments of ``records`` and return the next manifest, with fields changed."""
        listed = list(records)
        made = manifest(
            registry=self.trust.ref,
            sequence=self.sequence + 1,
            previous=self.previous,
            consent_version=self.sequence,
            log_size=len(self.leaves),
            log_root=merkle.Tree(self.leaves).root.hex(),
            segments=write_segments(listed, self.folder),
            works=len(listed),
            state_root=state_root(listed),
            issued_at=self.now,
        )
        return msgspec.structs.replace(made, **changes)

    def publish(self, records: Iterable[WorkRecord], **changes: Any) -> Published:
        """Sign, log and publish the next snapshot."""
        return self.sign(self.manifest(records, **changes))

    def sign(self, payload: kinds.Snapshot, key: SigningKey | None = None) -> Published:
        envelope = envelopes.seal(payload, key or self.working["snapshot"])
        self.sequence, self.previous = payload.sequence, envelope_digest(envelope)
        return Published(envelope, self.log(envelope))

    def fetch(self, digest: str, offset: int) -> Iterator[bytes]:
        """Yield a segment from ``offset`` on, in blocks of an awkward size."""
        self.requests.append((digest, offset))
        data = (self.folder / digest).read_bytes()
        for at in range(offset, len(data), 1000):
            yield data[at : at + 1000]
