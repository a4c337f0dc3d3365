"""Statement files: one logged statement with all that a stranger needs to check it but the pinned root key."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from licet.exports import receipt as receipts
from licet.log import proof as proofs
from licet.wire.common import KeyEvidence, StatementFile
from registry import translog
from registry.accounts import queries
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.errors import Gone, NotFound

# What decides about works is for everybody; what two parties agreed on is for them and for auditors.
PUBLIC_KINDS: Final = frozenset(
    {"consent", "consent-mature", "work-update", "key-register", "key-rotate", "key-revoke", "delegation"}
    | {"registry-key", "registry-key-revoke", "snapshot", "period-close", "erase"}
)
# Signed by the registry's own keys: no account's keys prove them.
BY_REGISTRY: Final = frozenset(
    {"registry-key", "registry-key-revoke", "claim", "snapshot", "period-close", "consent-mature", "erase"}
)


async def statement_file(conn: Connection, subject: str, caller: Caller | None) -> StatementFile:
    """Return the file of the first statement about ``subject``: ``stm_…``, ``lic_…``, an account for its genesis.

    ``keys`` holds the registry's working keys, then the key history of the account that signed. Raises ``NotFound``
    where there is none, none that ``caller`` may see, or none in the published log yet, and ``Gone`` after erasure:
    also for those who do not rely on a statement that was kept for others (semantics 28).
    """
    first = await _visible(conn, subject, caller)
    statement = (await translog.evidence(conn, first.pending)).wire
    return await _with_keys(conn, statement, first.kind, first.account)


async def file_of(conn: Connection, pending: int, kind: str) -> StatementFile:
    """Return the file of one statement, published and not erased, for who may see it: not asked here."""
    evidence = await translog.evidence(conn, pending)
    return await _with_keys(conn, evidence.wire, kind, await conn.fetchval(queries.SIGNED_BY, pending))


async def file_if_kept(conn: Connection, pending: int, kind: str) -> StatementFile | None:
    """Return what `file_of` does; None once the statement was erased, or while it is not published yet."""
    try:
        return await file_of(conn, pending, kind)
    except (Gone, NotFound):
        return None


async def _with_keys(conn: Connection, statement: KeyEvidence, kind: str, account: UUID | None) -> StatementFile:
    keys = await translog.registry_keys_evidence(conn)
    signer = None if kind in BY_REGISTRY else account
    history = [each["id"] for each in await conn.fetch(queries.KEY_STATEMENTS, signer)]
    keys += [each.wire for each in await translog.evidences(conn, history, published_only=True)]
    return StatementFile(statement.envelope, statement.salt, statement.entry, statement.proof, keys)


async def statement_receipt(
    conn: Connection, subject: str, caller: Caller | None, keys: translog.RegistryKeys
) -> bytes:
    """Return the COSE receipt of the first statement about ``subject``; raises as `statement_file` does."""
    first = await _visible(conn, subject, caller)
    evidence = await translog.evidence(conn, first.pending)
    await keys.refresh(conn)
    return receipts.issue(proofs.parse(evidence.proof), keys.log_signer.verifier, keys.log)


async def _visible(conn: Connection, subject: str, caller: Caller | None) -> translog.Submitted:
    first = await translog.first_about(conn, subject)
    auditor = first is not None and await _audits(conn, first, caller)
    if first is None or not (first.kind in PUBLIC_KINDS or auditor or _own(caller, first.account)):
        raise NotFound("there is no such statement")
    if not await conn.fetchval(queries.SHOWN_TO, first.pending, caller and caller.account, auditor):
        raise Gone(f"the statement {subject} was erased; its log entry stays")
    return first


def _own(caller: Caller | None, account: UUID | None) -> bool:
    return caller is not None and caller.account == account


async def _audits(conn: Connection, first: translog.Submitted, caller: Caller | None) -> bool:
    """Whether ``caller`` is an auditor whose scope has what ``first`` is: the account that signed, and the month."""
    if caller is None or caller.kind != "aud" or "audit" not in caller.scopes:
        return False
    return bool(await conn.fetchval(queries.AUDITED, first.pending, caller.account, first.account))
