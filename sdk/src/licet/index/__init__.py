"""What decisions are made from: segments mapped into memory, snapshots of them, look-ups and answers."""

from __future__ import annotations

from licet.index.answers import Answers, answer, malformed
from licet.index.coding import verdict_codes
from licet.index.ids import work_texts
from licet.index.keys import UNKNOWN_QUALITY, Keys
from licet.index.lookup import Index, Matches
from licet.index.near import NearTable, near_pairs
from licet.index.pull import Pulled, pull, verify_manifest
from licet.index.records import WorkRecord
from licet.index.snapshot import Snapshot, manifest
from licet.index.state import (
    StateLeaf,
    StateProof,
    StateProver,
    StateRoots,
    StateTree,
    state_leaves,
    state_root,
    verify_state,
)
from licet.index.store import Published, Seen, SnapshotInfo, SnapshotStates, SnapshotStore
from licet.index.works import WorkColumns, Works, WorkState
from licet.index.writing import write_segments

__all__ = [
    "UNKNOWN_QUALITY",
    "Answers",
    "Index",
    "Keys",
    "Matches",
    "NearTable",
    "Published",
    "Pulled",
    "Seen",
    "Snapshot",
    "SnapshotInfo",
    "SnapshotStates",
    "SnapshotStore",
    "StateLeaf",
    "StateProof",
    "StateProver",
    "StateRoots",
    "StateTree",
    "WorkColumns",
    "WorkRecord",
    "WorkState",
    "Works",
    "answer",
    "malformed",
    "manifest",
    "near_pairs",
    "pull",
    "state_leaves",
    "state_root",
    "verdict_codes",
    "verify_manifest",
    "verify_state",
    "work_texts",
    "write_segments",
]
