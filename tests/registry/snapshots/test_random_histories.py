"""Whatever happens in whatever order: what the service answers is what the database alone would, at every moment."""

from __future__ import annotations

import asyncio
import random
from hashlib import sha256

import numpy as np
import pytest

from licet.decisions import Request
from licet.index import Answers, Index, Keys, answer
from registry import consent
from registry.snapshots import Reader
from registry.snapshots import reader as reading
from registry.snapshots.publication import segments_folder
from registry.snapshots.publisher import publish
from tests.registry.catalogue import NO_AI, PAID, RESEARCH, Artist, artist, fingerprinted
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio
REQUEST = Request(uses=["train-gen"], purpose=["commercial"], at="2026-11-01T00:00:00Z")
STEPS = 24


def asked(index: Index, digests: list[bytes]) -> list[tuple[int, str]]:
    keys = np.frombuffer(b"".join(digest[:16] for digest in digests), np.uint8).reshape(-1, 16)
    found: Answers = answer(index, Keys(len(digests), file=keys), REQUEST, match="exact")
    return [(int(code), found.reasons[reason]) for code, reason in zip(found.verdict, found.reason, strict=True)]


async def truth(site: Running) -> tuple[Index, int]:
    """Return what the database alone says, and at which consent version."""
    async with site.services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        version = await consent.version(conn)
        return Index(overlay=[record async for piece in consent.all_records(conn) for record in piece]), version


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_answer_is_that_of_the_database_alone(
    lone: Running, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(reading, "REBASE_AFTER", 3)
    people = [await artist(lone, f"Artist {number}") for number in range(2)]
    works: dict[str, list[str]] = {who.id: [] for who in people}
    levels = dict.fromkeys(works, 0)
    digests = [sha256(b"stranger").digest()]
    readers = [Reader(lone.services) for _ in range(2)]

    async def register(who: Artist) -> None:
        items = [fingerprinted(len(digests) + number) for number in range(chance.randint(1, 3))]
        digests.extend(bytes.fromhex(item.sha256 or "") for item in items)
        works[who.id] += [outcome.work for outcome in await who.register(*items)]

    async def state(who: Artist) -> None:
        if own := works[who.id]:
            await who.state(chance.sample(own, chance.randint(1, len(own))), chance.choice([NO_AI, PAID, RESEARCH]))

    async def catalogue(who: Artist) -> None:
        await who.state(None, NO_AI)

    async def withdraw(who: Artist) -> None:
        if own := works[who.id]:
            await who.withdraw([own.pop(chance.randrange(len(own)))])

    async def raise_level(who: Artist) -> None:
        levels[who.id] = min(levels[who.id] + 1, 4)
        await who.raise_level(levels[who.id])

    async def snapshot(_: Artist) -> None:
        await publish(lone.services)

    async def spoil(_: Artist) -> None:
        for path in sorted(segments_folder(lone.services).glob("[0-9a-f]*")):
            if chance.random() < 0.5:
                path.write_bytes(path.read_bytes()[::-1])

    steps = [register, register, state, state, state, catalogue, withdraw, raise_level, snapshot, snapshot, spoil]
    for _ in range(STEPS):
        await chance.choice(steps)(chance.choice(people))
        index, version = await truth(lone)
        expected = asked(index, digests)
        asking = [reader for reader in readers if chance.random() < 0.7]
        for found, at, size in await asyncio.gather(*(reader.current() for reader in asking)):
            assert at >= version
            assert size > 0
            assert asked(found, digests) == expected
    for reader in readers:
        await reader.close()
