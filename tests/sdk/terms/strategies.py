"""Terms as people could write them, from pools small enough that conditions meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from licet.terms import ATOMS, AUDIENCES, Price, Terms

COUNTRIES = ("DE", "FR", "JP", "US", "EU")
MOMENTS = (
    "2026-01-01T00:00:00.000Z",
    "2026-06-01T00:00:00.000Z",
    "2027-01-01T00:00:00.000Z",
    "2028-01-01T00:00:00.000Z",
)
DURATIONS = ("P1M", "P30D", "P3M", "P1Y", "P1Y1D")
TRADES = {"commercial", "non-commercial"}
AMOUNTS = st.sampled_from(("0.000001", "0.05", "1", "100"))


def _optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def prices(draw: st.DrawFn) -> dict[str, Any]:
    """A valid price of any model."""
    model = draw(
        st.sampled_from(
            ("free", "per-work", "per-training-run", "per-output", "subscription", "pool", "revenue-share", "negotiate")
        )
    )
    price: dict[str, Any] = {"model": model}
    if model in {"per-work", "per-training-run", "per-output", "subscription"}:
        price |= {"amount": draw(AMOUNTS), "currency": draw(st.sampled_from(("USD", "EUR")))}
    if model == "subscription":
        price["period"] = draw(st.sampled_from(DURATIONS))
    if model in {"per-output", "pool"}:
        price |= draw(_optional(minimum=st.sampled_from(("0.05", "1")), cap=st.sampled_from(("100", "1000"))))
    if model == "pool":
        price["currency"] = "USD"
    if model == "revenue-share":
        price["share_bps"] = draw(st.sampled_from((100, 500)))
    return price


def conditions() -> dict[str, st.SearchStrategy[Any]]:
    """A strategy for every condition but the price."""
    windows = st.sampled_from(MOMENTS)
    codes = st.lists(st.sampled_from(COUNTRIES), min_size=1, max_size=3)
    return {
        "audience": st.lists(st.sampled_from(AUDIENCES), min_size=1).filter(lambda each: TRADES & set(each)),
        "territory": st.fixed_dictionaries({"allow": codes})
        | st.fixed_dictionaries({"deny": codes})
        | st.just({"allow": ["EU", "JP"], "deny": ["DE"]}),
        "valid_from": windows,
        "valid_until": windows,
        "grant_term": st.sampled_from(DURATIONS),
        "model_scope": st.sampled_from(("one-version", "family")),
        "open_weights": st.booleans(),
        "exclusive": st.booleans(),
        "sublicensable": st.booleans(),
        "attribution": st.sampled_from(
            (
                {"text": "Su Tang"},
                {"text": "Su Tang", "url": "https://su.example/"},
                {"text": "Bo", "place": "model card"},
            )
        ),
        "reporting": st.sampled_from(DURATIONS).map(lambda every: {"every": every}),
        "revocation": st.fixed_dictionaries(
            {
                "notice_days": st.sampled_from((0, 30)),
                "effect": st.sampled_from(("stop-new-runs", "retire-model", "unlearn")),
            }
        ),
    }


@st.composite
def license_rules(draw: st.DrawFn) -> dict[str, Any]:
    """A valid ``license`` rule with any conditions."""
    rule: dict[str, Any] = {"permission": "license", "price": draw(prices())} | draw(_optional(**conditions()))
    if rule.get("valid_from", "") >= rule.get("valid_until", "z"):
        del rule["valid_until"]
    return rule


def rules() -> st.SearchStrategy[dict[str, Any]]:
    """A valid rule, mostly an offer."""
    return license_rules() | st.sampled_from(({"permission": "deny"}, {"permission": "allow"}))


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """``{atom: rule}`` with two different rules spread over all ten uses."""
    return st.tuples(rules(), rules(), st.lists(st.booleans(), min_size=10, max_size=10)).map(
        lambda drawn: {atom: drawn[0] if first else drawn[1] for atom, first in zip(ATOMS, drawn[2], strict=True)}
    )


def terms() -> st.SearchStrategy[Terms]:
    """Any valid terms."""
    return documents().map(Terms.parse)


def written(**rules: Any) -> Terms:
    """Return terms that deny all but ``rules``; underscores in names stand for dashes."""
    named = {name.replace("_", "-"): rule for name, rule in rules.items()}
    return Terms.parse(dict.fromkeys(ATOMS, "deny") | named)


def offer(amount: str = "1", model: str = "per-work", currency: str = "USD", **conditions: Any) -> dict[str, Any]:
    """Return a priced ``license`` rule with ``conditions``."""
    price = Price(model=model, amount=amount, currency=currency).to_json()  # type: ignore[arg-type]
    return {"permission": "license", "price": price, **conditions}
