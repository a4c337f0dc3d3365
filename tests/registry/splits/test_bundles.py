"""Evidence of what is shared: each co-owner and an auditor recompute it from documents that everybody signed."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest

from licet import identifiers, times
from licet.audit import verify_bundle
from licet.audit.tables import ENTRIES, EVENTS
from licet.errors import VerificationError
from licet.statements.trust import Trust
from licet.terms import Price, preset
from registry.accounts.operators import invite
from tests.registry.catalogue import artist, new_pictures
from tests.registry.erasure.leaving import erased
from tests.registry.harness import Running
from tests.registry.market import shelf, trainer
from tests.registry.splits.owners import agreed, answer, document, propose, send, told
from tests.sdk.audit.stage import unpacked

pytestmark = pytest.mark.anyio
PER_RUN = preset("paid", Price(model="per-training-run", amount="0.07", currency="USD"))


async def pulled(http: httpx.AsyncClient, target: Path) -> Path:
    """Take this month's bundle home."""
    answer = await http.get("/v1/audit/bundle", params={"period": times.to_text(times.now())[:7]})
    assert answer.status_code == 200, answer.text
    target.write_bytes(answer.content)
    return target


async def test_rule_21_co_owners_and_auditors_recompute_what_is_shared(
    site: Running, tmp_path: Path, request: pytest.FixtureRequest
):
    new_pictures(request.node.nodeid)
    ada, ben, cay = [await artist(site, name) for name in ("Ada", "Ben", "Cay")]
    for who in (ada, ben, cay):
        await who.raise_level(2)
    mine = await shelf(site, PER_RUN, 3, owner=ada)
    lantern = await trainer(site)
    licence = await lantern.license(mine.wanted())
    first = await agreed(ada, mine.works[:2], [(ada, 3333), (ben, 6667)])
    await lantern.report(licence, "2")
    open_still = await propose(ada, mine.works[2:], [(ada, 1), (cay, 9999)])
    second = await agreed(ada, mine.works[:1], [(ben, 5000), (cay, 5000)], first)
    await lantern.report(licence, "3")
    told(await answer(cay, open_still, "decline"))
    _, token = await invite(site.services.database, "auditor", name="Ada Okafor")
    keys = site.services.keys
    trust = Trust(keys.origin, keys.root.public.hex())
    shown: dict[str, set[tuple[str, str | None]]] = {}
    for name, http in (
        ("ada", ada.http), ("ben", ben.http), ("cay", cay.http), ("lab", lantern.http),
        ("everything", site.client(token.token)),
    ):  # fmt: skip
        path = await pulled(http, tmp_path / f"{name}.zip")
        report = verify_bundle(path, trust)
        assert {"splits", "event-splits"} <= {check.name for check in report.checks}
        members = unpacked(path)
        shown[name] = {(row.work, row.split) for row in EVENTS.from_csv([members["usage/events.csv"]]) if row.amount}
        if name == "ben":
            got = [row.amount for row in ENTRIES.from_csv([members["ledger/entries.csv"]]) if ben.id in row.account]
            # 6667 of 10,000 of two works in run 2; the same of one, and half of the other, in run 3; a fee of 10 %
            assert sorted(got) == sorted([-84004, -42002, -31500])
    shared = {
        each for each in shown["ben"] if each[1] is not None
    }  # before it had a share, too: what its lines began with
    assert shared == {(mine.works[0], first.split), (mine.works[1], first.split), (mine.works[0], second.split)}
    assert {each for each in shown["cay"] if each[1] is not None} == {(mine.works[0], second.split)}
    assert shown["ada"] == shown["lab"]
    assert shown["everything"] >= shown["ada"]
    statements = unpacked(tmp_path / "everything.zip")
    assert f"statements/split/{open_still.split}.json" in statements


