"""``licet licences request`` and ``agree``: asking artists for licences, and taking those whose prices no use fixes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from licet import money
from licet.cli import pricing
from licet.cli.asking import confirm
from licet.cli.output import COMMON, Common, printable, show
from licet.cli.pricing import price_from, price_words
from licet.cli.wording import budgets_from, moment_from, request_from
from licet.counted import many

if TYPE_CHECKING:
    from licet.datasets.agreeing.taking import Agreed, Proposal
    from licet.wire.agreements import RequestAccepted
    from licet.wire.licensing import LeftOut

_WHY_LEFT = {
    "needs-agreement": "its terms name no price to agree to; `licet licences request` asks for one",
    "deny": "its terms say no",
    "review": "its terms ask what the request leaves open",
    "changed": "its terms have changed; `licet snapshot pull`, then run it again",
    "unknown": "the registry does not know it",
}
Several = Parameter(consume_multiple=True, negative="")
YES = Annotated[bool, Parameter(negative="", help="Do not ask.")]
WEIGH = Annotated[
    Literal["work", "use", "report"],
    Parameter(help="What gives a work its part of what is divided: all alike, their uses, or weights you report."),
]
BUDGET = Annotated[list[str] | None, Several, Parameter(help="The most that is due at once, such as 100USD.")]
MESSAGE = Annotated[str, Parameter(help="What you want to say to the other side.")]


def request(
    given: list[str],
    /,
    *,
    use: Annotated[list[str], Several, Parameter(help="What the works are for, such as train-gen.")],
    model: Annotated[str, Parameter(help="ORG/NAME@VERSION that is trained.")],
    purpose: Annotated[list[str] | None, Several, Parameter(help="commercial (default), research, …")] = None,
    territory: Annotated[list[str] | None, Several, Parameter(help="Countries of the use, such as DE,FR.")] = None,
    open_weights: Annotated[Literal["yes", "no"] | None, Parameter(help="Whether weights are published.")] = None,
    model_scope: Annotated[Literal["one-version", "family"] | None, Parameter(help="What it is to cover.")] = None,
    price: pricing.AMOUNT = None,
    currency: pricing.CURRENCY = None,
    price_model: pricing.MODEL = None,
    share: pricing.SHARE = None,
    minimum: pricing.LEAST = None,
    cap: pricing.MOST = None,
    period: pricing.PERIOD = None,
    message: MESSAGE = "",
    until: Annotated[str | None, Parameter(help="Until when it can be answered (default: in 30 days).")] = None,
    yes: YES = False,
    common: Common = COMMON,
) -> None:
    """Ask artists for licences that their terms state no price for; each is asked for her own works.

    Parameters
    ----------
    given
        Works, such as wrk_…, or what `licet filter` wrote: then its rows that need an agreement.
    """
    from licet.datasets.agreeing.asking import ask, covered, named_works
    from licet.datasets.examining.basis import open_basis

    asked = request_from(use, purpose, territory, open_weights, model, model_scope)
    proposed = price_from(price_model, price, currency, share, minimum, cap, period)
    works = named_works(given)
    with common.client() as client:
        basis = open_basis(client)
        held = covered(client, basis, works, asked)
        works = [work for work in works if work not in held]
        if not works:
            lines = [*_covered(held), "Nothing is left to ask for: nobody was asked."]
            show(common, {"requests": [], "licensed": held}, lines)
            return
        told = [*_covered(held), *(f"  {work}" for work in works[:20]), *(["  …"] if len(works) > 20 else [])]
        if proposed is not None:
            told.append(f"  you propose {price_words(proposed.to_json())}")
        question = f"Ask for a licence for {many(len(works), 'work')} and {model}? [y/N]"
        confirm(told, question, yes=yes, nothing="nobody was asked")
        sent = ask(
            client,
            basis,
            works,
            asked,
            price=proposed,
            message=message,
            expires_at=moment_from(until, "--until"),
        )
    lines = [
        *_covered(held),
        *(
            f"{each.request.request}  asks {each.request.account} for {many(each.request.works, 'work')}, entry "
            f"{each.receipt.log_index} of the log; it can be answered until {each.request.expires_at}"
            for each in sent
        ),
    ]
    show(common, {"requests": [document_of_request(each) for each in sent], "licensed": held}, lines)


def agree(
    given: list[str],
    /,
    *,
    use: Annotated[list[str], Several, Parameter(help="What the works are for, such as train-gen.")],
    model: Annotated[str, Parameter(help="ORG/NAME@VERSION that is trained.")],
    purpose: Annotated[list[str] | None, Several, Parameter(help="commercial (default), research, …")] = None,
    territory: Annotated[list[str] | None, Several, Parameter(help="Countries of the use, such as DE,FR.")] = None,
    open_weights: Annotated[Literal["yes", "no"] | None, Parameter(help="Whether weights are published.")] = None,
    model_scope: Annotated[Literal["one-version", "family"] | None, Parameter(help="What it is to cover.")] = None,
    budget: BUDGET = None,
    run: Annotated[str, Parameter(help="The first training run.")] = "1",
    weigh: WEIGH = "work",
    yes: YES = False,
    common: Common = COMMON,
) -> None:
    """Take licences at prices that terms state and no single use fixes: subscriptions, pools, shares of revenue.

    Parameters
    ----------
    given
        Works, such as wrk_…, or what `licet filter` wrote: then its rows that need an agreement.
    """
    from licet.datasets.agreeing.asking import named_works
    from licet.datasets.agreeing.taking import Terms, propose, take
    from licet.datasets.examining.basis import open_basis

    asked = request_from(use, purpose, territory, open_weights, model, model_scope)
    works = named_works(given)
    with common.client() as client:
        on = Terms(budgets_from(budget), run, weigh)
        found = propose(client, open_basis(client), works, asked, on)
        if found.quote.lines:
            question = f"Agree to this for {many(len(found.quote.lines), 'work')} and {model}? [y/N]"
            confirm(_proposed(found), question, yes=yes, nothing="nothing was taken")
        done = take(client, found, on)
    taken(done, common)


def taken(done: Agreed, common: Common, later: Iterable[str] = ()) -> None:
    """Show which licence was taken, what is owed ``later``, and what was left out."""
    document = {
        "licence": None if done.licence is None else done.licence.id,
        "quote": msgspec.to_builtins(done.quote),
        "left_out": msgspec.to_builtins(done.left),
    }
    show(common, document, [*_lines(done), *later])


def _lines(done: Agreed) -> Iterator[str]:
    from licet.statements.agreed import line_price

    if done.licence is not None:
        owed = ", ".join(money.written(total["amount"], total["currency"]) for total in done.quote.totals) or "nothing"
        yield f"{done.licence.id}, {many(len(done.licence.lines), 'work')}; due at once: {owed}"
        for line in list(done.licence.lines.values())[:20]:
            yield f"  {line.work}  {price_words(line_price(line).to_json())}"
    yield from _left(done.left)
    if done.licence is None:
        yield "Nothing was taken."


def _proposed(found: Proposal) -> Iterator[str]:
    """Yield what is agreed to, before it is: each price with the works that have it, and their conditions."""
    from licet.statements.agreed import line_price

    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for line in found.quote.lines:
        group = (price_words(line_price(line).to_json()), found.conditions[line.work])
        groups.setdefault(group, []).append(line.work)
    for (price, said), works in groups.items():
        yield f"  {price}, for {many(len(works), 'work')}:"
        yield from (f"    {work}" for work in works[:20])
        if len(works) > 20:
            yield f"    … and {len(works) - 20:,} more"
        yield from (f"    on the condition, in the artist's words: {printable(each)}" for each in said)
    owed = [money.written(each.amount, each.currency) for each in found.quote.totals if each.amount]
    yield f"  Due at once: {', '.join(owed) or 'nothing'}; the rest when months close."
    if found.quote.valid_until is not None:
        yield f"  The licence ends at {found.quote.valid_until}."
    yield from _left(found.quote.left_out)


def _left(left: Iterable[LeftOut]) -> Iterator[str]:
    for each in left:
        kind, _, licence = each.reason.partition(":")
        why = f"{licence} covers it already" if kind == "licensed" else _WHY_LEFT.get(each.reason, each.reason)
        yield f"  {each.work}  left out: {why}"


def _covered(held: Mapping[str, str]) -> Iterator[str]:
    for licence in dict.fromkeys(held.values()):
        works = [work for work, by in held.items() if by == licence]
        named = ", ".join(works[:3]) + (", …" if len(works) > 3 else "")
        yield f"{licence} covers {many(len(works), 'work')} already, not asked for again: {named}"


def document_of_request(accepted: RequestAccepted) -> dict[str, Any]:
    """Return a request that was sent or answered, as JSON has it."""
    return {
        "request": msgspec.to_builtins(accepted.request),
        "statement": accepted.statement,
        "log_index": accepted.receipt.log_index,
    }
