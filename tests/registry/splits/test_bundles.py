"""Evidence of what is shared: each co-owner and an auditor recompute it from documents that everybody signed."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from licet import times
from licet.audit import verify_bundle
from licet.audit.tables import ENTRIES, EVENTS
from licet.statements.trust import Trust
from licet.terms import Price, preset
from registry.accounts.operators import invite
from tests.registry.catalogue import artist, new_pictures
from tests.registry.harness import Running
from tests.registry.market import shelf, trainer
from tests.registry.splits.owners import agreed, answer, propose, told
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
