"""An account's keys through time: who could sign for it at which log index (semantics 1 to 3), proven by the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from licet.errors import VerificationError
from licet.statements.evidence import Evidence, Logged, verify_logged
from licet.statements.keyring import Keyring, Standing
from licet.statements.trust import RegistryKeys

MAX_STATEMENTS: Final = 1024


class KeyHistory(Keyring):
    """The keys of one account, proven from its key statements in log order."""

    def __init__(self, registry: RegistryKeys) -> None:
        super().__init__(registry)
        self._log = registry.log
        self._last = -1

    @classmethod
    def verify(cls, evidence: Sequence[Evidence], registry: RegistryKeys) -> KeyHistory:
        """Return the history that ``evidence`` proves; it begins with the genesis.

        Raises ``VerificationError`` where a statement is not in the log, out of order, of another account or registry,
        or not signed as semantics 1 asks.
        """
        if not 0 < len(evidence) <= MAX_STATEMENTS:
            raise VerificationError(f"expected 1 to {MAX_STATEMENTS} key statements, got {len(evidence)}")
        history = cls(registry)
        for each in evidence:
            history.add(each)
        return history

    def add(self, evidence: Evidence) -> Logged:
        """Return where the next key statement is in the log, once it holds and has taken effect."""
        logged = verify_logged(evidence, self._log)
        if logged.index <= self._last:
            raise VerificationError(f"expected key statements in log order, got {logged.index} after {self._last}")
        self.take(evidence.envelope, logged.index, logged.time)
        self._last = logged.index
        return logged

    def standing_at(self, keyid: str, logged: Logged) -> Standing:
        """Return what key ``keyid`` could do where ``logged`` stands; ``VerificationError`` if nothing."""
        return self.standing(keyid, logged.index, logged.time)
