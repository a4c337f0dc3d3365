"""Taking what an artist offered: all that it would cost is on the page before a passkey signs the licence.

Quote, licence and their refusals are the API's. The budget under the licence is what the page shows to be due at once:
whoever signs here has read the sum, and nothing beyond it is taken.
"""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from licet import identifiers
from licet.errors import InputError
from licet.statements import envelope as envelopes
from licet.statements.kinds import Budget, LicenceAnswer, LicenceRequest
from licet.statements.kinds.agreements import price_of
from licet.terms import price_text
from licet.wire.agreements import RequestShown
from licet.wire.licensing import LicenceAccept, Quote, QuoteRequest, WorkWanted
from registry.accounts import profile
from registry.accounts.identity import Caller
from registry.accounts.metering import Meter
from registry.agreements import requests as asking
from registry.errors import Conflict, Invalid
from registry.licensing import accept, quotes
from registry.licensing.refusals import QuoteExpired
from registry.portal.frame import forms, signing
from registry.portal.frame.backs import backs
from registry.portal.frame.forms import Form
from registry.portal.frame.languages import OTHER, TAGS
from registry.portal.frame.notes import led
from registry.portal.frame.pages import language_of
from registry.portal.frame.taking import takes_form
from registry.portal.organisations.asking import WEIGHS, page
from registry.portal.organisations.room import ROOM, TEAMS
from registry.services import Services

_BODY: Final = 1 << 20  # a licence that names a thousand sets of terms


@takes_form("/organisation/requests/{asked:str}/offer", TEAMS, most=_BODY, kept=True, quota="quotes")
async def see_offer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    meter: NamedDependency[Meter],
    asked: FromPath[str],
    body: RawBody,
) -> Response[bytes]:
    """What taking the offer would come to, and the licence to sign; nothing is taken, and the quote is forgotten."""
    form = forms.read(request, body)
    found = await _asked(services, caller, asked)
    return await _offered(request, services, caller, meter, found, form)


@takes_form("/organisation/requests/{asked:str}/accept", TEAMS, most=_BODY, kept=True, seconds=120)
async def take_offer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    meter: NamedDependency[Meter],
    asked: FromPath[str],
    body: RawBody,
) -> Response[Any]:
    """Take the licence that was on screen, signed by a passkey; sent twice, it is the same licence."""
    form = forms.read(request, body)
    found = await _asked(services, caller, asked)
    envelope = signing.envelope_of(form, "licence")
    if not envelope.signatures:
        return await _offered(request, services, caller, meter, found, form, why="accept_unsigned", status=403)
    try:
        granted = await accept.accept(services, caller, LicenceAccept(form.get("quote"), envelope))
    except QuoteExpired:
        return await _offered(request, services, caller, meter, found, form, why="accept_expired", status=409)
    except Conflict as error:  # works that changed, an offer that was taken back: nothing was taken
        return await page(request, services, found, caller, why="accept_changed", exactly=error.detail, status=409)
    return led(f"/{language_of(request)}/organisation/licences/{granted.licence}", "licensed")


async def _asked(services: Services, caller: Caller, asked: str) -> RequestShown:
    found = await asking.shown(services, caller, identifiers.to_uuid(asked, "ask", field="path:asked"))
    if found.request.organisation != caller.id:
        raise Conflict(f"{asked}: expected a request of your own, got one that you are asked")
    return found


async def _offered(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    meter: Meter,
    found: RequestShown,
    form: Form,
    *,
    why: str | None = None,
    status: int = 200,
) -> Response[bytes]:
    """Return the page of a new quote for what was offered; where it cannot be had as it was, that of the request."""
    language, said, answer = language_of(request), _said(found), _answer(found)
    if said is None or answer is None or answer.price is None:
        exactly = f"{found.request.request} is {found.request.state}: expected one with an offer that stands"
        return await page(request, services, found, caller, why="accept_changed", exactly=exactly, status=409)
    try:
        quote = await _quote(services, caller, meter, found, said, form)
    except (InputError, Invalid) as error:
        exactly = error.message if isinstance(error, InputError) else error.detail
        return await page(request, services, found, caller, form=form, why="accept_wrong", exactly=exactly, status=400)
    except Conflict as error:
        return await page(request, services, found, caller, why="accept_changed", exactly=error.detail, status=409)
    if quote.left_out:
        exactly = f"{quote.left_out[0].work}: {quote.left_out[0].reason}"
        return await page(request, services, found, caller, why="accept_changed", exactly=exactly, status=409)
    me = await profile.me(services, caller)
    payload = accept.payload_of(quote, me.genesis or "", services.keys.ref)
    price = price_of(answer.price)
    async with services.database.acquire() as conn:
        taken_back = await backs(
            conn, [(bytes.fromhex(each.terms_hash), each.agreed) for each in quote.lines], said.use.atoms
        )
    return ROOM.page(
        request, "request_accept", status=status, backs=taken_back,
        here="licences", ask=found.request, quote=quote, answer=answer,
        price=price, costs=price_text(price, TAGS[language]), uses=said.use.atoms, why=why,
        due=[each for each in quote.totals if each.amount],
        shown=await signing.signable(services, caller, payload, "licence"), weigh=form.get("weigh", WEIGHS[0]),
        other_url=f"/{OTHER[language]}/organisation/requests/{found.request.request}",
    )  # fmt: skip


async def _quote(
    services: Services, caller: Caller, meter: Meter, found: RequestShown, said: LicenceRequest, form: Form
) -> Quote:
    """Return a quote for the whole offer, with a budget of exactly what it makes due at once."""
    weigh = form.get("weigh", WEIGHS[0])
    if weigh not in WEIGHS:
        raise Invalid.field("weigh", " or ".join(WEIGHS), weigh)
    works = [WorkWanted(each.work, each.statement, "exact") for each in found.works if each.statement is not None]
    if len(works) != len(found.works):
        raise Conflict(f"{found.request.request}: expected works that were all published, got others among them")

    async def quoted(budget: list[Budget]) -> Quote:
        await meter.spend("keys", len(works))
        wanted = QuoteRequest(
            use=said.use, works=works, dataset=None, run=form.get("run", "1").strip(), budget=budget,
            weigh=weigh,  # type: ignore[arg-type]  # one of them
            request=found.request.request,
        )  # fmt: skip
        return await quotes.quote(services, caller, wanted)

    first = await quoted([])
    due = {each.currency: 0 for each in first.lines if each.currency is not None}
    due |= {each.currency: each.amount for each in first.totals}
    return await quoted([Budget(currency, amount) for currency, amount in sorted(due.items())]) if due else first


def _said(found: RequestShown) -> LicenceRequest | None:
    return None if found.asked is None else envelopes.read_as(LicenceRequest, found.asked.envelope)


def _answer(found: RequestShown) -> LicenceAnswer | None:
    return None if found.answer is None else envelopes.read_as(LicenceAnswer, found.answer.envelope)


ROUTES: Final = [see_offer, take_offer]
