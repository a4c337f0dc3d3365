"""``licet balance``: what is owed, per currency, never added up across them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from licet import money
from licet.cli.levels import REACH, VERIFIED, level_words
from licet.cli.output import COMMON, Common, note, show
from licet.errors import InputError, NotAllowedError
from licet.log.sums import SumLine

if TYPE_CHECKING:
    from licet.audit.closed import ClosedMonth
    from licet.wire.revenue import Share

_WORDS = {
    "payable": "payable to you",
    "escrow": "in escrow: it waits, and is not paid yet",
    "transit": "on its way to your bank",
    "receivable": "owed by you",
}
_OTHERWISE = {
    "payable": "paid to you and taken back since: kept from what comes next",
    "receivable": "to your credit: kept for what you will owe",
}


def balance(
    *,
    period: Annotated[str | None, Parameter(help="A month that is closed, such as 2026-10.")] = None,
    statement: Annotated[str | None, Parameter(help="Write the statement of a month, such as 2026-10, to -o.")] = None,
    output: Annotated[
        Path | None, Parameter(name=["-o", "--output"], help="Where to keep the statement (FILE.html or FILE.pdf).")
    ] = None,
    lang: Annotated[Literal["en", "zh"], Parameter(help="The language of a PDF; a page has both.")] = "en",
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the file that is there.")] = False,
    common: Common = COMMON,
) -> int:
    """Show what you are owed, or owe: now, or through a closed month, proven in what the registry stated of it.

    With --statement, a month is written down for people: verified, with every posting and its proof.
    """
    if statement is not None:
        from licet.cli.monthly import statement_of

        if output is None or period is not None:
            raise InputError.field("-o", "a FILE.html or FILE.pdf beside --statement, and no --period", output)
        return statement_of(statement, output, lang, common, overwrite=overwrite)
    if output is not None:
        raise InputError.field("--statement", "a month beside -o", "nothing")
    if period is not None:
        return _closed(period, common)
    with common.client() as client:
        me, found = client.me(), client.balance()
    document = {"account": found.account, "name": me.name, "lines": found.lines, "as_of": found.as_of}
    if found.not_yet_computed:
        document["not_yet_computed"] = found.not_yet_computed
    lines = [_line(line.account, line.amount, line.currency) for line in found.lines]
    if any(line.account == "escrow" for line in found.lines):
        lines += _why_it_waits(me.level)
    lines = lines or ["nothing is owed either way"]
    lines += [f"not yet computed: what {each.licence} owes for {each.period}" for each in found.not_yet_computed]
    show(common, document, lines)
    return 0


def _line(side: str, amount: str, currency: str) -> str:
    """Return one line; what is less than nothing is said the other way round, without a sign."""
    if amount.startswith("-") and side in _OTHERWISE:
        return f"{money.written(amount[1:], currency)}  {_OTHERWISE[side]}"
    return f"{money.written(amount, currency)}  {_WORDS[side]}"


def _why_it_waits(level: int) -> list[str]:
    if level < VERIFIED:
        return [
            f"It waits because your claim level is {level_words(level)}: it is released at level {VERIFIED},",
            "and what has waited 180 days below that goes back to whoever paid.",
            REACH,
        ]
    return [
        f"Your claim level is {level_words(level)}: what waits is released by itself, or is of works that are",
        "contested or whose shares wait for signatures. `licet works list` names their state, `licet charges list`",
        "the charges.",
    ]


def _closed(period: str, common: Common) -> int:
    """Show the lines of a closed month, verified; exit 1 if nothing pinned vouches for them."""
    from licet.audit.closed import verify_own
    from licet.audit.layout import period_of
    from licet.cli.revenue import shares_of, told_shares
    from licet.statements.trust import Trust

    period_of(period, "--period")
    with common.client() as client:
        found = client.period_line(period)
        own, pinned = client.profile.account, client.profile.trust
        # Of a token that is not the profile's, the answer alone says whose it is.
        known = own is not None and client.transport.token == client.profile.token
        account = own.account if own is not None and known else found.account
        agreed: list[Share] = []
        if found.lines:
            try:
                agreed = list(shares_of(client, period))
            except NotAllowedError:
                note("how shares came about is not shown: the token has not the scope usage")
    trust = None if pinned is None else Trust(pinned.origin, pinned.root)
    month = verify_own(found, account, period, trust)
    lines = [{"side": each.side, "currency": each.line.currency, **_columns(each.line)} for each in found.lines]
    document = {
        "account": account,
        "period": period,
        "verified": month.logged.anchored,
        "log_index": month.logged.log_index,
        "logged_at": month.logged.logged_at,
        "lines": lines,
        "checks": month.checks,
        "shares": agreed,
    }
    show(common, document, [*_told(period, month, lines), *told_shares(agreed, "en")])
    return 0 if month.logged.anchored else 1


def _columns(line: SumLine) -> dict[str, str]:
    opening, closing = line.owed_before - line.overpaid_before, line.owed - line.overpaid
    figures = {
        "opening": opening,
        "accrued": line.accrued,
        "reversed": line.reversed,
        "settled": line.settled,
        "closing": closing,
    }
    return {name: money.to_decimal(amount) for name, amount in figures.items()}


def _told(period: str, month: ClosedMonth, lines: list[dict[str, Any]]) -> list[str]:
    verdict = "verified" if month.logged.anchored else "self-consistent, not anchored: no registry is pinned here"
    told = [f"{period}, closed by entry {month.logged.log_index} of the log at {month.logged.logged_at}: {verdict}"]
    for each in lines:
        whose = "owed to you" if each["side"] == "payee" else "owed by you"
        told.append(f"{each['currency']} {whose}")
        columns = ("opening", "accrued", "reversed", "settled", "closing")
        told += [f"  {name:<9}{money.figure(each[name], each['currency']):>20}" for name in columns]
    if not lines:
        told.append("nothing was owed either way")
    return [*told, *(f"  {check}" for check in month.checks)]
