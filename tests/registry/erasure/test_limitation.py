"""Once nothing can be claimed any more, what was kept of an erased account goes too; others lose nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from licet import identifiers, times
from licet.statements.statement_file import verify_statement_file
from licet.terms import Terms
from licet.terms.rules import Attribution
from licet.wire.licensing import WorkWanted
from licet.wire.works import WorkIn
from registry import archive
from registry.database import Database
from registry.erasure import service as erasure
from registry.restoring.restore import restore_from
from registry.services import place_of
from registry.snapshots import publisher
from tests.registry.archive.conftest import contents
from tests.registry.catalogue import PAID, RESEARCH, artist, picture, registry
from tests.registry.erasure.leaving import erased, places, places_in, verified
from tests.registry.erasure.test_erasing import fetched, trust
from tests.registry.harness import Running
from tests.registry.market import shelf, trainer
from tests.registry.servers import Server

pytestmark = pytest.mark.anyio

# What is not an erased account's alone, by the column that names the account.
OTHERS = {
    "accounts": "id",
    "account_keys": "account",
    "key_statements": "account",
    "statements": "account",
    "works": "account",
    "work_states": "account",
    "log_pending": "account",
    "licence_works": "account",
    "licences": "organisation",
    "usage_events": "organisation",
}
BOOKS = ("transfers", "entries", "ledger_accounts", "log_entries", "log_tiles")


async def rows(site: Running, account: str) -> dict[str, list[Any]]:
    """Return everything of ``account`` and of nobody."""
    found = {}
    async with site.services.database.acquire() as conn:
        for table, column in OTHERS.items():
            query = f"select t::text as row from {table} t where {column} = $1 order by 1"  # names are ours
            found[table] = [row["row"] for row in await conn.fetch(query, identifiers.to_uuid(account))]
        for table in BOOKS:
            found[table] = [row["row"] for row in await conn.fetch(f"select t::text as row from {table} t order by 1")]
    return found


@pytest.mark.parametrize("deny", [True, False])
async def test_once_limitation_has_ended_nothing_of_either_party_is_left_that_the_log_and_the_books_do_without(
    lone: Running, monkeypatch: pytest.MonkeyPatch, deny: bool
) -> None:
    site = lone
    monkeypatch.setattr(erasure, "ENDED_AT_A_TIME", 2)  # so that an account's statements end in several batches
    named = dict(PAID.rules)
    atom = next(atom for atom, rule in named.items() if rule.permission == "license")
    rule = named[atom]
    named[atom] = rule.model_copy(update={"attribution": Attribution(text="Quorvane")})
    ada = await artist(site, "Quorvane Ember")
    await ada.raise_level(2)
    made = await ada.picture(picture(1), title="Quorvane at dawn", urls=["https://quorvane.example/1.png"])
    goods = await shelf(site, Terms(named), 1, owner=ada)
    address = WorkIn(work=identifiers.new_id("wrk"), mode="fingerprint-only", urls=["https://quorvane.example/2.png"])
    await ada.register(address)
    said = await ada.state([made.work, address.work], Terms(named))
    lab, stays = await trainer(site, "Zirconlab"), await trainer(site, "Stays")
    other = await shelf(site, RESEARCH, 1)
    await lab.license([*goods.wanted(), WorkWanted(made.work, said.statement, "exact")])
    kept_licence = await stays.license(goods.wanted())
    kept_outside = await fetched(site, goods.statement)
    needles = [b"Quorvane", b"quorvane", b"Zirconlab", ada.account.key.public, lab.account.key.public]

    answers = [await erased(site, each, deny=deny) for each in (ada.account, lab.account)]
    assert all(answer.kept for answer in answers)
    now = times.now()
    await erasure.forget_ended(site.services, now)
    kept = {"account_keys.public", "terms.encoded", "works.urls"}
    assert await places(site, needles) == kept
    before = await rows(site, stays.id), await rows(site, other.owner.account.id)

    await erasure.forget_ended(site.services, now + site.services.settings.limitation + timedelta(days=1))
    assert await places(site, needles) == set()
    assert (await rows(site, stays.id), await rows(site, other.owner.account.id)) == before
    async with site.services.database.acquire() as conn:
        for table in ("account_keys", "key_statements", "work_versions"):
            left = f"select count(*) from {table}" + _of(table)  # names are ours
            assert await conn.fetchval(left, [identifiers.to_uuid(each.account) for each in answers]) == 0, table
        said_of = "select kind from statements where account = any($1)"
        own = [identifiers.to_uuid(each.account) for each in answers]
        assert [row["kind"] for row in await conn.fetch(said_of, own)] == ["erase", "erase"]
        assert await conn.fetchval("select count(*) from works where account = any($1)", own) == (3 if deny else 0)
        assert await conn.fetchval("select count(*) from restricted_statements") == 0

    assert verify_statement_file(kept_outside, trust(site)).anchored
    assert (await stays.http.get(f"/v1/statements/{goods.statement}")).status_code == 410
    assert verify_statement_file(await fetched(site, kept_licence.licence, stays.http), trust(site)).anchored
    bundle = await stays.http.get(f"/v1/audit/bundle?period={times.to_text(now)[:7]}")
    assert bundle.status_code == 410, bundle.text
    await publisher.publish(site.services)
    await verified(site)


async def test_a_restored_archive_brings_back_nothing_that_was_erased(
    server: Server, migrated_template: str, tmp_path: Path, anyio_backend: str
) -> None:
    """The first copy in it is from before the erasures, and from before the end of limitation."""
    async with server.fresh(migrated_template) as dsn, registry(dsn, tmp_path, archive="on") as site:
        ada, eve = await artist(site, "Quorvane Ember"), await artist(site, "Ysolde Marr")
        await ada.raise_level(2)
        goods = await shelf(site, PAID, 1, owner=ada)
        free = await eve.picture(picture(3), title="Ysolde asleep", urls=["https://ysolde.example/3.png"])
        await eve.state([free.work], RESEARCH)
        lab = await trainer(site, "Zirconlab")
        licence = await lab.license(goods.wanted())
        needles = [b"Quorvane", b"Ysolde", b"ysolde", ada.account.key.public, eve.account.key.public]
        await erased(site, eve.account)
        await erased(site, ada.account)
        await erasure.forget_ended(site.services, times.now() + site.services.settings.limitation + timedelta(days=1))
        assert await places(site, needles) == set()
        said = (await lab.http.get(f"/v1/statements/{licence.licence}")).json()
        async with site.services.database.transaction() as conn:
            await conn.execute("set local synchronous_commit = on")
            await conn.execute("update archive_mark set at = now()")  # what was committed before is durable with it
        for _ in range(600):  # the sequencer archives what is not for the log, too
            async with site.services.database.acquire() as conn:
                behind = await archive.behind(conn)
            if behind is not None and behind.has_base and not behind.bytes:
                break
            await asyncio.sleep(0.05)
        kept, where = await contents(site.services.database), place_of(site.services.settings)
    async with server.fresh("template0", "restored") as dsn:
        copy = await Database.connect(dsn, connections=3)
        await restore_from(copy, where, None, replaces=True)
        assert await places_in(copy, needles) == set()
        restored = await contents(copy)
        assert restored.keys() == kept.keys()
        for table in ("works", "work_states", "log_pending", "log_entries", "statements", "accounts", "erasures"):
            assert restored[table] == kept[table], table
        async with copy.acquire() as conn:
            lost = (
                "select count(*) from log_pending p join erasures e on e.account = p.account where p.salt is not null"
            )
            assert await conn.fetchval(lost) == 2  # the registry's own statements, that it was erased
        await copy.close()
        async with registry(dsn, tmp_path, archive="on") as site:
            said_again = await site.client(lab.account.token).get(f"/v1/statements/{licence.licence}")
            assert said_again.json()["envelope"] == said["envelope"]
            assert (await site.http.get(f"/v1/statements/{goods.statement}")).status_code == 410
            await publisher.publish(site.services)
            await verified(site)


def _of(table: str) -> str:
    if table == "work_versions":
        return " v join works w on w.id = v.work where w.account = any($1)"
    return " where account = any($1)"
