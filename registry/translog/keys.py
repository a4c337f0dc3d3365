"""The registry's own keys: one offline root, and the working keys that it names, each for one purpose.

They live in ``DATA/keys``, readable by their owner alone, and are made with the log: their ``registry-key`` statements
are its first entries. A database that was started with other keys is refused, never adopted. After the first start only
a change of keys needs ``root.pem``: it belongs on a medium offline, and ``root.pub`` stays.

Which key is in force is what the log says: the newest of its purpose whose private half is here. What is signed by one
and logged is signed under ``RegistryKeys.hold``, whose lock orders it with the statements that name and end keys, so no
process has to be started anew for a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from licet import times
from licet.errors import LicetError
from licet.log import cosignature, note
from licet.log.entry import REGISTRY_KEY_KINDS
from licet.log.keys import LogKeys, Span
from licet.statements import envelope as envelopes
from licet.statements.keys import SigningKey, key_id
from licet.statements.kinds import RegistryKey, RegistryKeyRevoke, RegistryRef
from licet.statements.trust import RegistryKeys as Known
from licet.statements.trust import placed_keys
from registry.database import Connection, Row
from registry.errors import StartError
from registry.translog import keyfiles, queries
from registry.translog.keyfiles import SIGNING, Half, Purpose
from registry.translog.submission import submit

SUBJECT: Final = "registry"

Statement = RegistryKey | RegistryKeyRevoke


@dataclass(frozen=True)
class Root:
    """The public half of the root key: what clients pin."""

    public: bytes

    @property
    def keyid(self) -> str:
        """The digest of the key, by which every payload names the registry."""
        return key_id(self.public)


class RegistryKeys:
    """The root's public half and every working key of this registry, as of the last look at the log.

    Before the first look, the first key of each purpose is taken for the one in force.
    """

    def __init__(self, folder: Path, origin: str, root: Root, halves: Mapping[str, Half]) -> None:
        self.folder: Final = folder
        self.origin: Final = origin
        self.root: Final = root
        self._halves = dict(halves)
        self._last = 0  # id of the newest statement about keys that was looked at
        self._live: dict[Purpose, list[str]] = {purpose: [] for purpose in keyfiles.PURPOSES}
        self._log = self._from_files()
        self.known: Known | None = None

    @cached_property
    def ref(self) -> RegistryRef:
        """The registry as every payload names it: log origin and digest of the root key."""
        return RegistryRef(self.origin, self.root.keyid)

    @property
    def log(self) -> SigningKey:
        """The newest log key."""
        return self._newest("log")

    @property
    def snapshot(self) -> SigningKey:
        """The newest key for snapshots."""
        return self._newest("snapshot")

    @property
    def licence(self) -> SigningKey:
        """The newest key for licences."""
        return self._newest("licence")

    @property
    def office(self) -> SigningKey:
        """The newest key of the office."""
        return self._newest("office")

    @property
    def log_signer(self) -> note.Signer:
        """The newest key that signs checkpoints, under the log's origin."""
        return note.Signer(self.origin, self.log.seed)

    @property
    def log_keys(self) -> LogKeys:
        """Every key that checkpoints were ever signed with, each for the sizes that it counts for."""
        return self._log

    def log_signers(self, size: int) -> list[note.Signer]:
        """Return what signs a tree of ``size`` entries: every log key that counts there and is here, old ones first.

        Raises ``StartError`` if none is here.
        """
        signers = []
        for each in self._log.sufficient(size):
            half = self._halves.get(key_id(each.public_key))
            if half is not None and isinstance(half.secret, SigningKey):
                signers.append(note.Signer(self.origin, half.secret.seed))
        if not signers:
            raise StartError(f"{self.folder}: expected a log key that may sign {size} entries, got none")
        return signers

    def cosigners(self, size: int) -> list[cosignature.Signer]:
        """Return the log's ML-DSA-44 keys that count for a tree of ``size`` entries and are here."""
        found = []
        for span in self._log.spans:
            half = self._halves.get(key_id(span.key.public_key))
            if span.beside and span.counts(size) and half is not None and isinstance(half.secret, bytes):
                found.append(cosignature.Signer(self.origin, cosignature.MLDSA44, half.secret))
        return found

    def not_beside(self, size: int) -> str | None:
        """Return why a tree of ``size`` entries gets no ML-DSA-44 signature of the log's own; None if it gets one.

        It is never made by itself: the root has to name the key, and belongs offline.
        """
        if self.cosigners(size):
            return None
        spans = [span for span in self._log.spans if span.beside and span.counts(size)]
        if not cosignature.supported():
            return cosignature.LACKING
        if spans:
            return f"{self.folder}: none of the log's ML-DSA-44 keys is here; restore cosignature*.seed from a backup"
        return "the log has no ML-DSA-44 key; `licet-registry key rotate cosignature` names one"

    @classmethod
    def load(cls, folder: Path, origin: str) -> RegistryKeys:
        """Return the keys kept in ``folder``; raises ``StartError`` that names the file which is missing or broken."""
        root = Root(keyfiles.root_public(folder))
        for purpose in SIGNING:
            if not (folder / f"{purpose}.pem").exists() and not list(folder.glob(f"{purpose}-*.pem")):
                raise StartError(f"{folder}/{purpose}.pem: no such file; restore the registry's keys from a backup")
        return cls(folder, origin, root, keyfiles.halves(folder))

    @classmethod
    def make(
        cls, folder: Path, origin: str, purposes: Sequence[Purpose] = keyfiles.PURPOSES
    ) -> tuple[RegistryKeys, SigningKey]:
        """Return the keys in ``folder`` and the private root, after making what is missing, mode 0600.

        Only for a log without entries.
        """
        for name in ("root", *SIGNING):
            path = folder / f"{name}.pem"
            if not path.exists():
                SigningKey.generate().save(path)
        wanted = "cosignature" in purposes and cosignature.supported()
        if wanted and not (folder / "cosignature.seed").exists():
            keyfiles.generate(folder, "cosignature", first=True)
        try:
            root = SigningKey.load(folder / keyfiles.ROOT)
        except LicetError as error:
            raise StartError(error.message) from None
        (folder / keyfiles.ROOT_PUBLIC).write_text(f"{root.public.hex()}\n")
        return cls.load(folder, origin), root

    # -- what the log says -------------------------------------------------------------------------------------

    async def refresh(self, conn: Connection, placed: Mapping[int, int] | None = None) -> None:
        """Return once these are the keys that the database knows; ``placed``: places that entries are about to get.

        Raises ``StartError`` for a database of another registry, or if no key in force for a purpose is here.
        """
        rows = await conn.fetch(queries.REGISTRY_KEYS, SUBJECT)
        if not rows:
            return
        statements = [read_statement(row) for row in rows]
        for each in statements:
            if each.registry != self.ref:
                raise StartError(
                    f"expected a database of the registry {self.ref.origin} with root key {self.ref.key}, "
                    f"got one of {each.registry.origin} with root key {each.registry.key}"
                )
        live = live_keys(statements)
        if any(keyid not in self._halves for keyids in live.values() for keyid in keyids):
            self._halves = keyfiles.halves(self.folder)
        for purpose in SIGNING:
            if not any(keyid in self._halves for keyid in live[purpose]):
                raise StartError(
                    f"{self.folder}/{purpose}.pem is not the key that the log names for this purpose; put the newest "
                    f"one's file there, {purpose}-{live[purpose][-1][:16] if live[purpose] else '…'}.pem"
                )
        indices = [(placed or {}).get(row["id"], row["index"]) for row in rows]
        logged = [(each, index) for each, index in zip(statements, indices, strict=True) if index is not None]
        self._live, self._last = live, rows[-1]["id"]
        if any(isinstance(each, RegistryKey) and each.purpose == "log" for each, _ in logged):
            self.known = placed_keys([each for each, _ in logged], [index for _, index in logged], anchored=True)
            self._log = self.known.log

    async def hold(self, conn: Connection, purpose: Purpose) -> SigningKey:
        """Return the key for ``purpose`` that is in force and stays so until the transaction of ``conn`` ends.

        What it signs there comes into the log before its end.
        """
        await conn.execute(queries.HOLD_KEYS, queries.KEYS_LOCK)
        if await conn.fetchval(queries.NEWEST_ABOUT, SUBJECT) != self._last:
            await self.refresh(conn)
        return self._newest(purpose)

    def _newest(self, purpose: Purpose) -> SigningKey:
        for keyid in reversed(self._live[purpose] or list(self._halves)):
            half = self._halves.get(keyid)
            named = self._live[purpose] or (half and half.path.stem.partition("-")[0] == purpose)
            if half is not None and named and isinstance(half.secret, SigningKey):
                return half.secret
        raise StartError(f"{self.folder}: expected a key for {purpose}, got none")

    def _from_files(self) -> LogKeys:
        own = [half for half in self._halves.values() if half.path.stem.partition("-")[0] == "log"]
        return LogKeys(
            self.origin, [Span(note.Verifier(self.origin, bytes.fromhex(half.public.public)), 0) for half in own]
        )


