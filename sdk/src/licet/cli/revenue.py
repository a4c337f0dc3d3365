"""``licet revenue``: report what is divided when a month closes, list reports, and show how shares come about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from licet import money
from licet.cli.asking import confirm
from licet.cli.levels import says_what_is_hidden
from licet.cli.output import COMMON, Common, note, show
from licet.cli.wording import apart
from licet.counted import many
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.client import Client
    from licet.wire.revenue import Amount, Share

app = App(name="revenue", help="Report revenue that is shared; list reports, and show how shares come about.")

Several = Parameter(consume_multiple=True, negative="")
Language = Annotated[Literal["en", "zh"], Parameter(help="The language of the steps.")]
LANGUAGES = {"en": "en", "zh": "zh-Hans"}


@app.command
def report(
    licence: str,
    /,
    *,
    period: Annotated[str, Parameter(help="The month, such as 2026-11.")],
    revenue: Annotated[
        list[str] | None, Several, Parameter(help="Net revenue, such as 1000USD; 0USD for none.")
    ] = None,
    pool: Annotated[list[str] | None, Several, Parameter(help="What was agreed to be divided, such as 500USD.")] = None,
    weights: Annotated[
        Path | None, Parameter(help="What works weigh: a CSV with work,weight, if that was agreed.")
    ] = None,
    correct: Annotated[bool, Parameter(negative="", help="Correct what was reported of the month before.")] = False,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask.")] = False,
    common: Common = COMMON,
) -> None:
    """Say, under your signature, what you made under an agreement in a month; the same figures again change nothing.

    Parameters
    ----------
    licence
        The agreement, such as lic_….
    """
    from licet.datasets.agreeing.reporting import report_revenue, weights_from

    made, divided = amounts_from(revenue, "--revenue"), amounts_from(pool, "--pool")
    if not made and not divided:
        raise InputError.field("--revenue", "an amount, such as 1000USD, or 0USD for none", "nothing")
    weighed = None if weights is None else weights_from(weights)
    told = [f"  net revenue {_said(made)}"] if made else []
    told += [f"  to be divided {_said(divided)}"] if divided else []
    with common.client() as client:
        confirm(told, f"Sign this report of {period} for {licence}? [y/N]", yes=yes, nothing="nothing was reported")
        done = report_revenue(client, licence, period, made, pool=divided, weights=weighed, correct=correct)
    line = f"{done.report.report}  {period}  {_amounts(done.report.revenue, done.report.pool)}"
    how = (
        f"reported, entry {done.report.log_index} of the log" if done.said else "was reported before: nothing is added"
    )
    show(common, {"report": done.report, "said": done.said}, [f"{line}: {how}", _counts(done.report.counts_at)])


@app.command(name="list")
def list_reports(
    *,
    licence: Annotated[str | None, Parameter(help="Only those of this agreement.")] = None,
    period: Annotated[str | None, Parameter(help="Only those of this month.")] = None,
    common: Common = COMMON,
) -> None:
    """List reports that you made, or have a share in, newest first; and the months of which one is missing."""
    named: dict[str, Any] = {} if licence is None else {"licence": licence}
    dated: dict[str, Any] = named if period is None else {**named, "period": period}
    with common.client() as client:
        found = list(client.revenue_reports(**dated))
        missing = [each for each in client.awaited_reports(**named) if period in (None, each.period)]
        hidden = says_what_is_hidden(client, common, "reports in which your works share are listed")
    lines = [
        f"{each.report}  {each.period}  {each.licence}  {_amounts(each.revenue, each.pool)}"
        + ("" if each.current else "  corrected since")
        for each in found
    ]
    lines += [
        f"missing  {each.period}  {each.licence}  {each.model}@{each.version}"
        + ("  closed: the least was charged" if each.closed else "")
        for each in missing
    ]
    show(
        common,
        {"reports": found, "awaited": missing},
        lines or ["None is shown." if hidden else "No reports, and none is missing of a month that is over."],
    )


@app.command(name="show")
def show_report(report: str, /, *, common: Common = COMMON) -> None:
    """Show one report; its signature and its place in the log are checked here.

    Parameters
    ----------
    report
        The report, such as rpt_….
    """
    from licet.datasets.agreeing.reporting import document_of

    with common.client() as client:
        found = client.revenue_report(report)
        said = document_of(client, found)
    told = found.report
    lines = [
        f"{told.report}  {told.period}  {told.licence}  {_amounts(told.revenue, told.pool)}",
        f"  of {told.organisation}, reported at {told.reported_at}; it counts at the close of {told.counts_at}",
        "  proven: the log and the organisation's key say the same"
        if said is not None
        else "  its document is not shown: it was erased, or says what works of others weigh",
    ]
    if not told.current:
        lines.append("  corrected since")
    show(common, {"report": told, "document": said}, lines)


@app.command
def shares(
    licence: str | None = None,
    /,
    *,
    period: Annotated[str, Parameter(help="The month, such as 2026-11.")],
    lang: Language = "en",
    common: Common = COMMON,
) -> None:
    """Show step by step what agreements owe at the close of a month; of an open month, as things stand.

    Parameters
    ----------
    licence
        One agreement, such as lic_… (default: all of them).
    """
    with common.client() as client:
        hidden = says_what_is_hidden(client, common, "what agreements owe you is shown")
        found = [] if hidden and licence is None else list(shares_of(client, period, licence))
    if any(each.state == "open" for each in found) and not common.json:
        note(f"{period} is not closed: this is how things stand.")
    document = {"period": period, "shares": found}
    nothing = f"What is owed for {period} is not shown." if hidden else f"Nothing is owed for {period} by an agreement."
    show(common, document, [*told_shares(found, lang)] or [nothing])


def shares_of(client: Client, period: str, licence: str | None = None) -> Iterator[Share]:
    """Yield what the caller owes, or is owed, at the close of ``period`` by one agreement or all of them."""
    if licence is not None:
        yield from client.shares(licence, period)
        return
    for each in client.licences():
        if each.agreement and each.issued_at[:7] <= period:
            yield from client.shares(each.licence, period)


def told_shares(shares: Iterable[Share], lang: Literal["en", "zh"]) -> Iterator[str]:
    """Yield ``shares`` in words: whose, how much, and below it the steps that lead there."""
    from licet.pricing import Step, written

    for each in shares:
        amount = money.written(each.amount, each.currency) if each.currency else "0"
        yield f"{each.licence}  {each.account}  {amount} for {many(each.works, 'work')}"
        steps = [Step(step.what, step.result, step.amount, step.by, step.of) for step in each.steps]
        shared = any(step.what == "part" for step in steps)
        for line in written(steps, each.currency, LANGUAGES[lang]):
            yield f"  {line}" + ("" if shared or each.works == 1 else ", each")
        if each.open:
            yield "  a report is missing: what is due beyond this is charged once it comes"


def amounts_from(given: Iterable[str] | None, option: str) -> dict[str, int]:
    """Return micro-units by currency of ``1000USD 50EUR``; raises ``InputError`` naming ``option``."""
    found: dict[str, int] = {}
    for text in apart(list(given or ())):
        amount = money.parse(text, option)
        if amount.currency in found:
            raise InputError.field(option, "each currency once", text)
        found[amount.currency] = amount.micro
    return found


def _said(amounts: dict[str, int]) -> str:
    return ", ".join(money.written(amount, currency) for currency, amount in sorted(amounts.items()))


def _amounts(revenue: list[Amount], pool: list[Amount]) -> str:
    told = [f"{money.written(each.amount, each.currency)} net revenue" for each in revenue]
    return ", ".join([*told, *(f"{money.written(each.amount, each.currency)} to be divided" for each in pool)])


def _counts(period: str) -> str:
    return f"It counts at the close of {period}."
