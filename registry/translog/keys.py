"""The registry's own keys: one offline root, and four working keys that it names, each for one purpose.

They live in ``DATA/keys/*.pem``, readable by their owner alone, and are made with the log: the four ``registry-key``
statements are its first entries. A database that was started with other keys is refused, never adopted. After the first
start nothing needs ``root.pem``: it belongs on a medium offline, and ``root.pub`` stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from licet import times
from licet.errors import LicetError
from licet.log import note
from licet.statements import envelope as envelopes
from licet.statements.keys import SigningKey, key_id, public_key
from licet.statements.kinds import PublicKey, RegistryKey, RegistryRef
from registry.database import Connection
from registry.errors import StartError
from registry.translog import queries
from registry.translog.submission import submit

Purpose = Literal["log", "snapshot", "licence", "office"]
PURPOSES: Final[tuple[Purpose, ...]] = ("log", "snapshot", "licence", "office")
SUBJECT: Final = "registry"
_ROOT_PUBLIC: Final = "root.pub"


@dataclass(frozen=True)
class Root:
    """The public half of the root key: what clients pin."""

    public: bytes

    @property
    def keyid(self) -> str:
        """The digest of the key, by which every payload names the registry."""
        return key_id(self.public)


@dataclass(frozen=True)
class RegistryKeys:
    """The root's public half and every working key of this registry; ``ref`` is how a payload names the registry."""

    origin: str
    root: Root
    log: SigningKey
    snapshot: SigningKey
    licence: SigningKey
    office: SigningKey

    @cached_property
    def ref(self) -> RegistryRef:
        """The registry as every payload names it: log origin and digest of the root key."""
        return RegistryRef(self.origin, self.root.keyid)

    @cached_property
    def log_signer(self) -> note.Signer:
        """What signs checkpoints, under the log's origin."""
        return note.Signer(self.origin, self.log.seed)

    @classmethod
    def load(cls, folder: Path, origin: str) -> RegistryKeys:
        """Return the keys kept in ``folder``; raises ``StartError`` that names the file which is missing or broken."""
        try:
            root = Root(public_key((folder / _ROOT_PUBLIC).read_text().strip(), str(folder / _ROOT_PUBLIC)))
            keys = {name: SigningKey.load(folder / f"{name}.pem") for name in PURPOSES}
        except (OSError, ValueError) as error:
            raise StartError(f"{error}; restore the registry's keys from a backup") from None
        except LicetError as error:
            raise StartError(f"{error.message}; restore the registry's keys from a backup") from None
        return cls(origin, root, **keys)

    @classmethod
    def make(cls, folder: Path, origin: str) -> tuple[RegistryKeys, SigningKey]:
        """Return the keys in ``folder`` and the private root, after making what is missing, mode 0600.

        Only for a log without entries.
        """
        for name in ("root", *PURPOSES):
            path = folder / f"{name}.pem"
            if not path.exists():
                SigningKey.generate().save(path)
        try:
            root = SigningKey.load(folder / "root.pem")
        except LicetError as error:
            raise StartError(error.message) from None
        (folder / _ROOT_PUBLIC).write_text(f"{root.public.hex()}\n")
        return cls.load(folder, origin), root


async def open_keys(conn: Connection, folder: Path, origin: str) -> RegistryKeys:
    """Return this registry's keys, which the database knows: registered now if the log was empty.

    Raises ``StartError`` if a key is missing or the database was started under another origin or other keys.
    """
    async with conn.transaction():
        await conn.execute("select pg_advisory_xact_lock($1)", queries.KEYS_LOCK)
        if not await conn.fetchval(queries.ANY_STATEMENT):
            keys, root = RegistryKeys.make(folder, origin)
            valid_from = times.to_text(times.now())
            for purpose in PURPOSES:
                public = PublicKey(getattr(keys, purpose).public.hex())
                statement = RegistryKey(keys.ref, purpose, public, valid_from, valid_until=None)
                sealed = envelopes.encode(envelopes.seal(statement, root))
                await submit(conn, "registry-key", SUBJECT, sealed, None)
            return keys
        keys = RegistryKeys.load(folder, origin)
        for row in await conn.fetch(queries.REGISTRY_KEYS, SUBJECT):
            logged = envelopes.read_as(RegistryKey, envelopes.parse(row["envelope"]))
            if logged.registry != keys.ref:
                raise StartError(
                    f"expected a database of the registry {keys.ref.origin} with root key {keys.ref.key}, "
                    f"got one of {logged.registry.origin} with root key {logged.registry.key}"
                )
            if logged.key.public != getattr(keys, logged.purpose).public.hex():
                raise StartError(f"{folder}/{logged.purpose}.pem is not the key that the log names for this purpose")
        return keys
