"""The ledger for auditors: entries to filter, each down to the statement behind it, its uses and its proof."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from markupsafe import Markup

from licet import identifiers
from licet.audit.drawing import charts
from registry.accounts.identity import Caller
from registry.auditing import exploring
from registry.http.months import MONTH
from registry.http.paging import Asked, Cursor
from registry.portal.auditors.room import A_PAGE, AUDITORS, ROOM
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, following, language_of
from registry.services import Services

_ID: Final = r"[0-7][0-9a-hjkmnp-tv-z]{25}"
# A form sends what was left empty, too.
OfAccount = Annotated[str | None, QueryParameter(name="account", pattern=rf"^((org|art)_{_ID})?$")]
OfMonth = Annotated[str | None, QueryParameter(name="period", pattern=rf"^({MONTH})?$")]
InCurrency = Annotated[str | None, QueryParameter(name="currency", pattern=r"^([A-Z]{3})?$")]
OfSource = Annotated[str | None, QueryParameter(name="source", pattern=r"^[\x20-\x7e]{0,255}$")]


@get(everywhere("/auditor/entries"), include_in_schema=False, media_type=HTML, guards=[AUDITORS])
async def entries(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    account: OfAccount = None,
    period: OfMonth = None,
    currency: InCurrency = None,
    source: OfSource = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """The entries of the ledger that the auditor may see, the newest first; of a month its days as a chart, too."""
    asked = Asked.of(request, "-at", A_PAGE, cursor)
    whose, month = account or None, period or None
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        page = await exploring.entries(
            conn, caller, asked, account=whose, period=month, currency=currency or None, source=source or None
        )
        days = [] if month is None else await exploring.days(conn, caller, month, whose)
    words = ROOM.speaks(language_of(request))
    chart = Markup()
    if month is not None:
        says = words("days_says", n=sum(count for _, count in days), month=words.month(month))
        chart = Markup(  # noqa: S704  # drawn here: what it is given, it escapes
            charts.columns(days, "days", words("days_title", month=words.month(month)), says)
        )
    return ROOM.page(
        request, "entries", here="entries", entries=page.items, days=[each for each in days if each[1]], chart=chart,
        asked={"account": whose, "period": month, "currency": currency or None, "source": source or None},
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/auditor/entries/{transfer:str}"), include_in_schema=False, media_type=HTML, guards=[AUDITORS])
async def transfer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    transfer: FromPath[str],
) -> Response[bytes]:
    """One transfer: its entries that the auditor may see, the uses behind it, and the statement with its proof."""
    number = identifiers.to_uuid(transfer, "tra", field="path:transfer")
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        found = await exploring.transfer(conn, caller, number)
        events = await exploring.events(conn, caller, found[0].source)
        proof = await exploring.proof(conn, caller, found[0].source)
    return ROOM.page(
        request, "transfer", here="entries", head=found[0], entries=found, events=events, proof=proof,
        most=exploring.MOST_EVENTS,
    )  # fmt: skip


ROUTES: Final = [entries, transfer]
