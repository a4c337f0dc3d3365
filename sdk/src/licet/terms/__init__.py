"""What an artist may say about a work: ten uses, a permission for each, and the conditions of an offer."""

from __future__ import annotations

from licet.terms.atoms import ATOMS, AUDIENCES, TRAINING, VOCAB
from licet.terms.document import Terms, intern, json_schema, read_price
from licet.terms.merging import merge, stricter_revocation
from licet.terms.presets import PRESETS, preset
from licet.terms.prices import NEEDS_AGREEMENT, PRICE_MODELS, UNITS, UNPAID, Price
from licet.terms.rules import Attribution, Reporting, Revocation, Rule, Territory
from licet.terms.wording import conditions_text, plain_text, price_text, sentences, text_hash

__all__ = [
    "ATOMS",
    "AUDIENCES",
    "NEEDS_AGREEMENT",
    "PRESETS",
    "PRICE_MODELS",
    "TRAINING",
    "UNITS",
    "UNPAID",
    "VOCAB",
    "Attribution",
    "Price",
    "Reporting",
    "Revocation",
    "Rule",
    "Terms",
    "Territory",
    "conditions_text",
    "intern",
    "json_schema",
    "merge",
    "plain_text",
    "preset",
    "price_text",
    "read_price",
    "sentences",
    "stricter_revocation",
    "text_hash",
]
