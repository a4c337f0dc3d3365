"""Accepting what was offered, or what terms state for whoever agrees: quoted, held against both, signed, kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from uuid import UUID

import msgspec

from licet import identifiers, times
from licet.client import Client
from licet.datasets.agreeing.asking import documents
from licet.datasets.examining.basis import Basis
from licet.datasets.licensing.accepting import Taker, check_quote, refuse_excess, use_of
from licet.datasets.licensing.budgets import Budget
from licet.datasets.licensing.held import HeldLicence
from licet.datasets.licensing.wanted import QuoteSummary, Wanted, summary
from licet.decisions import Request
from licet.decisions.deciding import charge
from licet.errors import ConflictError, InputError, VerificationError
from licet.home import AccountFile
from licet.statements import kinds
from licet.statements.agreed import agreed, stated_price
from licet.statements.kinds.agreements import price_of
from licet.statements.owed import due_at_accept
from licet.terms import intern
from licet.terms.english import conditions
from licet.wire.agreements import RequestShown
from licet.wire.licensing import LeftOut, Quote, QuoteRequest, WorkWanted


class Terms(msgspec.Struct, frozen=True):
    """On what an organisation agrees: the most that is due at once, the first run, what weighs in what is divided."""

    budget: Budget
    run: str = "1"
    weigh: kinds.Weigh = "work"


class Agreed(msgspec.Struct, frozen=True):
    """What came of it; ``licence`` is None where nothing could be had, and ``left`` says of each work why."""

    licence: HeldLicence | None
    quote: QuoteSummary
    left: list[LeftOut]


class Proposal(msgspec.Struct, frozen=True):
    """What agreeing would come to: the registry's quote, as it was decided here, and conditions in words by work."""

    quote: Quote
    asked: QuoteRequest
    wanted: Mapping[str, Wanted]
    conditions: Mapping[str, tuple[str, ...]]


def accept_offer(client: Client, shown: RequestShown, on: Terms) -> Agreed:
    """Return once the offer that ``shown`` holds is accepted, whole: the licence is verified and kept.

    Raises ``ConflictError`` where no offer stands, or not for all works any more, ``BudgetError`` over the budget, and
    ``VerificationError`` for a quote that is not what the artist has signed.
    """
    asked, said = documents(client, shown)
    if said is None or said.answer != "offer" or said.price is None:
        raise ConflictError(f"{asked.request}: expected an offer, got {'nothing' if said is None else 'a refusal'}")
    if times.to_text(times.now()) >= (said.offered_until or ""):
        raise ConflictError(f"{asked.request}: the offer ended at {said.offered_until}")
    assert shown.answer is not None
    price, digest = price_of(said.price), shown.answer.envelope.payload_digest
    account = identifiers.to_uuid(asked.account).bytes
    works = {
        each.work: Wanted(
            work=identifiers.to_uuid(each.work).bytes,
            account=account,
            statement=identifiers.to_uuid(each.statement, "stm").bytes,
            terms_hash="",  # what she offers does not follow from her terms
            atom="",
            charge=charge(price),
            match="exact",
            styled=False,
            agreed=agreed(price, digest, said.revocation),
        )
        for each in shown.works
        if each.statement is not None
    }
    request = QuoteRequest(
        use=asked.use,
        works=_wanted(works),
        dataset=None,
        run=on.run,
        budget=on.budget.limits,
        weigh=on.weigh,
        request=asked.request,
    )
    quote = client.quote(request)
    if quote.left_out:
        first = quote.left_out[0]
        raise ConflictError(f"{first.work}: expected the work that was offered, got {first.reason}; nothing was taken")
    document = None if shown.asked is None else shown.asked.envelope.payload_digest
    if said.grant_until is not None and quote.valid_until != said.grant_until:
        raise VerificationError(f"expected a licence until {said.grant_until}, as was offered, got {quote.valid_until}")
    return _take(client, quote, request, works, document, on)