def read_statement(row: Row) -> Statement:
    """Return the statement about keys in a row of the database."""
    schema: type[Statement] = RegistryKeyRevoke if row["kind"] == "registry-key-revoke" else RegistryKey
    statement = envelopes.read_as(schema, envelopes.parse(row["envelope"]))
    assert isinstance(statement, (RegistryKey, RegistryKeyRevoke))
    return statement


def live_keys(statements: Sequence[Statement]) -> dict[Purpose, list[str]]:
    """Return the ids of the keys that are named and not ended, oldest first, by purpose."""
    live: dict[Purpose, list[str]] = {purpose: [] for purpose in keyfiles.PURPOSES}
    for each in statements:
        if isinstance(each, RegistryKey):
            live[each.purpose].append(key_id(bytes.fromhex(each.key.public)))
        else:
            for keyids in live.values():
                if each.keyid in keyids:
                    keyids.remove(each.keyid)
    return live


def is_about_keys(kind: str) -> bool:
    """Whether statements of ``kind`` change which keys are in force."""
    return kind in REGISTRY_KEY_KINDS


async def open_keys(
    conn: Connection, folder: Path, origin: str, purposes: Sequence[Purpose] = keyfiles.PURPOSES
) -> RegistryKeys:
    """Return this registry's keys, which the database knows: those for ``purposes`` registered if the log was empty.

    The log's ML-DSA-44 key is made where this machine's cryptography has it.

    Raises ``StartError`` if a key is missing or the database was started under another origin or other keys.
    """
    async with conn.transaction():
        await conn.execute("select pg_advisory_xact_lock($1)", queries.KEYS_LOCK)
        if await conn.fetchval(queries.ANY_STATEMENT):
            keys = RegistryKeys.load(folder, origin)
        else:
            keys, root = RegistryKeys.make(folder, origin, purposes)
            valid_from = times.to_text(times.now())
            for half in keyfiles.halves(folder).values():
                purpose: Purpose = half.path.stem.partition("-")[0]  # type: ignore[assignment]
                statement = RegistryKey(keys.ref, purpose, half.public, valid_from, valid_until=None)
                sealed = envelopes.encode(envelopes.seal(statement, root))
                await submit(conn, "registry-key", SUBJECT, sealed, None)
        await keys.refresh(conn)
        return keys
