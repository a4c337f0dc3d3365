"""10,000 keys a call over HTTP against ten million works, beside SQL ``= ANY`` on the same rows of the same service.

By the clock, and in seconds of processors: of the service and its database for ours, of the database and of whoever
reads its rows for the peer, which no HTTP stands in front of. The peer finds which works there are, and their terms;
it decides nothing and reads nothing that was acknowledged meanwhile.

``python -m bench query_http [WORKS]``. Filling a database with ten million works and publishing their snapshot takes
a quarter of an hour or more, so what is there is used again.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from PIL import Image

from bench.measuring import BUILD, in_turn, record
from bench.service import Running, running
from licet import identifiers
from licet.catalogue.register import register
from licet.client import Client
from licet.decisions import Request
from licet.home import Home
from licet.index import Published
from licet.statements import envelope as envelopes
from licet.statements.kinds import Snapshot
from licet.terms import preset
from licet.wire.licensing import RowKeys
from registry.database.instance import attached
from registry.works.searching import FORM

WORKS: Final = 10_000_000
KEYS: Final = 10_000
MOST: Final = 65_536  # keys that one call may hold
CALLS: Final = 10
ROUNDS: Final = 7
_AT_A_TIME: Final = 500_000
_FILL: Final = """
with fresh as (
    insert into works
        (id, account, mode, sha256, pixels, urls, tags, digest, haystack, grams, words, compared_at, registered_at)
    select
        (lpad(to_hex(1700000000000 + n), 12, '0') || '70008' || substr(md5(n::text), 1, 15))::uuid, $1, 'upload',
        sha256(n::text::bytea), sha256(('pixels' || n)::bytea), '{}', '{}', sha256(('digest' || n)::bytea), '', '{}',
        $5::bigint, 0, now()
    from generate_series($2::int, $3::int) as n
    returning id
)
insert into work_states (work, account, statement, own, terms, version)
select fresh.id, $1, state.statement, state.own, state.terms, $4
from fresh, (select statement, own, terms from work_states where account = $1 limit 1) as state
"""
# What keeping up with single registrations takes: pages of works, search, words of others on them. None of it is asked.
_UNASKED: Final = """
select format('drop index %I', i.indexrelid::regclass::text) as gone from pg_index as i
where i.indrelid in ('works'::regclass, 'work_states'::regclass) and not i.indisprimary
    and i.indexrelid <> 'work_states_version'::regclass
