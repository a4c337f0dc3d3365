"""The registry's key statements as the log publishes them beside its tiles, each with its place.

Whoever has the pinned root and a copy of the published files needs nobody else: the list says under which keys the
checkpoint may be signed, and the log's entries say whether the list is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from licet import canonical
from licet.errors import VerificationError
from licet.log.entry import KeyEntry
from licet.log.keys import LogKeys
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.trust import RegistryKeys, Trust, placed_keys, read_key_statements

KEYS: Final = "keys"  # the published file, below the log's address
MAX_BYTES: Final = 16 << 20


class Placed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement about the registry's keys and its index in the log."""

    index: int
    envelope: Envelope


def encode(placed: Sequence[Placed]) -> bytes:
    """Return the published file: canonical JSON of the list, in the order of the log."""
    return canonical.encode(list(placed))


class KeyList:
    """A published list whose statements the root signed, or which at least do not contradict each other."""

    def __init__(self, placed: Sequence[Placed], trust: Trust | None) -> None:
        """Raises ``VerificationError`` for a list of another registry, one that another root signed, or out of order,
        and for keys that contradict each other."""
        self.placed: Final = tuple(placed)
        self._statements = read_key_statements(trust, [each.envelope for each in placed])
        last = -1
        for each in placed:
            if each.index <= last:
                raise VerificationError(
                    f"keys: expected registry keys in log order, got index {each.index} after {last}"
                )
            last = each.index
        self._anchored = trust is not None
        self._claimed = self._keys(len(placed))

    @classmethod
    def parse(cls, data: bytes, trust: Trust | None) -> KeyList:
        """Return the list that ``data`` is; raises ``MalformedError`` for any other bytes, and as the class does."""
        return cls(canonical.decode_as(list[Placed], data, limit=MAX_BYTES), trust)

    @property
    def log(self) -> LogKeys:
        """The log's keys, each where the list claims it to be: for the checkpoint that `hold` then speaks of."""
        return self._claimed.log

    @property
    def ref(self) -> tuple[str, str]:
        """Log origin and root key id of the registry."""
        return self._claimed.ref.origin, self._claimed.ref.key

    def hold(self, entries: Sequence[KeyEntry], size: int) -> RegistryKeys:
        """Return the keys as of ``size`` entries, of which ``entries`` are all that speak of the registry's keys.

        What is listed beyond ``size`` waits for its checkpoint, and is passed over. Raises ``VerificationError`` with
        the index of the first statement that is left out, added or altered.
        """
        listed = {each.index: each.envelope for each in self.placed if each.index < size}
        logged = {each.index: each for each in entries if each.index < size}
        for index in sorted(listed.keys() | logged.keys()):
            if index not in listed:
                raise VerificationError(
                    f"keys: the log has a {logged[index].kind} at index {index}, which the published list of the "
                    f"registry's keys leaves out",
                    index=index,
                )
            if index not in logged:
                raise VerificationError(
                    f"keys: the published list has a {listed[index].kind} at index {index}, where the log has none",
                    index=index,
                )
            envelope = listed[index]
            stated = (envelope.kind, sha256(envelopes.encode(envelope)).hexdigest())
            if stated != (logged[index].kind, logged[index].commitment):
                raise VerificationError(
                    f"keys: the log commits to another {logged[index].kind} at index {index} than the list has",
                    index=index,
                )
        return self._keys(len(listed))

    def _keys(self, count: int) -> RegistryKeys:
        indices = [each.index for each in self.placed[:count]]
        if not indices:
            raise VerificationError("expected a registry key for log, got none")
        return placed_keys(self._statements[:count], indices, anchored=self._anchored)
