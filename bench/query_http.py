"""10,000 keys asked over HTTP against a million works, beside SQL ``= ANY`` on the same rows."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
from PIL import Image

from bench.measuring import BUILD, in_turn, record
from bench.service import running
from licet import identifiers
from licet.catalogue.register import register
from licet.client import Client
from licet.decisions import Request
from licet.terms import preset
from licet.wire.licensing import RowKeys
from registry.database.instance import attached

WORKS: Final = 1_000_000
KEYS: Final = 10_000
_FILL: Final = """
with fresh as (
    insert into works (id, account, mode, sha256, urls, tags, digest, haystack, grams, compared_at, registered_at)
    select
        encode(substr(sha256(('id' || n)::bytea), 1, 16), 'hex')::uuid, $1, 'upload', sha256(n::text::bytea),
        '{}', '{}', sha256(('digest' || n)::bytea), '', '{}', 0, now()
    from generate_series(1, $2::int) as n
    returning id
)
insert into work_states (work, account, statement, own, terms, version)
select fresh.id, $1, state.statement, state.own, state.terms, $3
from fresh, (select statement, own, terms from work_states where account = $1 limit 1) as state
"""


async def fill(address: str, account: UUID) -> None:
    """Put ``WORKS`` works of ``account`` under its one statement, as registrations over weeks would have."""
    conn = await asyncpg.connect(address)
    async with conn.transaction():
        version = await conn.fetchval("update consent_version set version = version + 1 returning version")
        await conn.execute(_FILL, account, WORKS, version, timeout=600)
    # For the peer: the service itself never asks SQL for a key.
    await conn.execute("create index on works (sha256)")
    await conn.execute("analyze")
    await conn.close()


def main() -> None:
    """Measure JSON with reasons, the binary form, and the peer; each answers the same keys, half of them known."""
    random.seed(7)
    with running(BUILD / "query") as service:
        artist, trainer = service.client("artist", "mei"), service.client("organisation", "lantern")
        picture = BUILD / "query" / "one.png"
        Image.effect_noise((256, 256), 80).save(picture)
        register(artist, [picture], preset("no-ai"))
        address = attached(service.data)
        assert address is not None
        owner = identifiers.to_uuid(artist.me().account)
        started = time.perf_counter()
        asyncio.run(fill(address, owner))
        print(f"{WORKS:,} works in the database after {time.perf_counter() - started:.0f} s")
        known = [hashlib.sha256(str(n).encode()).digest() for n in random.sample(range(1, WORKS + 1), KEYS // 2)]
        keys = known + [random.randbytes(32) for _ in range(KEYS // 2)]
        _settle(trainer, keys[0])
        measured(trainer, address, keys)


def _settle(client: Client, key: bytes) -> None:
    started = time.perf_counter()
    while client.snapshot.pull().manifest.works < WORKS:
        time.sleep(1)
    print(f"in a published snapshot after {time.perf_counter() - started:.0f} s more")
    client.query(Request.make(uses=["train-gen"]).to_json(), [RowKeys(sha256=key.hex())])


def measured(client: Client, address: str, keys: list[bytes]) -> None:
    """Run the three in turn and record them."""
    request = Request.make(uses=["train-gen"]).to_json()
    rows = [RowKeys(sha256=key.hex()) for key in keys]
    packed = b"".join(keys)
    loop = asyncio.new_event_loop()
    conn = loop.run_until_complete(asyncpg.connect(address))
    sql = """select w.sha256, s.terms, s.statement from works as w join work_states as s on s.work = w.id
             where w.sha256 = any($1::bytea[])"""

    def as_json() -> None:
        answers = client.query(request, rows, "exact")
        assert sum(answer.verdict == "deny" for answer in answers.results) == KEYS // 2

    def as_bytes() -> None:
        answer = client.transport.request(
            "POST", "/v1/licensing/lookup", body=packed, content_type="application/octet-stream",
            params={"use": "train-gen"},
        )  # fmt: skip
        assert len(answer.body) == KEYS

    def as_sql() -> None:
        found = loop.run_until_complete(conn.fetch(sql, keys))
        assert len(found) == KEYS // 2

    figures = in_turn({"query (JSON)": as_json, "lookup (binary)": as_bytes, "SQL = ANY, no HTTP": as_sql}, KEYS, 9)
    loop.run_until_complete(conn.close())
    loop.close()
    record("query_http", "keys", figures, works=WORKS, keys=KEYS)


if __name__ == "__main__":
    Path(BUILD).mkdir(parents=True, exist_ok=True)
    main()
