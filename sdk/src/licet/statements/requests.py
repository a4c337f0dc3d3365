"""Asking for a licence and answering: the documents, drafted alike by everybody."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final, Literal

from licet import identifiers, times
from licet.errors import InputError
from licet.statements.agreed import wrong_price
from licet.statements.kinds import LicenceAnswer, LicenceReply, LicenceRequest, RegistryRef, Use
from licet.statements.kinds.agreements import wrong_names, wrong_text
from licet.terms import Price, Revocation

STANDS: Final = timedelta(days=30)
"""How long a request waits, and an offer stands, where nobody says otherwise."""
LONGEST: Final = timedelta(days=180)


def draft_request(
    *,
    registry: RegistryRef,
    organisation: str,
    genesis: str,
    account: str,
    works: Iterable[str],
    use: Use,
    price: Price | None = None,
    message: str = "",
    expires_at: str | None = None,
) -> LicenceRequest:
    """Return the document that asks ``account`` for a licence for ``works``; raises ``InputError`` naming the field."""
    now, named = times.now(), sorted(works)
    _hold(wrong_names(named) or wrong_text(message, "message"))
    return LicenceRequest(
        registry=registry,
        request=identifiers.new_id("ask"),
        organisation=organisation,
        genesis=genesis,
        account=account,
        works=named,
        use=use,
        price=None if price is None else price.to_json(),
        message=message,
        expires_at=expires_at or times.to_text(now + STANDS),
        issued_at=times.to_text(now),
        nonce=secrets.token_hex(16),
    )


def draft_offer(
    request: LicenceRequest,
    document: str,
    *,
    genesis: str,
    price: Price,
    message: str = "",
    offered_until: str | None = None,
    grant_until: str | None = None,
    revocation: Revocation | None = None,
) -> LicenceAnswer:
    """Return the artist's offer in answer to ``request``, the payload whose SHA-256 is ``document``.

    Raises ``InputError`` naming the field.
    """
    _hold(wrong_price(price) or wrong_text(message, "message"))
    now = times.now()
    return LicenceAnswer(
        registry=request.registry,
        request=request.request,
        document=document,
        account=request.account,
        genesis=genesis,
        answer="offer",
        price=price.to_json(),
        offered_until=offered_until or times.to_text(now + STANDS),
        grant_until=grant_until,
        revocation=None if revocation is None else revocation.to_json(),
        message=message,
        issued_at=times.to_text(now),
        nonce=secrets.token_hex(16),
    )


def draft_refusal(request: LicenceRequest, document: str, *, genesis: str, message: str = "") -> LicenceAnswer:
    """Return the artist's refusal, which also takes back an offer that nobody has accepted."""
    return _without_price(request, document, "refuse", genesis, message)


def draft_withdrawn_offer(request: LicenceRequest, document: str, *, genesis: str, message: str = "") -> LicenceAnswer:
    """Return the artist's word that what she offered cannot be accepted any more; the request stays."""
    return _without_price(request, document, "withdraw", genesis, message)


def draft_withdrawal(request: LicenceRequest, document: str, *, genesis: str, message: str = "") -> LicenceReply:
    """Return the organisation's word that it takes ``request`` back, the payload whose SHA-256 is ``document``."""
    return _reply(request, document, None, genesis, message)


def draft_decline(
    request: LicenceRequest, document: str, offer: str, *, genesis: str, message: str = ""
) -> LicenceReply:
    """Return the organisation's refusal of the very offer whose payload has the SHA-256 ``offer``."""
    return _reply(request, document, offer, genesis, message)


def by_account(works: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return account → works of (work, account): a request is made to one account."""
    found: dict[str, set[str]] = {}
    for work, account in works:
        found.setdefault(account, set()).add(work)
    return {account: sorted(found[account]) for account in sorted(found)}


def _without_price(
    request: LicenceRequest, document: str, answer: Literal["refuse", "withdraw"], genesis: str, message: str
) -> LicenceAnswer:
    _hold(wrong_text(message, "message"))
    return LicenceAnswer(
        registry=request.registry,
        request=request.request,
        document=document,
        account=request.account,
        genesis=genesis,
        answer=answer,
        price=None,
        offered_until=None,
        grant_until=None,
        revocation=None,
        message=message,
        issued_at=times.to_text(times.now()),
        nonce=secrets.token_hex(16),
    )


def _reply(request: LicenceRequest, document: str, offer: str | None, genesis: str, message: str) -> LicenceReply:
    _hold(wrong_text(message, "message"))
    return LicenceReply(
        registry=request.registry,
        request=request.request,
        document=document,
        organisation=request.organisation,
        genesis=genesis,
        reply="withdraw" if offer is None else "decline",
        offer=offer,
        message=message,
        issued_at=times.to_text(times.now()),
        nonce=secrets.token_hex(16),
    )


def _hold(wrong: str | None) -> None:
    if wrong is not None:
        raise InputError(wrong, field=wrong.partition(":")[0])
