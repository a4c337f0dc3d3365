"""Who can sign for one account, and what: the rules of semantics 1 to 3, applied statement by statement in log order.

The verifier and the registry hold key statements to these same rules: the verifier (``licet.statements.history``) with
the places that the log proves, the registry with the place that comes next.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from licet import times
from licet.errors import InputError, VerificationError
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope
from licet.statements.keys import KeySet, keyid_of
from licet.statements.kinds import Delegation, KeyRegister, KeyRevoke, KeyRotate, RegistryRef

RECOVERED_FOR: Final = timedelta(days=7)
DELEGATED_FOR: Final = timedelta(days=90)
KEY_KINDS: Final = frozenset({"key-register", "key-rotate", "key-revoke", "delegation"})
DELEGABLE: Final = frozenset({"consent", "work-update", "licence", "dataset-manifest", "run", "usage-batch"})


KeyStatement = KeyRegister | KeyRotate | KeyRevoke | Delegation


class Office(Protocol):
    """The registry's office through time (``licet.statements.trust.RegistryKeys``): it recovers and attests."""

    @property
    def ref(self) -> RegistryRef: ...
    @property
    def keys(self) -> KeySet: ...
    def is_office(self, keyid: str, index: int, time: str) -> bool: ...


class AccountKey(msgspec.Struct):
    """One key of the account. ``revoked_from`` is the log index from which its statements may only tighten;
    ``delegation`` the last one for it, taken at log index ``delegated``."""

    keyid: str
    key: kinds.AnyKey
    key_class: str
    index: int
    time: str
    revoked_from: int | None = None
    delegation: Delegation | None = None
    delegated: int = -1


class Standing(msgspec.Struct, frozen=True):
    """What a key may do at one place in the log: everything, only tighten, or what ``delegation`` names; and why."""

    keyid: str
    only_tighten: bool
    why: str
    delegation: Delegation | None = None


