"""Alerts: everything that an artist is told of, read or not, by topic; what she does not want to hear of is off.

Security cannot be switched off. Nothing is read by being listed: she says what she has read.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter, RawBody

from licet import identifiers
from licet.wire.accounts import EventInfo
from registry.accounts import events, topics
from registry.accounts.identity import Caller
from registry.http.paging import Asked, Cursor
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame import forms
from registry.portal.frame.languages import everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, following, language_of
from registry.services import Services

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


def place_of(event: EventInfo, level: int) -> str:
    """Return where ``event`` leads an artist of claim ``level``, behind the language."""
    if event.kind in _OF_KIND:
        return _OF_KIND[event.kind]
    kind = (event.subject or "").partition("_")[0]
    if kind == "lic" and level >= 2:
        return f"/licences/{event.subject}"
    return f"{_OF_SUBJECT[kind]}{event.subject}" if kind in _OF_SUBJECT else _OF_TOPIC[event.topic]


def listed(told: list[EventInfo], level: int) -> list[tuple[EventInfo, str]]:
    """Return alerts with where each leads."""
    return [(each, place_of(each, level)) for each in told]


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
    return ROOM.page(
        request, "alerts", here="alerts", alerts=listed(page.items, caller.level), topic=topic, off=off,
        topics=topics.TOPICS, optional=topics.OPTIONAL, more=following(request, page.next),
        start=request.url.path if cursor else None,
    )  # fmt: skip


@post(
    everywhere("/alerts/read"),
    include_in_schema=False,
    media_type=HTML,
    guards=[ARTISTS],
    opt=forms.FORM,
    request_max_body_size=_BODY,
)
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


@post(
    everywhere("/alerts/topics"),
    include_in_schema=False,
    media_type=HTML,
    guards=[ARTISTS],
    opt=forms.FORM,
    request_max_body_size=_BODY,
)
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
