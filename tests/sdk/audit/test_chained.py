"""A statement that names one in front of it is held to it; one negative vector for each way to break a chain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from licet.statements import kinds
from tests.sdk.audit.stage import Stage, identifier
from tests.sdk.audit.test_lies import caught

change = msgspec.structs.replace
Edit = Callable[[Stage, Any], Any]


class Broken(Stage):
    """Everybody signs what breaks a chain, and the registry logs it."""

    def __init__(self, name: str, edit: Edit) -> None:
        self.broken, self.edit = name, edit
        super().__init__()

    def statement(self, kind: str, name: str, payload: Any, *signed: Any) -> str:
        return super().statement(kind, name, self.edit(self, payload) if name == self.broken else payload, *signed)


LIES: dict[str, tuple[str, Edit, str]] = {
    "a run on another manifest": ("2", lambda _, run: change(run, manifest="0" * 64), "statements/run"),
    "a run on another dataset": (
        "2", lambda _, run: change(run, dataset=identifier("dst", "other")), "statements/run"),
    "a consent that does not name the one before it": (
        "Ada catalogue", lambda _, consent: change(consent, prev="0" * 64), "statements/consent"),
    "a consent numbered as the one before it": (
        "open", lambda _, consent: change(consent, seq=1), "statements/consent"),
    "a manifest that builds upon somebody else's": (
        "lantern-train", lambda stage, manifest: change(manifest, after=others_manifest(stage)),
        "statements/dataset-manifest"),
}  # fmt: skip


def others_manifest(stage: Stage) -> str:
    """Return the digest of a manifest that another organisation has logged."""
    candle = stage.person("Candle Labs", "organisation", "2026-11-03T23:00:00.000Z")
    own = stage._manifest(candle)
    other = change(own, dataset=identifier("dst", "of others"), stage="urls")
    number = Stage.statement(stage, "dst", "of others", other, candle.key, "2026-11-03T23:00:00.000Z")
    return stage.log.logged[stage.statements[number][1]][0].payload_digest


@pytest.mark.parametrize("lie", LIES)
def test_a_chain_that_is_broken(tmp_path: Path, lie: str) -> None:
    name, edit, member = LIES[lie]
    stage = Broken(name, edit)
    caught(stage.write(stage.records(), tmp_path / "b.zip"), stage, "chains", member)


def test_the_manifest_that_a_run_names_must_be_there(stage: Stage, tmp_path: Path) -> None:
    records = stage.records("2026-11")
    number = identifier("dst", "lantern-train")
    assert isinstance(stage.payloads[number], kinds.DatasetManifest)
    records.statements = [each for each in records.statements if each[1] != number]
    caught(stage.write(records, tmp_path / "b.zip"), stage, "log-coverage")  # of this month, it is missed before
    records.about = records.about._replace(account=stage.people["Lantern Labs"].id)
    caught(stage.write(records, tmp_path / "b.zip"), stage, "chains", "statements/run")
