"""Three sets of terms that cover what most artists want (semantics 17)."""

from __future__ import annotations

from typing import Final, Literal, get_args

from licet.errors import InputError
from licet.terms.atoms import ATOMS
from licet.terms.document import Terms
from licet.terms.prices import FREE, UNPAID, Price
from licet.terms.rules import ALLOW, DENY, Rule

PresetName = Literal["no-ai", "research", "paid"]
PRESETS: Final[tuple[str, ...]] = get_args(PresetName)

_RESEARCH: Final = ("mine", "train-nongen", "evaluate")
_PAID: Final = ("mine", "train-nongen", "train-gen", "evaluate")


def preset(name: str, price: Price | None = None) -> Terms:
    """Return the terms called ``name``: ``no-ai``, ``research`` or ``paid``.

    All three allow ``search`` and deny what they do not name. Only ``paid`` takes a ``price``, and needs one.
    Raises ``InputError`` that names ``preset`` or ``price``.
    """
    if name not in PRESETS:
        raise InputError.field("preset", f"one of {', '.join(PRESETS)}", name)
    if name != "paid" and price is not None:
        raise InputError.field("price", f"none, because the preset is {name}", price.to_json())
    if name == "paid" and (price is None or price.model in UNPAID):
        raise InputError.field("price", "an amount and a currency for the preset paid", price and price.to_json())
    rules = dict.fromkeys(ATOMS, DENY) | {"search": ALLOW}
    if name == "research":
        offer = Rule(permission="license", price=FREE, audience=("education", "non-commercial", "research"))
        rules |= dict.fromkeys(_RESEARCH, offer)
    if name == "paid":
        rules |= dict.fromkeys(_PAID, Rule(permission="license", price=price))
    return Terms(rules)
