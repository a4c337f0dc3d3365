"""Watching one's own works: each new snapshot is held to what this home signed and was acknowledged.

What can be found: a statement that a snapshot leaves out or is late with (shown to others as `licet.audit.omission`), a
work that is gone, terms in force that nobody here signed, keys and statements that this home does not know, a log that
shows somebody else another tree. What cannot: a statement that was never acknowledged, and use that nobody reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from licet.audit.omission import Covered, Omission, verify_omission
from licet.audit.replay import Replay
from licet.audit.seen import SeenCheckpoints
from licet.audit.whole_log import CHECKPOINT, Seen, consistency
from licet.canonical import to_base64
from licet.catalogue.coowned import coowned
from licet.catalogue.effects import false_effects
from licet.catalogue.forms import digest_form
from licet.catalogue.held import signed_here
from licet.catalogue.judging import Finding, Judge, Own, changes, of_keys
from licet.catalogue.remembering import Memory, keys_before, remember, remembered
from licet.catalogue.replays import Taken, replays
from licet.client import Client
from licet.client.keys import shown
from licet.errors import InputError, LicetError, ServiceError, VerificationError
from licet.index.pull import verify_manifest
from licet.index.state import StateProof, verify_state
from licet.index.store import Published, SnapshotStates, envelope_digest
from licet.index.store import Seen as SeenSnapshot
from licet.log import checkpoint as checkpoints
from licet.log import merkle
from licet.log.checkpoint import Checkpoint
from licet.log.policy import Policy
from licet.misfits import unlike
from licet.statements import kinds
from licet.statements.kinds import WorkDigest
from licet.statements.receipt import verify_receipt
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import RegistryKeys, Trust
from licet.statements.works import work_digest
from licet.terms import Terms, intern
from licet.wire.common import KeyEvidence, StatementFile
from licet.wire.works import StatementKept

AT_A_TIME: Final = 100  # works in one question
_ATTEMPTS: Final = 5  # a snapshot may be published between two questions


class Round(msgspec.Struct, frozen=True):
    """What one look found. ``notes`` are changes that are not wrong: claim level, contests."""

    sequence: int
    log_size: int
    works: int
    statements: int
    findings: list[Finding]
    notes: list[str]


class Monitor:
    """The works of one profile. ``look`` once, or again and again."""

    def __init__(self, client: Client, seen: SeenCheckpoints, rules: Policy | None = None) -> None:
        self._client = client
        self._seen = seen
        self._rules = rules
        self._profile = client.need_account()
        self._tiles: Final[dict[str, bytes]] = {}

    def look(self) -> Round:
        """Return what is wrong now. Raises ``VerificationError`` where the log or a manifest itself does not hold (with
        ``misconduct`` where that can be shown), ``ServiceError`` where the service does not answer."""
        keys = self._client.working_keys()
        memory = remembered(self._profile)
        own = list(self._own(keys))
        listed = self._listed()
        spoken = {work for each in own for work in each.kept.works}
        works = sorted(spoken | {work for work, (stated, _) in listed.items() if stated})
        restricted = {work for work, (_, shared) in listed.items() if shared}
        snapshot, states = self._states(works)
        newest = self._checkpoint(keys, memory)  # after the snapshot, which covers no more than was published by then
        manifest = verify_manifest(snapshot.envelope, snapshot.receipt, keys, seen=memory.snapshot)
        self._hold_log_root(keys, manifest, newest)
        findings, elsewhere = self._strangers(own)
        notes: list[str] = []
        account = self._profile.account
        assert account is not None

        def evidence(signed: Own, work: str) -> Omission | None:
            return self._evidence(signed, work, snapshot, states[work], keys) if work in states else None

        judge = Judge(manifest, own, elsewhere, evidence, self._terms_of(manifest, restricted, spoken - listed.keys()))
        for work in works:
            leaf = verify_state(states[work], manifest.state_root, manifest.works)
            findings += judge.of_work(work, leaf)
            notes += changes(work, leaf, memory.states)
        findings += judge.of_promises()
        findings += of_keys(self._client.keys(), account.keyid, {*memory.keys, *keys_before(self._profile)})
        findings += self._history(account.account)
        findings += self._unfindable(elsewhere=bool(elsewhere))
        memory.snapshot = SeenSnapshot(manifest.sequence, envelope_digest(snapshot.envelope))
        remember(self._profile, memory)
        return Round(manifest.sequence, manifest.log_size, len(works), len(own), findings, notes)

    # -- what is known here ------------------------------------------------------------------------------------

    def _own(self, keys: RegistryKeys) -> Iterator[Own]:
        for path in sorted(self._profile.statements.glob("*.json")):
            try:
                kept = msgspec.json.decode(path.read_bytes(), type=StatementKept)
            except OSError as error:
                raise InputError(f"{path}: cannot be read: {error.strerror}") from None
            except msgspec.MsgspecError as error:
                raise InputError(f"{path}: expected what was signed here, got {unlike(error)}") from None
            if path.stem == "genesis":
                continue
            index = verify_receipt(kept.receipt, kept.envelope, keys)
            yield Own(path.stem, index, kept, frozenset(kept.works))

    def _listed(self) -> dict[str, tuple[bool, bool]]:
        """Return the account's works: whether something is stated of each, and whether co-owners restrict it."""
        return {
            work.work: (work.statement is not None, bool(work.restricted)) for work in self._client.works(limit=None)
        }

    def _terms_of(self, manifest: kinds.Snapshot, restricted: set[str], elsewhere: set[str]) -> dict[str, Terms | None]:
        """Return what the snapshot says of works that others own, too: own ones that those restrict, and others' that
        this home signed for; None for those that are not shared any more, and for all where it is not to be had."""
        if not restricted and not elsewhere:
            return {}
        from licet.index import Index  # brings numpy

        shared = restricted | (elsewhere & {each.work.work for each in coowned(self._client)})
        if self._client.snapshot.pull().manifest != manifest:
            return dict.fromkeys(restricted | elsewhere)  # another one was published meanwhile: the next look tells
        index = Index(self._client.snapshot.open(allow_expired=True))
        found = {work: index.work(work) for work in shared}
        known = {work: intern(each.terms) for work, each in found.items() if each is not None}
        return {work: known.get(work) for work in restricted | elsewhere}

    # -- the log -----------------------------------------------------------------------------------------------

    def _read(self, name: str) -> bytes:
        return self._client.transport.request("GET", f"/log/{name}").body

    def _checkpoint(self, keys: RegistryKeys, memory: Memory) -> Checkpoint:
        """Return the newest checkpoint, once every other that this home has ever seen is of the same log."""
        note = self._read(CHECKPOINT)
        newest = checkpoints.open(note, keys.log)
        if self._rules is not None:
            self._rules.check(note, log=keys.log)
        known = self._seen.read(keys.log)
        self._seen.add([note.decode()], keys.log)
        self._tiles.clear()
        for each in _to_hold(known, memory):
            self._consistent(keys, each, Seen(newest, note.decode()))
        known = self._seen.read(keys.log)
        memory.held, memory.held_to = len(known), _digest_of(known)
        return newest

    def _tile(self, name: str) -> bytes:
        """Many proofs of one look are made from the same few tiles."""
        if name not in self._tiles:
            self._tiles[name] = self._read(name)
        return self._tiles[name]

    def _consistent(self, keys: RegistryKeys, first: Seen, second: Seen) -> None:
        from licet.audit.whole_log import hold_together

        hold_together(self._tile, keys.log, first, second)

    def _hold_log_root(self, keys: RegistryKeys, manifest: kinds.Snapshot, newest: Checkpoint) -> None:
        try:
            stated = Checkpoint(keys.log.name, manifest.log_size, bytes.fromhex(manifest.log_root))
        except ValueError:
            raise VerificationError("expected a log root in hex in the manifest, got other text") from None
        if stated.size > newest.size:
            raise VerificationError(
                f"expected a snapshot over at most the {newest.size} entries of the log, got one over {stated.size}"
            )
        consistency(self._read, keys.log, stated, newest)

    # -- the snapshot ------------------------------------------------------------------------------------------

    def _states(self, works: Sequence[str]) -> tuple[Published, dict[str, StateProof]]:
        """Return the newest manifest with what it says of each of ``works``: one manifest for all."""
        for _ in range(_ATTEMPTS):
            found: dict[str, StateProof] = {}
            snapshot: Published | None = None
            for at in range(0, max(1, len(works)), AT_A_TIME):
                answer = self._asked(works[at : at + AT_A_TIME])
                if snapshot is not None and snapshot.envelope != answer.snapshot.envelope:
                    break
                snapshot = answer.snapshot
                found |= {proof.work: proof for proof in answer.states}
            else:
                if snapshot is not None and set(works) <= set(found):
                    return snapshot, found
        raise ServiceError("expected what one snapshot says of each work, got something else again and again")

    def _asked(self, works: Sequence[str]) -> SnapshotStates:
        if not works:
            body = self._client.transport.request("GET", "/snapshots/latest").body
            try:
                return SnapshotStates(msgspec.json.decode(body, type=Published), [])
            except msgspec.MsgspecError as error:
                raise ServiceError(f"expected a snapshot manifest, got {unlike(error)}") from None
        path = "/snapshots/latest/states?" + "&".join(f"work={work}" for work in works)
        body = self._client.transport.request("GET", path).body
        try:
            return msgspec.json.decode(body, type=SnapshotStates)
        except msgspec.MsgspecError as error:
            raise ServiceError(f"expected the states of works, got {unlike(error)}") from None

    def _evidence(
        self, due: Own, work: str, snapshot: Published, state: StateProof, keys: RegistryKeys
    ) -> Omission | None:
        """Return what shows the omission to others, None where the works under the statement are not to be had."""
        try:
            index, leaves = due.kept.works.index(work), list(self._leaves(due.kept))
            form = next(iter(self._forms([work])), None)
            if form is None or work_digest(form) != leaves[index]:
                return None  # it is another's, or was changed since, and the registry has no word of what it was
            hashes = merkle.inclusion_proof([merkle.leaf_hash(each) for each in leaves], index)
            found = Omission(
                due.proven,
                Covered(form, index, [to_base64(value) for value in hashes]),
                snapshot,
                state,
            )
            verify_omission(found, keys)
        except LicetError:
            return None
        return found

    def _leaves(self, kept: StatementKept) -> Iterator[bytes]:
        """Yield the digests that a statement is over: as they were kept, else as the registry has the works."""
        if kept.digests:
            yield from map(bytes.fromhex, kept.digests)
        else:
            yield from map(work_digest, sorted(self._forms(kept.works), key=lambda form: form.work))

    def _forms(self, works: Sequence[str]) -> Iterator[WorkDigest]:
        account = self._profile.account
        assert account is not None
        for at in range(0, len(works), 1000):
            for work in self._client.find_works(works=works[at : at + 1000]):
                digest = digest_form(work, account.account)
                if work_digest(digest).hex() != work.digest:
                    raise InputError(f"{work.work}: expected a digest over what the service says of it, got another")
                yield digest

    # -- the account -------------------------------------------------------------------------------------------

    def _unfindable(self, *, elsewhere: bool) -> Iterator[Finding]:
        """Yield the keys by which the newest snapshot does not find what this home signed for."""
        from licet.catalogue.findable import qualities_of, sites_of, unfindable  # brings numpy
        from licet.index import Index

        signed = signed_here(self._profile)
        if not signed:
            return
        pulled = self._client.snapshot.pull()
        index = Index(self._client.snapshot.open(allow_expired=True))
        works, account = sorted(signed), self._profile.account
        assert account is not None
        for at in range(0, len(works), 1000):
            found = self._client.find_works(works=works[at : at + 1000])
            forms = [digest_form(work, account.account) for work in found]
            yield from unfindable(
                index,
                pulled.manifest.log_size,
                forms,
                signed,
                elsewhere=elsewhere,
                qualities=qualities_of(found),
                proven=sites_of(found),
            )

    def _history(self, account: str) -> Iterator[Finding]:
        """Yield what is missing in the account's key history, as the registry shows it to everybody."""
        try:
            shown(self._client, account)
        except VerificationError as error:
            yield Finding("key-history", error.message)

    def _strangers(self, own: Sequence[Own]) -> tuple[list[Finding], set[int]]:
        """Return the account's statements that keys signed which this home does not know, and the log indices of those
        that its own keys signed in another home."""
        account = self._profile.account
        assert account is not None
        names = {each.name for each in own}
        known = {account.keyid, *remembered(self._profile).keys}
        trust = self._client.trust()
        found: list[Finding] = []
        elsewhere: set[int] = set()
        taken = [Taken(each.index, each.name, each.proven) for each in own]
        for info in self._client.statements():
            if info.statement in names or info.log_index is None:
                continue
            try:
                file = msgspec.json.decode(self._client.statement_file(info.statement), type=StatementFile)
            except msgspec.MsgspecError as error:
                raise ServiceError(f"{info.statement}: expected a statement file, got {unlike(error)}") from None
            verified = verify_statement_file(file, Trust(trust.origin, trust.root))
            proven = KeyEvidence(file.envelope, file.salt, file.entry, file.proof)
            taken.append(Taken(verified.log_index, info.statement, proven))
            signers = {each.keyid for each in file.envelope.signatures}
            if signers <= known:
                elsewhere.add(verified.log_index)
                continue
            strangers = ", ".join(sorted(f"{each[:16]}…" for each in signers - known))
            message = f"{info.statement}, log entry {verified.log_index}: signed for this account by key {strangers}"
            found.append(Finding("unknown-statement", f"{message}, which this home does not know"))
        for before, again in replays(taken):
            message = f"{again.name}, log entry {again.index}: signed before {before.name}, log entry {before.index}"
            shown = Replay(before.evidence, again.evidence)
            found.append(Finding("replayed", f"{message}, and taken by the log after it", evidence=shown))
        for each, told in false_effects(taken, {one.index: one.kept.works for one in own}):
            found.append(Finding("effect", f"{each.name}, log entry {each.index}: {told}"))
        return found, elsewhere


def _to_hold(known: Sequence[Seen], memory: Memory) -> list[Seen]:
    """Return those of ``known`` that have to be held to the newest checkpoint: of those that were found to be of one
    log before, the largest stands for all."""
    held = known[: memory.held]
    if not held or _digest_of(held) != memory.held_to:
        return list(known)
    return [max(held, key=lambda each: each.checkpoint.size), *known[memory.held :]]


def _digest_of(seen: Sequence[Seen]) -> str:
    lines = (f"{each.checkpoint.size} {each.checkpoint.root.hex()}\n" for each in seen)
    return sha256("".join(lines).encode()).hexdigest()
