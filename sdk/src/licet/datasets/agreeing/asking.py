"""Asking artists for licences: which works, whose they are, the documents that are sent and what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import msgspec

from licet import identifiers
from licet.client import Client
from licet.datasets.examining.basis import Basis
from licet.datasets.licensing.accepting import use_of
from licet.datasets.results.decisions_file import DecisionsFile
from licet.decisions import Request
from licet.errors import ConflictError, InputError, MalformedError, NotAllowedError, VerificationError
from licet.index import WorkState
from licet.misfits import unlike
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.keys import SigningKey
from licet.statements.receipt import verify_receipt
from licet.statements.requests import by_account, draft_decline, draft_request, draft_withdrawal
from licet.statements.statement_file import verify_statement_file
from licet.terms import Price
from licet.wire.agreements import RequestAccepted, RequestShown
from licet.wire.common import StatementFile
from licet.wire.licensing import QuoteRequest, WorkWanted


def named_works(given: Sequence[str]) -> list[str]:
    """Return the works that are named: ``wrk_…``, or what `licet filter` wrote, for its rows that need an agreement.

    Raises ``InputError`` for what is neither, and where there are none.
    """
    found: dict[str, None] = {}
    for each in given:
        if each.startswith("wrk_"):
            identifiers.to_uuid(each, "wrk", field="work")
            found[each] = None
        else:
            found |= dict.fromkeys(_needing(DecisionsFile.find(Path(each).expanduser())))
    if not found:
        raise InputError(f"works: expected rows that need an agreement in {', '.join(given)}, got none: nothing to do")
    return list(found)


def ask(
    client: Client,
    basis: Basis,
    works: Sequence[str],
    request: Request,
    *,
    price: Price | None = None,
    message: str = "",
    expires_at: str | None = None,
) -> list[RequestAccepted]:
    """Return once every account that ``works`` are of was asked for those of its own, a request each.

    Raises ``InputError`` naming a work that the snapshot does not know, and ``ConflictError`` naming one whose terms
    say no.
    """
    profile = client.need_account()
    account = profile.account
    assert account is not None
    key, use = SigningKey.load(profile.key_path), use_of(request)
    owners = by_account([(work, _owner(basis, work)) for work in works])
    sent = []
    for owner, asked in owners.items():
        payload = draft_request(
            registry=client.registry_ref(),
            organisation=account.account,
            genesis=account.genesis,
            account=kind_of_account(client, owner),
            works=asked,
            use=use,
            price=price,
            message=message,
            expires_at=expires_at,
        )
        envelope = envelopes.seal(payload, key)
        accepted = client.request_licence(envelope)
        verify_receipt(accepted.receipt, envelope, client.working_keys())
        sent.append(accepted)
    return sent


def withdraw(client: Client, shown: RequestShown, message: str = "") -> RequestAccepted:
    """Return once the request is taken back, in the log: nobody can answer it any more.

    Raises ``ConflictError`` where an offer stands, or nobody could answer anyway.
    """
    asked, genesis = _own(client, shown)
    reply = draft_withdrawal(asked, shown.request.document, genesis=genesis, message=message)
    return _reply(client, reply)


def decline(client: Client, shown: RequestShown, message: str = "") -> RequestAccepted:
    """Return once the very offer that ``shown`` holds is refused, in the log: nobody can accept it any more.

    Raises ``ConflictError`` where no offer stands, or another one than that.
    """
    asked, genesis = _own(client, shown)
    _, said = documents(client, shown)
    if shown.answer is None or said is None or said.answer != "offer":
        got = "nothing" if said is None else said.answer
        raise ConflictError(f"{asked.request}: expected an offer that could be refused, got {got}")
    offer = shown.answer.envelope.payload_digest
    reply = draft_decline(asked, shown.request.document, offer, genesis=genesis, message=message)
    return _reply(client, reply)


def covered(client: Client, basis: Basis, works: Sequence[str], request: Request) -> dict[str, str]:
    """Return which of ``works`` licences of the caller's cover for ``request`` already, and which licence that is.

    Raises ``InputError`` naming a work that the snapshot does not know.
    """
    wanted = []
    for work in sorted(works):
        statement = identifiers.from_uuid("stm", UUID(bytes=_state(basis, work).statement))
        wanted.append(WorkWanted(work, statement, "exact"))
    quote = client.quote(QuoteRequest(use=use_of(request), works=wanted, dataset=None, run="1", budget=[]))
    parted = ((left.work, *left.reason.partition(":")) for left in quote.left_out)
    return {work: licence for work, kind, _, licence in parted if kind == "licensed"}


def documents(client: Client, shown: RequestShown) -> tuple[kinds.LicenceRequest, kinds.LicenceAnswer | None]:
    """Return the request and the artist's last answer, once the log and both signers' keys prove them.

    Raises ``VerificationError`` where they say something else than the registry tells, or belong to others.
    """
    if shown.asked is None:
        raise VerificationError(
            "expected the document that was asked, got none: it was erased, or is not published yet"
        )
    asked = verify_statement_file(shown.asked, client.trust()).payload
    document = shown.asked.envelope.payload_digest
    told = shown.request
    if not isinstance(asked, kinds.LicenceRequest) or (asked.request, document) != (told.request, told.document):
        raise VerificationError(f"expected the request {told.request}, got another statement")
    if (asked.organisation, asked.account) != (told.organisation, told.account):
        raise VerificationError(f"{told.request}: expected the two whom the registry names, got others")
    if [each.work for each in shown.works] != asked.works:
        raise VerificationError(f"{told.request}: expected the works that were asked for, got others")
    if shown.answer is None:
        return asked, None
    said = verify_statement_file(shown.answer, client.trust()).payload
    if not isinstance(said, kinds.LicenceAnswer) or (said.document, said.account) != (document, asked.account):
        raise VerificationError(f"{told.request}: expected the answer of {asked.account} to it, got another statement")
    return asked, said


def replied(client: Client, shown: RequestShown) -> kinds.LicenceReply | None:
    """Return how the organisation ended the request or its last offer, once the log and its keys prove it.

    Raises ``VerificationError`` where that says something else than the registry tells, or belongs to others.
    """
    if shown.reply is None:
        return None
    told = shown.request
    reply = verify_statement_file(shown.reply, client.trust()).payload
    expected = (told.document, told.organisation)
    if not isinstance(reply, kinds.LicenceReply) or (reply.document, reply.organisation) != expected:
        raise VerificationError(f"{told.request}: expected the reply of {told.organisation}, got another statement")
    answer = None if shown.answer is None else shown.answer.envelope.payload_digest
    if reply.offer not in (None, answer):
        raise VerificationError(f"{told.request}: expected a reply to the last offer, got one to another")
    return reply


def kind_of_account(client: Client, account: str) -> str:
    """Return the name of an account whose kind the snapshot does not say, as the log proves it.

    Raises ``VerificationError``.
    """
    number = identifiers.to_uuid(account)
    for kind in ("art", "org"):
        name = identifiers.from_uuid(kind, number)
        try:
            data = client.statement_file(name)
        except InputError as error:
            if error.details.get("status") == 404:
                continue
            raise
        try:
            file = msgspec.json.decode(data, type=StatementFile)
        except msgspec.MsgspecError as error:
            raise MalformedError(f"{name}: expected a statement file, got {unlike(error)}") from None
        proven = verify_statement_file(file, client.trust()).payload
        if isinstance(proven, kinds.KeyRegister) and proven.account == name:
            return name
    raise VerificationError(f"expected the account of {account} in the log, got none")


def _own(client: Client, shown: RequestShown) -> tuple[kinds.LicenceRequest, str]:
    """Return the request once it is proven to be the profile's own, and the genesis of its account."""
    account = client.need_account().account
    assert account is not None
    asked, _ = documents(client, shown)
    if asked.organisation != account.account:
        raise NotAllowedError(
            f"{asked.request} is a request of {asked.organisation}, and this profile is {account.account}"
        )
    return asked, account.genesis


def _reply(client: Client, reply: kinds.LicenceReply) -> RequestAccepted:
    envelope = envelopes.seal(reply, SigningKey.load(client.need_account().key_path))
    accepted = client.reply_to_request(reply.request, envelope)
    verify_receipt(accepted.receipt, envelope, client.working_keys())
    return accepted


def _needing(file: DecisionsFile) -> Iterator[str]:
    for batch in file.batches():
        for row in batch.select(["verdict", "matches"]).to_pylist():
            if row["verdict"] == "license":
                yield from (each["work"] for each in row["matches"] or () if each["reason"] == "needs-agreement")


def _owner(basis: Basis, work: str) -> str:
    return identifiers.from_uuid("art", UUID(bytes=_state(basis, work).account))


def _state(basis: Basis, work: str) -> WorkState:
    state = basis.index.work(work)
    if state is None:
        raise InputError.field("work", "a work that the snapshot knows (`licet snapshot pull`)", work)
    return state
