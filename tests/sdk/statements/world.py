"""A whole registry in memory, the same on every machine: keys from names, fixed times, a log with proofs."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from licet import identifiers
from licet.canonical import to_base64
from licet.log import checkpoint as checkpoints
from licet.log import entry as entries
from licet.log import merkle, note, tiles
from licet.log import proof as proofs
from licet.statements import envelope as envelopes
from licet.statements import key_list, kinds
from licet.statements.consent import draft_consent
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey
from licet.statements.trust import Trust, is_key_statement
from licet.statements.works import grown, works_scope
from licet.terms import Price, Terms, preset
from licet.wire.common import KeyEvidence, Receipt, StatementFile
from tests.sdk.statements.passkey import Authenticator, sealed

SIGNED_AT = "2026-11-22T12:00:00.000Z"
PAID = preset("paid", Price(model="per-training-run", amount="0.05", currency="USD"))


def key(name: str) -> SigningKey:
    """Return the key called ``name``: its seed is the digest of the name."""
    return SigningKey.from_seed(sha256(f"test key {name}".encode()).digest())


def identifier(kind: str, number: int) -> str:
    """Return the ``number``-th identifier of ``kind``."""
    return identifiers.from_uuid(kind, UUID(int=(7 << 76) | (2 << 62) | number))


class Log:
    """The log of one registry: entries in order, the tree over them, checkpoints signed by its key."""

    def __init__(self, origin: str, signer: SigningKey) -> None:
        self.signer = note.Signer(origin, signer.seed)
        self.origin = origin
        self._entries: list[bytes] = []
        self._salts: list[bytes | None] = []
        self._envelopes: list[Envelope] = []

    def add(self, envelope: Envelope, minute: int | None = None, kind: str | None = None) -> int:
        """Return the index under which the log took ``envelope`` (one entry a minute)."""
        index = len(self._entries)
        at = index if minute is None else minute
        kind = kind or envelope.kind
        public = kind in entries.PUBLIC_KINDS
        salt = None if public else sha256(f"salt {self.origin} {index}".encode()).digest()
        commitment = entries.commitment(kind, salt, envelopes.encode(envelope))
        time = f"2026-12-{1 + at // 1440:02d}T{at % 1440 // 60:02d}:{at % 60:02d}:00.000Z"
        self._entries.append(entries.encode(entries.Entry(1, kind, time, commitment)))
        self._salts.append(salt)
        self._envelopes.append(envelope)
        return index

    def proof(self, index: int, *more: note.NoteSigner, extra: bytes = b"") -> str:
        """Return the proof of entry ``index`` in the log as it is now."""
        tree = merkle.Tree(merkle.leaf_hash(entry) for entry in self._entries)
        state = checkpoints.Checkpoint(self.origin, tree.size, tree.root)
        text = checkpoints.sign(state, self.signer, *more)
        return proofs.encode(proofs.Proof(index, tuple(tree.inclusion_proof(index)), text, extra))

    def evidence(self, index: int) -> KeyEvidence:
        """Return the statement at ``index`` with everything that proves it."""
        salt = self._salts[index]
        return KeyEvidence(
            self._envelopes[index],
            None if salt is None else to_base64(salt),
            to_base64(self._entries[index]),
            self.proof(index),
        )

    def published(self, *signers: note.NoteSigner) -> dict[str, bytes]:
        """Return what the log publishes: checkpoint, tiles and entry bundles, and the list of the registry's keys."""
        leaves = [merkle.leaf_hash(entry) for entry in self._entries]
        state = checkpoints.Checkpoint(self.origin, len(leaves), merkle.root(leaves))
        files = {"checkpoint": checkpoints.sign(state, *(signers or (self.signer,))).encode()}
        for start in range(0, len(leaves), tiles.WIDTH):
            some = self._entries[start : start + tiles.WIDTH]
            files[tiles.entries_path(start // tiles.WIDTH, len(some))] = tiles.encode_bundle(some)
        files |= {tile.path: content for tile, content in tiles.extend(0, leaves, lambda *_: b"")}
        placed = [key_list.Placed(at, each) for at, each in enumerate(self._envelopes) if is_key_statement(each)]
        return {**files, "keys": key_list.encode(placed)}

    def receipt(self, index: int, name: str) -> Receipt:
        """Return the receipt for the statement at ``index``."""
        proven = self.evidence(index)
        return Receipt(name, proven.envelope.kind, index, proven.entry, proven.salt, proven.proof)


class Registry:
    """A registry with its four working keys in its log, and whoever signs at it."""

    PURPOSES = ("log", "snapshot", "licence", "office")

    def __init__(self, name: str = "one") -> None:
        self.name = name
        self.origin = f"registry.example/{name}"
        self.root = key(f"{name} root")
        self.working = {purpose: key(f"{name} {purpose}") for purpose in self.PURPOSES}
        self.ref = kinds.RegistryRef(self.origin, self.root.keyid)
        self.trust = Trust(self.origin, self.root.public.hex())
        self.log = Log(self.origin, self.working["log"])
        self.key_indices = [self.name_key(purpose, self.working[purpose]) for purpose in self.PURPOSES]

    def name_key(
        self, purpose: str, working: SigningKey, *, signer: SigningKey | None = None, valid_until: str | None = None
    ) -> int:
        """Log a registry-key statement and return its index."""
        payload = kinds.RegistryKey(
            self.ref,
            purpose,  # type: ignore[arg-type]
            kinds.PublicKey(working.public.hex()),
            "2026-01-01T00:00:00.000Z",
            valid_until,
        )
        return self.log.add(envelopes.seal(payload, signer or self.root))

    def end_key(self, keyid: str, reason: str = "retired", *, signer: SigningKey | None = None) -> int:
        """Log the end of a working key and return its index."""
        payload = kinds.RegistryKeyRevoke(self.ref, keyid, reason, SIGNED_AT)  # type: ignore[arg-type]
        return self.log.add(envelopes.seal(payload, signer or self.root))

    def keys(self) -> list[KeyEvidence]:
        """Return the evidence of the registry's keys."""
        return [self.log.evidence(index) for index in self.key_indices]

    def file(self, index: int, *key_statements: int) -> StatementFile:
        """Return the statement file of ``index`` with the registry's keys and these key statements."""
        proven = self.log.evidence(index)
        history = [self.log.evidence(each) for each in key_statements]
        return StatementFile(proven.envelope, proven.salt, proven.entry, proven.proof, [*self.keys(), *history])


def _public(key: SigningKey | Authenticator) -> kinds.AnyKey:
    return key.passkey if isinstance(key, Authenticator) else kinds.PublicKey(key.public.hex())


class Account:
    """An artist or organisation at a registry, with one root key."""

    def __init__(self, registry: Registry, name: str, kind: str = "artist", first: Authenticator | None = None) -> None:
        self.registry = registry
        self.name = name
        self.key = key(name)
        prefix = "art" if kind == "artist" else "org"
        self.id = identifier(prefix, int.from_bytes(sha256(name.encode()).digest()[:4], "big"))
        self.kind = kind
        self.genesis = ""
        envelope = sealed(self.register(first or self.key), first or self.key)
        self.genesis = envelope.payload_digest
        self.genesis_index = registry.log.add(envelope)

    def register(self, new: SigningKey | Authenticator, key_class: str = "root") -> kinds.KeyRegister:
        """Return the payload that registers ``new``; the first one is the genesis."""
        return kinds.KeyRegister(
            registry=self.registry.ref,
            account=self.id,
            kind=self.kind,  # type: ignore[arg-type]
            genesis=self.genesis or None,
            key=_public(new),
            key_class=key_class,  # type: ignore[arg-type]
            issued_at=SIGNED_AT,
            nonce=f"{self.name} {new.keyid[:8]}",
        )

    def rotate(self, replaces: str, new: SigningKey | Authenticator) -> kinds.KeyRotate:
        """Return the payload that puts ``new`` in the place of ``replaces``."""
        return kinds.KeyRotate(
            self.registry.ref, self.id, self.genesis, replaces, _public(new), SIGNED_AT, f"rotate {replaces[:8]}"
        )

    def delegate(self, keyid: str, *scope: str, **changes: Any) -> kinds.Delegation:
        """Return the payload that lets ``keyid`` sign statements of the kinds in ``scope`` for 30 days."""
        fields = {
            "scope": sorted(scope or ("consent",)),
            "limit": kinds.Limit(None, []),
            "valid_until": "2026-12-31T00:00:00.000Z",
            **changes,
        }
        return kinds.Delegation(
            registry=self.registry.ref,
            account=self.id,
            genesis=self.genesis,
            keyid=keyid,
            issued_at=SIGNED_AT,
            nonce=f"delegate {keyid[:8]}",
            **fields,
        )

    def revoke(self, keyid: str, from_index: int | None = None) -> kinds.KeyRevoke:
        """Return the payload that revokes ``keyid``."""
        return kinds.KeyRevoke(
            self.registry.ref, self.id, self.genesis, keyid, from_index, SIGNED_AT, f"revoke {keyid[:8]}"
        )

    def works(self, count: int = 3) -> list[kinds.WorkDigest]:
        """Return ``count`` works of this account."""
        return [
            kinds.WorkDigest(
                identifier("wrk", number), self.id, sha256(bytes([number])).hexdigest(), None, None, None, [], "upload"
            )
            for number in range(count)
        ]

    def consent(self, terms: Terms = PAID, **changes: object) -> kinds.Consent:
        """Return a first consent for three works, the same every time."""
        drafted, _ = draft_consent(
            registry=self.registry.ref,
            account=self.id,
            genesis=self.genesis,
            head_seq=0,
            head_digest=None,
            works=self.works(),
            terms=terms,
            old_terms=[],
            who=self.name,
        )
        fixed: dict[str, object] = {"issued_at": SIGNED_AT, "nonce": f"consent of {self.name}"}
        return msgspec.structs.replace(drafted, **(fixed | changes))

    def withdraw(self) -> kinds.WorkUpdate:
        """Return the withdrawal of the same works."""
        scope = self.consent().scope
        assert isinstance(scope, kinds.WorksScope)
        return kinds.WorkUpdate(self.registry.ref, self.id, self.genesis, scope, "withdraw", SIGNED_AT, "withdraw")

    def update(self) -> kinds.WorkUpdate:
        """Return the update that gives each of the same works another file."""
        before = sorted(self.works(), key=lambda work: work.work)
        after = [grown(work, kinds.FileDigest(work.sha256[::-1], None, None), []) for work in before if work.sha256]
        root = works_scope(before).root
        scope = works_scope(after)
        return kinds.WorkUpdate(
            self.registry.ref, self.id, self.genesis, scope, "keys", SIGNED_AT, "update", before=root
        )

    def licence(self) -> kinds.Licence:
        """Return a licence without works, as far as signatures care."""
        use = kinds.Use(["train-gen"], ["commercial"], None, "acme/lantern", "2", "one-version", False)
        return kinds.Licence(
            registry=self.registry.ref,
            licence=identifier("lic", 1),
            organisation=self.id,
            genesis=self.genesis,
            quote="0" * 64,
            use=use,
            dataset=None,
            run="1",
            count=0,
            root=merkle.EMPTY_ROOT.hex(),
            terms=[],
            totals=[],
            budget=[],
            fee_bps=1000,
            issued_at=SIGNED_AT,
            valid_until=None,
            nonce="0" * 64,
        )
