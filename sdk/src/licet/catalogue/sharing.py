"""Splits from an artist's side: proposed for her works, read before they are signed, answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Literal

import msgspec

from licet import identifiers
from licet.catalogue.held import held
from licet.client import Client
from licet.errors import InputError, MalformedError, VerificationError
from licet.misfits import unlike
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.keys import SigningKey
from licet.statements.kinds.sharing import WHOLE
from licet.statements.receipt import verify_receipt
from licet.statements.splits import draft_answer, draft_split
from licet.statements.statement_file import verify_statement_file
from licet.statements.works import work_digest
from licet.wire.common import StatementFile
from licet.wire.splits import SplitAccepted, SplitShown
from licet.wire.works import Work


def share(text: str, field: str) -> tuple[str, int]:
    """Return account and basis points of ``ACCOUNT=SHARE``, the share such as ``40%``, ``12.5%`` or ``4000bps``.

    Raises ``InputError`` naming ``field``.
    """
    account, sign, amount = text.partition("=")
    wanted = "ACCOUNT=SHARE, such as art_…=40% or art_…=4000bps"
    if not sign or not account.startswith(("art_", "org_")):
        raise InputError.field(field, wanted, text)
    identifiers.to_uuid(account, "art", "org", field=field)
    try:
        if amount.endswith("%"):
            bps = Decimal(amount[:-1]) * (WHOLE // 100)
        elif amount.endswith("bps"):
            bps = Decimal(amount[:-3])
        else:
            raise InputError.field(field, wanted, text)
        if not bps.is_finite() or bps != int(bps) or not 1 <= bps <= WHOLE:
            raise InputError.field(field, "a share of 0.01% to 100%, in steps of 0.01%", text)
    except InvalidOperation:
        raise InputError.field(field, wanted, text) from None
    return account, int(bps)


def propose(
    client: Client, works: Sequence[Work], shares: Mapping[str, int], *, as_registered: bool = False
) -> SplitAccepted:
    """Return once the split of ``works`` by ``shares`` (account → basis points) is signed, proposed and in the log.

    It replaces the one that is in force on them, which must be the same on all. Raises ``InputError`` naming the field,
    and ``VerificationError`` where the registry cannot prove an account, or its answer.
    """
    profile = client.need_account()
    account = profile.account
    assert account is not None
    standing = {None if work.split is None else work.split.split for work in works}
    if len(standing) > 1:
        raise InputError("works: expected works that are shared alike today, got others: propose a split for each kind")
    (before,) = standing
    replaces = None if before is None else client.split(before).split.document
    geneses = {
        each: account.genesis if each == account.account else genesis_of(client, each) for each in sorted(shares)
    }
    payload = draft_split(
        registry=client.registry_ref(),
        account=account.account,
        genesis=account.genesis,
        works={form.work: work_digest(form).hex() for form in held(client, works, as_registered=as_registered)},
        shares={each: (geneses[each], bps) for each, bps in shares.items()},
        replaces=replaces,
    )
    envelope = envelopes.seal(payload, SigningKey.load(profile.key_path))
    accepted = client.propose_split(envelope)
    verify_receipt(accepted.receipt, envelope, client.working_keys())
    return accepted


def answer(client: Client, shown: SplitShown, said: Literal["accept", "decline"]) -> SplitAccepted:
    """Return once the account's answer to the document in ``shown`` is in the log; it is read by `document_of` before.

    Raises ``VerificationError`` for a document that gives the account nothing to say.
    """
    profile = client.need_account()
    account = profile.account
    assert account is not None
    split = document_of(client, shown)
    payload = draft_answer(split, shown.split.document, account=account.account, genesis=account.genesis, answer=said)
    envelope = envelopes.seal(payload, SigningKey.load(profile.key_path))
    accepted = client.answer_split(split.split, envelope)
    verify_receipt(accepted.receipt, envelope, client.working_keys())
    return accepted


def document_of(client: Client, shown: SplitShown) -> kinds.Split:
    """Return the document that an answer is to, once it says what the registry tells of it.

    Raises ``VerificationError`` where it says something else, also of who the account is.
    """
    account = client.need_account().account
    assert account is not None
    if shown.envelope is None:
        raise VerificationError("expected the document that is to be signed, got none: it was erased")
    split = envelopes.read_as(kinds.Split, shown.envelope)
    told = shown.split
    if (shown.envelope.payload_digest, split.split, split.account) != (told.document, told.split, told.account):
        raise VerificationError(f"expected the document of {told.split}, got another")
    if split.registry != client.registry_ref():
        raise VerificationError(f"expected a document for this registry, got one for {split.registry.origin}")
    told_shares = {each.account: each.bps for each in told.parties if each.bps}
    if {each.account: each.bps for each in split.shares} != told_shares:
        raise VerificationError(f"expected the shares that the document says, got others: {told_shares}")
    own = [each.genesis for each in split.shares if each.account == account.account]
    if any(genesis != account.genesis for genesis in own):
        raise VerificationError(f"expected the document to name {account.account} by its genesis, got another")
    return split


def genesis_of(client: Client, account: str) -> str:
    """Return the genesis of ``account`` as the log proves it; raises ``VerificationError``."""
    try:
        file = msgspec.json.decode(client.statement_file(account), type=StatementFile)
    except msgspec.MsgspecError as error:
        raise MalformedError(f"{account}: expected a statement file, got {unlike(error)}") from None
    verified = verify_statement_file(file, client.trust())
    if not isinstance(verified.payload, kinds.KeyRegister) or verified.payload.account != account:
        raise VerificationError(f"expected the genesis of {account}, got another statement")
    return file.envelope.payload_digest
