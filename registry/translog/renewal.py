"""How the registry's working keys change: asked for here, signed by the root wherever it is, taken into the log here.

A request is a file with the payloads that the root is asked to sign; the signed file holds their envelopes. Neither is
secret. The private half of a new key never leaves ``DATA/keys``, the root's never comes near the service.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from licet import times
from licet.errors import InputError, LicetError
from licet.log.entry import REGISTRY_KEY_KINDS
from licet.misfits import unlike
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keys import KeySet, SigningKey
from licet.statements.kinds import RegistryKey, RegistryKeyRevoke, RegistryRef
from registry.database import Connection
from registry.errors import Conflict, Invalid
from registry.translog import keyfiles, queries
from registry.translog.keyfiles import Purpose
from registry.translog.keys import SUBJECT, RegistryKeys, Statement, live_keys, read_statement
from registry.translog.submission import submit

MAX_FILE: Final = 1 << 20
_SCHEMAS: Final[dict[str, type[Statement]]] = {
    "registry-key": RegistryKey,
    "registry-key-revoke": RegistryKeyRevoke,
}

Reason = Literal["retired", "compromised"]
State = Literal["waiting", "in force", "retired", "compromised"]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the root is asked to sign, in this order: envelopes without signatures."""

    registry: RegistryRef
    unsigned: list[Envelope]
    schema_version: int = 1


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the root has signed, in this order."""

    registry: RegistryRef
    signed: list[Envelope]
    schema_version: int = 1


class Named(msgspec.Struct, frozen=True):
    """A working key: what for, from and until which log index (None: not yet), whether its private half is here."""

    purpose: Purpose
    keyid: str
    state: State
    index: int | None
    ended: int | None
    here: bool


async def listed(conn: Connection, keys: RegistryKeys) -> list[Named]:
    """Return every working key that the root ever named, in the order of the log."""
    halves = keyfiles.halves(keys.folder)
    found: dict[str, Named] = {}
    for row in await conn.fetch(queries.REGISTRY_KEYS, SUBJECT):
        statement = read_statement(row)
        if isinstance(statement, RegistryKey):
            keyid = keyfiles.id_of(statement.key)
            state: State = "waiting" if row["index"] is None else "in force"
            found[keyid] = Named(statement.purpose, keyid, state, row["index"], None, keyid in halves)
        elif statement.keyid in found:
            named = found[statement.keyid]
            found[statement.keyid] = msgspec.structs.replace(named, state=statement.reason, ended=row["index"])
    return list(found.values())


def introduction(keys: RegistryKeys, purpose: Purpose) -> tuple[Request, str]:
    """Return the request to name a new key for ``purpose``, and its id; its private half is in ``DATA/keys`` then."""
    half = keyfiles.generate(keys.folder, purpose)
    payload = RegistryKey(keys.ref, purpose, half.public, times.to_text(times.now()), valid_until=None)
    return Request(keys.ref, [envelopes.seal(payload)]), half.keyid


async def ending(conn: Connection, keys: RegistryKeys, keyid: str, reason: Reason) -> Request:
    """Return the request to end the key whose id begins with ``keyid``.

    Raises ``Invalid`` unless exactly one key in force begins so, ``Conflict`` for the last one of its purpose: the
    registry could not go on.
    """
    known = [
        each for each in await listed(conn, keys) if each.ended is None and each.state not in ("retired", "compromised")
    ]
    chosen = [each for each in known if keyid and each.keyid.startswith(keyid)]
    if len(chosen) != 1:
        raise Invalid(f"key: expected the id of one key in force, or how it begins, got {keyid!r:.80}")
    key = chosen[0]
    others = [each for each in known if each.purpose == key.purpose and each is not key and each.here]
    if not others and key.purpose != "cosignature":
        raise Conflict(f"it is the only key for {key.purpose}; run `licet-registry key rotate {key.purpose}` first")
    payload = RegistryKeyRevoke(keys.ref, key.keyid, reason, times.to_text(times.now()))
    return Request(keys.ref, [envelopes.seal(payload)])


def signed_by(root: SigningKey, request: Request) -> Signed:
    """Return ``request`` signed by ``root``; raises ``Invalid`` for another registry's root and anything that is not
    about that registry's keys."""
    if request.registry.key != root.keyid:
        raise Invalid(f"root: expected the key {request.registry.key}, got {root.keyid}")
    signed = []
    for each in request.unsigned:
        statement = read(each)
        if statement.registry != request.registry or each.signatures:
            raise Invalid("request: expected unsigned statements about this registry's keys, got another")
        signed.append(envelopes.countersign(each, root))
    return Signed(request.registry, signed)


