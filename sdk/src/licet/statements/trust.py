"""What a verifier pins of a registry, and the working keys that follow from it.

Only the log origin and the offline root key are trusted. Every other key is named by a ``registry-key`` statement that
the root signed and the log holds; a key signs for the one purpose that its statement names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from licet.errors import VerificationError
from licet.log import note
from licet.statements import envelope as envelopes
from licet.statements.evidence import Evidence, claimed_index, verify_logged
from licet.statements.keys import KeySet, key_id, public_key
from licet.statements.kinds import RegistryKey, RegistryRef

Purpose = Literal["log", "snapshot", "licence", "office"]
MAX_KEYS: Final = 256


class Trust(msgspec.Struct, frozen=True):
    """A pinned registry: its log origin and its 32-byte root public key in hex."""

    origin: str
    root: str

    @property
    def ref(self) -> RegistryRef:
        """The registry as payloads name it; raises ``MalformedError`` for a root that is no usable key."""
        return RegistryRef(self.origin, key_id(public_key(self.root, "root")))


class WorkingKey(msgspec.Struct, frozen=True):
    """A key that the root named for one purpose, from log index ``index`` on."""

    purpose: Purpose
    keyid: str
    index: int
    valid_from: str
    valid_until: str | None


class RegistryKeys:
    """A registry's working keys, in log order. ``anchored`` says whether a pinned root vouches for them."""

    def __init__(
        self, ref: RegistryRef, log: note.Verifier, keys: KeySet, lines: Sequence[WorkingKey], *, anchored: bool
    ) -> None:
        self.ref: Final = ref
        self.log: Final = log
        self.keys: Final = keys
        self.lines: Final = tuple(lines)
        self.anchored: Final = anchored

    @property
    def snapshot(self) -> str:
        """Key id of the newest key that signs snapshots."""
        return self.newest("snapshot")

    @property
    def licence(self) -> str:
        """Key id of the newest key that grants licences."""
        return self.newest("licence")

    @property
    def office(self) -> str:
        """Key id of the newest key of the registry's office: claims, period closes."""
        return self.newest("office")

    def newest(self, purpose: Purpose) -> str:
        """Return the key id last named for ``purpose``; ``VerificationError`` if none was."""
        for line in reversed(self.lines):
            if line.purpose == purpose:
                return line.keyid
        raise VerificationError(f"expected a registry key for {purpose}, got none")

    def is_office(self, keyid: str, index: int, time: str) -> bool:
        """Whether ``keyid`` is the office's at this place in the log: only that one attests and recovers."""
        try:
            return self.signer("office", index, time) == keyid
        except VerificationError:
            return False

    def signer(self, purpose: Purpose, index: int, time: str) -> str:
        """Return the key id that may sign for ``purpose`` what the log took at ``index`` and ``time``.

        Raises ``VerificationError`` if none was named before it or the one named is outside its validity.
        """
        live = [line for line in self.lines if line.purpose == purpose and line.index < index]
        if not live:
            raise VerificationError(f"expected a registry key for {purpose} before log index {index}, got none")
        line = live[-1]
        if time < line.valid_from or (line.valid_until is not None and time >= line.valid_until):
            raise VerificationError(
                f"expected a registry key for {purpose} that is valid at {time}, "
                f"got one from {line.valid_from} until {line.valid_until or 'further notice'}"
            )
        return line.keyid


def verify_registry_keys(trust: Trust | None, evidence: Sequence[Evidence]) -> RegistryKeys:
    """Return the working keys that ``evidence`` (``registry-key`` statements in log order) proves under ``trust``.

    Without ``trust`` the root's signatures cannot be checked: everything else must hold, and the result is not
    ``anchored``. Raises ``VerificationError`` for a key of another registry, a statement that another key than the root
    signed, one that is not in the log, the same key for two purposes, and if no log key is named.
    """
    if not 0 < len(evidence) <= MAX_KEYS:
        raise VerificationError(f"expected 1 to {MAX_KEYS} registry keys, got {len(evidence)}")
    root = KeySet([public_key(trust.root, "root")]) if trust else KeySet()
    statements: list[RegistryKey] = []
    for each in evidence:
        statement = envelopes.read_as(RegistryKey, each.envelope)
        ref = trust.ref if trust else (statements[0].registry if statements else statement.registry)
        if statement.registry != ref:
            raise VerificationError(
                f"expected a key of the registry {ref.origin} ({ref.key}), "
                f"got one of {statement.registry.origin} ({statement.registry.key})"
            )
        if trust:
            envelopes.open_as(RegistryKey, each.envelope, [ref.key], root)
        statements.append(statement)
    log = _log_verifier(ref.origin, evidence, statements)
    keys = KeySet()
    lines: list[WorkingKey] = []
    for each, statement in zip(evidence, statements, strict=True):
        logged = verify_logged(each, log)
        if lines and logged.index <= lines[-1].index:
            raise VerificationError(
                f"expected registry keys in log order, got index {logged.index} after {lines[-1].index}"
            )
        keyid = keys.add(public_key(statement.key.public, "key"))
        if keyid == ref.key or any(line.keyid == keyid and line.purpose != statement.purpose for line in lines):
            raise VerificationError(
                f"expected a different key for each purpose, got {keyid} for {statement.purpose} too"
            )
        lines.append(WorkingKey(statement.purpose, keyid, logged.index, statement.valid_from, statement.valid_until))
    return RegistryKeys(ref, log, keys, lines, anchored=trust is not None)


def _log_verifier(origin: str, evidence: Sequence[Evidence], statements: Sequence[RegistryKey]) -> note.Verifier:
    named = [
        (claimed_index(each), statement.key.public)
        for each, statement in zip(evidence, statements, strict=True)
        if statement.purpose == "log"
    ]
    if not named:
        raise VerificationError("expected a registry key for log, got none")
    return note.Verifier(origin, public_key(max(named)[1], "key"))
