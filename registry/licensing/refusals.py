"""What an acceptance is refused for. Nothing was taken; each says what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from licet.wire.common import FieldError
from licet.wire.licensing import LeftOut
from registry.errors import Conflict


class QuoteExpired(Conflict):
    """The fifteen minutes are over; ask for a new quote."""

    slug = "expired"
    title = "Expired"


class OverBudget(Conflict):
    """The quote is larger than its budget."""

    slug = "over-budget"
    title = "Over budget"


class WorksChanged(Conflict):
    """Works are no longer what the quote says of them; ``errors`` names each and what became of it."""

    slug = "works-changed"
    title = "Works changed"

    def __init__(self, changed: Sequence[LeftOut]) -> None:
        errors = [FieldError(pointer=f"/lines/{each.work}", expected="as quoted", got=each.reason) for each in changed]
        super().__init__(
            f"{len(changed)} works changed since the quote, nothing was taken: ask for a new one", errors=errors
        )
