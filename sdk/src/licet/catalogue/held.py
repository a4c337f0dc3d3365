"""What this home has signed for, held against what the registry says of one's works now.

Terms, withdrawals and new keys are signed over digests of works, and the works are listed by the registry. One that
lies in a single field would get a signature over something else, so nothing is signed for a work unless its digest is
the one that this home signed last, or provably under a statement that a key of the account has signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from licet.catalogue.forms import digest_form
from licet.client import Client
from licet.errors import InputError, MalformedError, VerificationError
from licet.home import Profile
from licet.misfits import unlike
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope
from licet.statements.keys import keyid_of
from licet.statements.kinds import WorkDigest
from licet.statements.works import work_digest, works_root
from licet.wire.common import Receipt, StatementFile
from licet.wire.works import StatementKept, Work

SHOWN = 3


class Signed(NamedTuple):
    """The digest (hex) of a work as this home signed it last, in which statement, at which log index."""

    digest: str
    statement: str
    log_index: int


def signed_here(profile: Profile) -> dict[str, Signed]:
    """Return what this home signed last for each work, of the statements that kept their digests."""
    found: dict[str, Signed] = {}
    for path in sorted(profile.statements.glob("*.json")):
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=StatementKept)
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from None
        except msgspec.MsgspecError as error:
            raise InputError(f"{path}: expected what was signed here, got {unlike(error)}") from None
        if len(kept.digests) != len(kept.works):
            continue
        for work, digest in zip(kept.works, kept.digests, strict=True):
            if work not in found or found[work].log_index < kept.receipt.log_index:
                found[work] = Signed(digest, path.stem, kept.receipt.log_index)
    return found


class _Logged(msgspec.Struct, frozen=True):
    """Of a statement that is kept here: its receipt alone, however many works it covers."""

    receipt: Receipt


def last_signed(profile: Profile) -> int | None:
    """Return the log index of the statement that this home kept last, None before there is one."""
    newest = max(profile.statements.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, default=None)
    if newest is None:
        return None
    try:
        return msgspec.json.decode(newest.read_bytes(), type=_Logged).receipt.log_index
    except (OSError, msgspec.MsgspecError):
        return None  # it is read with more care where something hangs on it


def held(
    client: Client, works: Sequence[Work], *, known: Mapping[str, Signed] | None = None, as_registered: bool = False
) -> list[WorkDigest]:
    """Return what is to be signed for ``works``, in their order: exactly what was signed for them before.

    ``known`` is `signed_here` where that was read already. ``as_registered`` takes the registry's word where nothing
    here tells otherwise. Raises ``VerificationError`` that names the works whose digest is another.
    """
    profile = client.need_account()
    account = profile.account
    assert account is not None
    signed = signed_here(profile) if known is None else known
    forms = [digest_form(work, account.account) for work in works]
    wrong: list[str] = []
    unknown: list[Work] = []
    for work, form in zip(works, forms, strict=True):
        digest = work_digest(form).hex()
        before = signed.get(work.work)
        if digest != work.digest:
            raise VerificationError(
                f"{work.work}: expected a digest over what the registry says of it ({digest}), got {work.digest}"
            )
        if before is None:
            unknown.append(work)
        elif before.digest != digest:
            wrong.append(f"{work.work} ({before.digest} in {before.statement}, log entry {before.log_index})")
    if as_registered:
        return forms
    if wrong:
        raise VerificationError(
            f"expected {_some(wrong)} to be what this home signed for, got another digest from the registry: nothing "
            f"was signed. Where you changed it in another home, --as-registered signs for it as it is registered"
        )
    if unknown:
        missing = _unproven(client, account.account, unknown)
        if missing:
            raise VerificationError(
                f"expected {_some(missing)} to be under a statement that a key of this account signed, got works that "
                f"nothing here or at the registry shows to be: nothing was signed. --as-registered takes the "
                f"registry's word for them"
            )
    return forms


def _unproven(client: Client, account: str, works: Iterable[Work]) -> list[str]:
    """Return those of ``works`` whose digest is not shown to be under the statement that speaks for them."""
    waiting = {work.work: work.statement for work in works}
    proven: set[str] = set()
    wanted = {statement for statement in waiting.values() if statement is not None}
    mates: dict[str, list[tuple[str, bytes]]] = {statement: [] for statement in wanted}
    for each in client.works(limit=None) if wanted else ():
        if each.statement in mates:
            mates[each.statement].append((each.work, work_digest(digest_form(each, account))))
    for statement, covered in mates.items():
        scope = _scope(client, account, statement)
        ordered = sorted(covered)
        if scope == kinds.WorksScope(len(ordered), works_root(digest for _, digest in ordered)):
            proven |= {work for work, _ in ordered}
    return sorted(set(waiting) - proven)


def _scope(client: Client, account: str, statement: str) -> kinds.WorksScope | None:
    """Return the works under ``statement``, once it is shown to be signed by a key of the account itself."""
    from licet.statements.statement_file import verify_statement_file  # heavy, and not needed where all was signed here

    try:
        file = msgspec.json.decode(client.statement_file(statement), type=StatementFile)
    except msgspec.MsgspecError as error:
        raise MalformedError(f"{statement}: expected a statement file, got {unlike(error)}") from None
    payload = verify_statement_file(file, client.trust()).payload
    if not isinstance(payload, kinds.Consent | kinds.WorkUpdate) or payload.account != account:
        return None
    own = {keyid_of(key) for each in file.keys if (key := _introduced(each.envelope)) is not None}
    # What the registry's office signed in the account's place is its word again, and no other.
    if any(each.keyid not in own for each in file.envelope.signatures):
        return None
    return payload.scope if isinstance(payload.scope, kinds.WorksScope) else None


def _introduced(envelope: Envelope) -> kinds.AnyKey | None:
    if envelope.kind == "key-register":
        return envelopes.read_as(kinds.KeyRegister, envelope).key
    return envelopes.read_as(kinds.KeyRotate, envelope).key if envelope.kind == "key-rotate" else None


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
