"""What pages cost, counted and not timed: a first load fits a slow line, and long lists ask no more than short ones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from licet.log import tiles
from licet.terms import Price, preset
from registry import translog
from registry.portal.frame.languages import LANGUAGES
from tests.registry.agreements.talks import NEGOTIATED, ask, reply
from tests.registry.catalogue import registry
from tests.registry.harness import Running
from tests.registry.market import Shelf, Trainer, trainer
from tests.registry.portal.people import HTML, Read
from tests.registry.portal.selling import Seller, seller
from tests.registry.portal.staff import Staff, employed
from tests.registry.portal.team import Team, busy
from tests.registry.portal.weighing import asked, first_load
from tests.registry.servers import Server
from tests.registry.translog.log import submitted

pytestmark = pytest.mark.anyio

FIRST_LOAD, SCRIPTS = 60_000, 30_000  # bytes as they travel
FEW, MANY = 3, 30
PER_RUN = preset("paid", Price(model="per-training-run", amount="0.5", currency="USD"))
PUBLIC = (
    "",
    "/check",
    "/join",
    "/sign-in",
    "/recover",
    "/register",
    "/register/datasets",
    "/work/{work}",
    "/log",
    "/log/0",
    "/verify",
    "/about",
)
ARTISTS = (
    *("/home", "/works", "/works/{work}", "/works/{work}/evidence", "/add", "/terms?work={work}", "/terms?scope=all"),
    *("/earnings", "/earnings/uses", "/earnings/statements", "/earnings/payments", "/earnings/entries"),
    *("/earnings/charges/{charge}", "/licences", "/licences/{licence}", "/requests", "/statements"),
    *("/statements/{statement}", "/level", "/site", "/trace", "/account", "/account/keys", "/disputes"),
)
TEAMS = tuple(
    f"/organisation{each}"
    for each in (
        *("", "/datasets", "/models", "/runs", "/snapshot", "/licences", "/requests", "/duties", "/invoices"),
        *("/charges", "/entries", "/members", "/tokens", "/keys", "/start", "/licences/{licence}"),
    )
)
REGISTER = ("/register?q={name}", "/register/datasets?q={name}", "/work/{work}")
AUDITORS = ("/auditor", "/auditor/entries", "/auditor/duties", "/auditor/entries?account={account}")


@dataclass
class Busy:
    """An artist and a team with what her works were used for."""

    ada: Seller
    lab: Team
    ids: dict[str, str]

    def at(self, path: str) -> str:
        """Return ``path`` with identifiers of theirs."""
        for name, value in self.ids.items():
            path = path.replace(f"{{{name}}}", value)
        return path


async def sold(site: Running, name: str, count: int) -> Busy:
    """Return an artist and a team with ``count`` of everything that their lists show."""
    ada = await seller(site, name, level=2)
    lab = await busy(site, f"{name} Labs")
    shelf = await ada.shelf(PER_RUN, count)
    licence = await lab.lab.license(shelf.wanted())
    for run in range(2, count + 2):
        await lab.lab.report(licence, str(run))
    team = await trainer(site, f"{name} & Co")
    for work in shelf.wanted():
        await team.license([work])
    await asks(ada, lab.lab, count)
    await logs(site, lab.lab, name.lower(), count)
    charges = (await ada.browser.get("/v1/charges")).json()["items"]
    statements = (await ada.browser.get("/v1/statements")).json()["items"]
    ids = {"work": shelf.works[0], "licence": licence.licence, "charge": charges[0]["charge"], "account": ada.owner.id}
    ids |= {"name": name.lower(), "statement": statements[0]["statement"]}
    return Busy(ada, lab, ids)


async def asks(ada: Seller, lab: Trainer, count: int) -> None:
    """Ask the artist ``count`` times for a licence; half of it she refuses."""
    works = (await ada.shelf(NEGOTIATED, count)).wanted()
    for number, work in enumerate(works):
        request = await ask(lab, Shelf(ada.owner, work.statement, [work.work]))
        if number % 2:
            await reply(ada.owner, request, None)


async def logs(site: Running, lab: Trainer, name: str, count: int) -> None:
    """Log ``count`` datasets, each with a model of its own and its run."""
    async with site.services.database.acquire() as conn:
        snapshot = (await conn.fetchval("select digest from snapshots order by sequence desc limit 1")).hex()
    for number in range(count):
        manifest = lab.manifest(snapshot, name=f"{name}-{number}")
        logged = await lab.log("/v1/datasets", manifest)
        model = f"acme/{name}-{number}"
        run = lab.run(logged.json()["id"], manifest.payload_digest, snapshot, model=model)
        for path, statement in (("/v1/runs", run), ("/v1/models", lab.card(model=model, listed=True))):
            assert (await lab.log(path, statement)).status_code == 201


@pytest.fixture(scope="module")
async def few(site: Running) -> Busy:
    return await sold(site, "Few", FEW)


@pytest.fixture(scope="module")
async def many(site: Running) -> Busy:
    return await sold(site, "Many", MANY)


@pytest.fixture(scope="module")
async def auditor(site: Running) -> Staff:
    return await employed(site, "auditor", "Ada Okafor")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_first_load_is_small_wherever_one_comes_in(
    site: Running, many: Busy, auditor: Staff, language: str
) -> None:
    heavy = {}
    for http, paths in (
        (site.http, PUBLIC),
        (many.ada.browser, ARTISTS),
        (many.lab.browser, TEAMS),
        (auditor.http, AUDITORS),
    ):
        for path in paths:
            found = await first_load(http, f"/{language}{many.at(path)}")
            assert any(each.endswith("licet.css") for each in found.sizes), path
            if found.whole > FIRST_LOAD or found.scripts > SCRIPTS:
                heavy[path] = found
    assert not heavy


async def test_an_entry_of_a_full_tile_is_checked_within_a_first_load(
    server: Server, migrated_template: str, tmp_path: Path
) -> None:
    async with server.fresh(migrated_template, "tile") as dsn, registry(dsn, tmp_path) as site:
        await submitted(site.services.database, tiles.WIDTH)
        async with asyncio.timeout(30), site.services.database.acquire() as conn:
            while (await translog.head(conn)).published_size < tiles.WIDTH:
                await asyncio.sleep(0.05)
        links = Read((await site.http.get("/en/log/0", headers=HTML)).text).links()
        files = [f"/log/tile/{each}" for each in ("0/000", "entries/000")]
        assert {*files} <= {*links}
        found = await first_load(site.http, "/en/log/0", "/log/checkpoint", "/log/keys", *files)
    assert found.whole <= FIRST_LOAD, found


async def test_longer_lists_ask_the_database_no_more(site: Running, few: Busy, many: Busy, auditor: Staff) -> None:
    async def statements(http: httpx.AsyncClient, path: str) -> list[str]:
        counted.counted()
        answer = await http.get(f"/en{path}", headers=HTML)
        assert answer.status_code == 200, answer.text
        await asyncio.sleep(0)  # the driver tells of the last one a turn of the loop later
        return counted.counted()

    more = {}
    with asked() as counted:
        for pages, path in ((room, path) for room in (ARTISTS, TEAMS, AUDITORS, REGISTER) for path in room):
            pair = []
            for who in (few, many):
                http = {AUDITORS: auditor.http, TEAMS: who.lab.browser, REGISTER: site.http}.get(pages, who.ada.browser)
                pair.append(await statements(http, who.at(path)))
            assert pair[0], path
            if len(pair[1]) > len(pair[0]):
                more[path] = pair
    assert not more
