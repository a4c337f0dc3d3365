"""How much may be taken: one amount per currency."""

from __future__ import annotations

from collections.abc import Sequence

from licet import money
from licet.errors import InputError
from licet.statements import kinds


class Budget:
    """At most these amounts, as a person writes them: ``Budget("100 USD")``, ``Budget("100USD", "50 EUR")``.

    Raises ``InputError`` for what is no amount and for a currency named twice.
    """

    def __init__(self, *amounts: str) -> None:
        self.amounts: dict[str, int] = {}
        for text in amounts:
            amount = money.parse(text, "budget")
            if amount.currency in self.amounts:
                raise InputError.field("budget", "one amount per currency", f"{amount.currency} twice")
            self.amounts[amount.currency] = amount.micro

    @property
    def limits(self) -> list[kinds.Budget]:
        """The amounts as a licence states them, by currency."""
        return [kinds.Budget(currency, amount) for currency, amount in sorted(self.amounts.items())]

    def __repr__(self) -> str:
        shown = (repr(f"{money.to_decimal(amount)} {currency}") for currency, amount in self.amounts.items())
        return f"Budget({', '.join(shown)})"

    def left(self, spent: Sequence[kinds.Total]) -> list[kinds.Budget]:
        """Return what is left after ``spent``, nothing where it is more."""
        taken = {total.currency: total.amount for total in spent}
        return [kinds.Budget(each.currency, max(0, each.amount - taken.get(each.currency, 0))) for each in self.limits]
