"""What a verifier pins of a registry, and the working keys that follow from it.

Only the log origin and the offline root key are trusted. Every other key is named by a ``registry-key`` statement that
the root signed and the log holds; a key signs for the one purpose that its statement names, from its place in the log
to that of the ``registry-key-revoke`` that ends it. Several keys of one purpose may be in force side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from licet.errors import MalformedError, VerificationError
from licet.log import cosignature, note
from licet.log.entry import REGISTRY_KEY_KINDS
from licet.log.keys import LogKeys, Span
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.evidence import Evidence, claimed_index, verify_logged
from licet.statements.keys import KeySet, key_id, public_key
from licet.statements.kinds import PublicKey, RegistryKey, RegistryKeyRevoke, RegistryRef

Purpose = Literal["log", "snapshot", "licence", "office", "cosignature"]
MAX_KEYS: Final = 1024  # statements about keys


class Trust(msgspec.Struct, frozen=True):
    """A pinned registry: its log origin and its 32-byte root public key in hex."""

    origin: str
    root: str

    @property
    def ref(self) -> RegistryRef:
        """The registry as payloads name it; raises ``MalformedError`` for a root that is no usable key."""
        return RegistryRef(self.origin, key_id(public_key(self.root, "root")))


class WorkingKey(msgspec.Struct, frozen=True):
    """A key that the root named for one purpose, for what stands between log indices ``index`` and ``ended``."""

    purpose: Purpose
    keyid: str
    index: int
    valid_from: str
    valid_until: str | None
    ended: int | None = None
    reason: Literal["retired", "compromised"] | None = None

    def why_not(self, index: int, time: str) -> str | None:
        """Return why this key does not sign for what the log took at ``index`` and ``time``; None if it does."""
        if self.index >= index:
            return f"it was named at log index {self.index}"
        if self.ended is not None and index >= self.ended:
            return f"it was {'revoked' if self.reason == 'compromised' else 'retired'} at log index {self.ended}"
        if time < self.valid_from or (self.valid_until is not None and time >= self.valid_until):
            return f"it is valid from {self.valid_from} until {self.valid_until or 'further notice'}"
        return None


class RegistryKeys:
    """A registry's working keys, in log order. ``anchored`` says whether a pinned root vouches for them."""

    def __init__(
        self, ref: RegistryRef, log: LogKeys, keys: KeySet, lines: Sequence[WorkingKey], *, anchored: bool
    ) -> None:
        self.ref: Final = ref
        self.log: Final = log
        self.keys: Final = keys
        self.lines: Final = tuple(lines)
        self.anchored: Final = anchored
        self.last: Final = max(
            (max(line.index, -1 if line.ended is None else line.ended) for line in self.lines), default=-1
        )

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
        """Return the key id named last for ``purpose`` and not ended; ``VerificationError`` if there is none."""
        for line in reversed(self.lines):
            if line.purpose == purpose and line.ended is None:
                return line.keyid
        raise VerificationError(f"expected a registry key for {purpose}, got none")

    def is_office(self, keyid: str, index: int, time: str) -> bool:
        """Whether ``keyid`` is the office's at this place in the log: only that one attests and recovers."""
        return any(
            line.purpose == "office" and line.keyid == keyid and line.why_not(index, time) is None
            for line in self.lines
        )

    def signer(self, purpose: Purpose, index: int, time: str, envelope: Envelope | None = None) -> str:
        """Return the key id that may sign for ``purpose`` what the log took at ``index`` and ``time``.

        Of several the one that says to have signed ``envelope``, else the newest. Raises ``VerificationError`` if none
        is in force there, and why the one that says to have signed is not.
        """
        claimed = {each.keyid for each in envelope.signatures} if envelope else set()
        live: WorkingKey | None = None
        known = None
        for line in self.lines:
            if line.purpose != purpose:
                continue
            why = line.why_not(index, time)
            known = (line, why) if why and line.keyid in claimed else known
            if why is None:
                if line.keyid in claimed:
                    return line.keyid
                live = line
        if known is not None:
            line, why = known
            raise VerificationError(
                f"expected a registry key for {purpose} that is in force at log index {index}, got {line.keyid}: {why}"
            )
        if live is None:
            named = [line for line in self.lines if line.purpose == purpose and line.index < index]
            if not named:
                raise VerificationError(f"expected a registry key for {purpose} before log index {index}, got none")
            raise VerificationError(
                f"expected a registry key for {purpose} that is valid at {time}, "
                f"got one of which {named[-1].why_not(index, time)}"
            )
        return live.keyid


def verify_registry_keys(trust: Trust | None, evidence: Sequence[Evidence]) -> RegistryKeys:
    """Return the working keys that ``evidence`` (the registry's key statements in log order) proves under ``trust``.

    Without ``trust`` the root's signatures cannot be checked: everything else must hold, and the result is not
    ``anchored``. Raises ``VerificationError`` for a key of another registry, a statement that another key than the root
    signed, one that is not in the log, a key that is named twice, the end of a key that was not named or has ended, and
    if no log key is named.
    """
    statements = read_key_statements(trust, [each.envelope for each in evidence])
    indices = [claimed_index(each) for each in evidence]
    # Where each stands is what the proofs claim until they are checked, each under a key that then counts.
    keys = placed_keys(statements, indices, anchored=trust is not None)
    last = -1
    for each, claimed in zip(evidence, indices, strict=True):
        logged = verify_logged(each, keys.log)
        if logged.index != claimed or logged.index <= last:
            raise VerificationError(f"expected registry keys in log order, got index {logged.index} after {last}")
        last = logged.index
    return keys


