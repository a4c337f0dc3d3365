"""Usage events from signed batches to posted and logged, beside a plain COPY of the same rows.

Several organisations report at once, each one batch after the other: what one of them waits for, the others work.
``python -m bench usage [EVENTS [ORGANISATIONS]]``.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec
from PIL import Image

from bench.measuring import BUILD, in_turn, numbers_given, record
from bench.service import Running, processor_seconds, running
from licet import identifiers, times
from licet.catalogue.register import register
from licet.client import Client
from licet.statements import envelope as envelopes
from licet.statements.event_columns import EventColumns, event_root
from licet.statements.keys import SigningKey
from licet.statements.kinds import Budget, Event, UsageBatch, Use
from licet.statements.licences import SECRET_BYTES, licence_payload
from licet.statements.owed import owed, run_events, totals
from licet.terms import Price, preset
from licet.wire.licensing import LicenceGranted, QuoteRequest, WorkWanted
from licet.wire.usage import UsageAccepted, UsageBatchSubmit
from licet.wire.usage_arrow import MEDIA_TYPE, packed
from registry.database.instance import attached
from registry.licensing.queries import USAGE_EVENTS

EVENTS, REPORTERS = numbers_given(400_000, 4)
WORKS: Final = 10_000
ARTISTS: Final = 1_000
RUNS: Final = 3
USE: Final = Use(["train-gen"], ["commercial"], None, "acme/lantern", "1", "one-version", None)
_FILL: Final = """
with fresh as (
    insert into works (id, account, mode, sha256, urls, tags, digest, haystack, grams, compared_at, registered_at)
    select
        encode(substr(sha256(('id' || n)::bytea), 1, 16), 'hex')::uuid, $1, 'upload', sha256(n::text::bytea),
        '{}', '{}', sha256(('digest' || n)::bytea), '', '{}', 0, now()
    from generate_series($4::int + 1, $4::int + $2::int) as n
    returning id
)
insert into work_states (work, account, statement, own, terms, version)
select fresh.id, $1, state.statement, state.own, state.terms, $3
from fresh, (select statement, own, terms from work_states where account = $1 limit 1) as state
returning work
"""


async def fill(address: str, account: UUID, after: int) -> list[UUID]:
    """Put ``WORKS`` works of ``account`` under its one statement and return them."""
    conn = await asyncpg.connect(address)
    async with conn.transaction():
        version = await conn.fetchval("update consent_version set version = version + 1 returning version")
        rows = await conn.fetch(_FILL, account, WORKS, version, after)
    await conn.execute("analyze")
    await conn.close()
    return [row["work"] for row in rows]


def licensed(client: Client, works: list[UUID], statement: str) -> LicenceGranted:
    """Return one licence over all works."""
    account = client.need_account().account
    assert account is not None
    wanted = [WorkWanted(identifiers.from_uuid("wrk", work), statement, "exact") for work in works]
    quote = client.quote(QuoteRequest(USE, wanted, None, "1", [Budget("USD", 10**15)]))
    payload = licence_payload(
        registry=client.registry_ref(),
        genesis=account.genesis,
        quote=quote.quote,
        digest=quote.digest,
        organisation=quote.organisation,
        use=quote.use,
        dataset=None,
        run="1",
        lines=quote.lines,
        totals=quote.totals,
        budget=quote.budget,
        fee_bps=quote.fee_bps,
        issued_at=quote.issued_at,
    )
    return client.accept(quote.quote, envelopes.seal(payload, SigningKey.load(client.profile.key_path)))


async def spread(address: str, licences: list[LicenceGranted]) -> None:
    """Let the works of ``licences`` be those of ``ARTISTS`` artists, as if each had registered some."""
    conn = await asyncpg.connect(address)
    columns = [
        row["column_name"]
        for row in await conn.fetch(
            "select column_name from information_schema.columns where table_name = 'accounts'"
            " and table_schema = current_schema() and is_generated = 'NEVER'"
        )
    ]
    one = identifiers.to_uuid(licences[0].lines[0].account)
    async with conn.transaction():
        await conn.execute("set local session_replication_role = replica")  # lines are never changed otherwise
        record_of = await conn.fetchrow("select * from accounts where id = $1", one)
        assert record_of is not None
        others = [identifiers.new_uuid() for _ in range(ARTISTS)]
        rows = []
        for place, other in enumerate(others):
            row = {**{name: record_of[name] for name in columns}, "id": other}
            row["genesis"] = f"{place:064x}"
            rows.append(tuple(row[name] for name in columns))
        await conn.copy_records_to_table("accounts", records=rows, columns=columns)
        for licence in licences:
            works = [identifiers.to_uuid(line.work) for line in licence.lines]
            await conn.execute(
                "update licence_works w set account = n.account"
                " from unnest($2::uuid[], $3::uuid[]) as n (work, account) where w.licence = $1 and w.work = n.work",
                identifiers.to_uuid(licence.licence),
                works,
                [others[place % ARTISTS] for place in range(len(works))],
            )
    await conn.close()


class Form(NamedTuple):
    """How usage is reported: as Arrow or JSON, in batches of how many events, of works of one artist or of many."""

    name: str
    arrow: bool
    batch: int
    hot: bool


FORMS: Final = (
    Form("Arrow, 50,000 a batch, 1,000 artists", arrow=True, batch=50_000, hot=False),
    Form("Arrow, 50,000 a batch, one artist", arrow=True, batch=50_000, hot=True),
    Form("Arrow, 10,000 a batch, 1,000 artists", arrow=True, batch=10_000, hot=False),
    Form("JSON, 50,000 a batch, 1,000 artists", arrow=False, batch=50_000, hot=False),
)


def bodies(client: Client, licence: LicenceGranted, runs: Iterator[int], form: Form) -> list[bytes]:
    """Return requests of one organisation with its part of ``EVENTS`` uses that nobody reported before."""
    account = client.need_account().account
    assert account is not None
    key, ref = SigningKey.load(client.profile.key_path), client.registry_ref()
    by_work = {line.work: line for line in licence.lines}
    made = []
    for _ in range(EVENTS // REPORTERS // form.batch):
        at = times.to_text(times.now())
        events: list[Event] = []
        for run in itertools.islice(runs, form.batch // WORKS):
            events += run_events(
                organisation=account.account,
                licence=licence.licence,
                first_run="1",
                run=str(run),
                lines=licence.lines,
                at=at,
            )
        events.sort(key=lambda event: event.id)
        secret = os.urandom(SECRET_BYTES)
        payload = UsageBatch(
            registry=ref,
            organisation=account.account,
            genesis=account.genesis,
            batch=identifiers.new_id("bat"),
            dataset=None,
            count=len(events),
            event_root=event_root(secret, EventColumns.of(events)),
            totals=totals((by_work[e.work].currency, e.work, owed(by_work[e.work], e, "1") or 0) for e in events),
            snapshot=None,
            first_at=at,
            last_at=at,
            issued_at=at,
        )
        envelope, salt = envelopes.seal(payload, key), base64.b64encode(secret).decode()
        if form.arrow:
            made.append(packed(envelope, events, salt))
        else:
            made.append(msgspec.json.encode(UsageBatchSubmit(envelope, events, salt)))
    return made


async def prepare_copy(address: str) -> tuple[asyncpg.Connection[Any], list[Any]]:
    """Return a connection and the rows of one measured run, for the peer to copy into a table of the same form."""
    conn = await asyncpg.connect(address)
    await conn.execute("create table bench_events (like usage_events including all)")
    columns = ", ".join(USAGE_EVENTS)
    rows = await conn.fetch(f"select {columns} from usage_events where batch is not null limit {EVENTS}")
    return conn, [tuple(row) for row in rows]


class Reporter(NamedTuple):
    """An organisation with a licence on works of one artist, and one on as many works of ``ARTISTS`` of them."""

    client: Client
    hot: LicenceGranted
    cold: LicenceGranted

    def send(self, waiting: list[bytes], form: Form) -> None:
        """Every request is answered: its events are posted, logged, and all of them new."""
        media = MEDIA_TYPE if form.arrow else "application/json"
        for body in waiting:
            answer = self.client.transport.request(
                "POST", "/v1/usage/batches", body=body, content_type=media, idempotent=True
            )
            assert msgspec.json.decode(answer.body, type=UsageAccepted).new == form.batch


def reporters(service: Running, address: str) -> list[Reporter]:
    """Return the organisations, with works of an artist that they have licensed."""
    artist = service.client("artist", "mei")
    picture = BUILD / "usage" / "one.png"
    Image.effect_noise((256, 256), 80).save(picture)
    done = register(
        artist, [picture], preset("paid", Price(model="per-training-run", amount="0.000333", currency="USD"))
    )
    mine, statement = identifiers.to_uuid(artist.me().account), done.statements[0].statement
    made = []
    hot = asyncio.run(fill(address, mine, 0))
    for number in range(REPORTERS):
        trainer = service.client("organisation", f"lantern-{number}")
        cold = licensed(trainer, asyncio.run(fill(address, mine, (1 + number) * WORKS)), statement)
        made.append(Reporter(trainer, licensed(trainer, hot, statement), cold))
    asyncio.run(spread(address, [each.cold for each in made]))
    return made


def main() -> None:
    """Measure the whole way over HTTP, and the peer: the same rows into the same table, nothing checked or posted."""
    largest = REPORTERS * max(form.batch for form in FORMS)
    if not EVENTS or EVENTS % largest:
        raise SystemExit(
            f"EVENTS: expected a multiple of {largest:,}, whole batches of every organisation, got {EVENTS:,}"
        )
    with running(BUILD / "usage") as service, ThreadPoolExecutor(REPORTERS) as pool:
        address = attached(service.data)
        assert address is not None
        several = reporters(service, address)
        runs = itertools.count(2)
        used: dict[str, Counter[str]] = {form.name: Counter() for form in FORMS}

        def reporting(form: Form) -> Callable[[], None]:
            waiting = [
                [bodies(each.client, each.hot if form.hot else each.cold, runs, form) for each in several]
                for _ in range(RUNS + 1)
            ]

            def ours() -> None:
                before = Counter(processor_seconds(service.pid))
                list(pool.map(lambda reporter, own: reporter.send(own, form), several, waiting.pop()))
                used[form.name].update(Counter(processor_seconds(service.pid)) - before)

            return ours

        calls = {form.name: reporting(form) for form in FORMS}
        for each in calls.values():  # something to copy, and everything warm
            each()
        for counted in used.values():
            counted.clear()
        loop = asyncio.new_event_loop()
        conn, rows = loop.run_until_complete(prepare_copy(address))
        assert len(rows) == EVENTS

        def peer() -> None:
            loop.run_until_complete(conn.execute("truncate bench_events"))
            loop.run_until_complete(conn.copy_records_to_table("bench_events", records=rows, columns=USAGE_EVENTS))

        # The peer comes last: the archive reads through what it writes, at the cost of whoever is measured next.
        figures = in_turn(calls, EVENTS, RUNS - 1) | in_turn({"COPY of the same rows": peer}, EVENTS, RUNS - 1)
        loop.run_until_complete(conn.close())
        loop.close()
    facts = {
        f"processor-seconds of {name}": {who: round(seconds / RUNS, 2) for who, seconds in counted.items()}
        for name, counted in used.items()
    }
    record("usage", "events", figures, events=EVENTS, works=WORKS, artists=ARTISTS, **facts)


if __name__ == "__main__":
    main()
