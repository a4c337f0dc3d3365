"""Croissant files: what MLCommons' own reader takes, and reads our counts and files from."""

from __future__ import annotations

import json
import os
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from licet.datasets.results.croissant import CONFORMS_TO, from_entry, from_files
from licet.datasets.results.manifest import encode_manifest
from licet.errors import InputError
from licet.wire.register import DatasetShown, Organisation
from tests.sdk.datasets.results.test_difference import decisions
from tests.sdk.datasets.results.test_manifest import KEY, PAYLOAD

ROOT = Path(__file__).resolve().parents[4]
READER = ROOT / ".venv-croissant" / "bin" / "python"
# Reads the file as anybody would: what is wrong with it is an error, what is unusual a warning.
READING = """
import json, sys
import mlcroissant
dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
metadata = dataset.metadata
counts = {str(row["counts/verdict"]): int(row["counts/rows"]) for row in dataset.records("counts")}
print(json.dumps({
    "errors": sorted(metadata.ctx.issues.errors), "warnings": sorted(metadata.ctx.issues.warnings),
    "version": str(metadata.ctx.conforms_to.value), "files": [each.id for each in metadata.distribution],
    "sets": {each.id: [field.name for field in each.fields] for each in metadata.record_sets}, "counts": counts,
}, default=str))
"""
ENTRY = DatasetShown(
    dataset="dst_01m8fw89z4es5anmk2s7649n82",
    name="lantern train",
    version=2,
    organisation=Organisation("org_01m8fw89z4es5anmk2s7649n82", "Lantern Labs"),
    listed=True,
    rows=49,
    kept=38,
    counts={"allow": 8, "unknown": 12, "license": 18, "review": 1, "deny": 10},
    unknown_policy="keep",
    snapshot="ab" * 32,
    decided_at="2026-11-28T12:00:00.000Z",
    log_index=12,
    stage="files",
    use={"uses": ["train-gen", "mine"], "purpose": ["commercial"]},
    match="near",
    min_claim_level=0,
    log_size=9,
    decisions_root="cd" * 32,
    row_root="ef" * 32,
    after=None,
    parts=1,
    licences=1,
    terms={"per-training-run": 9, "attribution": 2},
    manifest="12" * 32,
    change=None,
    models=[],
    models_count=0,
)


def read(described: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What MLCommons' reader makes of the file, in an environment of its own."""
    if not READER.exists():
        if os.environ.get("CI"):
            pytest.fail("mlcroissant is missing: make croissant")
        pytest.skip("mlcroissant is missing; to hold Croissant files against it: make croissant")
    path = folder / "croissant.json"
    path.write_bytes(msgspec.json.encode(described))
    done = subprocess.run([str(READER), "-c", READING, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert "not standard" not in done.stderr
    return found


def written(folder: Path) -> Path:
    """A result of a filter: manifest, decisions, and what was kept."""
    out = folder / "kept.parquet"
    rows = [{"path": "a.png", "verdict": "allow"}, {"path": "b.png", "verdict": "deny"}]
    decisions(folder / "kept.parquet.decisions.parquet", rows)
    pq.write_table(pq.read_table(folder / "kept.parquet.decisions.parquet").slice(0, 1), out)
    payload = msgspec.structs.replace(PAYLOAD, rows=2, kept=1, counts={"allow": 1, "deny": 1})
    (folder / "kept.parquet.manifest.json").write_bytes(encode_manifest(payload, KEY))
    return out


def test_the_reader_of_mlcommons_takes_both_forms_without_a_fault(tmp_path: Path) -> None:
    described = from_entry(ENTRY, "https://registry.example")
    found = read(described, tmp_path)
    assert found["errors"] == []
    assert found["version"] == CONFORMS_TO
    assert found["counts"] == ENTRY.counts
    assert found["files"] == []
    out = written(tmp_path)
    found = read(from_files(out), tmp_path)
    assert found["errors"] == []
    assert found["files"] == ["kept.parquet", "kept.parquet.decisions.parquet"]
    assert found["counts"] == {"allow": 1, "deny": 1}
    assert {"verdict", "reason", "sha256"} <= set(found["sets"]["kept.parquet.decisions.parquet/rows"])


def test_files_are_named_by_what_is_in_them_whichever_of_them_is_given(tmp_path: Path) -> None:
    out = written(tmp_path)
    described = from_files(out)
    for ending in ("manifest.json", "decisions.parquet"):
        assert from_files(tmp_path / f"kept.parquet.{ending}") == described
    for file in described["distribution"]:
        assert file["sha256"] == sha256((tmp_path / file["contentUrl"]).read_bytes()).hexdigest()


def test_rows_that_nobody_speaks_for_are_never_permitted() -> None:
    policy = from_entry(ENTRY, "https://registry.example")["usageInfo"]
    permitted = {each["licet:verdict"]: each for each in policy["odrl:permission"]}
    forbidden = {each["licet:verdict"]: each for each in policy["odrl:prohibition"]}
    assert {name: each["licet:rows"] for name, each in permitted.items()} == {"allow": 8, "license": 18}
    assert {name: each["licet:rows"] for name, each in forbidden.items()} == {"deny": 10, "review": 1, "unknown": 12}
    duties = {each["licet:price"]: each for each in permitted["license"]["odrl:duty"]}
    assert {price: each["licet:works"] for price, each in duties.items()} == ENTRY.terms
    assert duties["attribution"]["odrl:action"] == {"@id": "odrl:attribute"}
    assert [each["@id"] for each in permitted["allow"]["odrl:action"]] == ["licet:train-gen", "licet:mine"]


def test_a_dataset_without_a_manifest_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected the manifest"):
        from_files(tmp_path / "kept.parquet")
