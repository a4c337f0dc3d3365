"""What was trained on what: told by signed statements, shown to the public where it is listed, to its owner always."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from licet import identifiers
from licet.statements import envelope as envelopes
from licet.statements.kinds import BaseVersion, DatasetManifest
from licet.statements.statement_file import verify_statement_file
from licet.terms import Price, preset
from licet.wire.common import StatementFile
from licet.wire.usage import Logged
from registry.register import verification
from tests.registry.catalogue import PAID
from tests.registry.harness import Running
from tests.registry.market import Trainer, problem, shelf, trainer

pytestmark = pytest.mark.anyio


def logged(answer: Any) -> Logged:
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=Logged)


async def dataset(lab: Trainer, snapshot: str, **changes: Any) -> tuple[str, str]:
    """Log a dataset; return its identifier and the digest of its manifest."""
    envelope = lab.manifest(snapshot, **changes)
    return logged(await lab.log("/v1/datasets", envelope)).id, envelope.payload_digest


async def trained(lab: Trainer, made: tuple[str, str], snapshot: str, **changes: Any) -> str:
    """Log a training run; return its identifier."""
    return logged(await lab.log("/v1/runs", lab.run(*made, snapshot, **changes))).id


async def public(site: Running, path: str, **params: Any) -> Any:
    answer = await site.http.get(f"/v1/register/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def all_is_derived(site: Running) -> None:
    async with site.services.database.transaction() as conn:
        assert await verification.rebuild(conn) == []


async def test_versions_of_a_dataset_count_from_one_and_say_what_changed(site: Running, snapshot: str):
    works = await shelf(site, PAID, 2)
    lab = await trainer(site, "Lantern Works")
    licence = await lab.license(works.wanted())
    first, _ = await dataset(lab, snapshot, name="sketches")
    await dataset(lab, snapshot, name="another")
    second, _ = await dataset(
        lab,
        snapshot,
        name="sketches",
        rows=6,
        kept=3,
        counts={"license": 3, "deny": 2, "review": 1},
        parts=[{"name": "a", "rows": 6, "kept": 3}],
        unknown_policy="keep",
        licences=[licence.licence],
    )
    listed = (await lab.http.get("/v1/datasets?name=sketches&sort=made")).json()["items"]
    assert [(each["dataset"], each["version"]) for each in listed] == [(first, 1), (second, 2)]
    shown = await public(site, f"datasets/{second}")
    assert (shown["version"], shown["unknown_policy"], shown["parts"], shown["licences"]) == (2, "keep", 1, 1)
    assert shown["terms"] == {"per-work": 2}
    assert shown["change"] == {
        "dataset": first,
        "version": 1,
        "rows": 2,
        "kept": 1,
        "counts": {"deny": 1, "license": 1, "review": 1, "unknown": -1},
    }
    own = await lab.http.get(f"/v1/datasets/{first}?against={second}")
    assert own.json()["change"]["counts"] == {"deny": -1, "license": -1, "review": -1, "unknown": 1}
    assert (await public(site, f"datasets/{first}"))["change"] is None
    page = await public(site, "datasets", organisation=lab.id, limit=2)
    rest = await public(site, "datasets", organisation=lab.id, limit=2, cursor=page["next"])
    assert [each["name"] for each in page["items"] + rest["items"]] == ["sketches", "another", "sketches"]
    await all_is_derived(site)


async def test_a_run_makes_its_model_and_the_public_sees_what_it_was_trained_on(site: Running, snapshot: str):
    lab = await trainer(site, "Candle Labs")
    made = await dataset(lab, snapshot, name="candles")
    run = await trained(lab, made, snapshot, model="candle/small", version="2.0")
    await trained(lab, made, snapshot, model="candle/small", version="2.0", run="again")
    (model,) = (await public(site, "models", organisation=lab.id))["items"]
    assert (model["name"], model["version"], model["status"]) == ("candle/small", "2.0", "undescribed")
    assert (model["versions"], model["runs"], model["organisation"]["name"]) == (1, 2, "Candle Labs")
    assert await public(site, f"models/{model['model']}") == model
    (version,) = (await public(site, f"models/{model['model']}/versions"))["items"]
    assert (version["card"], version["runs"], version["datasets"]) == (None, 2, 1)
    (used,) = version["trained_on"]
    assert (used["dataset"], used["version"], used["unknown_policy"], used["runs"]) == (made[0], 1, "exclude", 2)
    assert used["counts"] == {"license": 2, "deny": 1, "unknown": 1}
    runs = (await public(site, "runs", model=model["model"]))["items"]
    assert [each["name"] for each in runs] == ["again", "1"]
    assert (runs[1]["run"], runs[1]["manifest"], runs[1]["snapshot"], runs[1]["dropped"]) == (
        *(run, made[1], snapshot, 0),
    )
    shown = await public(site, f"datasets/{made[0]}")
    assert [(each["name"], each["version"], each["runs"]) for each in shown["models"]] == [("candle/small", "2.0", 2)]
    assert shown["models_count"] == 1
    found = await public(site, "models", q="CANDLE L")
    assert [each["model"] for each in found["items"]] == [model["model"]]
    await all_is_derived(site)


async def test_the_run_that_a_licence_came_with_is_counted_once_reported_or_not(site: Running, snapshot: str):
    works = await shelf(site, PAID, 3)
    lab = await trainer(site, "Wick Labs")
    one, two = identifiers.new_id("dst"), identifiers.new_id("dst")
    first = await lab.license(works.wanted()[:1], dataset=one)
    await lab.license(works.wanted()[1:2], dataset=one)  # more works for the same run of the same dataset
    kept = await dataset(lab, snapshot, dataset=one, name="wicks", listed=False, licences=[first.licence])
    assert await public(site, "models", organisation=lab.id) == {"items": [], "next": None}
    assert (await site.http.get(f"/v1/register/datasets/{one}")).status_code == 404  # a licence makes no model known

    logged(await lab.log("/v1/models", lab.card()))
    model, version = await counted(site, lab)
    assert (model["runs"], version["runs"], version["granted"], version["datasets"]) == (1, 1, 1, 1)
    assert [(each["dataset"], each["runs"], each["outside"]) for each in version["trained_on"]] == [(one, 1, 0)]
    shown = await public(site, f"datasets/{one}")  # held back, until a listed version was trained on it
    assert [(each["name"], each["version"], each["runs"]) for each in shown["models"]] == [("acme/lantern", "1", 1)]
    assert (await public(site, "runs", model=model["model"]))["items"] == []  # nothing was reported

    await trained(lab, kept, snapshot, run="2", licences=[first.licence])
    model, version = await counted(site, lab)
    assert (model["runs"], version["runs"], version["granted"], version["trained_on"][0]["runs"]) == (2, 2, 1, 2)
    await trained(lab, kept, snapshot, run="1", licences=[first.licence])
    model, version = await counted(site, lab)
    assert (model["runs"], version["runs"], version["granted"], version["trained_on"][0]["runs"]) == (2, 2, 0, 2)
    assert [each["runs"] for each in (await public(site, f"datasets/{one}"))["models"]] == [2]

    await lab.license(works.wanted()[2:], dataset=two)  # the first run on another dataset, which is in no log yet
    model, version = await counted(site, lab)
    assert (model["runs"], version["runs"], version["granted"], version["datasets"]) == (3, 3, 1, 1)
    own = (await lab.http.get("/v1/models")).json()["items"]
    assert [each["runs"] for each in own] == [3]
    await all_is_derived(site)


async def test_a_run_that_names_its_licence_is_the_one_it_came_with_on_whatever_dataset(site: Running, snapshot: str):
    works = await shelf(site, PAID, 2)
    lab = await trainer(site, "Taper Labs")
    anywhere = await lab.license(works.wanted()[:1])
    planned = await lab.license(works.wanted()[1:], dataset=identifiers.new_id("dst"))
    logged(await lab.log("/v1/models", lab.card()))
    _, version = await counted(site, lab)
    assert (version["runs"], version["granted"], version["trained_on"]) == (1, 1, [])
    made = await dataset(lab, snapshot, name="tapers", licences=[anywhere.licence, planned.licence])
    await trained(lab, made, snapshot, licences=[anywhere.licence, planned.licence])
    model, version = await counted(site, lab)
    assert (model["runs"], version["runs"], version["granted"], version["trained_on"][0]["runs"]) == (1, 1, 0, 1)
    await all_is_derived(site)


async def test_what_is_paid_by_output_came_with_no_run_and_a_licence_says_nothing_of_others_datasets(
    site: Running, snapshot: str
):
    outputs = await shelf(site, preset("paid", Price(model="per-output", amount="0.01", currency="USD")), 1)
    works = await shelf(site, PAID, 1)
    lab, other = await trainer(site, "Sconce Labs"), await trainer(site, "Other Labs")
    theirs = await dataset(other, snapshot, name="theirs", listed=False)
    await lab.license(outputs.wanted())
    logged(await lab.log("/v1/models", lab.card()))
    _, version = await counted(site, lab)
    assert (version["runs"], version["granted"]) == (0, 0)
    await lab.license(works.wanted(), dataset=theirs[0])
    _, version = await counted(site, lab)
    assert (version["runs"], version["granted"], version["datasets"], version["trained_on"]) == (1, 1, 0, [])
    assert (await site.http.get(f"/v1/register/datasets/{theirs[0]}")).status_code == 404
    assert (await other.http.get(f"/v1/datasets/{theirs[0]}")).json()["models"] == []


async def counted(site: Running, lab: Trainer) -> tuple[Any, Any]:
    """Return the one model of an organisation, and its one version, as the public sees them."""
    (model,) = (await public(site, "models", organisation=lab.id))["items"]
    (version,) = (await public(site, f"models/{model['model']}/versions"))["items"]
    return model, version


async def test_the_latest_card_counts_and_the_statement_can_be_fetched_with_its_proof(site: Running, snapshot: str):
    lab = await trainer(site, "Lamp Labs")
    first = lab.card(status="in-training", dated=None)
    one = logged(await lab.log("/v1/models", first))
    assert one.receipt.kind == "model-card"
    assert one.id.startswith("crd_")
    two = logged(await lab.log("/v1/models", lab.card()))
    again = logged(await lab.log("/v1/models", first))  # no second effect
    assert (again.id, again.receipt.log_index) == (one.id, one.receipt.log_index)
    (model,) = (await lab.http.get("/v1/models?status=released")).json()["items"]
    (version,) = (await public(site, f"models/{model['model']}/versions", version="1"))["items"]
    assert (version["status"], version["cards"], version["card"]["card"]) == ("released", 2, two.id)
    assert version["card"]["log_index"] == two.receipt.log_index
    assert (version["card"]["family"], version["card"]["summary"]) == ("Lantern", "Draws lanterns.")
    back = lab.card(status="in-training")
    assert problem(await lab.log("/v1/models", back))[:2] == (409, "conflict")
    for name in (one.id, two.id):
        answer = await site.http.get(f"/v1/register/statements/{name}")
        assert answer.status_code == 200, answer.text
        file = msgspec.json.decode(answer.content, type=StatementFile)
        assert verify_statement_file(file, None).kind == "model-card"
    await all_is_derived(site)


async def test_what_is_held_back_is_its_owners_alone_until_a_listed_model_was_trained_on_it(
    site: Running, snapshot: str
):
    lab, other = await trainer(site, "Quiet Labs"), await trainer(site, "Curious Labs")
    logged(await lab.log("/v1/models", lab.card(model="quiet/one", status="in-training", listed=False)))
    made = await dataset(lab, snapshot, name="held", listed=False)
    run = await trained(lab, made, snapshot, model="quiet/one", version="1")
    (own,) = (await lab.http.get("/v1/models")).json()["items"]
    (card_of,) = (await lab.http.get(f"/v1/models/{own['model']}/versions")).json()["items"]
    hidden = [
        f"models/{own['model']}",
        f"models/{own['model']}/versions",
        f"datasets/{made[0]}",
        *(f"statements/{name}" for name in (made[0], run, card_of["card"]["card"])),
    ]
    for path in hidden:
        assert (await site.http.get(f"/v1/register/{path}")).status_code == 404, path
    for path in (f"models/{own['model']}", f"models/{own['model']}/versions", f"datasets/{made[0]}"):
        assert (await lab.http.get(f"/v1/{path}")).status_code == 200, path
        assert (await other.http.get(f"/v1/{path}")).status_code == 404, path
    for kind in ("models", "datasets"):
        assert (await public(site, kind, organisation=lab.id))["items"] == []
        assert (await other.http.get(f"/v1/{kind}")).json()["items"] == []
    assert (await public(site, "runs", dataset=made[0]))["items"] == []
    logged(await lab.log("/v1/models", lab.card(model="quiet/one", status="released")))
    for path in hidden:
        assert (await site.http.get(f"/v1/register/{path}")).status_code == 200, path
    assert [each["run"] for each in (await public(site, "runs", dataset=made[0]))["items"]] == [run]
    await all_is_derived(site)


async def test_a_model_names_what_it_was_made_from_and_never_itself(site: Running):
    maker, lab = await trainer(site, "Base Labs"), await trainer(site, "Tuning Labs")
    logged(await maker.log("/v1/models", maker.card(model="base/large", version="1")))
    base = BaseVersion("base/large", "1", maker.id, None)
    logged(await lab.log("/v1/models", lab.card(model="tuned/a", base=base)))
    foreign = BaseVersion("Aurora XL", None, None, "https://aurora.example/xl")
    logged(await lab.log("/v1/models", lab.card(model="tuned/b", base=foreign)))
    found = {
        each["name"]: (await public(site, f"models/{each['model']}/versions"))["items"][0]["card"]["base"]
        for each in (await public(site, "models", organisation=lab.id))["items"]
    }
    (original,) = (await public(site, "models", organisation=maker.id))["items"]
    assert found["tuned/a"] == {**msgspec.to_builtins(base), "id": original["model"]}
    assert found["tuned/b"] == {**msgspec.to_builtins(foreign), "id": None}
    own = BaseVersion("tuned/a", "1", lab.id, None)
    assert problem(await lab.log("/v1/models", lab.card(model="tuned/a", base=own)))[0] == 409
    ring = BaseVersion("tuned/a", "1", lab.id, None)
    assert problem(await maker.log("/v1/models", maker.card(model="base/large", version="1", base=ring)))[0] == 409
    nobody = BaseVersion("base/none", "1", maker.id, None)
    assert problem(await lab.log("/v1/models", lab.card(model="tuned/c", base=nobody)))[0] == 400
    await all_is_derived(site)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "lantern"},
        {"version": "one two"},
        {"status": "released", "listed": False},
        {"dated": "yesterday"},
        {"dated": "2026-02-30"},
        {"dated": "2099-01-01"},
        {"family": ""},
        {"summary": "x" * 2001},
        {"summary": "a\x00b"},
        {"card_url": "javascript:alert(1)"},
        {"card_url": "https://u:p@acme.example/"},
        {"card_url": "https://acme.example/ x"},
        {"base": BaseVersion("", None, None, None)},
        {"base": BaseVersion("Aurora", None, None, "ftp://aurora.example")},
        {"base": BaseVersion("acme/x", None, "org_01m8fw89z4es5anmk2s7649n82", None)},
        {"base": BaseVersion("acme/x", "1", "art_01m8fw89z4es5anmk2s7649n82", None)},
        {"issued_at": "2099-01-01T00:00:00.000Z"},
        {"organisation": "org_01m8fw89z4es5anmk2s7649n82"},
        {"genesis": "00" * 32},
    ],
    ids=str,
)
async def test_a_card_that_cannot_be_is_refused_and_names_its_field(site: Running, changes: dict[str, Any]):
    lab = await trainer(site)
    status, _, detail = problem(await lab.log("/v1/models", lab.card(**changes)))
    assert status == 400
    assert any(field in detail for field in changes), detail
    assert (await lab.http.get("/v1/models")).json()["items"] == []


async def test_a_manifest_of_before_reads_as_it_did(snapshot: str, site: Running):
    lab = await trainer(site)
    payload = envelopes.read_as(DatasetManifest, lab.manifest(snapshot))
    assert payload.listed is msgspec.UNSET
    assert b"listed" not in msgspec.json.encode(payload)
