"""An erased account leaves a valid log, evidence that still verifies, and a deny without a name (semantics 28)."""

from __future__ import annotations

import msgspec
import pytest

from licet.statements.kinds import Erase
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.wire.common import StatementFile
from registry.snapshots import publisher
from tests.registry.catalogue import PAID, RESEARCH, artist, picture
from tests.registry.erasure.leaving import asked, erased, places, verdict, verified, words
from tests.registry.harness import Running
from tests.registry.market import shelf, trainer

pytestmark = pytest.mark.anyio


async def fetched(site: Running, subject: str, http: object = None) -> StatementFile:
    answer = await (http or site.http).get(f"/v1/statements/{subject}")  # type: ignore[attr-defined]
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=StatementFile)


def trust(site: Running) -> Trust:
    keys = site.services.keys
    return Trust(keys.origin, keys.root.public.hex())


async def test_rule_28_what_nobody_relies_on_goes_with_its_salt_and_leaves_a_deny(lone: Running) -> None:
    site = lone
    ada = await artist(site, "Zephyrine Quill")
    data = picture(1)
    made = await ada.picture(
        data,
        title="Moth at dusk",
        creator="Z. Quill",
        tags=["mothwing"],
        external_id="inv-7781",
        urls=["https://zephyrine.example/moth.png"],
    )
    stated = await ada.state([made.work], RESEARCH)
    kept_outside = await fetched(site, stated.statement)
    personal = words(ada, "Zephyrine", "zephyrine", "Moth at dusk", "moth", "mothwing", "Quill", "quill", "inv-7781")
    assert await places(site, personal) > {"accounts.name", "works.title", "works.haystack", "works.urls"}

    answer = await erased(site, ada.account)
    assert (answer.kept, answer.works, answer.denied) == (0, 1, 1)
    assert answer.erased == 2  # the genesis and the consent
    assert await places(site, personal) == set()
    assert await verdict(site, data) == "deny"
    assert await verdict(site, data, "https://zephyrine.example/moth.png") == "deny"

    assert (await site.http.get(f"/v1/statements/{stated.statement}")).status_code == 410
    assert (await ada.http.get("/v1/me")).status_code == 401
    assert verify_statement_file(kept_outside, trust(site)).anchored
    assert answer.statement is not None
    own = verify_statement_file(await fetched(site, answer.statement), trust(site))
    assert isinstance(own.payload, Erase)
    assert (own.payload.count, own.payload.deny and own.payload.deny.count) == (2, 1)
    await publisher.publish(site.services)
    await verified(site)


async def test_rule_28_what_stands_behind_a_licence_is_kept_for_its_parties_alone(lone: Running) -> None:
    site = lone
    goods = await shelf(site, PAID, 1)
    lab, stranger = await trainer(site), await trainer(site, "Other Labs")
    licence = await lab.license(goods.wanted())
    spare = await goods.owner.picture(picture(7), title="Unsold")
    free = await goods.owner.state([spare.work], RESEARCH)

    answer = await erased(site, goods.owner.account, dry_run=True, confirm="")
    assert answer.statement is None
    assert answer.denied == 2
    assert (await goods.owner.http.get("/v1/me")).status_code == 200

    answer = await erased(site, goods.owner.account)
    assert {each.why for each in answer.restricted} == {"licence", "evidence"}
    assert goods.statement in {each.statement for each in answer.restricted}
    assert (await site.http.get(f"/v1/statements/{free.statement}")).status_code == 410
    for http in (site.http, stranger.http):
        assert (await http.get(f"/v1/statements/{goods.statement}")).status_code == 410
    assert verify_statement_file(await fetched(site, goods.statement, lab.http), trust(site)).anchored
    assert verify_statement_file(await fetched(site, licence.licence, lab.http), trust(site)).anchored
    await verified(site)


async def test_rule_28_without_a_deny_the_works_leave_with_the_next_snapshot(lone: Running) -> None:
    site = lone
    ada, bea = await artist(site), await artist(site, "Bea")
    data, other = picture(1), picture(2)
    work = await ada.picture(data)
    await ada.state([work.work], RESEARCH)
    await bea.state([(await bea.picture(other)).work], RESEARCH)
    await publisher.publish(site.services)
    before = await verdict(site, data)
    answer = await erased(site, ada.account, deny=False)
    assert answer.denied == 0
    assert await verdict(site, data) == before  # stricter than nothing, until the snapshot
    manifest = await publisher.publish(site.services)
    assert manifest.works == 1
    assert await verdict(site, data) == "unknown"
    assert await verdict(site, other) == await verdict(site, other)
    await verified(site)


async def test_an_erasure_that_does_not_name_the_account_does_nothing(site: Running) -> None:
    ada = await artist(site)
    for confirm in ("", "yes", (await artist(site, "Eve")).id):
        answer = await asked(site, ada.account, confirm=confirm)
        assert answer.status_code == 400
        assert "confirm" in answer.text
    assert (await ada.http.get("/v1/me")).status_code == 200
