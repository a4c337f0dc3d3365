"""The transparency log: submit inside a transaction, wait after it, prove for ever.

Domains use ``submit``, ``wait``, ``receipt``, ``evidence``; one process runs ``loop.run``.
"""

from __future__ import annotations

from registry.translog.heads import QUIET, Backlog, Head, backlog, first_entry_at, head, refuse_copy, silences
from registry.translog.keys import RegistryKeys, open_keys, read_statement
from registry.translog.sequencer import Sequencer
from registry.translog.submission import (
    Evidence,
    Submitted,
    evidence,
    evidences,
    first_about,
    indices,
    receipt,
    receipts,
    registry_keys_evidence,
    submit,
)
from registry.translog.waiting import wait, wait_all

__all__ = [
    "QUIET",
    "Backlog",
    "Evidence",
    "Head",
    "RegistryKeys",
    "Sequencer",
    "Submitted",
    "backlog",
    "evidence",
    "evidences",
    "first_about",
    "first_entry_at",
    "head",
    "indices",
    "open_keys",
    "read_statement",
    "receipt",
    "receipts",
    "refuse_copy",
    "registry_keys_evidence",
    "silences",
    "submit",
    "wait",
    "wait_all",
]
