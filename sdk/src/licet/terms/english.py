"""English wording of terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from licet import money, times
from licet.terms import durations
from licet.terms.figures import clock, percent
from licet.terms.prices import Price
from licet.terms.rules import Rule

ENDING: Final = "I do not agree to any use this statement does not name."

USES: Final = {
    "search": "show them in search results",
    "index": "store them in a library that AI looks things up in",
    "mine": "run analyses on them that train nothing",
    "train-nongen": "use them to train a model that does not make content",
    "train-gen": "use them to train a model that makes content",
    "finetune-style": "tune a model towards my style with them",
    "input": "give them to an AI as a reference",
    "generate": "make things that are like them",
    "evaluate": "test a model on them",
    "redistribute": "pass the works themselves on in a dataset",
}
_AUDIENCES: Final = {
    "commercial": "commercial use",
    "non-commercial": "non-commercial use",
    "research": "research",
    "education": "education",
    "government": "government",
    "personal": "personal use",
}
_REVOKED: Final = {
    "stop-new-runs": "no new training run may use them",
    "retire-model": "models trained on them must be retired",
    "unlearn": "models trained on them must unlearn them",
}
_MONTHS: Final = "January February March April May June July August September October November December".split()
_UNITS: Final = ("year", "month", "day", "hour", "minute", "second")
_SYMBOLS: Final = {"USD": "US$", "CNY": "CN¥", "EUR": "€", "GBP": "£"}


def statement(groups: Sequence[tuple[Rule, Sequence[str]]], who: str, count: int | None) -> str:
    """Return the whole text for uses grouped by rule.

    Statements name its digest, and a service takes one only for the text that it makes itself. So a better sentence
    ("the 1 work … show them") would have services of today refuse whoever signs it, and one of tomorrow whoever has not
    upgraded: it waits for a version of the vocabulary, which changes what is signed anyway.
    """
    name = f"I, {who}," if who else "I"
    if count is None:
        works = "all works under my account, also those I add later"
    else:
        works = "the 1 work in the list" if count == 1 else f"the {count:,} works in the list"
    first, *others = sentences(groups)
    first = first[0].lower() + first[1:]
    return " ".join([f"{name} state for {works}: from the moment this takes effect, {first}", *others])


def sentences(groups: Sequence[tuple[Rule, Sequence[str]]]) -> list[str]:
    """Return what is said of uses grouped by rule, sentence by sentence."""
    return [*(_sentence(rule, [USES[atom] for atom in atoms]) for rule, atoms in groups), ENDING]


def _sentence(rule: Rule, uses: list[str]) -> str:
    if rule.permission == "allow":
        return f"Anyone may {_listed(uses, 'and')}."
    if rule.permission == "deny":
        return f"Nobody may {_listed(uses, 'or')}."
    return f"Whoever accepts these conditions may {_listed(uses, 'and')}: {'; '.join(asked(rule))}."


def asked(rule: Rule) -> Iterator[str]:
    """Yield what ``rule`` asks of whoever accepts it, its price first."""
    yield price_text(rule.offer)
    yield from conditions(rule)


def conditions(rule: Rule) -> Iterator[str]:
    """Yield what ``rule`` asks of whoever accepts it, beside its price."""
    if rule.audience:
        yield f"only for {_listed([_AUDIENCES[each] for each in rule.audience], 'or')}"
    if rule.territory:
        if rule.territory.allow:
            yield f"only in {', '.join(rule.territory.allow)}"
        if rule.territory.deny:
            yield f"not in {', '.join(rule.territory.deny)}"
    if rule.valid_from:
        yield f"not before {_moment(rule.valid_from)}"
    if rule.valid_until:
        yield f"only before {_moment(rule.valid_until)}"
    if rule.grant_term:
        yield f"each licence ends after {duration_text(rule.grant_term)}"
    if rule.model_scope:
        yield "one model version only" if rule.model_scope == "one-version" else "for every version of one model"
    if rule.open_weights is not None:
        yield f"the weights of the model {'may be published' if rule.open_weights else 'must not be published'}"
    if rule.exclusive is not None:
        yield "one licensee alone may have it" if rule.exclusive else "nobody may have it alone"
    if rule.sublicensable is not None:
        yield f"the licence {'may' if rule.sublicensable else 'must not'} be passed on to others"
    if rule.attribution:
        where = f" at {rule.attribution.url}" if rule.attribution.url else ""
        place = f", in this place: {rule.attribution.place}" if rule.attribution.place else ""
        yield f"with the credit “{rule.attribution.text}”{where}{place}"
    if rule.reporting:
        yield f"with a report every {duration_text(rule.reporting.every)}"
    if rule.revocation:
        days = rule.revocation.notice_days
        when = "at once" if days == 0 else f"after {days:,} {'day' if days == 1 else 'days'}"
        yield f"when I take the licence back, then {when} {_REVOKED[rule.revocation.effect]}"


def price_text(price: Price) -> str:
    """Return what is to be paid, as a part of a sentence."""
    figure = _money(price.amount, price.currency) if price.amount else ""
    limits = [f"at least {_money(price.minimum, price.currency)}"] if price.minimum else []
    limits += [f"at most {_money(price.cap, price.currency)}"] if price.cap else []
    share = f"{percent(price.share_bps)}%" if price.share_bps else "a share"
    every = f" every {duration_text(price.period)}" if price.period else ""
    base = {
        "free": "free of charge",
        "attribution": "for the credit instead of a payment",
        "per-work": f"{figure} for each work, paid once",
        "per-training-run": f"{figure} for each work and each training run",
        "per-output": f"{figure} for each work and each output",
        "subscription": f"{figure} for each work{every}",
        "pool": f"{share} of a pool in {price.currency}{every}",
        "revenue-share": f"{share} of the revenue{every}",
        "negotiate": "for a price that I have answered with",
    }[price.model]
    return ", ".join([base, *limits])


def _money(decimal: str | None, currency: str | None) -> str:
    code = currency or ""
    return f"{_SYMBOLS.get(code, f'{code} ')}{money.figure(decimal or '0', code)}"


def _moment(text: str) -> str:
    at = times.from_text(text)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {clock(at)} UTC"


def duration_text(text: str) -> str:
    """Return how long the ISO 8601 duration ``text`` is, as a part of a sentence."""
    numbers = durations.parse(text).parts
    named = [f"{number:,} {unit}{'s' * (number != 1)}" for number, unit in zip(numbers, _UNITS, strict=True) if number]
    return _listed(named, "and")


def _listed(items: Sequence[str], word: str) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"
