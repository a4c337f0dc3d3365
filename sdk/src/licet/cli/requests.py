"""``licet licences requests``: what is asked of artists, offered, refused and accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from licet import money
from licet.cli import pricing
from licet.cli.agreeing import BUDGET, MESSAGE, WEIGH, YES, document_of_request, taken
from licet.cli.asking import confirm
from licet.cli.output import COMMON, Common, note, printable, show
from licet.cli.pricing import least_owed, price_from, price_words
from licet.cli.wording import budgets_from, moment_from
from licet.counted import many
from licet.errors import InputError
from licet.wire.agreements import RequestState

if TYPE_CHECKING:
    from licet.client import Client
    from licet.datasets.licensing.budgets import Budget
    from licet.statements.kinds import LicenceAnswer, LicenceReply, LicenceRequest
    from licet.wire.agreements import RequestAccepted, RequestInfo, RequestShown

    #: What is asked first, and what then signs.
    _Ending = tuple[str, Callable[[Client, RequestShown, str], RequestAccepted]]

app = App(
    name="requests", help="Licences that artists are asked for: list and show them, offer, refuse, withdraw, accept."
)

_STATES = {
    "open": "waits for the artist",
    "offered": "the artist offers a price",
    "refused": "the artist refuses",
    "accepted": "a licence came of it",
    "expired": "was not answered in time",
    "lapsed": "the offer was not accepted in time",
    "withdrawn": "was taken back by who asked",
    "declined": "the offer was declined",
    "retracted": "the artist took the offer back",
}


@app.default
def list_requests(
    *,
    state: Annotated[RequestState | None, Parameter(help="Only those in this state.")] = None,
    work: Annotated[str | None, Parameter(help="Only those for this work.")] = None,
    common: Common = COMMON,
) -> None:
    """List the requests that you made, or are asked; newest first."""
    wanted: dict[str, Any] = {"state": state, "work": work}
    asked = {name: value for name, value in wanted.items() if value is not None}
    with common.client() as client:
        found = list(client.licence_requests(**asked))
        own = _own(client)
    lines = [
        f"{each.request}  {each.state}  {each.model}@{each.version}  {many(each.works, 'work')}  "
        + (f"of {each.account}" if each.organisation == own else f"for {printable(each.name)} ({each.organisation})")
        for each in found
    ]
    waiting = [each for each in found if each.account == own and each.state == "open"]
    if waiting and not common.json:
        told = many(len(waiting), "request waits", "requests wait")
        note(f"{told} for you: `licet licences requests show ASK`, then offer or refuse.")
    show(common, {"requests": msgspec.to_builtins(found)}, lines or ["No such requests."])


@app.command(name="show")
def show_request(ask: str, /, *, common: Common = COMMON) -> None:
    """Show one request: who asks for what, and what became of it; every signature is checked here.

    Parameters
    ----------
    ask
        The request, such as ask_….
    """
    from licet.datasets.agreeing.asking import documents, replied

    with common.client() as client:
        found = client.licence_request(ask)
        asked, said = documents(client, found)
        reply = replied(client, found)
        own = _own(client)
    document = {
        "request": msgspec.to_builtins(found.request),
        "works": msgspec.to_builtins(found.works),
        "asked": msgspec.to_builtins(asked),
        "answer": None if said is None else msgspec.to_builtins(said),
        "reply": None if reply is None else msgspec.to_builtins(reply),
    }
    titles = {each.work: each.title for each in found.works}
    told = [*_told(found.request), *_asked(asked, titles), *_said(said), *_replied(reply)]
    show(common, document, [*told, *_next(found.request, own)])


@app.command
def offer(
    ask: str,
    /,
    *,
    price: pricing.AMOUNT = None,
    currency: pricing.CURRENCY = None,
    price_model: pricing.MODEL = None,
    share: pricing.SHARE = None,
    minimum: pricing.LEAST = None,
    cap: pricing.MOST = None,
    period: pricing.PERIOD = None,
    until: Annotated[str | None, Parameter(help="Until when it can be accepted (default: in 30 days).")] = None,
    ends: Annotated[str | None, Parameter(help="When the licence ends (default: as your terms say).")] = None,
    notice_days: Annotated[int | None, Parameter(help="Days of notice if you revoke it.")] = None,
    effect: Annotated[
        Literal["stop-new-runs", "retire-model", "unlearn"], Parameter(help="What a revocation obliges to.")
    ] = "stop-new-runs",
    message: MESSAGE = "",
    yes: YES = False,
    common: Common = COMMON,
) -> None:
    """Offer a price to the organisation that asks, for the use that it asks for; it stands in place of an earlier one.

    Parameters
    ----------
    ask
        The request, such as ask_….
    """
    from licet.catalogue.answering import document_of
    from licet.catalogue.answering import offer as offered
    from licet.terms import Revocation

    named = price_from(price_model, price, currency, share, minimum, cap, period)
    if named is None:
        raise InputError.field("--price", "a price, such as --price 2 --currency USD", "nothing")
    with common.client() as client:
        found = client.licence_request(ask)
        asked = document_of(client, found)
        titles = {each.work: each.title for each in found.works}
        told = [*_asked(asked, titles), f"  you offer {price_words(named.to_json())}, {_stands(until)}"]
        told.append(f"  the licence ends {ends}" if ends else "  the licence ends as your terms say")
        if notice_days is None:
            told.append("  what happens if you revoke it is as your terms say")
        else:
            told.append(f"  revoked, it obliges to {effect} after {many(notice_days, 'day')} of notice")
        confirm(told, f"Sign this offer to {found.request.name}? [y/N]", yes=yes, nothing="nothing was signed")
        accepted = offered(
            client,
            found,
            named,
            message=message,
            offered_until=moment_from(until, "--until"),
            grant_until=moment_from(ends, "--ends"),
            revocation=None if notice_days is None else Revocation(notice_days=notice_days, effect=effect),
        )
    show(common, document_of_request(accepted), [*_told(accepted.request), _signed(accepted)])


@app.command
def refuse(ask: str, /, *, message: MESSAGE = "", yes: YES = False, common: Common = COMMON) -> None:
    """Refuse: a request that you are asked, which takes back what you offered, or an offer that was made to you.

    An artist whose offer is refused can make another one as long as the request can be answered.

    Parameters
    ----------
    ask
        The request, such as ask_….
    """
    from licet.catalogue import answering
    from licet.datasets.agreeing import asking

    offer = "Refuse this offer? [y/N]", asking.decline
    request = "Refuse this request? [y/N]", answering.refuse
    _end(common, ask, message, offer, request, yes=yes)


@app.command
def withdraw(ask: str, /, *, message: MESSAGE = "", yes: YES = False, common: Common = COMMON) -> None:
    """Take back a request that you made, which nobody can answer then, or an offer that nobody has accepted.

    Parameters
    ----------
    ask
        The request, such as ask_….
    """
    from licet.catalogue import answering
    from licet.datasets.agreeing import asking

    request = "Take this request back? [y/N]", asking.withdraw
    offer = "Take your offer back? [y/N]", answering.withdraw
    _end(common, ask, message, request, offer, yes=yes)


def _end(common: Common, ask: str, message: str, by_asker: _Ending, by_asked: _Ending, *, yes: bool) -> None:
    """End what there is of a request, as whoever asked ends it or whoever is asked, once that is proven and told."""
    from licet.catalogue.answering import document_of
    from licet.datasets.agreeing.asking import documents

    with common.client() as client:
        found = client.licence_request(ask)
        if found.request.organisation == _own(client):
            asked, said = documents(client, found)
            told, (question, done) = [*_asked(asked, {}), *_said(said)], by_asker
        else:
            titles = {each.work: each.title for each in found.works}
            told, (question, done) = [*_asked(document_of(client, found), titles)], by_asked
        confirm(told, question, yes=yes, nothing="nothing was signed")
        accepted = done(client, found, message)
    show(common, document_of_request(accepted), [*_told(accepted.request), _signed(accepted)])


@app.command
def accept(
    ask: str,
    /,
    *,
    budget: BUDGET = None,
    run: Annotated[str, Parameter(help="The first training run.")] = "1",
    weigh: WEIGH = "work",
    yes: YES = False,
    common: Common = COMMON,
) -> None:
    """Accept what an artist offers: a licence with two signatures, in the log.

    Parameters
    ----------
    ask
        The request, such as ask_….
    """
    from licet.datasets.agreeing.asking import documents
    from licet.datasets.agreeing.taking import Terms, accept_offer

    with common.client() as client:
        found = client.licence_request(ask)
        asked, said = documents(client, found)
        limit = budgets_from(budget)
        later = [*_later(said, len(asked.works), limit)]
        told = [*_asked(asked, {}), *_said(said), *later]
        confirm(told, "Accept this offer? [y/N]", yes=yes, nothing="nothing was taken")
        done = accept_offer(client, found, Terms(limit, run, weigh))
    taken(done, common, later)


def _later(said: LicenceAnswer | None, works: int, budget: Budget) -> Iterator[str]:
    """Say what closes will charge at the least by an offer, and where that is more than the budget."""
    least = least_owed(said.price, works) if said is not None and said.price is not None else None
    if least is None:
        return
    amount, currency, every = least
    yield f"  Owed at the least for each {every}: {money.written(amount, currency)}"
    limit = budget.amounts.get(currency)
    if limit is not None and amount > limit:
        over = f"{money.written(limit, currency)}, which only limits what is due at once"
        yield f"  Beware: that is more than the budget of {over}."


def _told(request: RequestInfo) -> Iterator[str]:
    yield f"{request.request}  {_STATES[request.state]}"
    if request.offered_until is not None:
        yield f"  The offer stands until {request.offered_until}."
    if request.licence is not None:
        yield f"  The licence is {request.licence}."


def _asked(asked: LicenceRequest, titles: Mapping[str, str | None]) -> Iterable[str]:
    use = asked.use
    yield f"  {asked.organisation} asks for {', '.join(use.atoms)}, {', '.join(use.purpose)}"
    yield f"  for the model {use.model}@{use.version}" + (", all versions" if use.model_scope == "family" else "")
    if use.territory is not None:
        yield f"  in {', '.join(use.territory)}"
    for work in asked.works[:20]:
        yield f"    {work}  {printable(titles.get(work) or '')}".rstrip()
    if len(asked.works) > 20:
        yield f"    … and {len(asked.works) - 20} more"
    if asked.price is not None:
        yield f"  It proposes {price_words(asked.price)}."
    if asked.message:
        yield f"  It says: {printable(asked.message)}"


def _said(said: LicenceAnswer | None) -> Iterable[str]:
    if said is None:
        return
    if said.price is not None:
        yield f"  The artist offers {price_words(said.price)}, until {said.offered_until}."
        if said.grant_until is not None:
            yield f"  The licence ends at {said.grant_until}."
        if said.revocation is not None:
            yield f"  Revoked, it obliges to {said.revocation['effect']} after {said.revocation['notice_days']} days."
    if said.message:
        yield f"  The artist says: {printable(said.message)}"


def _replied(reply: LicenceReply | None) -> Iterable[str]:
    if reply is not None:
        yield "  The request was taken back." if reply.offer is None else "  The offer was declined."
        if reply.message:
            yield f"  {reply.organisation} says: {printable(reply.message)}"


def _next(request: RequestInfo, own: str) -> Iterable[str]:
    command = f"`licet licences requests {{}} {request.request}"
    if request.account == own:
        if request.state in ("open", "declined", "retracted"):
            yield f"{command.format('offer')} --price …` offers a price, `… refuse …` refuses."
        if request.state == "offered":
            yield f"{command.format('offer')} --price …` makes another offer, `… withdraw …` takes it back."
    if request.organisation == own:
        if request.state == "offered":
            yield f"{command.format('accept')} --budget …` takes the licence, `… refuse …` refuses the offer."
        if request.state in ("open", "declined", "retracted"):
            yield f"{command.format('withdraw')}` takes it back."


def _own(client: Client) -> str:
    account = client.profile.account
    return "" if account is None else account.account


def _signed(accepted: RequestAccepted) -> str:
    return f"Signed, entry {accepted.receipt.log_index} of the log."


def _stands(until: str | None) -> str:
    return f"until {until}" if until else "which stands for 30 days"
