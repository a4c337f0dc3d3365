"""Which works a job has to license, and what that costs: the quote before anybody is asked for one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

import msgspec
import numpy as np

from licet import money
from licet.counted import many
from licet.datasets.examining.deciding import Verdicts, open_offers
from licet.datasets.frames import notebook
from licet.decisions import CODES, MATCH_KINDS, Charge
from licet.index.lookup import Index
from licet.statements.kinds import Agreed, LicenceLine, Total
from licet.statements.owed import due_at_accept, totals

_LICENSE: Final = CODES["license"]
NO_BUDGET: Final = "no-budget"  # then a colon and the currency that the budget has nothing in


class Wanted(msgspec.Struct, frozen=True):
    """A work to license: whose it is, under which statement and terms, and its price as our own decision has it.

    Identifiers are 16 bytes. ``match`` is the firmest kind by which rows show it. ``terms_hash`` and ``atom`` are empty
    where they decide nothing: of what an artist offers, or where the price is the same for every use.
    """

    work: bytes
    account: bytes
    statement: bytes
    terms_hash: str
    atom: str
    charge: Charge
    match: str
    styled: bool
    agreed: Agreed | msgspec.UnsetType = msgspec.UNSET


class Gathered(msgspec.Struct, frozen=True):
    """What a `Shopping` has gathered of some rows, for another one."""

    works: list[Wanted]
    rows: int
    rows_refused: int


class Shopping:
    """Gathers the works to license over a job's batches. A row counts only if all of it can be licensed.

    ``currencies`` are those with a budget; what is priced in another is not taken (semantics 22), and the reason names
    its currency. None: every currency counts, because nothing is to be taken yet.
    """

    def __init__(self, index: Index, style: Collection[bytes], currencies: Collection[str] | None) -> None:
        self._index = index
        self._style = frozenset(style)
        self._currencies = currencies
        self.works: dict[bytes, Wanted] = {}
        self.refused: dict[bytes, str] = {}
        self.rows = 0
        self.rows_refused = 0

    def add(self, verdicts: Verdicts) -> None:
        """Gather what the rows of one batch need."""
        answers = verdicts.answers
        rows = answers.matches.row
        wanted = open_offers(answers) & (verdicts.verdict[rows] == _LICENSE)
        if not wanted.any():
            return
        offered = np.array([self._offered(each.reason, each.price) for each in answers.decisions], np.bool_)
        blocked = np.zeros(len(verdicts), np.bool_)
        blocked[rows[wanted & ~offered[answers.decision]]] = True
        for place in np.flatnonzero(wanted & ~offered[answers.decision]).tolist():
            decision = answers.decisions[answers.decision[place]]
            self.refused[answers.works.work[place].tobytes()] = self._why(decision.reason, decision.price)
        take = wanted & ~blocked[rows]
        self.rows += len(np.unique(rows[take]))
        self.rows_refused += int(blocked.sum())
        for place in np.flatnonzero(take).tolist():
            self._take(verdicts, place)

    @property
    def gathered(self) -> Gathered:
        """What was gathered so far, but for what is refused."""
        return Gathered(list(self.works.values()), self.rows, self.rows_refused)

    def join(self, other: Gathered) -> None:
        """Gather what was gathered elsewhere of other rows."""
        for each in other.works:
            known = self.works.get(each.work)
            if known is None or (known.match != "exact" and each.match == "exact"):
                self.works[each.work] = each
        self.rows += other.rows
        self.rows_refused += other.rows_refused

    def _offered(self, reason: str, price: Charge | None) -> bool:
        if reason != "offer" or price is None:
            return False
        return self._currencies is None or price.currency is None or price.currency in self._currencies

    def _why(self, reason: str, price: Charge | None) -> str:
        """Return why what is not offered is not: its price is one that the budget has no currency for, or is none."""
        return f"{NO_BUDGET}:{price.currency}" if reason == "offer" and price is not None else "needs-agreement"

    def _take(self, verdicts: Verdicts, place: int) -> None:
        answers = verdicts.answers
        works = answers.works
        work = works.work[place].tobytes()
        match = MATCH_KINDS[answers.matches.kind[place]]
        known = self.works.get(work)
        if known is not None:
            if known.match != "exact" and match == "exact":
                self.works[work] = msgspec.structs.replace(known, match=match)
            return
        decision = answers.decisions[answers.decision[place]]
        assert decision.price is not None
        assert decision.atom is not None
        account = works.account[place].tobytes()
        self.works[work] = Wanted(
            work=work,
            account=account,
            statement=works.statement[place].tobytes(),
            terms_hash=self._index.works.terms_hash(int(works.terms[place])),
            atom=decision.atom,
            charge=decision.price,
            match=match,
            styled=account in self._style,
        )


class QuoteSummary(msgspec.Struct, frozen=True):
    """What it costs, per currency and never added up across them; ``amount`` is a decimal string, gross.

    ``per_output`` counts works that are owed for by what the model makes, nothing at acceptance. ``rows`` need these
    works; ``needs_agreement`` is how many rows need one that has no price to accept (or none in a budget's currency).
    """

    totals: list[dict[str, Any]]
    works: int
    artists: int
    rows: int
    free: int
    per_output: int
    needs_agreement: int
    fee_bps: int | None = None  # known once the service has quoted

    def told(self) -> str:
        """Return the quote in a sentence, or nothing where no work needs a licence."""
        if not self.works:
            return ""
        amounts = ", ".join(money.written(total["amount"], total["currency"]) for total in self.totals) or "nothing"
        works, artists = many(self.works, "work"), many(self.artists, "artist")
        return f"licences: {amounts} for {works} of {artists} in {many(self.rows, 'row')}"

    def __repr__(self) -> str:
        return f"<QuoteSummary: {self.told() or 'no licence is needed'}>"

    def _repr_html_(self) -> str:
        rows = [(total["amount"], total["currency"], total["works"]) for total in self.totals]
        return notebook.table(self.told() or "no licence is needed", ("amount", "currency", "works"), rows)


def summary(
    lines: Iterable[tuple[str | None, str, str, str, int]],
    *,
    rows: int,
    needs_agreement: int,
    fee_bps: int | None = None,
) -> QuoteSummary:
    """Return the summary of (currency, work, account, price model, micro-units due at acceptance)."""
    listed = list(lines)
    return QuoteSummary(
        totals=shown_totals(totals((currency, work, due) for currency, work, _, _, due in listed)),
        works=len({work for _, work, _, _, _ in listed}),
        artists=len({account for _, _, account, _, _ in listed}),
        rows=rows,
        free=sum(currency is None for currency, _, _, _, _ in listed),
        per_output=sum(model == "per-output" for _, _, _, model, _ in listed),
        needs_agreement=needs_agreement,
        fee_bps=fee_bps,
    )


def estimate(shopping: Shopping) -> QuoteSummary:
    """Return what the works would cost, from the terms in the snapshot alone; no network."""
    return summary(
        (
            (each.charge.currency, each.work.hex(), each.account.hex(), each.charge.model, due(each))
            for each in shopping.works.values()
        ),
        rows=shopping.rows,
        needs_agreement=shopping.rows_refused,
    )


def quoted(lines: Iterable[LicenceLine], fee_bps: int, shopping: Shopping) -> QuoteSummary:
    """Return the summary of what the service has quoted."""
    return summary(
        ((line.currency, line.work, line.account, line.model, due_at_accept(line)) for line in lines),
        rows=shopping.rows,
        needs_agreement=shopping.rows_refused,
        fee_bps=fee_bps,
    )


def due(wanted: Wanted) -> int:
    """Return the micro-units that licensing this work makes owed at acceptance."""
    return 0 if wanted.charge.unit == "output" else wanted.charge.micro


def shown_totals(sums: Iterable[Total]) -> list[dict[str, Any]]:
    """Return totals with decimal amounts."""
    return [
        {"amount": money.to_decimal(total.amount), "currency": total.currency, "works": total.works} for total in sums
    ]