async def test_rule_21_a_split_that_an_erased_co_owner_was_not_asked_for_is_recomputed_by_everybody(
    lone: Running, tmp_path: Path, request: pytest.FixtureRequest
):
    new_pictures(request.node.nodeid)
    ada, ben, cay = [await artist(lone, name) for name in ("Ada", "Ben", "Cay")]
    for who in (ada, ben, cay):
        await who.raise_level(2)
    mine = await shelf(lone, PER_RUN, 1, owner=ada)
    lantern = await trainer(lone)
    licence = await lantern.license(mine.wanted())
    first = await agreed(ada, mine.works, [(ada, 4000), (ben, 3000), (cay, 3000)])
    await erased(lone, ben.account)
    second = await propose(ada, mine.works, [(ada, 1000), (ben, 3000), (cay, 6000)], first.document)
    assert told(await answer(cay, second)).split.state == "in-force"
    await lantern.report(licence, "2")
    keys = lone.services.keys
    trust = Trust(keys.origin, keys.root.public.hex())
    _, token = await invite(lone.services.database, "auditor", name="Ada Okafor")
    for name, http in (("ada", ada.http), ("cay", cay.http), ("lab", lantern.http), ("all", lone.client(token.token))):
        path = await pulled(http, tmp_path / f"{name}.zip")
        report = verify_bundle(path, trust)
        assert {"splits", "event-splits"} <= {check.name for check in report.checks}
        assert len([member for member in unpacked(path) if member.startswith("statements/erase/")]) == 1
        events = EVENTS.from_csv([unpacked(path)["usage/events.csv"]])
        assert second.split in {row.split for row in events if row.amount}


_OWN = "split = (select id from splits where digest = $1)"
LIES = (
    ("a use that is kept from the split", f"update usage_events set split = null where {_OWN}", "event-splits"),
    (
        "a use that is shared by a split that is over",
        f"""
        update usage_events set split = (
            select b.id from splits a join splits b on b.digest = a.replaces where a.digest = $1
        ) where {_OWN}
        """,
        "event-splits",
    ),
    (
        "a split that somebody never signed",
        f"delete from split_answers where digest = (select min(digest::text)::bytea from split_answers where {_OWN})",
        "event-splits",
    ),
    (
        "parts that are not the shares",
        """
        with own as (
            select e.transfer, e.account from entries e join ledger_accounts a on a.id = e.account
            where a.name like 'payable:%' and length($1::bytea) = 32
                and e.transfer = (select id from transfers order by id desc limit 1)
        )
        update entries e set amount = e.amount + case e.account when (select min(account) from own) then 1 else -1 end
        from own where own.transfer = e.transfer and own.account = e.account
        """,
        "transfer-sums",
    ),
)  # fmt: skip


async def test_a_registry_that_lies_about_what_is_shared_is_caught_by_who_has_a_share(
    lone: Running, tmp_path: Path, request: pytest.FixtureRequest
):
    new_pictures(request.node.nodeid)
    keys = lone.services.keys
    trust = Trust(keys.origin, keys.root.public.hex())
    lantern = await trainer(lone)
    for lie, statement, check in LIES:
        ada, ben, cay = [await artist(lone, name) for name in ("Ada", "Ben", "Cay")]
        for who in (ada, ben):
            await who.raise_level(2)
        mine = await shelf(lone, PER_RUN, 1, owner=ada)
        first = await agreed(ada, mine.works, [(ada, 3000), (ben, 7000)])
        second = await agreed(ada, mine.works, [(ben, 5000), (cay, 5000)], first)
        await lantern.license(mine.wanted())
        verify_bundle(await pulled(ben.http, tmp_path / "honest.zip"), trust)
        async with lone.services.database.transaction() as conn:
            await conn.execute("set local session_replication_role = replica")
            done = await conn.execute(statement, bytes.fromhex(second.document))
        assert not done.endswith(" 0"), lie
        with pytest.raises(VerificationError, match=check):
            verify_bundle(await pulled(ben.http, tmp_path / "lie.zip"), trust)


async def test_a_registry_that_lets_somebody_else_share_out_a_work_is_caught_by_who_registered_it(
    lone: Running, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
):
    new_pictures(request.node.nodeid)
    keys = lone.services.keys
    trust = Trust(keys.origin, keys.root.public.hex())
    ada, eve, mallory = [await artist(lone, name) for name in ("Ada", "Eve", "Mallory")]
    await ada.raise_level(2)
    mine = await shelf(lone, PER_RUN, 1, owner=ada)
    payload = await document(ada, mine.works, [(eve, 5000), (mallory, 5000)])
    payload = msgspec.structs.replace(payload, account=eve.id, genesis=eve.account.genesis)

    async def any_works(*_: object) -> list[UUID]:
        return [identifiers.to_uuid(work) for work in mine.works]

    monkeypatch.setattr("registry.splits.intake.works_of", any_works)
    monkeypatch.setattr("registry.splits.service._hold_agreeable", any_works)
    split = told(await send(eve, payload)).split
    told(await answer(mallory, split))
    await (await trainer(lone)).license(mine.wanted())
    with pytest.raises(VerificationError, match=f"event-splits.*expected a split that {ada.id} proposed"):
        verify_bundle(await pulled(ada.http, tmp_path / "hers.zip"), trust)
