"""Who may sign for an account now: its key statements, replayed by the rules that verifiers apply.

The log has not placed every statement yet. What waits stands behind everything that is placed, in the order in which it
was submitted; the next statement stands behind all of that. Key statements of one account are ordered by its row lock;
whoever relies on a key locks that key's row until COMMIT, so that its revocation comes later in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from licet import times
from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.authority import hold_to
from licet.statements.envelope import Envelope
from licet.statements.keyring import Keyring, Office, Standing
from licet.statements.keys import KeySet
from licet.statements.kinds import PublicKey, RecoveryCodes, RegistryKeyRevoke, RegistryRef, TokenRequest
from licet.statements.trust import WorkingKey
from registry.accounts import queries
from registry.database import Connection, Row
from registry.errors import Invalid, NotAllowed
from registry.translog import read_statement

# A statement gets its time from the log some moments after it was accepted; what ends until then does not carry it.
MARGIN: Final = timedelta(minutes=5)


_Own = TypeVar("_Own", RecoveryCodes, TokenRequest)


class Place(NamedTuple):
    """Where the next statement will stand in the log, at the earliest."""

    at: int
    time: str


class Signer(NamedTuple):
    """A key that may sign for an account, what it may do, and the keys to check its signature with."""

    standing: Standing
    keys: KeySet
    genesis: str


class _Office:
    """The registry's office through time, as the database knows it."""

    def __init__(self, ref: RegistryRef, rows: Sequence[Row], size: int) -> None:
        self.ref = ref
        self.keys = KeySet()
        self._lines: dict[str, WorkingKey] = {}
        for row in rows:
            payload = read_statement(row)
            if isinstance(payload, RegistryKeyRevoke):
                # Not logged yet: it ends the key for all that the log has no place for either.
                ended = size if row["index"] is None else row["index"]
                if payload.keyid in self._lines:
                    line = self._lines[payload.keyid]
                    self._lines[payload.keyid] = msgspec.structs.replace(line, ended=ended, reason=payload.reason)
            elif isinstance(payload.key, PublicKey):
                keyid = self.keys.learn(payload.key)
                index = -1 if row["index"] is None else row["index"]
                self._lines[keyid] = WorkingKey(payload.purpose, keyid, index, payload.valid_from, payload.valid_until)

    def is_office(self, keyid: str, index: int, time: str) -> bool:
        line = self._lines.get(keyid)
        return line is not None and line.purpose == "office" and line.why_not(index, time) is None


async def office_of(conn: Connection, ref: RegistryRef) -> Office:
    """Return the registry's office: every key that the root ever named for it."""
    return _Office(ref, await conn.fetch(queries.REGISTRY_KEYS), await conn.fetchval(queries.LOG_SIZE))


async def ring_of(conn: Connection, ref: RegistryRef, account: UUID) -> tuple[Keyring, Place]:
    """Return the keyring of ``account`` with everything it ever stated, and the place behind that."""
    ring = Keyring(await office_of(conn, ref))
    rows = await conn.fetch(queries.KEY_HISTORY, account)
    size: int = await conn.fetchval(queries.LOG_SIZE)
    now = times.to_text(times.now())
    index = size
    for row in rows:
        placed, at = row["index"], row["at"]
        if placed is None:
            placed, index = index, index + 1
        ring.take(envelopes.parse(row["envelope"]), placed, now if at is None else times.to_text(at))
    return ring, Place(index, now)


async def signer_of(conn: Connection, ref: RegistryRef, account: UUID, keyid: str, payload: Any) -> Signer:
    """Return who ``keyid`` is, once it may sign ``payload`` for ``account``; its key stays as it is until COMMIT.

    Says nothing of the signature itself. Raises ``NotAllowed``.
    """
    await conn.fetchval(queries.HOLD_KEY, keyid, account)
    ring, place = await ring_of(conn, ref, account)
    try:
        standing = ring.standing(keyid, place.at, place.time)
        if standing.delegation is not None:
            _lasts(standing, times.from_text(place.time))
        hold_to(standing, payload)
    except VerificationError as error:
        raise NotAllowed(
            f"expected a signature by a key of this account that may sign this now: {error.message}"
        ) from None
    return Signer(standing, ring.keys | ring.office.keys, ring.genesis)


async def opened_by_root(
    conn: Connection, ref: RegistryRef, account: UUID, kind: type[_Own], envelope: Envelope
) -> _Own:
    """Return the payload of ``envelope``, which a live root key of ``account`` has signed for this registry.

    Raises ``Invalid`` for another account's or registry's, ``NotAllowed`` for a key that may not: a delegate's, one
    that is revoked, one that was recovered within 7 days.
    """
    payload = envelopes.read_as(kind, envelope)
    ring, place = await ring_of(conn, ref, account)
    if (payload.registry, payload.account, payload.genesis) != (ref, ring.account, ring.genesis):
        raise Invalid("expected what was signed for this account at this registry")
    keyid = only_signer(envelope)
    try:
        standing = ring.standing(keyid, place.at, place.time)
        if standing.only_tighten or standing.delegation is not None:
            raise VerificationError(f"expected a live root key, got {keyid}")
        return envelopes.open_as(kind, envelope, [keyid], ring.keys)
    except VerificationError as error:
        raise NotAllowed(error.message) from None


def only_signer(envelope: Envelope) -> str:
    """Return the key id of the one signature in ``envelope``, empty if there is not exactly one."""
    return envelope.signatures[0].keyid if len(envelope.signatures) == 1 else ""


def _lasts(standing: Standing, now: datetime) -> None:
    assert standing.delegation is not None
    until = times.from_text(standing.delegation.valid_until)
    if until - now <= MARGIN:
        raise VerificationError(f"expected a delegation for 5 minutes more, got one until {times.to_text(until)}")
