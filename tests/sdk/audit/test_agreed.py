"""A price that was agreed is what the artist's last signed answer, or the stated terms, say; each lie is found."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from licet.audit.checks.priced import Prices
from licet.audit.checks.signed import ConsentFacts, Signed, Statements
from licet.errors import VerificationError
from licet.statements import kinds
from licet.statements.agreed import agreed
from licet.statements.splits import Splits
from licet.terms import Price, Terms, preset
from tests.sdk.audit.stage import identifier

REF = kinds.RegistryRef("registry.example/one", "00" * 32)
LAB, ADA = identifier("org", "Lantern Labs"), identifier("art", "Ada")
CONSENT, WORK, ASKED = identifier("stm", "Ada"), identifier("wrk", "1"), identifier("ask", "1")
USE = kinds.Use(["train-gen"], ["commercial"], None, "lantern/lantern", "1", "one-version", None)
OFFERED = Price(model="per-work", amount="2", currency="USD")
MONTHLY = Price(model="subscription", amount="10", currency="USD", period="P1M")
NEGOTIATED, SUBSCRIBED = preset("paid", Price(model="negotiate")), preset("paid", MONTHLY)
REVOCATION: dict[str, str | int] = {"notice_days": 10, "effect": "stop-new-runs"}
T = [f"2026-11-{day:02}T00:00:00.000Z" for day in range(1, 30)]
change = msgspec.structs.replace


def request(**changes: Any) -> Signed:
    payload = kinds.LicenceRequest(
        REF, ASKED, LAB, "g", ADA, [WORK], USE, None, "", expires_at=T[20], issued_at=T[1], nonce="n"
    )
    return Signed(change(payload, **changes), 10, T[1], "asked")


def answer(document: str, index: int, **changes: Any) -> Signed:
    payload = kinds.LicenceAnswer(
        REF, ASKED, "asked", ADA, "g", "offer", OFFERED.to_json(), T[15], None, None, "", T[2], "n"
    )
    return Signed(change(payload, **changes), index, T[2], document)


def reply(index: int, offer: str | None) -> Signed:
    """Return what declines ``offer``, or takes the request back."""
    said: Any = "withdraw" if offer is None else "decline"
    return Signed(kinds.LicenceReply(REF, ASKED, "asked", LAB, "g", said, offer, "", T[3], "n"), index, T[3], "replied")


def licence(request: str | None = "asked", **changes: Any) -> Signed:
    agreement = kinds.Agreement(since=T[0], weigh="work", request=request)
    payload = kinds.Licence(
        REF, identifier("lic", "1"), LAB, "g", "q", USE, None, "1", 1, "r", [], [], [], 1000, T[3], None, "n", agreement
    )
    return Signed(change(payload, **changes), 50, T[3], "granted")


def line(terms: Terms, price: Price, answer: str | None, **changes: Any) -> kinds.LicenceLine:
    said = agreed(price, answer, REVOCATION if answer == "offered" else None)
    made = kinds.LicenceLine(
        WORK, ADA, CONSENT, terms.hash, "train-gen", price.model, price.currency, price.micro, "exact", True, said
    )
    return change(made, **changes)


def held(
    terms: Terms,
    line: kinds.LicenceLine,
    granted: Signed,
    *answers: Signed,
    asked: Signed | None = None,
    replied: Signed | None = None,
) -> Prices:
    """Return what has held ``line`` of ``granted``."""
    consent = ConsentFacts(
        msgspec.convert({"account": ADA, "scope": {"kind": "works", "root": "", "count": 1}}, Consent),  # type: ignore[arg-type]
        terms,
        5,
    )
    requests = {} if asked is None else {ASKED: asked}
    by_id = {str(place): each for place, each in enumerate(answers)}
    replies = {} if replied is None else {"licence-reply": {"reply": replied}}
    found = Statements({}, {}, {CONSENT: consent}, Splits(), requests, by_id, {}, replies)
    prices = Prices(found, {(WORK, CONSENT): ADA})
    prices.hold(line, granted.payload, granted)
    return prices


class Consent(msgspec.Struct):
    """As much of a consent as prices are read from."""

    account: str
    scope: kinds.WorksScope


DEAR = answer("dear", 20, price=Price(model="per-work", amount="9", currency="USD").to_json())
OFFER = answer("offered", 30, revocation=REVOCATION)
AGREED = line(NEGOTIATED, OFFERED, "offered")
NAMED = "d" * 64  # of an offer that somebody declines


def test_an_offer_that_was_the_last_answer_is_the_price():
    refusal = answer("no", 60, answer="refuse", price=None, offered_until=None)
    prices = held(NEGOTIATED, AGREED, licence(), DEAR, OFFER, refusal, asked=request())
    assert prices.said.startswith("1 line at the price of an artist's signed answer, 0 lines")


def test_an_offer_that_stands_is_the_price_whatever_became_of_another():
    held(NEGOTIATED, AGREED, licence(), DEAR, OFFER, asked=request(), replied=reply(25, NAMED))


def test_an_offer_stood_also_where_the_clock_of_whoever_accepts_is_ahead():
    held(NEGOTIATED, AGREED, licence(issued_at=T[16]), OFFER, asked=request())


def test_terms_that_state_what_a_month_costs_are_the_price():
    assert "1 line as terms state" in held(SUBSCRIBED, line(SUBSCRIBED, MONTHLY, None), licence(None)).said


def test_whoever_asks_may_be_offered_less_than_the_terms_ask():
    dear = preset("paid", Price(model="per-work", amount="5", currency="USD"))
    held(dear, line(dear, OFFERED, "offered"), licence(), OFFER, asked=request())


LIES: dict[str, tuple[Any, str]] = {
    "another price than was offered": (
        lambda: held(NEGOTIATED, change(AGREED, amount=1), licence(), OFFER, asked=request()), "as the terms ask"),
    "the price of an answer before the last": (
        lambda: held(NEGOTIATED, line(NEGOTIATED, Price(model="per-work", amount="9", currency="USD"), "dear"),
                     licence(), DEAR, OFFER, asked=request()), "the last answer before the licence"),
    "an offer that was taken back": (
        lambda: held(NEGOTIATED, AGREED, licence(), OFFER,
                     answer("no", 40, answer="refuse", price=None, offered_until=None), asked=request()),
        "the last answer before the licence"),
    "an offer that was declined": (
        lambda: held(NEGOTIATED, change(AGREED, agreed=agreed(OFFERED, NAMED, REVOCATION)), licence(),
                     change_signed(OFFER, document=NAMED), asked=request(), replied=reply(40, NAMED)),
        "entry 40 had ended it"),
    "an offer in answer to what was taken back": (
        lambda: held(NEGOTIATED, AGREED, licence(), OFFER, asked=request(), replied=reply(40, None)),
        "entry 40 had ended it"),
    "an offer made after the licence": (
        lambda: held(NEGOTIATED, AGREED, licence(), change_signed(OFFER, index=51), asked=request()),
        "the last answer before the licence"),
    "an offer that had ended": (
        lambda: held(NEGOTIATED, AGREED, change_signed(licence(issued_at=T[16]), time=T[16]), OFFER, asked=request()),
        "an offer that stood"),
    "a refusal": (
        lambda: held(NEGOTIATED, AGREED, licence(), answer("offered", 30, answer="refuse", price=None,
                     offered_until=None), asked=request()), "expected an offer of"),
    "the offer of somebody else": (
        lambda: held(NEGOTIATED, AGREED, licence(), change_payload(OFFER, account=identifier("art", "Mei")),
                     asked=request()), "expected an offer of"),
    "no answer": (lambda: held(NEGOTIATED, AGREED, licence(), asked=request()), "answer offered in the bundle"),
    "no request": (lambda: held(NEGOTIATED, AGREED, licence(), OFFER), "in the bundle, got none"),
    "an offer to another organisation": (
        lambda: held(NEGOTIATED, AGREED, licence(), OFFER, asked=request(organisation=identifier("org", "Candle"))),
        "expected an answer to"),
    "a request for another work": (
        lambda: held(NEGOTIATED, AGREED, licence(), OFFER, asked=request(works=[identifier("wrk", "2")])),
        "this work and use"),
    "a request for another use": (
        lambda: held(NEGOTIATED, AGREED, licence(), OFFER, asked=request(use=change(USE, version="2"))),
        "this work and use"),
    "a licence that names another request": (
        lambda: held(NEGOTIATED, AGREED, licence("other"), OFFER, asked=request()), "names the request"),
    "a licence that names none": (
        lambda: held(NEGOTIATED, AGREED, licence(agreement=msgspec.UNSET), OFFER, asked=request()),
        "names the request"),
    "another end than was offered": (
        lambda: held(NEGOTIATED, AGREED, licence(), change_payload(OFFER, grant_until=T[25]), asked=request()),
        "as was offered"),
    "another condition of revocation": (
        lambda: held(NEGOTIATED, AGREED, licence(), change_payload(OFFER, revocation=None), asked=request()),
        "as the terms ask"),
    "a negotiated price that nobody offered": (
        lambda: held(NEGOTIATED, line(NEGOTIATED, OFFERED, None), licence(None)), "needs-agreement|expected an offer"),
    "another subscription than the terms state": (
        lambda: held(SUBSCRIBED, line(SUBSCRIBED, MONTHLY.model_copy(update={"amount": "9"}), None),
                     licence(None)), "as the terms ask"),
    "a subscription without an agreement": (
        lambda: held(SUBSCRIBED, line(SUBSCRIBED, MONTHLY, None), licence(agreement=msgspec.UNSET)),
        "an agreement to what terms"),
    "a subscription that nobody else may have": (
        lambda: held(SUBSCRIBED, line(SUBSCRIBED, MONTHLY, None), licence(None, use=change(USE, exclusive=True))),
        "expected an offer"),
    "an offer for what the terms deny": (
        lambda: held(preset("no-ai"), line(preset("no-ai"), OFFERED, "offered"), licence(), OFFER, asked=request()),
        "expected an offer"),
}  # fmt: skip


def change_signed(signed: Signed, **changes: Any) -> Signed:
    fields = {name: getattr(signed, name) for name in ("payload", "index", "time", "document")}
    return Signed(**(fields | changes))


def change_payload(signed: Signed, **changes: Any) -> Signed:
    return change_signed(signed, payload=change(signed.payload, **changes))


@pytest.mark.parametrize("lie", LIES)
def test_a_price_that_nobody_signed_is_refused(lie: str):
    make, said = LIES[lie]
    with pytest.raises(VerificationError, match=said):
        make()
