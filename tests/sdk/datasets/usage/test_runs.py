"""Reporting runs: checked again, stated once, owed once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from licet.client import Client
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.licensing.accepting import Acceptance
from licet.datasets.licensing.budgets import Budget
from licet.datasets.usage.corrections import correct_outputs
from licet.datasets.usage.recheck import recheck
from licet.datasets.usage.runs import report_run
from licet.datasets.usage.spool import Spool
from licet.decisions import Request
from licet.errors import InputError, NotAllowedError, ServiceError, VerificationError
from licet.statements import envelope as envelopes
from licet.statements.kinds import DatasetManifest, Run
from licet.statements.licences import correction_id
from licet.terms import Price, Terms, preset
from tests.sdk.datasets.registry import Answered, Registry
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, PAID_EUR, World, encoded, picture

MODEL = "lantern/lantern@1"
REQUEST = Request(uses=["train-gen"], model=MODEL)


@pytest.fixture
def works(world: World) -> list[bytes]:
    """Two works per run, one per work, one free, one per output, one open to all."""
    free = Terms.parse(NO_AI.to_json() | {"train-gen": {"permission": "license", "price": {"model": "free"}}})
    outputs = preset("paid", Price(model="per-output", amount="0.001", currency="USD"))
    terms = [PAID, PAID, PAID_EUR, free, outputs, OPEN]
    found = [world.work(encoded(picture(n)), f"artist {n % 2}", each) for n, each in enumerate(terms)]
    world.registry.publish()
    return found


@pytest.fixture
def kept(client: Client, works: list[bytes], tmp_path: Path) -> Filtered:
    place = tmp_path / "in"
    place.mkdir()
    for number in range(len(works)):
        (place / f"{number}.png").write_bytes(encoded(picture(number)))
    (place / "0-again.jpg").write_bytes(encoded(picture(0), "JPEG", quality=80))
    wish = Wish(accept=Acceptance("train", Budget("1USD", "2EUR")))
    done = filter_dataset(client, [place], tmp_path / "out", REQUEST, wish)
    assert done.kept == 7
    return done


def test_a_second_run_owes_what_is_priced_per_run_once_per_work(client: Client, world: World, kept: Filtered) -> None:
    done = report_run(client, kept.manifest, MODEL, "2")
    assert (done.new, done.known, done.memorandum, done.dropped) == (2, 2, 0, 0)
    assert {total["currency"]: total["amount"] for total in done.totals} == {"EUR": "2", "USD": "0.1"}
    assert done.licences == [kept.licence]
    again = report_run(client, kept.manifest, MODEL, "2")
    assert (again.new, again.known) == (0, 4)
    assert again.log_index == done.log_index
    assert len(world.registry.runs) == 1


def test_the_run_that_was_accepted_is_known_already(client: Client, kept: Filtered) -> None:
    done = report_run(client, kept.out, MODEL, "1")
    assert (done.new, done.known) == (0, 4)


def test_outputs_are_owed_by_their_number(client: Client, world: World, kept: Filtered) -> None:
    done = report_run(client, kept.manifest, MODEL, "1", outputs=1000)
    assert (done.new, done.known) == (1, 4)
    assert {total["currency"]: total["amount"] for total in done.totals} == {"EUR": "2", "USD": "1.1"}
    more = report_run(client, kept.manifest, MODEL, "1", outputs=500, seq=1)
    assert (more.new, more.known) == (1, 4)


def test_what_was_tightened_without_a_licence_is_left_out_and_said(
    client: Client, world: World, works: list[bytes], kept: Filtered
) -> None:
    world.registry.change(works[5], terms=NO_AI.encoded)
    world.registry.change(works[0], terms=NO_AI.encoded)
    done = report_run(client, kept.manifest, MODEL, "2")
    assert [row.path for row in done.drop] == ["5.png"]
    assert (done.new, done.dropped) == (2, 1)  # what is licensed goes on
    [envelope] = world.registry.runs.values()
    stated = envelopes.read_as(Run, envelope)
    assert (stated.run, stated.model, stated.version, stated.dropped) == ("2", "lantern/lantern", "1", 1)
    assert stated.snapshot == done.snapshot


def test_works_of_rows_that_must_go_are_not_owed_for(
    client: Client, world: World, works: list[bytes], kept: Filtered
) -> None:
    world.work(encoded(picture(1)), "somebody", NO_AI)  # a second claim, which denies
    world.registry.publish()
    done = report_run(client, kept.manifest, MODEL, "2")
    assert (done.new, done.dropped) == (1, 1)


def test_the_dataset_is_stated_once(client: Client, world: World, kept: Filtered) -> None:
    report_run(client, kept.manifest, MODEL, "2")
    report_run(client, kept.manifest, MODEL, "3")
    [(dataset, envelope)] = world.registry.datasets.items()
    assert dataset == kept.dataset
    assert envelopes.read_as(DatasetManifest, envelope).kept == 7
    assert world.registry.calls["POST /v1/datasets"] == 1
    assert len(world.registry.runs) == 2


def test_a_model_that_no_licence_covers_is_a_memorandum(client: Client, kept: Filtered) -> None:
    done = report_run(client, kept.manifest, "lantern/other@1", "1")
    assert (done.new, done.memorandum) == (0, 5)
    assert done.totals == []
    assert "recorded as a memorandum" in done.notes[0]


@pytest.mark.parametrize("run", ["0", "-1", "00"])
def test_a_run_is_counted_from_one(client: Client, kept: Filtered, run: str) -> None:
    with pytest.raises(InputError, match="run: expected a name, or a number from 1 on"):
        report_run(client, kept.manifest, MODEL, run)


def test_what_cannot_be_sent_is_spooled_and_sent_later(
    client: Client, world: World, kept: Filtered, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Registry.answer

    def down(self: Registry, method: str, path: str, *rest: Any) -> Any:
        if method == "POST":
            raise Answered(500, "internal")
        return honest(self, method, path, *rest)

    monkeypatch.setattr(Registry, "answer", down)
    with pytest.raises(ServiceError, match="licet usage push"):
        report_run(client, kept.manifest, MODEL, "2")
    with Spool(client.home.spool) as spool:
        status = spool.status()
        assert (status.waiting_events, status.waiting_statements) == (4, 2)
        monkeypatch.setattr(Registry, "answer", honest)
        pushed = spool.push(client)
        assert pushed.statements == 2
        assert sum(sent.new for sent in pushed.batches) == 2
    assert report_run(client, kept.manifest, MODEL, "2").new == 0


def test_a_re_check_names_the_models_that_were_trained(
    client: Client, world: World, works: list[bytes], kept: Filtered
) -> None:
    report_run(client, kept.manifest, MODEL, "2")
    world.registry.change(works[5], terms=NO_AI.encoded)
    found = recheck(client, kept.decisions)
    assert [(model["model"], model["version"], model["run"]) for model in found.models] == [
        ("lantern/lantern", "1", "2")
    ]


def test_a_dataset_of_nobody_or_of_others_is_not_reported(
    client: Client, world: World, kept: Filtered, tmp_path: Path
) -> None:
    with world.client("other") as other, pytest.raises(NotAllowedError, match="this profile is"):
        report_run(other, kept.manifest, MODEL, "1")
    with world.client("nobody", None) as nobody:
        local = filter_dataset(nobody, [tmp_path / "in"], tmp_path / "local", Request(uses=["train-gen"]))
    with pytest.raises(InputError, match="filtered without an account"):
        report_run(client, local.manifest, MODEL, "1")


def test_a_dataset_of_which_nothing_was_kept_is_not_reported(
    client: Client, works: list[bytes], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0.png").write_bytes(encoded(picture(0)))
    dry = filter_dataset(client, [tmp_path / "in"], tmp_path / "dry", Request(uses=["train-gen"]))
    assert dry.kept == 0
    with pytest.raises(InputError, match="of which rows were kept, got none of 1"):
        report_run(client, dry.manifest, MODEL, "2")


def test_decisions_that_were_changed_are_not_reported(client: Client, kept: Filtered) -> None:
    import pyarrow.parquet as pq

    pq.write_table(pq.read_table(kept.decisions).slice(2), kept.decisions)
    with pytest.raises(VerificationError):
        report_run(client, kept.manifest, MODEL, "1")


def test_outputs_that_were_reported_wrongly_are_corrected_once(client: Client, world: World, kept: Filtered) -> None:
    report_run(client, kept.manifest, MODEL, "1", outputs=1_000)
    done = correct_outputs(client, kept.manifest, MODEL, "1", 400)
    assert (done.corrected, done.new, done.known) == (1, 1, 0)
    assert done.totals == [{"currency": "USD", "amount": "-0.6", "works": 1}]
    again = correct_outputs(client, kept.manifest, MODEL, "1", 400)
    assert (again.corrected, again.new, again.totals) == (0, 0, [])
    assert correct_outputs(client, kept.manifest, MODEL, "1", 0).totals[0]["amount"] == "-0.4"
    more = correct_outputs(client, kept.manifest, MODEL, "1", 1_001)
    assert more.totals[0]["amount"] == "1.001"
    (original,) = [each for each in world.registry.events.values() if each.unit == "output" and each.corrects is UNSET]
    made = sorted(
        (each for each in world.registry.events.values() if each.corrects == original.id), key=lambda e: e.seq
    )
    assert [(each.seq, each.was, each.quantity) for each in made] == [(1, 1_000, 400), (2, 400, 0), (3, 0, 1_001)]
    assert {each.id for each in made} == {correction_id(original.id, number) for number in (1, 2, 3)}
    for run, seq in (("2", 0), ("1", 7)):
        with pytest.raises(InputError, match="whose outputs were reported from here"):
            correct_outputs(client, kept.manifest, MODEL, run, 1, seq)
    with pytest.raises(InputError, match="outputs: expected 0 to"):
        correct_outputs(client, kept.manifest, MODEL, "1", -1)


@pytest.mark.parametrize(
    ("model", "run", "outputs"), [("lantern", "1", 0), (MODEL, "", 0), (MODEL, "a\nb", 0), (MODEL, "1", -1)]
)
def test_a_report_names_a_model_and_a_run(client: Client, kept: Filtered, model: str, run: str, outputs: int) -> None:
    with pytest.raises(InputError):
        report_run(client, kept.manifest, model, run, outputs=outputs)
