"""A million works under one signature, from the signed statement to in force and logged, beside a plain COPY."""

from __future__ import annotations

import asyncio
import shutil
import time
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import asyncpg

from bench.measuring import BUILD, Figure, record
from bench.service import running
from licet import identifiers, times
from licet.canonical import digest
from licet.catalogue.consent import Covered, sign_covered
from licet.statements.kinds import WorkDigest
from licet.terms import preset
from registry.database.instance import attached

WORKS: Final = 1_000_000
_COLUMNS: Final = "id account mode sha256 tags urls digest haystack grams compared_at registered_at".split()


async def fill(address: str, account: str) -> list[Covered]:
    """Put ``WORKS`` works of ``account`` straight into the table: what is measured begins with the signature."""
    conn: asyncpg.Connection[Any] = await asyncpg.connect(address)
    owner, now = identifiers.to_uuid(account), times.now()
    covered: list[Covered] = []
    records: list[tuple[object, ...]] = []
    for number in range(WORKS):
        work = UUID(int=(1 << 76 | 0x7 << 76 | number) | 0x2 << 62)
        name, file = identifiers.from_uuid("wrk", work), sha256(b"%d" % number).digest()
        form = WorkDigest(name, account, file.hex(), None, None, None, [], "fingerprint-only")
        covered.append(Covered(name, bytes.fromhex(digest(form))))
        records.append((work, owner, "fingerprint-only", file, [], [], covered[-1].digest, "", [], 0, now))
    await conn.copy_records_to_table("works", records=records, columns=_COLUMNS)
    await conn.execute("analyze works")
    await conn.close()
    return sorted(covered)


async def copied(address: str, covered: list[Covered]) -> float:
    """Return the seconds for as many rows of two keys, copied into a table with a primary key."""
    conn: asyncpg.Connection[Any] = await asyncpg.connect(address)
    await conn.execute("create table bench_covered (statement uuid, work uuid, primary key (statement, work))")
    one = identifiers.new_uuid()
    rows = [(one, identifiers.to_uuid(each.work)) for each in covered]
    started = time.perf_counter()
    await conn.copy_records_to_table("bench_covered", records=rows)
    seconds = time.perf_counter() - started
    await conn.execute("drop table bench_covered")
    await conn.close()
    return seconds


def main() -> None:
    """Measure the first statement over all works, and those that tighten it."""
    with running(BUILD / "one-signature") as service:
        artist = service.client("artist", "mei")
        address = attached(service.data)
        assert address is not None
        covered = asyncio.run(fill(address, artist.me().account))
        terms = [preset("research"), preset("no-ai")]
        seconds: list[float] = []
        peer: list[float] = []
        for number, stated in enumerate(terms):
            started = time.perf_counter()
            accepted = sign_covered(artist, covered, stated, old_terms=terms[:number])
            seconds.append(time.perf_counter() - started)
            assert accepted.works == WORKS
            peer.append(asyncio.run(copied(address, covered)))
        for name, first, other in (("initial", seconds[0], peer[0]), ("tighten", seconds[1], peer[1])):
            figures = {"one signed statement": Figure([first], WORKS), "COPY of two keys": Figure([other], WORKS)}
            record(f"one_signature_{name}", "works", figures)
    shutil.rmtree(BUILD / "one-signature")


if __name__ == "__main__":
    main()
