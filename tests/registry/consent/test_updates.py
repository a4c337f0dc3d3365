"""New keys of a work (semantics 9): signed, found from COMMIT on beside the old ones, and never a way to take more."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from licet import identifiers, times
from licet.catalogue.forms import digest_form
from licet.index.keys import Keys
from licet.statements.kinds import WorkUpdate
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.statements.works import work_digest
from licet.wire.common import StatementFile
from licet.wire.licensing import RowKeys
from licet.wire.works import StatementSubmit, WorkKeys
from registry.auditing import verify
from registry.auditing.queries import SCOPE
from registry.consent.maturing import mature_due
from tests.registry.catalogue import (
    NO_AI,
    PAID,
    Artist,
    accepted,
    artist,
    drawn,
    encoded,
    fingerprinted,
    picture,
    reader_of,
    signed,
)
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio

LATER = timedelta(hours=25)


async def one_work(who: Artist, seed: int = 1, paid: bool = True) -> str:
    work = (await who.picture(picture(seed))).work
    await who.state([work], PAID if paid else NO_AI)
    return work


async def found(site: Running, *rows: RowKeys) -> list[list[str]]:
    """Return, for each row, the works that it finds."""
    index, _, _ = await reader_of(site.services).current()
    matches = index.lookup(Keys.from_rows(rows))
    works = [identifiers.from_uuid("wrk", UUID(bytes=index.works[int(each)].work)) for each in matches.work]
    return [[work for at, work in zip(matches.row, works, strict=True) if at == row] for row in range(len(rows))]


async def test_a_changed_picture_is_found_by_what_it_is_and_by_what_it_was(site: Running) -> None:
    ada = await artist(site)
    work = await one_work(ada)
    before = await ada.work(work)
    add = await ada.changed(work, picture(2), ["https://ada.example/two.png"])
    envelope = await ada.updating(add)
    answer = accepted(await ada.send(envelope, [add]))
    assert (answer.effect, answer.works, answer.pending_until) == ("update", 1, None)

    now = await ada.work(work)
    assert (now.sha256, now.pixels, now.pdq, now.urls) == (add.sha256, add.pixels, add.pdq, add.urls)
    assert [(each.sha256, each.pixels, each.pdq) for each in now.files] == [(before.sha256, before.pixels, before.pdq)]
    assert now.digest == work_digest(digest_form(now, ada.id)).hex() != before.digest
    assert (now.statement, now.terms_hash, now.state) == (before.statement, before.terms_hash, "in-force")
    rows = [RowKeys(sha256=each.sha256) for each in (before, now)]
    rows += [RowKeys(pixels=each.pixels) for each in (before, now)]
    rows += [RowKeys(pdq=each.pdq, quality=each.quality) for each in (before, now)]
    assert await found(site, *rows, RowKeys(url=add.urls[0])) == [[work]] * 7
    index, _, _ = await reader_of(site.services).current()
    state = index.work(work)
    assert state is not None
    assert (state.log_index, state.signed, state.terms) == (answer.log_index, True, PAID.encoded)

    again = accepted(await ada.send(envelope, [add]))
    assert again.statement == answer.statement
    file = msgspec.json.decode((await site.http.get(f"/v1/statements/{answer.statement}")).content, type=StatementFile)
    proven = verify_statement_file(file, Trust(site.services.keys.origin, site.services.keys.root.public.hex()))
    assert isinstance(proven.payload, WorkUpdate)
    assert (proven.payload.change, proven.anchored) == ("keys", True)


async def test_either_picture_registered_again_is_the_work_that_it_is(site: Running) -> None:
    ada = await artist(site)
    work = await one_work(ada)
    await ada.add(await ada.changed(work, picture(2)))
    for seed in (1, 2):
        outcome = await ada.picture(picture(seed))
        assert (outcome.status, outcome.existing, outcome.signed) == ("duplicate", work, True)


async def test_terms_signed_after_an_update_are_over_all_keys_and_those_before_stay_provable(site: Running) -> None:
    ada = await artist(site)
    work = await one_work(ada)
    old = (await ada.work(work)).digest
    await ada.add(await ada.changed(work, picture(2)))
    tightened = await ada.state([work], NO_AI)
    assert tightened.effect == "tighten"
    statements = [each["statement"] for each in (await ada.http.get("/v1/statements")).json()["items"]]
    async with site.services.database.acquire() as conn:
        scopes = [await conn.fetch(SCOPE, identifiers.to_uuid(each)) for each in reversed(statements)]
    now = (await ada.work(work)).digest
    assert [[row["digest"].hex() for row in scope] for scope in scopes] == [[old], [now], [now]]


async def test_a_statement_over_what_a_work_was_is_not_accepted(site: Running) -> None:
    ada = await artist(site)
    work = await one_work(ada)
    stale = signed(await ada.draft([work], NO_AI), ada.account.key)
    outdated = await ada.updating(WorkKeys(work, urls=["https://ada.example/b"]))
    await ada.add(WorkKeys(work, urls=["https://ada.example/a"]))
    answer = await ada.submit(stale, [work])
    assert answer.status_code == 400
    assert "scope: expected" in answer.text
    answer = await ada.send(outdated, [WorkKeys(work, urls=["https://ada.example/b"])])
    assert answer.status_code == 400
    assert "before: expected root" in answer.text


async def test_looser_terms_that_wait_are_cancelled_by_an_update(site: Running) -> None:
    ada = await artist(site)
    work = await one_work(ada, paid=False)
    assert (await ada.state([work], PAID)).effect == "loosen"
    await ada.add(await ada.changed(work, picture(2)))
    now = await ada.work(work)
    assert (now.waiting, now.terms_hash) == (None, NO_AI.hash)
    while await mature_due(site.services, times.now() + LATER):
        pass
    assert (await ada.work(work)).terms_hash == NO_AI.hash


async def test_new_keys_that_meet_somebody_elses_work_contest_it_and_hold_back_what_is_offered(lone: Running) -> None:
    ada, eve = await artist(lone), await artist(lone, "Eve")
    theirs = await one_work(eve, 2)
    work = await one_work(ada)
    copy = encoded(drawn(2).resize((150, 150)), "JPEG")
    answer = await ada.add(await ada.changed(work, copy))
    assert answer.pending_until is not None
    waiting = (await ada.work(work)).waiting
    assert waiting is not None
    assert (waiting.statement, waiting.terms_hash) == (answer.statement, PAID.hash)
    index, _, _ = await reader_of(lone.services).current()
    states = [index.work(each) for each in (work, theirs)]
    assert [(each.contested, each.pending) for each in states if each] == [(True, True), (True, False)]
    assert await verify(lone.services) == []
    await eve.withdraw([theirs])
    while await mature_due(lone.services, times.now() + LATER):
        pass
    index, _, _ = await reader_of(lone.services).current()
    state = index.work(work)
    assert state is not None
    assert (state.contested, state.pending, state.terms) == (False, False, PAID.encoded)
    assert await verify(lone.services) == []


async def test_a_key_of_a_verified_claimants_work_is_not_added_to_another(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    await eve.raise_level(2)
    await one_work(eve, 2)
    work = await one_work(ada)
    add = await ada.changed(work, picture(2))
    answer = await ada.send(await ada.updating(add), [add])
    assert answer.status_code == 409
    assert "register that picture as a work of its own" in answer.text
    assert (await ada.work(work)).files == []


async def test_what_cannot_be_added_is_refused_by_name(site: Running) -> None:
    ada = await artist(site)
    work, other = await one_work(ada), await one_work(ada, 2)
    bare = (await ada.register(fingerprinted(1))).pop().work
    foreign = await one_work(await artist(site, "Eve"), 3)
    taken = await ada.changed(work, picture(2))
    same = await ada.changed(work, picture(1))
    unseen = WorkKeys(work, sha256="ab" * 32)
    url = ["https://ada.example/a"]
    for add, named in (
        (taken, f"what {other} is"),
        (same, "a file that the work does not have yet"),
        (unseen, "no-upload"),
        (WorkKeys(work), "an address that the work does not have yet"),
        (WorkKeys(work, pdq="00" * 32, urls=url), "pdq: expected none without a sha256"),
        (WorkKeys(work, urls=["not an address"]), "url"),
        (WorkKeys(work, urls=[f"https://ada.example/{number}" for number in range(21)]), "at most 20"),
    ):
        answer = await ada.send(await ada.updating(add), [add])
        assert answer.status_code == 400, (named, answer.text)
        assert named in answer.text
    for wrong, named in ((bare, "terms of its own in force"), (foreign, "works of this account")):
        envelope = await ada.updating(WorkKeys(work, urls=url))
        answer = await ada.send(envelope, [WorkKeys(wrong, urls=url)])
        assert answer.status_code == 400
        assert named in answer.text
    envelope = await ada.updating(WorkKeys(work, urls=url))
    for body in (
        StatementSubmit(envelope, [work], []),
        StatementSubmit(envelope, [work], [WorkKeys(other, urls=url)]),
        StatementSubmit(await ada.withdrawal([work]), [work], [WorkKeys(work, urls=url)]),
    ):
        answer = await site.post("/v1/statements", body, http=ada.http)
        assert answer.status_code == 400
        assert "adds: expected" in answer.text


async def test_the_database_lets_keys_only_grow(site: Running) -> None:
    ada = await artist(site)
    work = await one_work(ada)
    await ada.add(await ada.changed(work, picture(2), ["https://ada.example/a"]))
    async with site.services.database.acquire() as conn:
        for change in (
            "sha256 = sha256(sha256)",
            "updated = updated + 1, sha256 = sha256(sha256)",
            "updated = updated + 1, urls = '{}'",
            "updated = updated + 1, file_keys = null",
            "updated = updated + 1, files = null, file_keys = null, sha256 = file_keys[1]",
        ):
            with pytest.raises(Exception, match="only grows"):
                await conn.execute(f"update works set {change} where id = $1", identifiers.to_uuid(work))
