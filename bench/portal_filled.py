"""A service with an account of 10,000 works, a team that used them, and the staff, each signed in at the portal.

Whoever signs does it at the portal; works are put straight into the tables, as one registration would have left them.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg
import numpy as np
from PIL import Image
from playwright.sync_api import Browser

from bench.chromium import Person
from bench.service import Running
from bench.usage import FORMS, bodies, licensed
from licet import identifiers, times
from licet.catalogue.disputing import open_dispute
from licet.client import Client, joining
from licet.home import Home
from licet.wire.usage_arrow import MEDIA_TYPE
from registry.database.instance import attached
from registry.works.searching import grams, words_of

WORKS: Final = 10_000
ALONE: Final = 120  # works that were licensed one by one: as many charges
ALERTS: Final = 10_000
_NAMES: Final = ("Salt Pans at Dusk", "Red Earth Slope", "Estuary", "晚霞里的盐田", "红土坡", "Harbour in Fog")
_COLUMNS: Final = (
    *("id", "account", "mode", "sha256", "urls", "tags", "digest", "title", "haystack", "grams", "compared_at"),
    "registered_at",
)
_STATES: Final = """
insert into work_states (work, account, statement, own, terms, version)
select w.id, w.account, s.statement, s.own, s.terms, $3
from works w cross join (select * from work_states where work = $2) s
where w.account = $1 and not exists (select from work_states o where o.work = w.id)
"""
_COVERED: Final = """
insert into statement_works (statement, work)
select statement, work from work_states where account = $1 on conflict do nothing
"""
_THUMBNAILS: Final = """
insert into thumbnails (account, sha256, content)
select w.account, w.sha256, t.content
from works w cross join (select content from thumbnails where account = $1 limit 1) t
where w.account = $1 on conflict do nothing
"""


class Filled(NamedTuple):
    """Who is signed in, and identifiers of what their pages show."""

    artist: Person
    team: Person
    auditor: Person
    operator: Person
    ids: dict[str, str]
    did: list[str]  # between the landing page and the first signed work

    def at(self, path: str) -> str:
        """Return ``path`` with the identifiers."""
        for name, value in self.ids.items():
            path = path.replace(f"{{{name}}}", value)
        return path


def picture(folder: Path, seed: int) -> Path:
    """Return a file with a picture of its own."""
    rough = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), np.uint8)
    path = folder / f"{seed}.jpg"
    found = io.BytesIO()
    Image.fromarray(rough).resize((1024, 768), Image.Resampling.BICUBIC).save(found, "JPEG", quality=88)
    path.write_bytes(found.getvalue())
    return path


def office(service: Running, *arguments: str) -> dict[str, Any]:
    """Do what an operator does, and return the document that is printed."""
    command = [str(Path(sys.executable).parent / "licet-registry"), *arguments, "--json"]
    environment = {**os.environ, "LICET_REGISTRY_DATA": str(service.data)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def first_work(person: Person, file: Path) -> None:
    """From the landing page to the receipt of the first signed work."""
    page = person.page
    person.opens("")
    person.taps(".hero .btn")
    person.writes("#name", "Mei Lin")
    person.taps("[data-join] button")
    page.wait_for_url("**/home")
    adds(person, file)
    person.signs()


def adds(person: Person, file: Path) -> str:
    """From home to the terms of a picture that was just added; return the work."""
    person.taps(f"main a[href='/{person.language}/add']")
    person.chooses("#picture", file)
    person.taps("[data-start]")
    person.taps("[data-sign] button")
    person.page.wait_for_selector("#terms")
    return person.page.locator("#terms [name=w]").first.input_value()


def sold(person: Person, file: Path) -> tuple[str, str]:
    """Add a picture that may be used for money; return the work and the statement."""
    person.opens("/works")
    work = adds(person, file)
    person.page.check("#card-paid")
    person.page.select_option("#currency", "USD")
    person.writes("#amount", "0.5")
    person.page.wait_for_selector("#terms:not(.changed) [data-sign]")
    return work, person.signs()


def team(service: Running, browser: Browser, url: str) -> tuple[Person, Client]:
    """Open a team by a passkey, and let a program sign for it."""
    person = Person(browser, url)
    person.joins("Lantern Labs", team=True)
    person.opens("/organisation/tokens")
    person.taps("[data-token] button")
    person.page.wait_for_selector("[data-made] output")
    token = person.page.inner_text("[data-made] output")
    person.opens("/organisation/start")
    account = person.page.locator(".pairs code").nth(1).inner_text()
    client = Client(url, token, home=Home(service.home), profile="lantern")
    person.page.goto(joining.ask(client, account, "root").link)
    person.page.wait_for_url("**/keys/look")
    person.taps("[data-statement] button")
    person.page.wait_for_url("**/organisation/keys")
    assert joining.joined(client, account) is not None
    return person, client


def employed(service: Running, browser: Browser, url: str, role: str) -> Person:
    """Invite somebody of the staff, and return who came."""
    invited = office(service, "invite", "--role", role, "--name", "Ada Okafor")
    person = Person(browser, url)
    person.opens(f"/invited#{invited['link'].partition('#')[2]}")
    person.taps("[data-invited] button")
    person.page.wait_for_url(f"**/{role}")
    return person


async def fill(address: str, account: str, of: str) -> list[Any]:
    """Let ``account`` have ``WORKS`` works, under the terms of its work ``of`` and with its thumbnail; return them.

    It is told of as much, too.
    """
    conn: asyncpg.Connection[Any] = await asyncpg.connect(address)
    owner, now = identifiers.to_uuid(account), times.now()
    records: list[tuple[object, ...]] = []
    for number, name in zip(range(WORKS), itertools.cycle(_NAMES), strict=False):
        title = f"{name} {number}"
        words = words_of(title, None, None, [])
        file = hashlib.sha256(b"%d" % number).digest()
        work = identifiers.new_uuid()
        records.append((work, owner, "upload", file, [], [], file, title, words, grams(words), 0, now))
    async with conn.transaction():
        await conn.copy_records_to_table("works", records=records, columns=_COLUMNS)
        version = await conn.fetchval("update consent_version set version = version + 1 returning version")
        await conn.execute(_STATES, owner, identifiers.to_uuid(of), version)
        await conn.execute(_COVERED, owner)
        await conn.execute(_THUMBNAILS, owner)
        kinds = itertools.cycle(("licence-granted", "earned", "terms-changed", "signed-in"))
        told = [
            (identifiers.new_uuid(), owner, kind, None, "it was") for _, kind in zip(range(ALERTS), kinds, strict=False)
        ]
        await conn.copy_records_to_table(
            "account_events", records=told, columns=("id", "account", "kind", "subject", "detail")
        )
    await conn.execute("vacuum analyze")  # as the database does by itself once there is time
    await conn.close()
    return [record[0] for record in records]


def used(client: Client, works: list[Any], statement: str) -> str:
    """Take a licence of each of some ``works``, and one of all others; report runs under it, and return it."""
    for work in works[:ALONE]:
        licensed(client, [work], statement)
    whole = licensed(client, works[ALONE:], statement)
    for body in bodies(client, whole, itertools.count(2), FORMS[0]):
        client.transport.request("POST", "/v1/usage/batches", body=body, content_type=MEDIA_TYPE, idempotent=True)
    return whole.licence


def filled(service: Running, browser: Browser, url: str) -> Filled:
    """Return the people once everything is there."""
    folder = service.home.parent
    artist = Person(browser, url)
    first_work(artist, picture(folder, 1))
    did = list(artist.did)
    work, statement = sold(artist, picture(folder, 2))
    artist.opens("/account")
    account = artist.page.inner_text(".pairs code")
    office(service, "attest", account, "--level", "2", "--evidence", "her drawings")
    address = attached(service.data)
    assert address is not None
    with ThreadPoolExecutor(1) as aside:  # the browser has the loop of this thread
        works = aside.submit(asyncio.run, fill(address, account, work)).result()
    lantern, client = team(service, browser, url)
    licence = used(client, works, statement)
    auditor, operator = employed(service, browser, url, "auditor"), employed(service, browser, url, "operator")
    charge = artist.context.request.get(f"{url}/v1/charges").json()["items"][0]["charge"]
    owed = lantern.context.request.get(f"{url}/v1/charges").json()["items"]
    dispute = open_dispute(client, owed[-1]["charge"], "We never trained on it.").dispute.dispute
    ids = {"work": work, "account": account, "statement": statement, "licence": licence, "charge": charge}
    ids |= {"dispute": dispute, "month": times.to_text(times.now())[:7]}
    return Filled(artist, lantern, auditor, operator, ids, did)