def propose(client: Client, basis: Basis, works: Sequence[str], request: Request, on: Terms) -> Proposal:
    """Return what agreeing to what the terms of ``works`` state would come to; nothing is taken yet.

    The registry's quote was held against the snapshot's terms. Raises ``InputError`` naming a work that the snapshot
    does not know, ``BudgetError`` and ``VerificationError``.
    """
    use = use_of(request)
    wanted = {work: _stated(basis, work, use) for work in works}
    asked = QuoteRequest(
        use=use,
        works=_wanted(wanted),
        dataset=None,
        run=on.run,
        budget=on.budget.limits,
        agreement=True,
        weigh=on.weigh,
    )
    quote = client.quote(asked)
    _hold(client, quote, asked, wanted, None, on)
    said = {line.work: tuple(_conditions(basis, line.work, use)) for line in quote.lines}
    return Proposal(quote, asked, wanted, said)


def take(client: Client, proposal: Proposal, on: Terms) -> Agreed:
    """Return once everything that ``proposal`` quotes is licensed, verified and kept.

    Raises ``BudgetError``, ``VerificationError``, ``ExpiredError`` for a quote past its time.
    """
    return _take(client, proposal.quote, proposal.asked, proposal.wanted, None, on)


def _hold(
    client: Client,
    quote: Quote,
    asked: QuoteRequest,
    works: Mapping[str, Wanted],
    document: str | None,
    on: Terms,
) -> tuple[AccountFile, QuoteSummary]:
    """Return whose quote it is and what it costs, once it is what was decided and within the budget."""
    account = client.need_account().account
    assert account is not None
    check_quote(quote, asked, account.account, works, document)
    told = summary(
        [(line.currency, line.work, line.account, line.model, due_at_accept(line)) for line in quote.lines],
        rows=len(quote.lines),
        needs_agreement=len(quote.left_out),
        fee_bps=quote.fee_bps,
    )
    refuse_excess(quote.totals, told, on.budget)
    return account, told


def _take(
    client: Client,
    quote: Quote,
    asked: QuoteRequest,
    works: Mapping[str, Wanted],
    document: str | None,
    on: Terms,
) -> Agreed:
    account, told = _hold(client, quote, asked, works, document, on)
    if not quote.lines:
        return Agreed(None, told, quote.left_out)
    pending = client.home.licences(account.account) / "pending.json"
    taker = Taker(client, client.working_keys(), pending)
    taker.recover()
    held = taker.accept(quote)
    pending.unlink(missing_ok=True)
    return Agreed(held, told, quote.left_out)


def _stated(basis: Basis, work: str, use: kinds.Use) -> Wanted:
    state = basis.index.work(work)
    if state is None or not state.terms:
        raise InputError.field("work", "a work with terms that the snapshot knows (`licet snapshot pull`)", work)
    terms = intern(state.terms)
    licensed = [atom for atom in use.atoms if terms.rules[atom].permission == "license"]
    price = stated_price(terms, licensed) if licensed else None
    return Wanted(
        work=state.work,
        account=state.account,
        statement=state.statement,
        terms_hash=sha256(state.terms).hexdigest(),
        atom="",
        charge=charge(price) if price is not None else charge(price_of({"model": "free"})),
        match="exact",
        styled=False,
        agreed=msgspec.UNSET if price is None else agreed(price),
    )


def _conditions(basis: Basis, work: str, use: kinds.Use) -> Iterator[str]:
    """Yield what the terms of ``work`` ask for any of the uses, beside the price."""
    state = basis.index.work(work)
    rules = intern(state.terms).rules if state is not None else {}
    asked = [rules[atom] for atom in use.atoms if atom in rules]
    yield from dict.fromkeys(said for rule in asked if rule.permission == "license" for said in conditions(rule))


def _wanted(works: Mapping[str, Wanted]) -> list[WorkWanted]:
    return [
        WorkWanted(work, identifiers.from_uuid("stm", UUID(bytes=works[work].statement)), "exact")
        for work in sorted(works)
    ]
