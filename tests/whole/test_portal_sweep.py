"""Every page of the portal in a real browser, with something to show: none is missed, whoever it is for."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser

from registry.portal.frame.languages import LANGUAGES
from registry.running.listening import answers, claim_port
from registry.running.serving import listening
from tests.registry.catalogue import registry
from tests.registry.conftest import migrated_template, server
from tests.registry.portal.conftest import PAYS
from tests.registry.portal.everybody import Everybody, everybody
from tests.registry.portal.test_pages import PUBLIC
from tests.registry.portal.whole import pages
from tests.registry.servers import Server
from tests.whole.browser import chromium
from tests.whole.visiting import SIZES, Visitor, visiting

__all__ = ["migrated_template", "server"]

#: Every page by whom it is opened, with identifiers of theirs; further states of it beside it.
OPENED: Final = {
    "nobody": (
        *PUBLIC,
        *("/join?as=team", "/register/models/{model}", "/register/datasets/{dataset}", "/nothing"),
    ),
    "artist": (
        *("/home", "/alerts", "/works", "/works/{work}", "/works/{waiting}", "/works/{work}/evidence", "/trace"),
        *("/add", "/terms?work={unsigned}", "/terms?work={unsigned}&card=own", "/site?at=https://su.example"),
        *("/statements", "/statements/{statement}", "/level", "/licences", "/licences/{sold}"),
        *("/requests", "/requests/{ask}", "/requests/{offered}", "/disputes", "/disputes/{dispute}"),
        *("/disputes/new?about={charge}", "/account", "/account/keys", "/account/keys/{keyid}/end", "/account/leave"),
        *("/earnings", "/earnings/charges/{charge}", "/earnings/uses", "/earnings/entries", "/earnings/payments"),
        *("/earnings/payments/{remittance}", "/earnings/statements"),
    ),
    "team": (
        *("/organisation", "/organisation/datasets", "/organisation/models", "/organisation/runs"),
        *("/organisation/snapshot", "/organisation/licences", "/organisation/licences/{licence}"),
        *("/organisation/licences/{shared}", "/organisation/requests", "/organisation/requests/{asked}"),
        *("/organisation/requests/new?work={work}", "/organisation/duties", "/organisation/invoices"),
        *("/organisation/invoices/{invoice}", "/organisation/charges", "/organisation/entries"),
        *("/organisation/members", "/organisation/members/{invitation}", "/organisation/tokens"),
        *("/organisation/start", "/organisation/keys", "/organisation/keys/add"),
        *("/organisation/keys/delegate?key={key}", "/organisation/keys/{key}/end"),
    ),
    "newcomer": (
        *("/home", "/alerts", "/works", "/level", "/requests", "/licences", "/statements", "/disputes", "/site"),
        *("/earnings", "/earnings/uses", "/earnings/entries", "/earnings/payments", "/account/keys"),
    ),
    "new team": (
        *("/organisation", "/organisation/datasets", "/organisation/models", "/organisation/runs"),
        *("/organisation/licences", "/organisation/requests", "/organisation/duties", "/organisation/invoices"),
        *("/organisation/charges", "/organisation/entries", "/organisation/keys"),
    ),
    "auditor": ("/auditor", "/auditor/entries?period={month}", "/auditor/entries/{transfer}", "/auditor/duties"),
    "operator": (
        *("/operator", "/operator/keys", "/operator/staff", "/operator/disputes", "/operator/disputes/{dispute}"),
    ),
}
#: What people keep on paper, and a table of theirs that stands there as one.
PRINTED: Final = (
    ("artist", "/statements/{statement}", None),
    ("artist", "/works/{work}/evidence", "table.fold"),
    ("artist", "/earnings/entries", "table.fold"),
    ("team", "/organisation/invoices/{invoice}", "table.fold"),
    ("artist", "/earnings/statements/{month}/page", ".en table.fold"),
)
#: A sheet with wide margins, in pixels: a window as narrow makes paragraphs of rows.
SHEET: Final = {"width": 620, "height": 877}
#: Not opened, and why.
LEFT_OUT: Final = {
    "/site/kit.zip": "a file",
    "/earnings/statements/{period}/{form}": "a file that lets nothing into it: looked at below",
}
#: What a page does by itself is done once this is there.
_DONE: Final = {"/log": "[data-again]:enabled", "/log/{index}": "[data-again]:enabled"}
#: What a route calls an identifier, where there are several to choose from here.
_CALLED: Final = {
    "waiting": "work", "unsigned": "work", "sold": "licence", "shared": "licence", "offered": "ask",
}  # fmt: skip


class Held(NamedTuple):
    """The service that everybody came to: where it listens, its pages and their sessions."""

    port: int
    pages: set[str]
    people: Everybody


@asynccontextmanager
async def inhabited(server: Server, template: str, folder: Path) -> AsyncIterator[Held]:
    """Yield a service that listens, and in which everybody has something to look at."""
    port = claim_port("127.0.0.1", 0)
    async with server.fresh(template, "sweep") as dsn, registry(dsn, folder, port=port, **PAYS) as site:
        people = await everybody(site)
        listens = listening(site.app, "127.0.0.1", port)
        serving = asyncio.create_task(listens.serve())
        try:
            while not await answers(site.services.settings):
                await asyncio.sleep(0.02)
            yield Held(port, pages(site.app), people)
        finally:
            listens.stop()
            await serving


@pytest.fixture(scope="module")
def held(server: Server, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    folder = tmp_path_factory.mktemp("sweep")
    with (
        start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(inhabited(server, migrated_template, folder)) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def test_no_page_is_missed(held: Held) -> None:
    opened = {_route(path) for paths in OPENED.values() for path in paths} - {"/nothing"}
    assert opened | set(LEFT_OUT) == held.pages


@pytest.mark.parametrize("who", OPENED)
def test_every_page_is_usable_in_both_languages_light_and_dark_and_at_400_percent(
    browser: Browser, held: Held, who: str
) -> None:
    amiss: list[str] = []
    with visiting(browser, f"http://localhost:{held.port}", "en") as visitor:
        if who != "nobody":
            visitor.keeps("__Host-sid", held.people.session(who))
        for number, path in enumerate(OPENED[who]):
            # Each page once as a phone and once as a desktop shows it: in the other language, and the other colours.
            for turn, size in enumerate(SIZES):
                visitor.language = LANGUAGES[(number + turn) % 2]
                visitor.page.emulate_media(color_scheme="dark" if (number // 2 + turn) % 2 else "light")
                visitor.opens(held.people.at(path))
                if path in _DONE:
                    visitor.page.wait_for_selector(_DONE[path])
                amiss += _said_of(visitor, size)
    assert not amiss, "\n".join(amiss)


def test_a_drawn_statement_is_readable_too(browser: Browser, held: Held) -> None:
    with visiting(browser, f"http://localhost:{held.port}", "zh") as visitor:
        visitor.keeps("__Host-sid", held.people.session("artist"))
        path = held.people.at("/earnings/statements/{month}/page")
        drawn = visitor.context.request.get(f"{visitor.url}/zh{path}")
        assert drawn.ok
        visitor.page.set_content(drawn.text())  # as it stands, where axe may be let in
        amiss = [each for size in SIZES for each in _said_of(visitor, size)]
    assert not amiss, "\n".join(amiss)


@pytest.mark.parametrize(("who", "path", "table"), PRINTED)
def test_what_is_printed_is_ink_on_paper_with_its_tables(
    browser: Browser, held: Held, who: str, path: str, table: str | None
) -> None:
    with visiting(browser, f"http://localhost:{held.port}", "en", color_scheme="dark") as visitor:
        visitor.keeps("__Host-sid", held.people.session(who))
        visitor.opens(held.people.at(path))
        page = visitor.page
        page.set_viewport_size(SHEET)  # type: ignore[arg-type]
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        pale = page.locator(".quiet").evaluate_all("found => found.map(each => getComputedStyle(each).color)")
        assert set(pale) <= {"rgb(51, 51, 51)"}
        for aside in page.locator(".top, .foot, .crumbs, .filter, .tongue, .btn").all():
            assert not aside.is_visible(), aside
        if table is not None:
            for part, drawn in (
                (table, "table"),
                (f"{table} thead", "table-header-group"),
                (f"{table} td", "table-cell"),
            ):
                assert page.locator(part).first.evaluate("each => getComputedStyle(each).display") == drawn, part
                assert page.locator(part).first.evaluate("each => getComputedStyle(each).position") == "static", part
        doors = page.locator(".may").evaluate_all(
            "found => found.map(each => getComputedStyle(each, '::before').printColorAdjust)"
        )
        assert set(doors) <= {"exact"}  # else a shut door comes out as an open one


def _said_of(visitor: Visitor, size: str) -> list[str]:
    """Return what is amiss with the page as it stands: one page that is must not hide the next."""
    found = []
    for looks in (functools.partial(visitor.looks, size), visitor.zooms):
        try:
            looks()
        except AssertionError as error:
            found.append(str(error))
    return found


def _route(path: str) -> str:
    """Return the route of a path with identifiers."""
    found = path.partition("?")[0]
    for name, called in _CALLED.items():
        found = found.replace(f"{{{name}}}", f"{{{called}}}")
    return found