async def install(conn: Connection, keys: RegistryKeys, signed: Signed) -> list[int]:
    """Return the pending ids of what ``signed`` holds, taken for the log in the caller's transaction.

    What is there already is not taken again. Raises ``Invalid`` for a statement that the root of this registry did not
    sign, ``Conflict`` for a key whose private half is not here, and for what verifiers would refuse.
    """
    await conn.execute("select pg_advisory_xact_lock($1)", queries.KEYS_LOCK)
    rows = await conn.fetch(queries.REGISTRY_KEYS, SUBJECT)
    known = {row["envelope"]: row["id"] for row in rows}
    statements = [read_statement(row) for row in rows]
    halves = keyfiles.halves(keys.folder)
    pendings: list[int] = []
    for each in signed.signed:
        sealed = envelopes.encode(each)
        if sealed in known:
            pendings.append(known[sealed])
            continue
        try:
            statement = envelopes.open_as(_SCHEMAS[read_kind(each)], each, [keys.ref.key], KeySet([keys.root.public]))
        except LicetError as error:
            raise Invalid(f"signed: {error.message}") from None
        assert isinstance(statement, (RegistryKey, RegistryKeyRevoke))
        _fits(statement, statements, keys, halves)
        statements.append(statement)
        pendings.append(await submit(conn, each.kind, SUBJECT, sealed, None))
    return pendings


def read_kind(envelope: Envelope) -> str:
    """Return the kind of a statement about keys; raises ``Invalid`` for any other."""
    if envelope.kind not in REGISTRY_KEY_KINDS:
        raise Invalid(f"expected statements about the registry's keys, got a {envelope.kind!r:.80}")
    return envelope.kind


def read(envelope: Envelope) -> Statement:
    """Return what ``envelope``, signed by nobody yet, says; raises ``Invalid``."""
    try:
        statement = envelopes.read_as(_SCHEMAS[read_kind(envelope)], envelope)
    except LicetError as error:
        raise Invalid(error.message) from None
    assert isinstance(statement, (RegistryKey, RegistryKeyRevoke))
    return statement


def load(path: Path, schema: type[Any]) -> Any:
    """Return the request or the signed file at ``path``; raises ``Invalid`` that names it."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise Invalid(f"{path}: expected at most {MAX_FILE} bytes, got more")
        return msgspec.json.decode(path.read_bytes(), type=schema)
    except OSError as error:
        raise Invalid(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        what = "a request" if schema is Request else "what the root has signed"
        raise Invalid(f"{path}: expected {what}, got {unlike(error)}") from None


def load_root(path: Path) -> SigningKey:
    """Return the root's private key; raises ``Invalid`` that names the file."""
    try:
        return SigningKey.load(path)
    except InputError as error:
        raise Invalid(
            f"{error.message}; with the root elsewhere: `key request`, `key sign` there, `key install`"
        ) from None


def encoded(document: Request | Signed) -> bytes:
    """Return the file's bytes."""
    return msgspec.json.format(msgspec.json.encode(document)) + b"\n"


def _fits(statement: Statement, before: list[Statement], keys: RegistryKeys, halves: dict[str, keyfiles.Half]) -> None:
    if statement.registry != keys.ref:
        raise Invalid(
            f"expected a statement about the keys of {keys.ref.origin}, got one of {statement.registry.origin}"
        )
    live = live_keys(before)
    if isinstance(statement, RegistryKey):
        keyid = keyfiles.id_of(statement.key)
        named = {keyfiles.id_of(each.key) for each in before if isinstance(each, RegistryKey)}
        if keyid in named or keyid == keys.ref.key:
            raise Conflict(f"the key {keyid} was named before; a key is named once")
        if keyid not in halves:
            raise Conflict(f"{keys.folder}: expected the private half of {keyid}, which `key request` makes, got none")
        return
    purpose = next((each for each, keyids in live.items() if statement.keyid in keyids), None)
    if purpose is None:
        raise Conflict(f"expected the end of a key in force, got {statement.keyid}")
    left = [each for each in live[purpose] if each != statement.keyid and each in halves]
    if not left and purpose != "cosignature":
        raise Conflict(f"it is the only key for {purpose}; run `licet-registry key rotate {purpose}` first")
