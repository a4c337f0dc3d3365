"""Parties check what the office did with a decision: a registry that ends early, or reviews itself, is found out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from licet import times
from licet.catalogue.disputing import proven_steps
from licet.errors import VerificationError
from licet.statements.disputes import APPEALED_WITHIN
from licet.statements.trust import Trust
from licet.terms import preset
from licet.wire.disputes import DisputeInfo, DisputeShown
from registry import translog
from registry.disputes import deciding, ending, queries, verification
from tests.registry.catalogue import Artist, artist, picture, registry
from tests.registry.disputes.parties import dispute, operator, shown, step, told
from tests.registry.harness import Running
from tests.registry.servers import Server

pytestmark = pytest.mark.anyio


@pytest.fixture
async def alone(server: Server, migrated_template: str, tmp_path: Path) -> AsyncIterator[Running]:
    """A service of its own, for an office that does what it may not."""
    async with server.fresh(migrated_template, "proven") as dsn, registry(dsn, tmp_path) as running:
        yield running


async def decided(site: Running) -> tuple[Artist, Artist, DisputeInfo, str]:
    """Return whoever disputes a picture, whoever lost it, the dispute, and the operator who upheld it."""
    mei, tom = await artist(site, "Mei"), await artist(site, "Tom")
    work = (await tom.picture(picture(7))).work
    await tom.state([work], preset("research"))
    about = await dispute(mei, work)
    told(await step(tom, about))
    by = await operator(site)
    await deciding.decide(site.services, about.dispute, by, "upheld", "as the drafts show")
    return mei, tom, about, by


def trust(site: Running) -> Trust:
    return Trust(site.services.keys.origin, site.services.keys.root.public.hex())


def retold(found: DisputeShown, **changes: Any) -> DisputeShown:
    """Return the same documents with another story about them."""
    return msgspec.structs.replace(found, dispute=msgspec.structs.replace(found.dispute, **changes))


async def wrong(site: Running) -> list[str]:
    """Return what the registry's own verification finds."""
    async with site.services.database.transaction() as conn:
        return await verification.rebuild(conn)


async def test_who_reviews_what_they_decided_is_found_out(alone: Running, monkeypatch: pytest.MonkeyPatch):
    mei, tom, about, by = await decided(alone)
    told(await step(tom, about, "appeal"))
    found = await shown(mei, about)
    assert [each and each.step for each in proven_steps(found, trust(alone))] == ["open", "answer", "decide", "appeal"]
    with pytest.raises(VerificationError, match="expected a step of a party"):
        proven_steps(retold(found, decided="dismissed"), trust(alone))  # then another one would have lost
    assert await wrong(alone) == []
    monkeypatch.setattr(queries, "MAY_REVIEW", "select $1::uuid is distinct from $2::uuid")
    await deciding.review(alone.services, about.dispute, by, "upheld", "as I said")
    with pytest.raises(VerificationError, match="expected a review by another operator"):
        proven_steps(await shown(tom, about), trust(alone))
    assert any(about.dispute in each for each in await wrong(alone))


async def at_once(*asked: Any) -> datetime:
    """Say that nothing can be appealed any more."""
    return times.now()


async def test_what_ends_before_it_could_be_appealed_is_found_out(alone: Running, monkeypatch: pytest.MonkeyPatch):
    _, tom, about, _ = await decided(alone)
    with monkeypatch.context() as lying:  # two weeks in which the log took nothing would not count
        lying.setattr(ending, "appeal_until", at_once)
        assert await ending.end_due(alone.services, times.now() + APPEALED_WITHIN) == 1
    async with alone.services.database.acquire() as conn:
        last = await conn.fetchval("select max(pending) from dispute_steps")
    await translog.wait(alone.services.database, last)
    with pytest.raises(VerificationError, match="expected an end not before"):
        proven_steps(await shown(tom, about), trust(alone))
    assert any(about.dispute in each for each in await wrong(alone))


async def test_an_end_in_time_and_an_acceptance_are_proven(alone: Running):
    mei, tom, about, _ = await decided(alone)
    told(await step(tom, about, "accept"))
    found = await shown(mei, about)
    steps = [each for each in proven_steps(found, trust(alone)) if each is not None]
    assert [(each.step, each.outcome, each.ends) for each in steps[2:]] == [
        ("decide", "upheld", False),
        ("accept", "upheld", True),
    ]
    assert await wrong(alone) == []
