"""One set of conditions as a form says it: a field for everything that a rule can ask, and the way back.

Every rule that asks for something is said by exactly one such set, so nothing of terms made elsewhere is lost by
opening them in a form (`said_of`, then `rule_of`). What the chosen price does not need is left out of what is signed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, NamedTuple

from licet import times
from licet.errors import InputError
from licet.terms import AUDIENCES, PRICE_MODELS, Rule
from licet.terms.atoms import REVOCATION_EFFECTS
from licet.terms.prices import MAY, NEEDS
from registry.portal.artists import fields
from registry.portal.frame.forms import Form
from registry.portal.frame.places import places

MODELS: Final = PRICE_MODELS
EFFECTS: Final = REVOCATION_EFFECTS
PEOPLE: Final = AUDIENCES
SCOPES: Final = ("one-version", "family")
PERIODS: Final = "MY"  # months are what is closed
SPANS: Final = "DMY"
_ANSWERS: Final = {"": None, "yes": True, "no": False}
#: What the parts of a rule are called in the form, for what is wrong with them.
_NAMES: Final = {
    "price.amount": "amount",
    "price.share_bps": "share",
    "price.minimum": "least",
    "price.cap": "most",
    "price.period": "every",
    "price.model": "model",
    "audience": "audience",
    "territory": "only",
    "territory.deny": "but",
    "valid_from": "begins",
    "valid_until": "until",
    "grant_term": "term",
    "model_scope": "scope",
    "attribution": "credit",
    "attribution.url": "credit_url",
    "attribution.place": "credit_place",
    "reporting": "report",
    "revocation": "notice",
    "revocation.effect": "effect",
}


class Conditions(NamedTuple):
    """A set as it was filled in, with what a new one begins with; what is empty is not asked."""

    model: str = "per-training-run"
    amount: str = ""
    currency: str = fields.CURRENCIES[0]
    of: str = ""  # the currency of the revenue that is shared; empty: every currency
    share: str = ""
    least: str = ""
    most: str = ""
    every: str = ""
    every_unit: str = PERIODS[0]
    effect: str = EFFECTS[0]  # of taking a licence back; empty: it cannot be taken back
    notice: str = "30"
    audience: tuple[str, ...] = ()
    only: str = ""
    but: str = ""
    begins: str = ""
    until: str = ""  # the last day
    term: str = ""
    term_unit: str = SPANS[-1]
    scope: str = ""
    weights: str = ""
    alone: str = ""
    passed: str = ""
    credit: str = ""
    credit_url: str = ""
    credit_place: str = ""
    report: str = ""
    report_unit: str = "M"


def named(number: int, field: str) -> str:
    """Return what a field of the set ``number`` is called, in the form and on the page."""
    return f"c{number}-{field}"


def read(form: Form, number: int) -> Conditions | None:
    """Return the set ``number`` of ``form`` as it was filled in, None where the form has no such set."""
    if not form.all(named(number, "model")):
        return None
    texts = {each: form.get(named(number, each)).strip() for each in Conditions._fields if each != "audience"}
    return Conditions(**texts, audience=tuple(form.all(named(number, "audience"))))


def rule_of(said: Conditions) -> Rule:
    """Return the rule that ``said`` writes; raises ``InputError`` naming the field of the set."""
    written: dict[str, Any] = {
        "price": _price(said),
        "audience": said.audience or None,
        "territory": _territory(said),
        "valid_from": said.begins or None,
        "valid_until": _end(said.until),
        "grant_term": fields.duration(said.term, said.term_unit, SPANS, "term"),
        "model_scope": _one_of("scope", said.scope, SCOPES),
        "open_weights": _answer("weights", said.weights),
        "exclusive": _answer("alone", said.alone),
        "sublicensable": _answer("passed", said.passed),
        "attribution": _credit(said),
        "reporting": _reporting(said),
        "revocation": _revocation(said),
    }
    try:
        rule = Rule(permission="license", **{name: each for name, each in written.items() if each is not None})
    except InputError as error:
        name = _named(str(error.details.get("field", "")), said)
        raise InputError.field(name, str(error.details.get("expected")), getattr(said, name) or "nothing") from None
    if rule.valid_until is not None and times.from_text(rule.valid_until) <= times.now():
        raise InputError.field("until", "a time to come", said.until)
    return rule


def said_of(rule: Rule) -> Conditions:
    """Return the set that says exactly ``rule``, as `rule_of` reads it."""
    price, territory, credit, back = rule.offer, rule.territory, rule.attribution, rule.revocation
    every, every_unit = fields.lasting(price.period, PERIODS)
    term, term_unit = fields.lasting(rule.grant_term, SPANS[::-1])
    report, report_unit = fields.lasting(None if rule.reporting is None else rule.reporting.every, "MYD")
    shares = price.model == "revenue-share"
    return Conditions(
        model=price.model,
        amount=price.amount or "",
        currency=fields.CURRENCIES[0] if shares or price.currency is None else price.currency,
        of=price.currency or "" if shares else "",
        share=fields.percent(price.share_bps),
        least=price.minimum or "",
        most=price.cap or "",
        every=every,
        every_unit=every_unit,
        effect="" if back is None else back.effect,
        notice=Conditions().notice if back is None else str(back.notice_days),
        audience=rule.audience or (),
        only=", ".join(territory.allow or ()) if territory else "",
        but=", ".join(territory.deny or ()) if territory else "",
        begins=_day(rule.valid_from, 0),
        until=_day(rule.valid_until, 1),
        term=term,
        term_unit=term_unit,
        scope=rule.model_scope or "",
        weights=_said(rule.open_weights),
        alone=_said(rule.exclusive),
        passed=_said(rule.sublicensable),
        credit="" if credit is None else credit.text,
        credit_url="" if credit is None else credit.url or "",
        credit_place="" if credit is None else credit.place or "",
        report=report,
        report_unit=report_unit,
    )


def _named(path: str, said: Conditions) -> str:
    """Return the field that says what is at ``path`` of a rule."""
    if path == "price.currency":
        return "of" if said.model == "revenue-share" else "currency"
    return next((_NAMES[each] for each in (path, path.rpartition(".")[0]) if each in _NAMES), "model")


def _price(said: Conditions) -> dict[str, Any]:
    if said.model not in MODELS:
        raise InputError.field("model", " or ".join(MODELS), said.model)
    shares = said.model == "revenue-share"
    filled: dict[str, Any] = {
        "amount": said.amount,
        "currency": said.of if shares else said.currency,
        "minimum": said.least,
        "cap": said.most,
    }
    wanted = (*NEEDS.get(said.model, ()), *MAY.get(said.model, ()))
    price = {"model": said.model} | {name: each for name, each in filled.items() if name in wanted and each}
    if "share_bps" in wanted and (said.share or shares):
        price["share_bps"] = fields.share(said.share)
    if "period" in wanted and (every := fields.duration(said.every, said.every_unit, PERIODS, "every")):
        price["period"] = every
    if shares and (said.least or said.most) and not said.of:
        raise InputError.field("of", "the currency of the least and the most", "nothing")
    return price


def _territory(said: Conditions) -> dict[str, list[str]] | None:
    found = {
        side: places(text, field)
        for side, field, text in (("allow", "only", said.only), ("deny", "but", said.but))
        if text
    }
    return found or None


def _credit(said: Conditions) -> dict[str, str] | None:
    found = {"text": said.credit, "url": said.credit_url, "place": said.credit_place}
    return {name: each for name, each in found.items() if each} or None


def _reporting(said: Conditions) -> dict[str, str] | None:
    every = fields.duration(said.report, said.report_unit, SPANS, "report")
    return None if every is None else {"every": every}


def _revocation(said: Conditions) -> dict[str, Any] | None:
    effect = _one_of("effect", said.effect, EFFECTS)
    return None if effect is None else {"notice_days": fields.notice(said.notice), "effect": effect}


def _one_of(field: str, value: str, known: tuple[str, ...]) -> str | None:
    if value and value not in known:
        raise InputError.field(field, " or ".join(known), value)
    return value or None


def _answer(field: str, value: str) -> bool | None:
    if value not in _ANSWERS:
        raise InputError.field(field, "yes or no, or neither", value)
    return _ANSWERS[value]


def _said(value: bool | None) -> str:
    return next(text for text, each in _ANSWERS.items() if each is value)


def _end(until: str) -> str | None:
    """Return the moment after the last day, or the very moment that is written."""
    return fields.last_moment(until) if not until or fields.DAY.fullmatch(until) else until


def _day(moment: str | None, before: int) -> str:
    """Return the day ``before`` a midnight, else the moment as it is written."""
    if moment is None:
        return ""
    at = times.from_text(moment)
    whole = moment.endswith("T00:00:00.000Z") and at.date().toordinal() > before
    return str(at.date() - timedelta(days=before)) if whole else moment
