"""Datasets and runs: signed, true where it can be checked, logged once, seen by their organisation alone."""

from __future__ import annotations

import msgspec
import pytest

from licet import identifiers, times
from licet.wire.common import Page
from licet.wire.usage import DatasetInfo, Logged, RunInfo
from registry.snapshots.publisher import publish
from tests.registry.catalogue import PAID
from tests.registry.harness import Running
from tests.registry.market import problem, shelf, trainer

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def snapshot(site: Running) -> str:
    """The digest of a snapshot that the registry issued."""
    await publish(site.services)
    async with site.services.database.acquire() as conn:
        digest = await conn.fetchval("select digest from snapshots order by sequence desc limit 1")
    return bytes(digest).hex()


def logged(answer) -> Logged:
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=Logged)


async def test_a_manifest_is_logged_once_and_listed_for_its_organisation(site: Running, snapshot: str):
    works = await shelf(site, PAID, 1)
    lantern, other = await trainer(site), await trainer(site, "Other Labs")
    licence = await lantern.license(works.wanted())
    envelope = lantern.manifest(snapshot, licences=[licence.licence])
    first, again = (
        logged(await lantern.log("/v1/datasets", envelope)),
        logged(await lantern.log("/v1/datasets", envelope)),
    )
    assert first == again
    assert (first.receipt.kind, first.receipt.id) == ("dataset-manifest", first.id)
    listed = msgspec.json.decode((await lantern.http.get("/v1/datasets?q=lantern")).content, type=Page[DatasetInfo])
    assert [(each.dataset, each.rows, each.kept, each.log_index) for each in listed.items] == [
        (first.id, 4, 2, first.receipt.log_index)
    ]
    assert (await lantern.http.get("/v1/datasets?q=candle")).json()["items"] == []
    assert (await other.http.get("/v1/datasets")).json()["items"] == []
    changed = lantern.manifest(snapshot, dataset=first.id)
    assert problem(await lantern.log("/v1/datasets", changed))[:2] == (409, "conflict")
    stolen = other.manifest(snapshot, dataset=first.id)
    assert problem(await other.log("/v1/datasets", stolen))[:2] == (409, "conflict")
    assert problem(await other.log("/v1/datasets", envelope))[0] == 400
    foreign = other.manifest(snapshot, licences=[licence.licence])
    assert problem(await other.log("/v1/datasets", foreign))[0] == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"kept": 5},
        {"kept": -1},
        {"rows": 5},
        {"counts": {"license": 4, "maybe": 0}},
        {"counts": {"license": 5, "deny": -1}},
        {"counts": {}},
        {"parts": [{"name": "a", "rows": 4}]},
        {"parts": [{"name": "a", "rows": "4", "kept": 2}]},
        {"use": {"uses": ["training"]}},
        {"use": {}},
        {"name": ""},
        {"snapshot": "00" * 32},
        {"snapshot": "x"},
        {"decisions_root": "AB" * 32},
        {"decided_at": "yesterday"},
        {"decided_at": "2099-01-01T00:00:00.000Z"},
        {"organisation": None},
        {"dataset": "bat_01m8fw89z4es5anmk2s7649n82"},
        {"licences": ["lic_0"]},
    ],
    ids=str,
)
async def test_figures_that_contradict_each_other_are_refused(site: Running, snapshot: str, changes):
    lantern = await trainer(site)
    answer = await lantern.log("/v1/datasets", lantern.manifest(**{"snapshot": snapshot, **changes}))
    assert problem(answer)[0] == 400, answer.text
    assert (await lantern.http.get("/v1/datasets")).json()["items"] == []


async def test_a_run_is_one_run_however_often_it_is_signed(site: Running, snapshot: str):
    lantern, other = await trainer(site), await trainer(site, "Other Labs")
    manifest = lantern.manifest(snapshot)
    dataset = logged(await lantern.log("/v1/datasets", manifest)).id
    digest = manifest.payload_digest
    first = logged(await lantern.log("/v1/runs", lantern.run(dataset, digest, snapshot)))
    again = logged(await lantern.log("/v1/runs", lantern.run(dataset, digest, snapshot)))
    assert first == again
    assert first.receipt.kind == "run"
    second = logged(await lantern.log("/v1/runs", lantern.run(dataset, digest, snapshot, run="2")))
    assert second.receipt.log_index > first.receipt.log_index
    found = msgspec.json.decode((await lantern.http.get("/v1/runs?model=acme/lantern")).content, type=Page[RunInfo])
    assert [(each.run, each.dataset, each.log_index) for each in found.items] == [
        ("2", dataset, second.receipt.log_index),
        ("1", dataset, first.receipt.log_index),
    ]
    page = (await lantern.http.get("/v1/runs?limit=1")).json()
    rest = (await lantern.http.get(f"/v1/runs?limit=1&cursor={page['next']}")).json()
    assert [each["run"] for each in page["items"] + rest["items"]] == ["2", "1"]
    assert rest["next"] is None
    assert (await other.http.get("/v1/runs")).json()["items"] == []
    assert problem(await other.log("/v1/runs", other.run(dataset, digest, snapshot)))[0] == 400


async def test_a_run_on_what_is_not_there_or_out_of_date_is_refused(site: Running, snapshot: str):
    lantern = await trainer(site)
    manifest = lantern.manifest(snapshot)
    dataset = logged(await lantern.log("/v1/datasets", manifest)).id
    digest = manifest.payload_digest
    for envelope in (
        lantern.run(dataset, "00" * 32, snapshot),
        lantern.run(identifiers.new_id("dst"), digest, snapshot),
        lantern.run(dataset, digest, "00" * 32),
        lantern.run(dataset, digest, snapshot, dropped=-1),
        lantern.run(dataset, digest, snapshot, model="lantern"),
        lantern.run(dataset, digest, snapshot, run=""),
        lantern.run(dataset, digest, snapshot, licences=[identifiers.new_id("lic")]),
        lantern.run(dataset, digest, snapshot, issued_at="2099-01-01T00:00:00.000Z"),
    ):
        assert problem(await lantern.log("/v1/runs", envelope))[0] == 400
    async with site.services.database.acquire() as conn:
        ends = await conn.fetchval("select expires_at from snapshots where digest = $1", bytes.fromhex(snapshot))
        await conn.execute(
            "update snapshots set expires_at = now() - interval '1 second' where digest = $1", bytes.fromhex(snapshot)
        )
        late = lantern.run(dataset, digest, snapshot, issued_at=times.to_text(times.now()))
        assert problem(await lantern.log("/v1/runs", late))[:2] == (409, "expired")
        await conn.execute("update snapshots set expires_at = $2 where digest = $1", bytes.fromhex(snapshot), ends)
    assert (await lantern.http.get("/v1/runs")).json()["items"] == []
