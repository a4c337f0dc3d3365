"""Alerts: everything that an artist is told of, read or not, by topic; what she does not want to hear of is off.

Security cannot be switched off. Nothing is read by being listed: she says what she has read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter, RawBody

from licet import identifiers
from licet.identifiers import earliest_uuid
from licet.wire.accounts import EventInfo
from registry.accounts import events, topics
from registry.accounts.identity import Caller
from registry.database import Connection, Row
from registry.http.paging import Asked, Cursor
from registry.portal.artists import queries
from registry.portal.artists.money_queries import CAME_ON
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame import forms
from registry.portal.frame.languages import everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, following, language_of
from registry.portal.frame.taking import takes_form
from registry.services import Services
from registry.usage import money

_A_PAGE: Final = 30
_BODY: Final = 1 << 12
Topic = Annotated[str | None, QueryParameter(max_length=20, description="What the alerts are about.")]
#: Where an event's subject is shown, by what kind of identifier it is. Who licensed is shown from claim level 2 on.
_OF_SUBJECT: Final = {
    "ask": "/requests/", "dsp": "/disputes/", "rem": "/earnings/payments/", "wrk": "/works/", "stm": "/statements/",
}  # fmt: skip
#: Where it leads otherwise, by the kind of event, then by its topic.
_OF_KIND: Final = {
    "signed-in": "/account", "payout-changed": "/earnings/payments", "month-closed": "/earnings/statements",
    "key-added": "/account/keys", "key-revoked": "/account/keys", "key-rotated": "/account/keys",
    "key-recovered": "/account/keys", "delegated": "/account/keys",
}  # fmt: skip
_OF_TOPIC: Final = {
    "uses": "/licences", "money": "/earnings", "payouts": "/earnings/payments", "matches": "/works", "claims": "/level",
    "terms": "/statements", "requests": "/requests", "disputes": "/disputes", "security": "/account",
}  # fmt: skip
_TOLD: Final = ["licence", "usage"]  # the kinds of transfers that `earned` tells of
_RULINGS: Final = ("dispute-decided", "dispute-reviewed", "dispute-ended")


class About(NamedTuple):
    """Which picture an alert is about, by its title, for whom a dispute was decided: ``for`` her or ``against``, and
    what came to her by charges on the whole day that it tells of, in each currency (micro-units)."""

    title: str | None = None
    ruled: str | None = None
    came: tuple[tuple[str, int], ...] = ()


def place_of(event: EventInfo, level: int) -> str:
    """Return where ``event`` leads an artist of claim ``level``, behind the language."""
    if event.kind in _OF_KIND:
        return _OF_KIND[event.kind]
    kind = (event.subject or "").partition("_")[0]
    if kind == "lic" and level >= 2:
        return f"/licences/{event.subject}"
    return f"{_OF_SUBJECT[kind]}{event.subject}" if kind in _OF_SUBJECT else _OF_TOPIC[event.topic]


async def listed(conn: Connection, caller: Caller, told: list[EventInfo]) -> list[tuple[EventInfo, str, About]]:
    """Return alerts with where each leads, and which picture or decision it is about."""
    works = await conn.fetch(queries.TITLES, _subjects(told, "wrk"), caller.account)
    known = {identifiers.from_uuid("wrk", row["id"]): About(title=row["title"]) for row in works}
    disputes = {
        identifiers.from_uuid("dsp", row["id"]): row
        for row in await conn.fetch(queries.DISPUTED, _subjects(told, "dsp"), caller.account)
    }
    found, came = [], await _came(conn, caller, {each.at[:10] for each in told if each.kind == "earned"})
    for each in told:
        row = disputes.get(each.subject or "")
        about = known.get(each.subject or "", About()) if row is None else About(row["title"], _ruled(each.kind, row))
        if each.kind == "earned":
            about = About(came=tuple(came.get(each.at[:10], ())))
        found.append((each, place_of(each, caller.level), about))
    return found


async def _came(conn: Connection, caller: Caller, days: set[str]) -> dict[str, list[tuple[str, int]]]:
    """Return what charges brought on each of ``days``: all of it, also what came after the alert was given."""
    if not days:
        return {}
    found: dict[str, list[tuple[str, int]]] = {}
    named = sorted(days)
    begins = [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in named]
    ends = [earliest_uuid(each + timedelta(days=1)) for each in begins]
    names = money.accounts_of(caller)
    for row in await conn.fetch(CAME_ON, names, named, [earliest_uuid(each) for each in begins], ends, _TOLD):
        found.setdefault(row["day"], []).append((row["currency"], row["amount"]))
    return found


def _subjects(told: list[EventInfo], kind: str) -> list[UUID]:
    return [identifiers.to_uuid(each.subject) for each in told if each.subject and each.subject.startswith(f"{kind}_")]


def _ruled(kind: str, row: Row) -> str | None:
    """Return for whom the decision was that an alert of ``kind`` tells of; None where it tells of none."""
    if kind not in _RULINGS:
        return None
    decision = row["decided"] if kind == "dispute-decided" else row["outcome"]
    if decision not in ("upheld", "dismissed"):
        return None
    return "for" if (decision == "upheld") == row["opened"] else "against"


@get(everywhere("/alerts"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def alerts(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    topic: Topic = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """What the artist was told, of all that she wants to hear of or of one topic."""
    asked = Asked.of(request, "-told", _A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        off = await events.off(conn, caller.account)
        page = await events.listed(conn, caller.account, asked, topic=topic, without=off)
        found = await listed(conn, caller, page.items)
    return ROOM.page(
        request, "alerts", here="alerts", alerts=found, topic=topic, off=off,
        topics=topics.TOPICS, optional=topics.OPTIONAL, more=following(request, page.next),
        start=request.url.path if cursor else None,
    )  # fmt: skip


@takes_form("/alerts/read", ARTISTS, most=_BODY)
async def read_alerts(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[Any]:
    """One alert is read, or all up to the newest that the page had: what came since stays new."""
    form = forms.read(request, body)
    event = identifiers.to_uuid(form.get("event"), "evt", field="event")
    async with services.database.transaction() as conn:
        await events.read(conn, caller.account, event, older=form.get("older") == "yes")
    return led(f"/{language_of(request)}/alerts", "alerts_read")


@takes_form("/alerts/topics", ARTISTS, most=_BODY)
async def switch_topic(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[Any]:
    """A topic is switched off or on; security stays on."""
    form = forms.read(request, body)
    on = form.get("on") == "yes"
    async with services.database.transaction() as conn:
        await events.switch(conn, caller.account, form.get("topic"), on=on)
    return led(f"/{language_of(request)}/alerts", "alerts_on" if on else "alerts_off")


ROUTES: Final = [alerts, read_alerts, switch_topic]
