"""Co-owners for tests: splits proposed and answered against a whole running service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import httpx
import msgspec

from licet.statements import envelope as envelopes
from licet.statements.kinds import Split
from licet.statements.splits import draft_answer, draft_split
from licet.wire.splits import SplitAccepted, SplitInfo, SplitShown, SplitSubmit
from tests.registry.catalogue import Artist


async def digests(owner: Artist, works: Sequence[str]) -> dict[str, str]:
    """Return the digest of each work as the registry has it."""
    return {work: (await owner.http.get(f"/v1/works/{work}")).json()["digest"] for work in works}


async def document(
    owner: Artist,
    works: Sequence[str],
    shares: Sequence[tuple[Artist, int]],
    replaces: str | None = None,
    **changes: Any,
) -> Split:
    """Return what ``owner`` proposes, with some fields changed."""
    payload = draft_split(
        registry=owner.site.services.keys.ref,
        account=owner.id,
        genesis=owner.account.genesis,
        works=await digests(owner, works),
        shares={who.id: (who.account.genesis, bps) for who, bps in shares},
        replaces=replaces,
    )
    return msgspec.structs.replace(payload, **changes)


async def send(owner: Artist, payload: Split) -> httpx.Response:
    """Sign and send a proposal."""
    return await owner.site.post("/v1/splits", SplitSubmit(envelopes.seal(payload, owner.account.key)), http=owner.http)


async def propose(
    owner: Artist, works: Sequence[str], shares: Sequence[tuple[Artist, int]], replaces: str | None = None
) -> SplitInfo:
    """Propose a split."""
    return told(await send(owner, await document(owner, works, shares, replaces))).split


async def answer(
    who: Artist,
    split: SplitInfo,
    said: Literal["accept", "decline"] = "accept",
    names: str | None = None,
    **changes: Any,
) -> httpx.Response:
    """Sign and send an answer, with some fields changed; ``names``: another split than the one it is sent for."""
    shown = msgspec.json.decode((await who.http.get(f"/v1/splits/{split.split}")).content, type=SplitShown)
    assert shown.envelope is not None
    payload = draft_answer(
        envelopes.read_as(Split, shown.envelope),
        shown.envelope.payload_digest,
        account=who.id,
        genesis=who.account.genesis,
        answer=said,
    )
    changes |= {} if names is None else {"split": names}
    sealed = envelopes.seal(msgspec.structs.replace(payload, **changes), who.account.key)
    return await who.site.post(f"/v1/splits/{split.split}/answers", SplitSubmit(sealed), http=who.http)


async def agreed(
    owner: Artist, works: Sequence[str], shares: Sequence[tuple[Artist, int]], replaces: SplitInfo | None = None
) -> SplitInfo:
    """Return a split that everybody has signed."""
    split = await propose(owner, works, shares, None if replaces is None else replaces.document)
    named = {who.id: who for who, _ in shares}
    for party in split.parties:
        if not party.signed:
            split = told(await answer(named[party.account], split)).split
    assert split.state == "in-force", split
    return split


def told(reply: httpx.Response) -> SplitAccepted:
    """Return what ``reply`` must be."""
    assert reply.status_code == 201, reply.text
    return msgspec.json.decode(reply.content, type=SplitAccepted)
