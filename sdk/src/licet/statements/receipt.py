"""Receipts: the registry's proof, on the spot, that a statement is in the log."""

from __future__ import annotations

from typing import Protocol

import msgspec

from licet.errors import VerificationError
from licet.statements.envelope import Envelope
from licet.statements.evidence import verify_logged
from licet.statements.trust import RegistryKeys


class ReceiptLike(Protocol):
    """What a receipt says of a statement (``licet.wire.common.Receipt``)."""

    @property
    def kind(self) -> str: ...
    @property
    def log_index(self) -> int: ...
    @property
    def entry(self) -> str: ...
    @property
    def salt(self) -> str | None: ...
    @property
    def proof(self) -> str: ...


class _Evidence(msgspec.Struct, frozen=True):
    envelope: Envelope
    salt: str | None
    entry: str
    proof: str


def verify_receipt(receipt: ReceiptLike, envelope: Envelope, keys: RegistryKeys) -> int:
    """Return the log index of ``envelope``, once ``receipt`` proves it under the registry's log key.

    Raises ``MalformedError`` for what does not parse and ``VerificationError`` for a receipt of another statement,
    another kind, another index or another log.
    """
    if receipt.kind != envelope.kind:
        raise VerificationError(f"expected a receipt for a {envelope.kind}, got one for a {receipt.kind}")
    logged = verify_logged(_Evidence(envelope, receipt.salt, receipt.entry, receipt.proof), keys.log)
    if logged.index != receipt.log_index:
        raise VerificationError(f"expected log index {receipt.log_index}, got a proof for {logged.index}")
    return logged.index
