"""What artists were asked for: all requests, and one with what was said on both sides and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, get_args

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from licet import identifiers
from licet.statements import envelope as envelopes
from licet.statements.agreed import REPORTED
from licet.statements.kinds import LicenceAnswer, LicenceReply, LicenceRequest, Weigh
from licet.statements.kinds.agreements import price_of
from licet.terms import price_text
from licet.wire.agreements import RequestInfo, RequestShown, RequestState
from registry.accounts.identity import Caller
from registry.agreements import requests as asking
from registry.consent.shown import shown
from registry.http.paging import Asked, Cursor
from registry.portal.frame.forms import Form
from registry.portal.frame.languages import TAGS, everywhere
from registry.portal.frame.pages import HTML, following, language_of
from registry.portal.organisations import queries
from registry.portal.organisations.room import A_PAGE, MOST_WORKS, ROOM, TEAMS
from registry.services import Services

WEIGHS: Final[tuple[str, ...]] = get_args(Weigh)
InState = Annotated[RequestState | None, QueryParameter(name="state")]


@get(everywhere("/organisation/requests"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def requests_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    in_state: InState = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """What artists were asked for, and what they answered."""
    page = await asking.listed(services, caller, Asked.of(request, "-asked", A_PAGE, cursor), in_state, None)
    return ROOM.page(
        request, "requests", here="licences", requests=page.items, state=in_state, own=caller.id,
        artists=await artists(services, caller, page.items),
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/organisation/requests/{asked:str}"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def request_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    asked: FromPath[str],
) -> Response[bytes]:
    """One request: what was asked, what the artist answered, and what follows for whoever reads it."""
    found = await asking.shown(services, caller, identifiers.to_uuid(asked, "ask", field="path:asked"))
    return await page(request, services, found, caller)


async def page(
    request: Request[Any, Any, Any],
    services: Services,
    found: RequestShown,
    caller: Caller,
    *,
    form: Form | None = None,
    why: str | None = None,
    exactly: str | None = None,
    status: int = 200,
) -> Response[bytes]:
    """Return the page of one request; ``why``: words for it being shown again, ``exactly``: the same in English."""
    said = None if found.asked is None else envelopes.read_as(LicenceRequest, found.asked.envelope)
    answer = None if found.answer is None else envelopes.read_as(LicenceAnswer, found.answer.envelope)
    reply = None if found.reply is None else envelopes.read_as(LicenceReply, found.reply.envelope)
    works = [each.work for each in found.works[:MOST_WORKS]]
    numbers = [identifiers.to_uuid(each, "wrk") for each in works]
    async with services.database.acquire() as conn:
        # By the public page of each: a title that the public is not shown, the team is not shown either.
        public = await shown(conn, numbers)
    language = TAGS[language_of(request)]
    prices = [None if each is None or not each.price else price_of(each.price) for each in (said, answer)]
    return ROOM.page(
        request,
        "request",
        status=status,
        here="licences",
        ask=found.request,
        own=caller.id,
        answerable=asking.answerable(found.request),
        said=said,
        answer=answer,
        reply=reply,
        message="" if form is None else form.get("message"),
        proposed=prices[0] and price_text(prices[0], language),
        offered=prices[1] and price_text(prices[1], language),
        divided=prices[1] is not None and prices[1].model in REPORTED,
        weighs=WEIGHS,
        weigh=WEIGHS[0] if form is None else form.get("weigh"),
        run="1" if form is None else form.get("run"),
        why=why,
        exactly=exactly,
        works=[(work, public.get(number)) for work, number in zip(works, numbers, strict=True)],
        many=len(found.works),
    )


async def artists(services: Services, caller: Caller, items: Sequence[RequestInfo]) -> dict[str, str]:
    """Return what those are called whom ``caller`` asked by ``items``; nobody whose account was erased."""
    asked = {identifiers.to_uuid(each.account): each.account for each in items if each.organisation == caller.id}
    async with services.database.acquire() as conn:
        rows = await conn.fetch(queries.ARTISTS, caller.account, list(asked))
    return {asked[row["id"]]: row["name"] for row in rows}


ROUTES: Final = [requests_page, request_page]
