"""What a form says in answer to a team's request: an offer with its price, dates and way back, or none of them.

Whatever the chosen price does not need is left out of what is signed; whatever it needs and the form says wrongly is an
error that names the field, and nothing is guessed.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from licet import times
from licet.errors import InputError
from licet.statements.agreed import wrong_price
from licet.statements.kinds import LicenceAnswer, LicenceRequest
from licet.statements.kinds.agreements import price_of
from licet.statements.requests import LONGEST, STANDS, draft_offer, draft_refusal, draft_withdrawn_offer
from licet.terms import UNPAID, Price, Revocation, read_price
from registry.portal.artists import fields
from registry.portal.artists.fields import CURRENCIES, last_moment
from registry.portal.frame.forms import Form

PROPOSED: Final = "proposed"  # the price that the request proposes, as it stands
MODELS: Final = ("per-work", "per-training-run", "per-output", "subscription", "revenue-share", "free")
EFFECTS: Final = ("stop-new-runs", "retire-model", "unlearn")
_MONTHLY: Final = "P1M"


class Offered(NamedTuple):
    """The form of an offer as it was filled in."""

    model: str
    amount: str = ""
    currency: str = CURRENCIES[0]
    share: str = ""
    least: str = ""
    until: str = ""  # the last day on which it can be accepted
    ends: str = ""  # the last day of the licence; empty: as the terms say
    effect: str = ""  # of taking the licence back; empty: as the terms say
    notice: str = ""
    message: str = ""


def begun(request: LicenceRequest, *, trusted: bool) -> Offered:
    """Return the form to begin with: what the team proposes, if that can be offered, else a price for each work."""
    model = MODELS[0] if proposed(request, trusted=trusted) is None else PROPOSED
    return Offered(model, until=str((times.now() + STANDS).date()))


def filled(form: Form) -> Offered:
    """Return what ``form`` says."""
    named = {name: form.get(name).strip() for name in Offered._fields if name != "message"}
    return Offered(**named, message=form.words("message"))


def models(*, trusted: bool) -> list[str]:
    """Return the prices that can be offered: nothing is given for free below claim level 2."""
    return [each for each in MODELS if trusted or each not in UNPAID]


def proposed(request: LicenceRequest, *, trusted: bool) -> Price | None:
    """Return the price that ``request`` proposes, None where there is none that could be offered as it stands."""
    if request.price is None:
        return None
    price = price_of(request.price)
    return price if wrong_price(price) is None and (trusted or price.model not in UNPAID) else None


def offer(said: Offered, request: LicenceRequest, document: str, *, genesis: str, trusted: bool) -> LicenceAnswer:
    """Return the offer that ``said`` makes in answer to ``request``; raises ``InputError`` naming the form's field."""
    until = last_moment(said.until)
    if until is None:
        raise InputError.field("until", "a day to come", "nothing")
    if times.from_text(until) > times.now() + LONGEST:
        raise InputError.field("until", f"a day within {LONGEST.days} days", said.until)
    try:
        ends = last_moment(said.ends)
    except InputError as error:
        raise InputError.field("ends", str(error.details.get("expected")), said.ends) from None
    if ends is not None and times.from_text(ends) <= times.from_text(until):
        raise InputError.field("ends", "a day after the last one on which it can be accepted", said.ends)
    return draft_offer(
        request, document, genesis=genesis, price=_price(said, request, trusted=trusted), message=said.message,
        offered_until=until, grant_until=ends, revocation=_revocation(said),
    )  # fmt: skip


def without_price(answer: str, request: LicenceRequest, document: str, reason: str, *, genesis: str) -> LicenceAnswer:
    """Return the refusal of ``request``, or what takes its offer back; raises ``InputError`` naming the field."""
    drafted = draft_refusal if answer == "refuse" else draft_withdrawn_offer
    try:
        return drafted(request, document, genesis=genesis, message=reason)
    except InputError as error:
        raise InputError.field("reason", str(error.details.get("expected") or error.message), reason) from None


def _price(said: Offered, request: LicenceRequest, *, trusted: bool) -> Price:
    if said.model == PROPOSED:
        found = proposed(request, trusted=trusted)
        if found is None:
            raise InputError.field("model", "a price of your own", said.model)
        return found
    if said.model not in models(trusted=trusted):
        raise InputError.field("model", " or ".join(models(trusted=trusted)), said.model)
    figures: dict[str, str | int] = {"model": said.model}
    if said.model == "revenue-share":
        figures["share_bps"] = fields.share(said.share)
        if said.least:  # without one, the share is of the revenue in every currency
            figures |= {"minimum": said.least, "currency": _currency(said)}
    elif said.model not in UNPAID:
        figures |= {"amount": said.amount, "currency": _currency(said)}
    if said.model == "subscription":
        figures["period"] = _MONTHLY
    try:
        price = read_price(figures)
    except InputError as error:
        field = "least" if "minimum" in str(error.details.get("field")) else "amount"
        got = said.least if field == "least" else said.amount
        raise InputError.field(field, str(error.details.get("expected")), got or "nothing") from None
    if "amount" in figures and not price.micro:
        raise InputError.field("amount", "more than nothing", said.amount)
    return price


def _currency(said: Offered) -> str:
    if said.currency not in CURRENCIES:
        raise InputError.field("currency", " or ".join(CURRENCIES), said.currency)
    return said.currency


def _revocation(said: Offered) -> Revocation | None:
    if not said.effect:
        return None
    if said.effect not in EFFECTS:
        raise InputError.field("effect", " or ".join(EFFECTS), said.effect)
    return Revocation(notice_days=fields.notice(said.notice), effect=said.effect)  # type: ignore[arg-type]  # one of EFFECTS