def read_key_statements(
    trust: Trust | None, envelopes_in_order: Sequence[Envelope]
) -> list[RegistryKey | RegistryKeyRevoke]:
    """Return what these envelopes say, each signed by the root of ``trust`` and meant for one registry, that of
    ``trust``; their places in the log are not looked at. Raises ``VerificationError`` and ``MalformedError``."""
    if not 0 < len(envelopes_in_order) <= MAX_KEYS:
        raise VerificationError(f"expected 1 to {MAX_KEYS} registry keys, got {len(envelopes_in_order)}")
    root = KeySet([public_key(trust.root, "root")]) if trust else KeySet()
    statements: list[RegistryKey | RegistryKeyRevoke] = []
    for envelope in envelopes_in_order:
        schema: type[RegistryKey | RegistryKeyRevoke] = (
            RegistryKeyRevoke if envelope.kind == "registry-key-revoke" else RegistryKey
        )
        statement = envelopes.read_as(schema, envelope)
        ref = trust.ref if trust else (statements[0].registry if statements else statement.registry)
        if statement.registry != ref:
            raise VerificationError(
                f"expected a key of the registry {ref.origin} ({ref.key}), "
                f"got one of {statement.registry.origin} ({statement.registry.key})"
            )
        if trust:
            envelopes.open_as(schema, envelope, [ref.key], root)
        statements.append(statement)
    return statements


def placed_keys(
    statements: Sequence[RegistryKey | RegistryKeyRevoke], indices: Sequence[int], *, anchored: bool
) -> RegistryKeys:
    """Return the keys that ``statements`` name and end, each at its place in the log; raises as
    `verify_registry_keys` does for what contradicts itself."""
    ref = statements[0].registry
    lines: dict[str, WorkingKey] = {}
    publics: dict[str, bytes] = {}
    keys = KeySet()
    for statement, index in zip(statements, indices, strict=True):
        if isinstance(statement, RegistryKeyRevoke):
            line = lines.get(statement.keyid)
            if line is None or line.ended is not None:
                raise VerificationError(
                    f"expected the end of a key that is in force, got that of {statement.keyid:.80}, which "
                    f"{'was not named' if line is None else 'has ended'}"
                )
            lines[statement.keyid] = msgspec.structs.replace(line, ended=index, reason=statement.reason)
            continue
        keyid, public = _named(statement)
        if keyid == ref.key or keyid in lines:
            other = "the root" if keyid == ref.key else lines[keyid].purpose
            raise VerificationError(
                f"expected a different key for each purpose, got {keyid} of {other} for {statement.purpose} too"
            )
        if isinstance(statement.key, PublicKey):
            keys.add(public)
        publics[keyid] = public
        lines[keyid] = WorkingKey(statement.purpose, keyid, index, statement.valid_from, statement.valid_until)
    log = _log_keys(ref.origin, list(lines.values()), publics)
    return RegistryKeys(ref, log, keys, list(lines.values()), anchored=anchored)


def is_key_statement(envelope: Envelope) -> bool:
    """Whether ``envelope`` is about the registry's own keys."""
    return envelope.kind in REGISTRY_KEY_KINDS


def _named(statement: RegistryKey) -> tuple[str, bytes]:
    """Return id and bytes of the key that ``statement`` names, of the algorithm that its purpose asks for."""
    if isinstance(statement.key, PublicKey) == (statement.purpose == "cosignature"):
        raise VerificationError(f"expected ml-dsa-44 for cosignature and ed25519 for all else, not {statement.purpose}")
    if isinstance(statement.key, PublicKey):
        public = public_key(statement.key.public, "key")
        return key_id(public), public
    try:
        public = bytes.fromhex(statement.key.public)
    except ValueError:
        public = b""
    if len(public) != cosignature.MLDSA44_PUBLIC_SIZE or public.hex() != statement.key.public:
        raise MalformedError(f"key: expected 2,624 lower-case hex digits, got {statement.key.public!r:.80}")
    return key_id(public), public


def _log_keys(origin: str, lines: Sequence[WorkingKey], publics: dict[str, bytes]) -> LogKeys:
    """Return the log's keys: a tree counts for a key if it holds the key's introduction and not its end.

    The log's first key counts from the empty tree on: nobody could have signed that otherwise.
    """
    spans: list[Span] = []
    unchecked: list[tuple[str, bytes]] = []
    for line in lines:
        public = publics[line.keyid]
        if line.purpose == "log":
            first = not any(not span.beside for span in spans)
            spans.append(Span(note.Verifier(origin, public), 0 if first else line.index + 1, line.ended))
        elif line.purpose == "cosignature" and cosignature.supported():
            verifier = cosignature.Verifier(origin, cosignature.MLDSA44, public)
            spans.append(Span(verifier, line.index + 1, line.ended, beside=True))
        elif line.purpose == "cosignature":
            unchecked.append((origin, note.key_id(origin, cosignature.MLDSA44, public)))
    return LogKeys(origin, spans, unchecked)
