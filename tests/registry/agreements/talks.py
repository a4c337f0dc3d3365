"""Requests and answers for tests: asked by a trainer, answered by an artist, accepted, against a running service."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from licet.statements import envelope as envelopes
from licet.statements.kinds import LicenceAnswer, LicenceReply, LicenceRequest, Use
from licet.statements.requests import (
    draft_decline,
    draft_offer,
    draft_refusal,
    draft_request,
    draft_withdrawal,
    draft_withdrawn_offer,
)
from licet.terms import Price, preset
from licet.wire.agreements import AgreementSubmit, RequestAccepted, RequestInfo, RequestShown
from licet.wire.licensing import LicenceGranted
from tests.registry.catalogue import Artist
from tests.registry.market import TRAIN, Shelf, Trainer, granted

NEGOTIATED = preset("paid", Price(model="negotiate"))
OFFERED = Price(model="per-work", amount="2", currency="USD")


def question(lab: Trainer, shelf: Shelf, use: Use = TRAIN, **changes: Any) -> LicenceRequest:
    """Return what ``lab`` asks for all works of ``shelf``, with some fields changed."""
    payload = draft_request(
        registry=lab.site.services.keys.ref,
        organisation=lab.id,
        genesis=lab.account.genesis,
        account=shelf.owner.id,
        works=shelf.works,
        use=use,
        message="We would like to train on these.",
    )
    return msgspec.structs.replace(payload, **changes)


async def send(lab: Trainer, payload: LicenceRequest) -> httpx.Response:
    """Sign and send a request."""
    body = AgreementSubmit(envelopes.seal(payload, lab.account.key))
    return await lab.site.post("/v1/licence-requests", body, http=lab.http)


async def ask(lab: Trainer, shelf: Shelf, use: Use = TRAIN) -> RequestInfo:
    """Return the request for all works of ``shelf``."""
    return told(await send(lab, question(lab, shelf, use))).request


async def shown(who: Trainer | Artist, asked: RequestInfo) -> RequestShown:
    """Return the request as ``who`` sees it."""
    reply = await who.http.get(f"/v1/licence-requests/{asked.request}")
    assert reply.status_code == 200, reply.text
    return msgspec.json.decode(reply.content, type=RequestShown)


async def reply(
    who: Artist,
    asked: RequestInfo,
    price: Price | None = OFFERED,
    *,
    changes: dict[str, Any] | None = None,
    **said: Any,
) -> httpx.Response:
    """Sign and send an offer at ``price`` (None: a refusal), with some fields changed."""
    found = await shown(who, asked)
    assert found.asked is not None
    document = envelopes.read_as(LicenceRequest, found.asked.envelope)
    payload: LicenceAnswer
    if price is None:
        payload = draft_refusal(document, asked.document, genesis=who.account.genesis)
    else:
        payload = draft_offer(document, asked.document, genesis=who.account.genesis, price=price, **said)
    return await answers(who, asked, msgspec.structs.replace(payload, **(changes or {})))


async def answers(who: Artist, asked: RequestInfo, payload: LicenceAnswer) -> httpx.Response:
    """Sign and send an answer."""
    body = AgreementSubmit(envelopes.seal(payload, who.account.key))
    return await who.site.post(f"/v1/licence-requests/{asked.request}/answers", body, http=who.http)


async def takes_back(who: Artist, asked: RequestInfo, message: str = "") -> httpx.Response:
    """Take back what ``who`` has offered."""
    found = await shown(who, asked)
    assert found.asked is not None
    document = envelopes.read_as(LicenceRequest, found.asked.envelope)
    genesis = who.account.genesis
    return await answers(who, asked, draft_withdrawn_offer(document, asked.document, genesis=genesis, message=message))


async def word(lab: Trainer, asked: RequestInfo, message: str = "", **changes: Any) -> LicenceReply:
    """Return the reply by which ``lab`` declines the offer that stands or, without one, takes its request back."""
    found = await shown(lab, asked)
    assert found.asked is not None
    document = envelopes.read_as(LicenceRequest, found.asked.envelope)
    payload = draft_withdrawal(document, asked.document, genesis=lab.account.genesis, message=message)
    if found.request.state == "offered":
        assert found.answer is not None
        offer = found.answer.envelope.payload_digest
        payload = draft_decline(document, asked.document, offer, genesis=lab.account.genesis, message=message)
    return msgspec.structs.replace(payload, **changes)


async def says(lab: Trainer, payload: LicenceReply, asked: RequestInfo | None = None) -> httpx.Response:
    """Sign and send a reply, to the request that it names or to another."""
    body = AgreementSubmit(envelopes.seal(payload, lab.account.key))
    ask = payload.request if asked is None else asked.request
    return await lab.site.post(f"/v1/licence-requests/{ask}/replies", body, http=lab.http)


async def offer(who: Artist, asked: RequestInfo, price: Price = OFFERED, **said: Any) -> RequestInfo:
    """Return the request with the offer that ``who`` makes."""
    return told(await reply(who, asked, price, **said)).request


async def agree(
    lab: Trainer, shelf: Shelf, asked: RequestInfo, budget: str = "1000USD", **fields: Any
) -> LicenceGranted:
    """Return the licence that accepts the offer in answer to ``asked``."""
    quote = await lab.quote(shelf.wanted(), budget, request=asked.request, **fields)
    return granted(await lab.accept(quote))


def told(answer: httpx.Response) -> RequestAccepted:
    """Return what ``answer`` must be."""
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=RequestAccepted)
