"""Many at once who try again after every lost answer, while the database is killed again and again under the service.

What is acknowledged is stored, what is stored was attempted, each has one effect, and the books balance.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from licet import identifiers
from licet.canonical import from_base64
from licet.log import entry
from licet.terms import Price, preset
from registry import ledger, translog
from registry.auditing import verify
from registry.database import Connection
from registry.ledger import Entry
from tests.conftest import FAULTS
from tests.registry import memory
from tests.registry.app.fuzzing import served
from tests.registry.catalogue import registry
from tests.registry.harness import Running, verify_whole_log
from tests.registry.market import shelf, trainer
from tests.registry.usage.histories import History, Lab, Office, transfer_of
from tests.registry.usage.killing import Killed, Line, killed

pytestmark = [pytest.mark.anyio, pytest.mark.fault]
KILLS = 4 if FAULTS == 1 else 21 * FAULTS
PER_OUTPUT = preset("paid", Price(model="per-output", amount="0.012345", currency="USD"))
QUIET = {f"quota_{each}": "off" for each in ("requests", "quotes", "events")}


@asynccontextmanager
async def labs(site: Running, line: Line, history: History) -> AsyncIterator[list[Lab]]:
    """Yield two organisations that reach the service over ``line``, with a licence for works of one artist."""
    works = await shelf(site, PER_OUTPUT, 3)
    found = []
    for name in ("Lantern", "Anchor"):
        lab = await trainer(site, name)
        licence = await lab.license(works.wanted(), "100000000USD")
        http = httpx.AsyncClient(base_url=line.url, headers=lab.http.headers, timeout=60)
        found.append(Lab(replace(lab, account=replace(lab.account, http=http)), licence, works, history))
    yield found
    for each in found:
        await each.lantern.http.aclose()


async def killed_again_and_again(cluster: Killed, line: Line, history: History) -> None:
    """Kill the database whenever something is under way, and let it get somewhere in between."""
    while cluster.kills < KILLS:
        await history.go_on(6)
        await line.asked()
        await asyncio.sleep(history.chance.random() ** 2 * 0.05)
        await cluster.kill()
    await history.go_on(20)
    line.holds = history.ended = True


async def test_what_is_acknowledged_is_kept_once_however_often_the_database_is_killed() -> None:
    chance = random.Random(FAULTS)
    history = History(chance)
    folder = memory.folder("licet-killed-")
    folder.chmod(0o711)
    try:
        async with (
            killed(folder / "cluster", chance) as (cluster, dsn),
            registry(dsn, folder / "data", **QUIET) as site,
            served(site) as url,
            Line(url, chance) as line,
            labs(site, line, history) as both,
        ):
            office = Office(site, history)
            acting = [
                *(act() for lab in both for act in (lab.report, lab.report, lab.correct, lab.correct)),
                *(lab.license(f"licensed-{number}") for number, lab in enumerate(both)),
                *(office.record_payments(both[0].lantern.id) for _ in range(2)),
                *(office.refund() for _ in range(2)),
                *(office.post() for _ in range(2)),
                office.resolve(),
                office.close(),
            ]
            async with asyncio.timeout(60 + 20 * KILLS), asyncio.TaskGroup() as group:
                for each in acting:
                    group.create_task(each)
                group.create_task(killed_again_and_again(cluster, line, history))
            print(cluster.kills, line.unanswered, line.torn, line.unheard, history.acknowledged(), dict(history.again))
            assert min(history.acknowledged().values()) > 0
            assert min(line.unanswered, line.torn, line.unheard) > 0
            async with site.services.database.acquire() as conn:
                await holds(conn, both, history)
                await adds_up(conn, both)
                if history.closed:
                    await translog.wait(site.services.database, max(history.closed.values()))
                await logged(conn, site, history)
            assert await verify(site.services) == []
    finally:
        shutil.rmtree(folder)


async def holds(conn: Connection, both: list[Lab], history: History) -> None:
    """What was acknowledged is stored, what is stored was attempted, and of each there is one."""
    events = await conn.fetch("select id from usage_events where batch is not null")
    stored = {row["id"].hex() for row in events}
    assert set().union(*(ids for _, ids in history.batches.values())) <= stored <= history.events
    batches = {
        identifiers.from_uuid("bat", row["id"]): (row["new"], row["known"], row["memorandum"])
        for row in await conn.fetch("select id, new, known, memorandum from usage_batches")
    }
    assert history.batches.keys() <= batches.keys() <= history.sent
    assert all(batches[name] == (done.new, done.known, 0) for name, (done, _) in history.batches.items())
    assert sum(new for new, _, _ in batches.values()) == len(events)

    quotes = {
        identifiers.from_uuid("lic", row["id"]): row["quote"].hex()
        for row in await conn.fetch("select id, quote from licences")
    }
    for lab in both:
        del quotes[lab.licence.licence]
    assert history.licences.keys() <= quotes.keys()
    assert len(set(quotes.values())) == len(quotes)
    assert set(quotes.values()) <= history.accepting

    paid = {
        row["key"]: (row["id"], row["amount"]) for row in await conn.fetch("select key, id, amount from bank_entries")
    }
    assert history.paid.items() <= {(key, number) for key, (number, _) in paid.items()}
    assert {(key, amount) for key, (_, amount) in paid.items()} <= history.paying.items()

    refunded = await conn.fetch("select reverses from transfers where key like 'tra\\_%/refund'")
    assert history.refunded <= {row["reverses"] for row in refunded} <= history.refunding

    closed = {row["period"]: row["pending"] for row in await conn.fetch("select period, pending from periods")}
    assert history.closed.items() <= closed.items()
    await posted_as_said(conn, history)


async def posted_as_said(conn: Connection, history: History) -> None:
    """Every transfer that was posted by its key has the entries that belong to it, and its pending one held them."""
    rows = await conn.fetch(
        "select t.key, t.kind, a.name, e.currency, e.amount from transfers t join entries e on e.transfer = t.id "
        "join ledger_accounts a on a.id = e.account where t.kind = 'settlement-test' or t.key like 'held/%'"
    )
    found: dict[tuple[str, str], set[Entry]] = defaultdict(set)
    for row in rows:
        found[row["kind"], row["key"]].add(Entry(row["name"], row["currency"], row["amount"]))
    posted = {key for kind, key in found if kind == "settlement-test"}
    assert history.posted <= posted <= history.posting
    assert not history.late & posted
    assert all(found["settlement-test", key] == set(transfer_of(key).entries) for key in posted)
    for key, (number, resolved) in history.resolved.items():
        how = await conn.fetchrow(
            "select r.released, r.posted from resolutions r join transfers t on t.id = r.pending where t.key = $1", key
        )
        assert how is not None
        assert number == how["posted" if resolved else "released"]
        assert (how["posted"] is not None) == resolved
        if resolved:
            assert found["held-test", f"{key}/resolved"] == set(transfer_of(key).entries)


async def adds_up(conn: Connection, both: list[Lab]) -> None:
    """By statements of this test alone: transfers add up to nothing, and what is owed follows from what was used."""
    off = "select transfer, currency from entries group by transfer, currency having sum(amount) <> 0"
    assert await conn.fetch(off) == []
    for lab in both:
        organisation = identifiers.to_uuid(lab.lantern.id)
        account = f"receivable:{lab.lantern.id}"
        used = await conn.fetchval("select sum(amount) from usage_events where organisation = $1", organisation)
        back = await conn.fetchval(
            "select coalesce(sum(e.amount), 0) from transfers t join entries e on e.transfer = t.id "
            "join ledger_accounts a on a.id = e.account where a.name = $1 and t.reverses is not null",
            account,
        )
        paid = await conn.fetchval(
            "select coalesce(sum(amount), 0) from bank_entries where organisation = $1", organisation
        )
        assert (await ledger.balances(conn, [account]))[account, "USD"] == used + back - paid


async def logged(conn: Connection, site: Running, history: History) -> None:
    """Each has one entry of the published log, the one of its receipt."""
    services = site.services
    found = verify_whole_log(services.settings.data, services.keys.log_signer.verifier)
    kinds = Counter(entry.parse(each).kind for each in found)
    for kind, table in (
        ("usage-batch", "usage_batches"),
        ("licence", "licences"),
        ("period-close", "periods where pending is not null"),
    ):
        assert kinds[kind] == await conn.fetchval(f"select count(*) from {table}"), kind
    receipts = [done.receipt for done, _ in history.batches.values()] + [
        each.receipt for each in history.licences.values()
    ]
    assert len({each.log_index for each in receipts}) == len(receipts)
    assert all(found[each.log_index] == from_base64(each.entry, "entry") for each in receipts)
