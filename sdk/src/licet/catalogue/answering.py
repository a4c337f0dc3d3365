"""Requests for licences from an artist's side: read once both signatures are proven, answered."""

from __future__ import annotations

from licet.client import Client
from licet.errors import NotAllowedError, VerificationError
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.keys import SigningKey
from licet.statements.receipt import verify_receipt
from licet.statements.requests import draft_offer, draft_refusal, draft_withdrawn_offer
from licet.statements.statement_file import verify_statement_file
from licet.terms import Price, Revocation
from licet.wire.agreements import RequestAccepted, RequestShown


def document_of(client: Client, shown: RequestShown) -> kinds.LicenceRequest:
    """Return what is asked, once the log and the organisation's keys prove it, and it says what the registry tells.

    Raises ``VerificationError``, and ``NotAllowedError`` for a request to somebody else.
    """
    account = client.need_account().account
    assert account is not None
    if shown.asked is None:
        raise VerificationError("expected the document that is to be answered, got none: it was erased")
    asked = verify_statement_file(shown.asked, client.trust()).payload
    told = (shown.request.request, shown.request.document, shown.request.organisation)
    if not isinstance(asked, kinds.LicenceRequest):
        raise VerificationError(f"expected the request {shown.request.request}, got another statement")
    if (asked.request, shown.asked.envelope.payload_digest, asked.organisation) != told:
        raise VerificationError(f"expected the request {shown.request.request}, got another")
    if asked.account != account.account:
        raise NotAllowedError(
            f"{asked.request} is for {asked.account} to answer, and this profile is {account.account}"
        )
    return asked


def offer(
    client: Client,
    shown: RequestShown,
    price: Price,
    *,
    message: str = "",
    offered_until: str | None = None,
    grant_until: str | None = None,
    revocation: Revocation | None = None,
) -> RequestAccepted:
    """Return once the offer is signed and in the log: that organisation alone can accept it."""
    asked = document_of(client, shown)
    answer = draft_offer(
        asked,
        shown.request.document,
        genesis=_genesis(client),
        price=price,
        message=message,
        offered_until=offered_until,
        grant_until=grant_until,
        revocation=revocation,
    )
    return _send(client, answer)


def refuse(client: Client, shown: RequestShown, message: str = "") -> RequestAccepted:
    """Return once the refusal is in the log; it takes back an offer that nobody has accepted."""
    asked = document_of(client, shown)
    return _send(client, draft_refusal(asked, shown.request.document, genesis=_genesis(client), message=message))


def withdraw(client: Client, shown: RequestShown, message: str = "") -> RequestAccepted:
    """Return once the offer is taken back, in the log: nobody can accept it any more, and the request stays."""
    asked = document_of(client, shown)
    answer = draft_withdrawn_offer(asked, shown.request.document, genesis=_genesis(client), message=message)
    return _send(client, answer)


def _genesis(client: Client) -> str:
    account = client.need_account().account
    assert account is not None
    return account.genesis


def _send(client: Client, answer: kinds.LicenceAnswer) -> RequestAccepted:
    envelope = envelopes.seal(answer, SigningKey.load(client.need_account().key_path))
    accepted = client.answer_request(answer.request, envelope)
    verify_receipt(accepted.receipt, envelope, client.working_keys())
    return accepted
