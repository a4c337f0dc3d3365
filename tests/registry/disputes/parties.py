"""Two parties and an operator for tests: disputes opened, answered and decided against a whole running service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
import msgspec
import pytest

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.disputes import (
    APPEALED_WITHIN,
    draft_acceptance,
    draft_answer,
    draft_appeal,
    draft_opening,
    draft_withdrawal,
)
from licet.statements.kinds import DisputeStep
from licet.wire.disputes import DisputeAccepted, DisputeInfo, DisputeShown, DisputeSubmit
from registry.accounts import operators
from registry.disputes import deciding, ending
from registry.settlement import escrow, verification
from tests.registry.catalogue import Artist
from tests.registry.harness import Running
from tests.registry.market import Trainer, nothing_is_wrong

Party = Artist | Trainer


def opening(who: Party, subject: str, evidence: Sequence[str] = (), **changes: Any) -> DisputeStep:
    """Return what opens a dispute, with some fields changed."""
    payload = draft_opening(
        registry=who.site.services.keys.ref,
        account=who.id,
        genesis=who.account.genesis,
        subject=subject,
        text="I drew this in 2019.\n这是我画的。",
        evidence=evidence,
    )
    return msgspec.structs.replace(payload, **changes)


async def send(who: Party, step: DisputeStep, path: str = "/v1/disputes") -> httpx.Response:
    """Sign and send a step."""
    return await who.site.post(path, DisputeSubmit(envelopes.seal(step, who.account.key)), http=who.http)


async def dispute(who: Party, subject: str, evidence: Sequence[str] = ()) -> DisputeInfo:
    """Return the dispute that ``who`` opens."""
    return told(await send(who, opening(who, subject, evidence))).dispute


async def shown(who: Party, about: DisputeInfo) -> DisputeShown:
    """Return the dispute as ``who`` sees it."""
    reply = await who.http.get(f"/v1/disputes/{about.dispute}")
    assert reply.status_code == 200, reply.text
    return msgspec.json.decode(reply.content, type=DisputeShown)


async def step(
    who: Party,
    about: DisputeInfo,
    what: Literal["concede", "contest", "withdraw", "appeal", "accept"] = "contest",
    by: Party | None = None,
    **changes: Any,
) -> httpx.Response:
    """Sign and send a step, with some fields changed; ``by``: whoever sends it."""
    opened = (await shown(who, about)).steps[0].document
    assert opened is not None
    first = envelopes.read_as(DisputeStep, opened.envelope)
    if what == "withdraw":
        payload = draft_withdrawal(first, about.document, text="A mistake of mine.")
    elif what == "appeal":
        payload = draft_appeal(first, about.document, account=who.id, genesis=who.account.genesis, text="No: I did.")
    elif what == "accept":
        outcome = (await shown(who, about)).dispute.decided or "upheld"
        payload = draft_acceptance(
            first, about.document, account=who.id, genesis=who.account.genesis, outcome=outcome, text="So be it."
        )
    else:
        payload = draft_answer(
            first, about.document, account=who.id, genesis=who.account.genesis, position=what, text="I did."
        )
    payload = msgspec.structs.replace(payload, **changes)
    return await send(by or who, payload, f"/v1/disputes/{about.dispute}/steps")


async def operator(site: Running) -> str:
    """Return an operator who is no party."""
    return (await operators.invite(site.services.database, "operator", name="Office"))[0]


async def decide(site: Running, about: DisputeInfo, outcome: Literal["upheld", "dismissed"]) -> None:
    """Decide, let the time to appeal pass, and look at all the books."""
    await decided_before(site, about, outcome)
    await ending.end_due(site.services, times.now())
    await all_holds(site)


async def decided_before(
    site: Running, about: DisputeInfo, outcome: Literal["upheld", "dismissed"], ago: timedelta = 2 * APPEALED_WITHIN
) -> None:
    """Decide as if that was some time ago: nobody has ended it yet."""
    with pytest.MonkeyPatch.context() as then:
        then.setattr(deciding, "times", Later(times.now() - ago))
        await deciding.decide(site.services, about.dispute, await operator(site), outcome, "as the drafts show")


class Later:
    """Time as a module sees it while this stands in for it."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def moves(self, by: timedelta) -> None:
        """Time passes."""
        self._now += by

    to_text = staticmethod(times.to_text)
    from_text = staticmethod(times.from_text)


async def all_holds(site: Running) -> None:
    """Everything in escrow was looked at, and everything derived equals its source."""
    await escrow.settle(site.services, times.now())
    await nothing_is_wrong(site)
    async with site.services.database.transaction() as conn:
        assert await verification.rebuild(conn) == []


async def charge_of(who: Party, query: str = "") -> str:
    """Return the last charge of the caller's."""
    found = (await who.http.get(f"/v1/charges{query}")).json()["items"]
    name: str = found[0]["charge"]
    identifiers.to_uuid(name, "tra")
    return name


def told(answer: httpx.Response) -> DisputeAccepted:
    """Return what ``answer`` must be."""
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=DisputeAccepted)
