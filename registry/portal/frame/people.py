"""Who may see a page: handlers of rooms for people who are signed in have one of these as their guard."""

from __future__ import annotations

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from registry.accounts import events
from registry.accounts.identity import Caller, Guard, authenticated
from registry.errors import NotAllowed, NotAuthenticated, NotFound
from registry.services import Services

#: Where the state of a request says how many alerts of an artist are unread: her navigation does.
UNREAD: Final = "unread"
#: Where each kind of account begins.
HOMES: Final = {"art": "home", "org": "organisation", "aud": "auditor", "opr": "operator"}


def people(*kinds: str) -> Guard:
    """Return the guard that lets in sessions of accounts of ``kinds``: a token opens no page.

    Whoever is not signed in is asked to; to accounts of other kinds there is no such page.
    """

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        found = await authenticated(connection)
        if found is None:
            raise NotAuthenticated
        if found.session is None:
            raise NotAllowed("expected somebody signed in, got a token")
        if kinds and found.kind not in kinds:
            raise NotFound("there is no such page for this kind of account")

        if found.kind == "art":
            services: Services = connection.app.state.services
            async with services.database.acquire() as conn:
                connection.scope["state"][UNREAD] = await events.unread(conn, found.account)

    return guard


def home_of(caller: Caller, language: str) -> str:
    """Return the address of the page on which ``caller`` begins."""
    return f"/{language}/{HOMES.get(caller.kind, 'account')}"


def onward(to: str | None, language: str, otherwise: str) -> str:
    """Return ``to`` where it is an address of the portal in this language, else ``otherwise``: nobody is led away."""
    if to is None or not to.startswith(f"/{language}/") or any(each in to for each in ("\\", "//", "..")):
        return otherwise
    return to if to.isprintable() and to.isascii() else otherwise
