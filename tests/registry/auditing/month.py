"""A month at a registry: two organisations, artists of different standing, licences, runs, usage of every kind."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import msgspec

from licet import identifiers, times
from licet.statements.kinds import Event, Use
from licet.statements.licences import correction_id, event_id
from licet.statements.trust import Trust
from licet.terms import Price, Rule, Terms, preset
from licet.wire.licensing import LicenceGranted
from registry import ledger
from registry.accounts.operators import invite
from registry.snapshots.publisher import publish
from tests.registry.catalogue import NO_AI, PAID
from tests.registry.harness import Running
from tests.registry.market import Shelf, Trainer, reported, shelf, trainer

PER_RUN = preset("paid", Price(model="per-training-run", amount="0.05", currency="USD"))
PER_OUTPUT = preset("paid", Price(model="per-output", amount="0.000007", currency="USD"))
DEARER = preset("paid", Price(model="per-work", amount="0.09", currency="USD"))
EUROS = preset("paid", Price(model="per-work", amount="1.337", currency="EUR"))
OPEN = Terms({**preset("no-ai").rules, "train-gen": Rule(permission="allow")})
FAMILY = Use(["train-gen"], ["commercial"], None, "acme/other", "2", "family", None)


@dataclass
class Month:
    """Who did what."""

    site: Running
    lantern: Trainer
    candle: Trainer
    trusted: Shelf  # level 2, per run
    unknown: Shelf  # level 0, per run: escrow
    euros: Shelf  # level 3
    shared: Shelf  # free for everybody
    licence: LicenceGranted
    other: LicenceGranted
    auditor: httpx.AsyncClient

    @property
    def trust(self) -> Trust:
        """The registry as a verifier pins it."""
        keys = self.site.services.keys
        return Trust(keys.origin, keys.root.public.hex())

    @property
    def period(self) -> str:
        """This month."""
        return times.to_text(times.now())[:7]


async def played(site: Running) -> Month:
    """Return a month in which every kind of statement and posting happened."""
    lantern, candle = await trainer(site), await trainer(site, "Candle Labs")
    trusted, unknown = await shelf(site, PER_RUN, 3), await shelf(site, PER_RUN, 2, level=0)
    euros, shared = await shelf(site, EUROS, 2, level=3), await shelf(site, OPEN, 2)
    outputs = await shelf(site, PER_OUTPUT, 1)
    dearer = await shelf(site, PAID, 2)
    await dearer.owner.state(None, DEARER)
    wanted = [each for works in (trusted, unknown, euros, outputs, dearer) for each in works.wanted()]
    licence = await lantern.license(wanted, "100USD 100EUR")
    other = await candle.license([*trusted.wanted("near"), *euros.wanted()], "100USD 100EUR", use=FAMILY)
    _, token = await invite(site.services.database, "auditor", name="Ada Okafor")
    month = Month(site, lantern, candle, trusted, unknown, euros, shared, licence, other, site.client(token.token))
    await _datasets(month)
    await _usage(month)
    await _reversal(month)
    return month


async def _datasets(month: Month) -> None:
    await publish(month.site.services)
    async with month.site.services.database.acquire() as conn:
        snapshot = bytes(await conn.fetchval("select digest from snapshots order by sequence desc limit 1")).hex()
    for who, licence in ((month.lantern, month.licence), (month.candle, month.other)):
        manifest = who.manifest(snapshot, licences=[licence.licence])
        logged = await who.log("/v1/datasets", manifest)
        assert logged.status_code == 201, logged.text
        run = who.run(logged.json()["id"], manifest.payload_digest, snapshot, run="2")
        for path, envelope in (("/v1/runs", run), ("/v1/models", who.card())):
            answer = await who.log(path, envelope)
            assert answer.status_code == 201, answer.text


async def _usage(month: Month) -> None:
    lantern, lines = month.lantern, month.licence.lines
    second = lantern.events(month.licence, "2", outputs=1_000_003)
    free = [_free(lantern, work, month.shared.statement) for work in month.shared.works]
    outside = [
        _free(lantern, month.trusted.works[0], month.trusted.statement),
        _free(lantern, identifiers.new_id("wrk"), month.shared.statement),
        _free(lantern, month.shared.works[0], identifiers.new_id("stm")),
    ]
    kept = await shelf(month.site, NO_AI, 1)
    waiting = await kept.owner.state(kept.works, OPEN)
    assert waiting.pending_until is not None
    outside.append(_free(lantern, kept.works[0], waiting.statement))
    events = sorted([*second, *free, *outside], key=lambda event: event.id)
    accepted = reported(await lantern.send(lantern.batch(events, lines)))
    assert accepted.memorandum == 4
    again = reported(await lantern.send(lantern.batch(lantern.events(month.licence, "2", outputs=1_000_003), lines)))
    assert again.new == 0
    outputs = next(event for event in second if event.unit == "output")
    fewer = msgspec.structs.replace(
        outputs, id=correction_id(outputs.id, 1), seq=1, quantity=900_001, corrects=outputs.id, was=outputs.quantity
    )
    assert reported(await lantern.send(lantern.batch([fewer], lines))).new == 1
    await lantern.report(month.licence, "3")
    await month.candle.report(month.other, "2")


def _free(who: Trainer, work: str, statement: str) -> Event:
    number = event_id(who.id, statement, work, "2", "train-gen", "work", 0)
    at = times.to_text(times.now())
    return Event(number, None, statement, work, "train-gen", "2", "work", 0, 1, at, "exact")


async def _reversal(month: Month) -> None:
    source = month.other.licence
    async with month.site.services.database.transaction() as conn:
        transfer = await conn.fetchval("select min(id::text)::uuid from transfers where source = $1", source)
        await ledger.reverse(conn, transfer, key=f"contested/{source}", at=times.now(), source=source)
