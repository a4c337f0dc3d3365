"""What comes out: five verdicts in one order, each with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from licet.terms.atoms import ATOMS

VERDICTS: Final = ("allow", "unknown", "license", "review", "deny")
"""Loosest first: the index is the strictness code, 0 to 4, one byte wherever verdicts are stored."""
CODES: Final = {verdict: code for code, verdict in enumerate(VERDICTS)}

# Reasons of one verdict, the one that wins first; what is not named here comes after, in the order of text.
_REASONS: Final = (
    "withdrawn",
    "pending",
    "vocab",
    "denied",
    "needs-agreement",
    "offer",
    "claim-level",
    "publisher-allows",
    "not-examined",
    "no-match",
)
_REASON_RANK: Final = {reason: rank for rank, reason in enumerate(_REASONS)}
_ATOM_RANK: Final = {atom: rank for rank, atom in enumerate(ATOMS)}


class Charge(msgspec.Struct, frozen=True):
    """The price of one work and unit: model, currency, micro-units (0 where the model fixes no amount), unit."""

    model: str
    currency: str | None
    micro: int
    unit: str  # work, run, output, period or agreement


class Decision(msgspec.Struct, frozen=True):
    """A verdict and why. ``atom`` is the use that decided; ``price`` is set for an offer that is not yet held."""

    verdict: str
    reason: str
    atom: str | None = None
    price: Charge | None = None
    attribution: dict[str, Any] | None = None
    licence: str | None = None

    @property
    def code(self) -> int:
        """The strictness code: the index of the verdict in ``VERDICTS``."""
        return CODES[self.verdict]


NO_MATCH: Final = Decision("unknown", "no-match")
NOT_EXAMINED: Final = Decision("unknown", "not-examined")


def strictest(decisions: Iterable[Decision]) -> Decision:
    """Return the strictest of ``decisions``, whatever their order; of none, ``unknown`` for ``no-match``.

    Among equal verdicts the reason decides (an offer that needs an agreement before one that does not, a held
    licence last), then the use in the order of the vocabulary, then the higher amount.
    """
    return min(decisions, key=_order, default=NO_MATCH)


def _order(decision: Decision) -> tuple[Any, ...]:
    price = decision.price
    return (
        -CODES[decision.verdict],
        _REASON_RANK.get(decision.reason, len(_REASONS)),
        decision.reason,
        _ATOM_RANK.get(decision.atom or "", len(ATOMS)),
        -price.micro if price else 0,
        (price.model, price.currency or "", price.unit) if price else ("", "", ""),
        msgspec.json.encode(decision.attribution, order="sorted"),
        decision.licence or "",
    )