"""
_PEER: Final = """
select w.sha256, s.terms, s.statement from works as w join work_states as s on s.work = w.id
where w.sha256 = any($1::bytea[])
union all
select w.pixels, s.terms, s.statement from works as w join work_states as s on s.work = w.id
where w.pixels = any($1::bytea[])
"""


async def fill(address: str, account: UUID, works: int) -> None:
    """Put ``works`` works of ``account`` under its one statement, as registrations over months would have."""
    conn = await asyncpg.connect(address)
    await conn.execute("set synchronous_commit = off; set session_replication_role = replica")
    for row in await conn.fetch(_UNASKED):
        await conn.execute(row["gone"])
    for first in range(1, works + 1, _AT_A_TIME):
        async with conn.transaction():
            version = await conn.fetchval("update consent_version set version = version + 1 returning version")
            last = min(first + _AT_A_TIME - 1, works)
            await conn.execute(_FILL, account, first, last, version, FORM, timeout=3600)
        print(f"\r{last:,} works", end="", file=sys.stderr, flush=True)
    # For the peer: the service itself never asks SQL for a key.
    for column in ("sha256", "pixels"):
        await conn.execute(f"create index bench_{column} on works ({column})", timeout=3600)
    await conn.execute("vacuum analyze", timeout=3600)
    await conn.close()


def main() -> None:
    """Fill and publish where nobody did, then measure."""
    works = next((int(word) for word in sys.argv[1:] if word.isdecimal()), WORKS)
    folder = BUILD / f"query-{works}"
    filled = folder / "filled"
    there = filled.exists()
    # The archive would seal every row that is put there; what is asked is not to end with an account's quota.
    with running(folder, fresh=not there, archive="off", quota_keys="off") as service:
        if not there:
            _filled(service, works)
        # Said, because the profile shows its token only where it was made: another run listened elsewhere.
        token = Home(service.home).profile("lantern").token
        trainer = Client(service.url, token, home=Home(service.home), profile="lantern")
        _settle(trainer, works)
        filled.touch()
        measured(service, trainer, works)


def _filled(service: Running, works: int) -> None:
    artist = service.client("artist", "mei")
    service.client("organisation", "lantern")
    picture = service.data.parent / "one.png"
    Image.effect_noise((256, 256), 80).save(picture)
    register(artist, [picture], preset("no-ai"))
    address = attached(service.data)
    assert address is not None
    started = time.perf_counter()
    asyncio.run(fill(address, identifiers.to_uuid(artist.me().account), works))
    print(f"\n{works:,} works in the database after {time.perf_counter() - started:.0f} s")


def _settle(client: Client, works: int) -> None:
    started = time.perf_counter()
    while _published(client) < works:
        time.sleep(1)
    print(f"in a published snapshot after {time.perf_counter() - started:.0f} s more")
    client.query(Request.make(uses=["train-gen"]).to_json(), [RowKeys(sha256="00" * 32)])


def _published(client: Client) -> int:
    newest = msgspec.json.decode(client.transport.request("GET", "/snapshots/latest").body, type=Published)
    return envelopes.read_as(Snapshot, newest.envelope).works


def measured(service: Running, client: Client, works: int) -> None:
    """Run the three in turn and record them: each answers the same keys, half known, of these half as pixels."""
    random.seed(7)
    batches = []
    for _ in range(CALLS):
        numbers = random.sample(range(1, works + 1), KEYS // 2)
        half = KEYS // 4
        names = [str(n) for n in numbers[:half]] + [f"pixels{n}" for n in numbers[half:]]
        keys = [hashlib.sha256(name.encode()).digest() for name in names]
        keys += [random.randbytes(32) for _ in range(KEYS - len(keys))]
        random.shuffle(keys)
        batches.append(keys)
    request = Request.make(uses=["train-gen"]).to_json()
    rows = [[RowKeys(sha256=key.hex(), pixels=key.hex()) for key in keys] for keys in batches]
    packed = [b"".join(keys) for keys in batches]
    loop = asyncio.new_event_loop()
    address = attached(service.data)
    assert address is not None
    conn = loop.run_until_complete(asyncpg.connect(address))

    everything = b"".join(packed)
    largest = [everything[at : at + MOST * 32] for at in range(0, len(everything), MOST * 32)]

    def looked_up(calls: list[bytes]) -> None:
        denied = 0
        for each in calls:
            answer = client.transport.request(
                "POST", "/v1/licensing/lookup", body=each, content_type="application/octet-stream",
                params={"use": "train-gen"},
            )  # fmt: skip
            denied += answer.body.count(4)
        assert denied == KEYS * CALLS // 2

    def as_bytes() -> None:
        looked_up(packed)

    def as_most_bytes() -> None:
        looked_up(largest)

    def as_json() -> None:
        for each in rows:
            answers = client.query(request, each, "exact")
            assert sum(answer.verdict == "deny" for answer in answers.results) == KEYS // 2

    def as_sql() -> None:
        for each in batches:
            found = loop.run_until_complete(conn.fetch(_PEER, each))
            assert len(found) == KEYS // 2

    calls: dict[str, Callable[[], Any]] = {
        "lookup (binary)": as_bytes,
        f"the same, {MOST:,} keys a call": as_most_bytes,
        "query (JSON with reasons)": as_json,
        "SQL = ANY, no HTTP": as_sql,
    }
    name = f"query_http_{works}"
    facts = {"works": works, "keys": KEYS, "calls": CALLS}
    spent: dict[str, list[float]] = {each: [] for each in calls}
    figures = in_turn(
        {each: _counted(call, service, spent[each]) for each, call in calls.items()}, KEYS * CALLS, ROUNDS
    )
    loop.run_until_complete(conn.close())
    loop.close()
    of_processors = {each: figure._replace(seconds=spent[each][1:]) for each, figure in figures.items()}
    record(f"{name}_clock", "keys", figures, **facts)
    record(name, "keys a processor", of_processors, **facts)


def _counted(call: Callable[[], Any], service: Running, spent: list[float]) -> Callable[[], None]:
    """Return ``call``, which also notes the seconds of processors that it took; the client of ours is not counted."""
    ours = "SQL" not in call.__name__.upper()
    clock = functools.partial(processor_seconds, service.pid)

    def counted() -> None:
        before, here = clock(), time.process_time()
        call()
        spent.append(clock() - before + (0.0 if ours else time.process_time() - here))

    return counted


def processor_seconds(pid: int) -> float:
    """Return what the process ``pid`` and all below it have spent of processors so far, threads that ended aside."""
    spent, waiting = 0, [pid]
    while waiting:
        try:
            threads = list(Path(f"/proc/{waiting.pop()}/task").iterdir())
            for thread in threads:
                waiting += map(int, (thread / "children").read_text().split())
                spent += int((thread / "schedstat").read_text().split()[0])
        except OSError:  # it has ended meanwhile
            continue
    return spent / 1e9


if __name__ == "__main__":
    BUILD.mkdir(parents=True, exist_ok=True)
    main()