class Keyring:
    """The keys of one account as its statements, taken in log order, have made them.

    ``account`` and ``genesis`` are empty before the first. ``head`` is the payload digest of the last statement,
    ``taken`` how many there were, ``unlinked`` how many behind the genesis do not name the one in front. ``keys``
    knows every key that ever signed for it; ``office`` is who attests and recovers at its registry.
    """

    def __init__(self, office: Office) -> None:
        self.keys: Final = KeySet()
        self.account: str = ""
        self.genesis: str = ""
        self.kind: str = ""
        self.office: Final = office
        self.head: str = ""
        self.taken: int = 0
        self.unlinked: int = 0
        self._known: dict[str, AccountKey] = {}

    def __contains__(self, keyid: object) -> bool:
        return keyid in self._known

    def __getitem__(self, keyid: str) -> AccountKey:
        return self._known[keyid]

    @property
    def roots(self) -> list[str]:
        """The keys that may do everything and were not ended, a recovered one within its 7 days among them."""
        return [
            each.keyid
            for each in self._known.values()
            if each.key_class in {"root", "recovered"} and each.revoked_from is None
        ]

    def take(self, envelope: Envelope, index: int, time: str) -> KeyStatement:
        """Return the payload of the next key statement, in force from log index ``index`` and ``time`` on.

        Raises ``MalformedError`` for what does not parse, ``VerificationError`` for what is not signed or not allowed
        as semantics 1 to 3 ask; then nothing has changed. With ``follows``, the head, in its details where the
        statement names another one in front of it.
        """
        payload = self._take(envelope, index, time)
        self.unlinked += self.taken > 0 and payload.prev is msgspec.UNSET
        self.head, self.taken = envelope.payload_digest, self.taken + 1
        return payload

    @property
    def links(self) -> str:
        """How far the history shows that nothing in it is left out, in words."""
        if self.taken == 1:
            return "1 statement"
        if not self.unlinked:
            return f"{self.taken} statements, each naming the one before it"
        return f"{self.taken} statements, {self.unlinked} of them without naming the one before"

    def _take(self, envelope: Envelope, index: int, time: str) -> KeyStatement:
        if envelope.kind == "key-register":
            return self._register(envelope, index, time)
        if envelope.kind == "key-rotate":
            return self._rotate(envelope, index, time)
        if envelope.kind == "key-revoke":
            return self._revoke(envelope, index, time)
        if envelope.kind == "delegation":
            return self._delegate(envelope, index, time)
        raise VerificationError(f"expected one of {', '.join(sorted(KEY_KINDS))}, got a {envelope.kind}")

    def standing(self, keyid: str, index: int, time: str) -> Standing:
        """Return what key ``keyid`` could do at this place; raises ``VerificationError`` if nothing."""
        key = self._known.get(keyid)
        if key is None:
            if self.account and self.office.is_office(keyid, index, time):
                return Standing(keyid, True, f"attested by the registry: {self.account} asked for it in a session")
            raise VerificationError(f"expected a key of {self.account} at log index {index}, got {keyid}")
        if key.index >= index:
            raise VerificationError(f"expected a key of {self.account} at log index {index}, got {keyid}")
        revoked = key.revoked_from is not None and key.revoked_from <= index
        if key.key_class == "delegate":
            return self._delegated(key, index, time, revoked=revoked)
        if revoked:
            return Standing(keyid, True, f"revoked from log index {key.revoked_from}")
        if key.key_class == "recovered":
            if _passed(key.time, time) < RECOVERED_FOR:
                return Standing(keyid, True, f"recovered at {key.time}, less than 7 days before")
            return Standing(keyid, False, f"registered by recovery at log index {key.index}")
        return Standing(keyid, False, f"registered at log index {key.index}")

    def _delegated(self, key: AccountKey, index: int, time: str, *, revoked: bool) -> Standing:
        given = key.delegation
        if given is None or key.delegated >= index:
            raise VerificationError(f"expected a delegation beside the delegate key {key.keyid}, got none")
        if time >= given.valid_until:
            raise VerificationError(
                f"expected a delegation that is in force at {time}, got one until {given.valid_until}"
            )
        why = f"a delegate until {given.valid_until} under the delegation at log index {key.delegated}"
        if revoked:
            why = f"revoked from log index {key.revoked_from}"
        return Standing(key.keyid, revoked, why, given)

    def _register(self, envelope: Envelope, index: int, time: str) -> KeyRegister:
        payload = envelopes.read_as(KeyRegister, envelope)
        keyid = keyid_of(payload.key)
        fresh = KeySet()
        fresh.learn(payload.key)
        if not self.genesis:
            self._found(envelope, payload, keyid, fresh, index, time)
            return payload
        if payload.key_class == "attested":
            raise VerificationError("expected a key of its own after the genesis, got class attested")
        self._same(payload)
        second = self._office_at(envelope, 1, index, time) if payload.key_class == "recovered" else None
        signers = [keyid, second or self._root(envelope, 1, index, time)]
        if payload.kind != self.kind:
            raise VerificationError(f"kind: expected {self.kind}, got {payload.kind}")
        self._unknown(keyid)
        envelopes.open_as(KeyRegister, envelope, signers, self.keys | self.office.keys | fresh)
        self._add(payload.key, keyid, payload.key_class, index, time)
        return payload

    def _found(
        self, envelope: Envelope, payload: KeyRegister, keyid: str, fresh: KeySet, index: int, time: str
    ) -> None:
        """Take the genesis: signed by the key itself, or by the office for an account without a key of its own."""
        if payload.genesis is not None or payload.key_class not in {"root", "attested"}:
            raise VerificationError("expected a key history that begins with a genesis, got a later key")
        if payload.prev is not msgspec.UNSET:
            raise VerificationError("prev: expected none in a genesis, which has nothing in front of it, got one")
        if payload.registry != self.office.ref:
            raise _elsewhere(self.office.ref, payload.registry)
        attested = payload.key_class == "attested"
        if attested and not self.office.is_office(keyid, index, time):
            raise VerificationError(f"expected an attested account with the registry's office key, got {keyid}")
        if not attested:
            self._unknown(keyid)
        envelopes.open_as(KeyRegister, envelope, [keyid], fresh)
        self.account, self.genesis, self.kind = payload.account, envelope.payload_digest, payload.kind
        if not attested:
            self._add(payload.key, keyid, payload.key_class, index, time)

    def _rotate(self, envelope: Envelope, index: int, time: str) -> KeyRotate:
        payload = envelopes.read_as(KeyRotate, envelope)
        self._same(payload)
        keyid = keyid_of(payload.key)
        fresh = KeySet()
        fresh.learn(payload.key)
        self._unknown(keyid)
        replaced = self._of_account(payload.replaces, "replaces")
        if replaced.key_class == "delegate" or self.standing(payload.replaces, index, time).only_tighten:
            raise VerificationError(f"replaces: expected a live root key of {self.account}, got {payload.replaces}")
        signers = [keyid, self._root(envelope, 1, index, time)]
        envelopes.open_as(KeyRotate, envelope, signers, self.keys | fresh)
        self._add(payload.key, keyid, "root", index, time)
        replaced.revoked_from = index
        return payload

    def _revoke(self, envelope: Envelope, index: int, time: str) -> KeyRevoke:
        payload = envelopes.read_as(KeyRevoke, envelope)
        self._same(payload)
        key = self._of_account(payload.keyid, "keyid")
        envelopes.open_as(KeyRevoke, envelope, [self._root(envelope, 0, index, time)], self.keys)
        start = index if payload.from_index is None else min(payload.from_index, index)
        key.revoked_from = start if key.revoked_from is None else min(start, key.revoked_from)
        return payload

    def _delegate(self, envelope: Envelope, index: int, time: str) -> Delegation:
        payload = envelopes.read_as(Delegation, envelope)
        self._same(payload)
        key = self._of_account(payload.keyid, "keyid")
        if key.key_class != "delegate" or key.revoked_from is not None:
            raise VerificationError(f"keyid: expected a live delegate key of {self.account}, got {payload.keyid}")
        if not payload.scope or payload.scope != sorted(set(payload.scope)) or not set(payload.scope) <= DELEGABLE:
            raise VerificationError(
                f"scope: expected some of {', '.join(sorted(DELEGABLE))}, sorted, each once, got {payload.scope!r:.200}"
            )
        lasts = _time(payload.valid_until, "valid_until") - times.from_text(time)
        if not timedelta(0) < lasts <= DELEGATED_FOR:
            raise VerificationError(f"valid_until: expected at most 90 days after {time}, got {payload.valid_until}")
        if payload.limit.works is not None and payload.limit.works < 0:
            raise VerificationError(f"limit.works: expected 0 or more, got {payload.limit.works}")
        currencies = [each.currency for each in payload.limit.budget]
        if currencies != sorted(set(currencies)) or any(each.amount < 0 for each in payload.limit.budget):
            raise VerificationError("limit.budget: expected one amount of 0 or more a currency, sorted, got another")
        envelopes.open_as(Delegation, envelope, [self._root(envelope, 0, index, time)], self.keys)
        key.delegation, key.delegated = payload, index
        return payload

    def _add(self, key: kinds.AnyKey, keyid: str, key_class: str, index: int, time: str) -> None:
        self.keys.learn(key)
        self._known[keyid] = AccountKey(keyid, key, key_class, index, time)

    def _unknown(self, keyid: str) -> None:
        if keyid in self._known:
            raise VerificationError(f"expected each key to be registered once, got {keyid} twice")
        if keyid in self.office.keys or keyid == self.office.ref.key:
            raise VerificationError(f"expected a key of {self.account or 'the account'} alone, got one of the registry")

    def _of_account(self, keyid: str, field: str) -> AccountKey:
        key = self._known.get(keyid)
        if key is None:
            raise VerificationError(f"{field}: expected a key of {self.account}, got {keyid!r:.80}")
        return key

    def _root(self, envelope: Envelope, place: int, index: int, time: str) -> str:
        """The live root key that the envelope names at ``place`` of its signatures."""
        keyid = _named(envelope, place)
        key = self._known.get(keyid)
        if key is None or key.key_class == "delegate" or self.standing(keyid, index, time).only_tighten:
            raise VerificationError(f"expected a signature by a live root key of {self.account}, got {keyid}")
        return keyid

    def _office_at(self, envelope: Envelope, place: int, index: int, time: str) -> str:
        keyid = _named(envelope, place)
        if not self.office.is_office(keyid, index, time):
            raise VerificationError(f"expected a recovery that the registry's office has signed, got {keyid}")
        return keyid

    def _same(self, payload: KeyStatement) -> None:
        if not self.genesis:
            raise VerificationError("expected a key history that begins with a genesis, got a later statement")
        if payload.registry != self.office.ref:
            raise _elsewhere(self.office.ref, payload.registry)
        if payload.account != self.account:
            raise VerificationError(f"expected a key of {self.account}, got one of {payload.account}")
        if payload.genesis != self.genesis:
            raise VerificationError(f"genesis: expected {self.genesis}, got {payload.genesis}")
        if payload.prev is not msgspec.UNSET and payload.prev != self.head:
            raise VerificationError(
                f"prev: expected {self.head}, the key statement in front of this one, got {payload.prev:.80}: "
                f"one is left out between them",
                follows=self.head,
            )


def _elsewhere(expected: RegistryRef, got: RegistryRef) -> VerificationError:
    return VerificationError(f"expected a key at the registry {expected.origin}, got {got.origin}")


def _named(envelope: Envelope, place: int) -> str:
    return envelope.signatures[place].keyid if place < len(envelope.signatures) else "nobody"


def _time(text: str, field: str) -> datetime:
    try:
        return times.from_text(text, field)
    except InputError as error:
        raise VerificationError(error.message) from None


def _passed(start: str, end: str) -> timedelta:
    return times.from_text(end) - times.from_text(start)
