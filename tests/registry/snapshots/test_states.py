"""What the newest snapshot says of single works, over HTTP: proven, for anybody, about one manifest."""

from __future__ import annotations

import msgspec
import pytest

from licet.index import SnapshotStates, verify_state
from licet.statements import envelope as envelopes
from licet.statements import kinds
from registry.snapshots.publisher import publish
from tests.registry.catalogue import NO_AI, artist, picture
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio
ABSENT = "wrk_" + "0" * 26


async def test_every_work_is_proven_present_or_absent(site: Running) -> None:
    ada = await artist(site)
    works = [(await ada.picture(picture(seed))).work for seed in (31, 32)]
    await ada.state(works, NO_AI)
    await publish(site.services)
    answer = await site.http.get("/snapshots/latest/states", params={"work": [*works, ABSENT]})
    assert answer.status_code == 200, answer.text
    said = msgspec.json.decode(answer.content, type=SnapshotStates)
    manifest = envelopes.read_as(kinds.Snapshot, said.snapshot.envelope)
    leaves = [verify_state(state, manifest.state_root, manifest.works) for state in said.states]
    assert [leaf and leaf.work for leaf in leaves] == [*works, None]
    assert all(
        leaf is None or (leaf.terms_hash, leaf.log_index < manifest.log_size) == (NO_AI.hash, True) for leaf in leaves
    )

    # The next snapshot, and not the tree of the one before.
    await ada.withdraw(works[:1])
    await publish(site.services)
    again = msgspec.json.decode(
        (await site.http.get("/snapshots/latest/states", params={"work": works})).content, type=SnapshotStates
    )
    newer = envelopes.read_as(kinds.Snapshot, again.snapshot.envelope)
    first, second = (verify_state(state, newer.state_root, newer.works) for state in again.states)
    assert newer.sequence > manifest.sequence
    assert first is not None
    assert second is not None
    assert ("withdrawn" in first.state.flags, "withdrawn" in second.state.flags) == (True, False)


@pytest.mark.parametrize("query", ["", "?work=", "?work=x", "?work=art_" + "0" * 26, "?" + f"work={ABSENT}&" * 201])
async def test_what_is_no_question_is_refused(site: Running, query: str) -> None:
    answer = await site.http.get(f"/snapshots/latest/states{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
