"""Proofs of misconduct: documents that show, to anybody and without asking anybody, that a registry lied.

Each holds signed statements of the registry that contradict each other. Who checks one needs the registry's keys from a
source of their own: the document's own word for them is compared, never believed.

``split-view``: two checkpoints of one size with different roots. ``fork``: a checkpoint, and a later one whose tree
provably begins otherwise. ``omission``: a statement in the log that took effect there, and a later snapshot, over a
longer log, that does not have it for a work that the statement covers (a receipt's ``in_snapshot_by`` broken).
``replay``: a consent that the log took again, or after one that was signed later.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from licet.canonical import from_base64
from licet.errors import VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import merkle, policy
from licet.log.keys import LogKeys

MAX_BYTES: Final = 64 << 20


class SplitView(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="split-view"):
    """Two signed checkpoints of one log and size that name different roots."""

    log: str  # vkey
    first: str
    second: str


class Fork(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="fork"):
    """``newer`` extends a tree that has ``root`` at the size of ``older``, by ``proof``; ``older`` names another."""

    log: str
    older: str
    newer: str
    root: str
    proof: list[str]


def verify_log_misconduct(found: SplitView | Fork, log: policy.AnyLog) -> str:
    """Return, as a sentence, what ``found`` shows about the log of ``log``.

    Raises ``VerificationError`` if it does not show it, ``MalformedError`` for what does not parse.
    """
    named = [log.vkey] if not isinstance(log, LogKeys) else [span.key.vkey for span in log.spans]
    if found.log not in named:
        raise VerificationError(f"expected a document about {log.vkey:.120}, got one about {found.log:.120}")
    if isinstance(found, SplitView):
        first, second = checkpoints.open(found.first, log), checkpoints.open(found.second, log)
        if first.size != second.size or first.root == second.root:
            raise VerificationError(
                "expected two roots for one size, got checkpoints that do not contradict each other"
            )
        return f"{log.name} signed two different trees of {first.size} entries"
    older, newer = checkpoints.open(found.older, log), checkpoints.open(found.newer, log)
    root = checkpoints.parse_hash(found.root, "root")
    proof = [from_base64(value, "proof") for value in found.proof]
    merkle.verify_consistency(older.size, newer.size, root, newer.root, proof)
    if root == older.root:
        raise VerificationError("expected a newer tree that begins otherwise, got one that begins with the older")
    return (
        f"{log.name} signed a tree of {newer.size} entries that does not begin with the {older.size} it signed before"
    )


def encode(found: Any) -> bytes:
    """Return the document as it is written out."""
    return msgspec.json.format(msgspec.json.encode(found)) + b"\n"
