"""Proofs about single works under a manifest's state root, for monitors that do not fetch everything.

The tree of one manifest is kept, the one that was asked for last: 64 bytes a work, made in a thread at the first
question about a new manifest.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from licet.errors import LicetError
from licet.index import Snapshot, StateProof, StateProver
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope
from registry.errors import Unavailable

MAX_STATES: Final = 200  # works in one question

_lock: Final = threading.Lock()
_kept: dict[Path, tuple[str, StateProver]] = {}


def proven(folder: Path, envelope: Envelope, works: Sequence[str]) -> list[StateProof]:
    """Return a proof about each of ``works`` under the manifest in ``envelope``, in their order; for a thread.

    Raises ``InputError`` for what is no work's id, ``Unavailable`` where the segments cannot be read here.
    """
    manifest = envelopes.read_as(kinds.Snapshot, envelope)
    with _lock:
        digest, prover = _kept.get(folder, ("", None))
        if prover is None or digest != envelope.payload_digest:
            try:
                exact: tuple[Literal["exact"], ...] = ("exact",)
                prover = StateProver(Snapshot.open(folder, manifest, tiers=exact).works)
            except LicetError as error:
                raise Unavailable(f"the snapshot cannot be read here: {error.message}", retry_after=5) from None
            _kept[folder] = (envelope.payload_digest, prover)
    return [prover.prove(work) for work in works]
