"""An account's keys through time: who could sign for it at which log index (semantics 1 to 3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec

from licet import times
from licet.errors import VerificationError
from licet.log import note
from licet.statements import envelope as envelopes
from licet.statements.evidence import Evidence, Logged, verify_logged
from licet.statements.keys import KeySet
from licet.statements.kinds import KeyRegister, KeyRevoke, RegistryRef

RECOVERED_FOR: Final = timedelta(days=7)
MAX_STATEMENTS: Final = 1024


class AccountKey(msgspec.Struct):
    """One key of the account. ``revoked_from`` is the log index from which its statements may only tighten."""

    keyid: str
    key_class: str
    index: int
    time: str
    revoked_from: int | None = None


class Standing(msgspec.Struct, frozen=True):
    """What a key may do at one moment: everything, or only tighten, and why."""

    keyid: str
    only_tighten: bool
    why: str


class KeyHistory:
    """The keys of one account, proven from its ``key-register`` and ``key-revoke`` statements in log order."""

    def __init__(self, registry: RegistryRef, log: note.NoteVerifier) -> None:
        self.registry: Final = registry
        self.keys: Final = KeySet()
        self.account: str = ""
        self.genesis: str = ""
        self._log = log
        self._known: dict[str, AccountKey] = {}
        self._last = -1

    @classmethod
    def verify(cls, evidence: Sequence[Evidence], registry: RegistryRef, log: note.NoteVerifier) -> KeyHistory:
        """Return the history that ``evidence`` proves; it begins with the genesis.

        Raises ``VerificationError`` where a statement is not in the log, out of order, of another account or registry,
        or not signed as semantics 1 asks.
        """
        if not 0 < len(evidence) <= MAX_STATEMENTS:
            raise VerificationError(f"expected 1 to {MAX_STATEMENTS} key statements, got {len(evidence)}")
        history = cls(registry, log)
        for each in evidence:
            history.add(each)
        return history

    def add(self, evidence: Evidence) -> Logged:
        """Return where the next key statement is in the log, once it holds and has taken effect."""
        logged = verify_logged(evidence, self._log)
        if logged.index <= self._last:
            raise VerificationError(f"expected key statements in log order, got {logged.index} after {self._last}")
        if evidence.envelope.kind == "key-revoke":
            self._revoke(evidence, logged)
        else:
            self._register(evidence, logged)
        self._last = logged.index
        return logged

    def standing(self, keyid: str, logged: Logged) -> Standing:
        """Return what key ``keyid`` could do where ``logged`` stands; ``VerificationError`` if nothing."""
        key = self._known.get(keyid)
        if key is None or key.index >= logged.index:
            raise VerificationError(f"expected a key of {self.account} at log index {logged.index}, got {keyid}")
        if key.key_class == "delegate":
            raise VerificationError(f"expected a delegation beside the delegate key {keyid}, got none")
        if key.revoked_from is not None and key.revoked_from <= logged.index:
            return Standing(keyid, True, f"revoked from log index {key.revoked_from}")
        if key.key_class == "recovered" and _within(key.time, logged.time, RECOVERED_FOR):
            return Standing(keyid, True, f"recovered at {key.time}, less than 7 days before")
        return Standing(keyid, False, f"registered at log index {key.index}")

    def _register(self, evidence: Evidence, logged: Logged) -> None:
        envelope = evidence.envelope
        payload = envelopes.read_as(KeyRegister, envelope)
        keyid = self.keys.learn(payload.key)
        if not self._known:
            if payload.genesis is not None or payload.key_class != "root":
                raise VerificationError("expected a key history that begins with a genesis, got a later key")
            envelopes.open_as(KeyRegister, envelope, [keyid], self.keys)
            self.account, self.genesis = payload.account, envelope.payload_digest
        else:
            envelopes.open_as(KeyRegister, envelope, [keyid, self._root(envelope, 1, logged)], self.keys)
            if payload.genesis != self.genesis:
                raise VerificationError(f"genesis: expected {self.genesis}, got {payload.genesis}")
        self._same(payload.account, payload.registry)
        if keyid in self._known:
            raise VerificationError(f"expected each key to be registered once, got {keyid} twice")
        self._known[keyid] = AccountKey(keyid, payload.key_class, logged.index, logged.time)

    def _revoke(self, evidence: Evidence, logged: Logged) -> None:
        envelope = evidence.envelope
        payload = envelopes.open_as(KeyRevoke, envelope, [self._root(envelope, 0, logged)], self.keys)
        self._same(payload.account, payload.registry)
        if payload.genesis != self.genesis or payload.keyid not in self._known:
            raise VerificationError(f"expected the revocation of a key of {self.account}, got {payload.keyid}")
        start = logged.index if payload.from_index is None else min(payload.from_index, logged.index)
        key = self._known[payload.keyid]
        key.revoked_from = start if key.revoked_from is None else min(start, key.revoked_from)

    def _root(self, envelope: envelopes.Envelope, place: int, logged: Logged) -> str:
        """The live root key that the envelope names at ``place`` of its signatures."""
        keyid = envelope.signatures[place].keyid if place < len(envelope.signatures) else "nobody"
        if keyid not in self._known or self.standing(keyid, logged).only_tighten:
            raise VerificationError(f"expected a signature by a live root key of {self.account}, got {keyid}")
        return keyid

    def _same(self, account: str, registry: RegistryRef) -> None:
        if registry != self.registry:
            raise VerificationError(f"expected a key at the registry {self.registry.origin}, got {registry.origin}")
        if account != self.account:
            raise VerificationError(f"expected a key of {self.account}, got one of {account}")


def _within(start: str, end: str, span: timedelta) -> bool:
    return times.from_text(end) - times.from_text(start) < span
