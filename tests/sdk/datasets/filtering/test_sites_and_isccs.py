"""Rows that are found by the site of their address, or by an ISCC that they state."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.client import Client
from licet.datasets.checking import check
from licet.datasets.examining.evidence import Evidence
from licet.datasets.examining.fingerprinting import examine
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.filtering.job import Job
from licet.datasets.filtering.writing import Results
from licet.datasets.usage.recheck import recheck
from licet.decisions import Request
from licet.errors import InterruptedJobError
from licet.fingerprints.iscc import image_code, instance_code, parse, text_code
from licet.fingerprints.sites import site_key
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, World, encoded, picture

REQUEST = Request(uses=["train-gen"])
KEEP = Wish(unknown="keep")
ART = "https://www.example.org/art/2024/a.png"


def site(world: World, text: str, terms: Any, **fields: Any) -> bytes:
    """Let ``text`` be the site of a rule, which is a work with nothing else."""
    nothing = {"sha256": None, "pixels": None, "pdq": None, "quality": None}
    work = world.work(encoded(picture(len(world.registry.records) + 100)), "ada", terms)
    world.registry.change(work, **nothing, sites=[site_key(text)], fingerprint_only=True, **fields)
    return work


def rows(done: Filtered) -> list[tuple[str, str, str | None]]:
    found = pq.read_table(done.decisions).to_pylist()
    return [(row["verdict"], row["reason"], row["examined"]) for row in found]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Addresses in and beside a site, and ISCCs of a file, of what it shows, of nothing, and what is none."""
    data = encoded(picture(1))
    listed: list[tuple[str | None, str | None]] = [
        (ART, None),
        ("HTTP://EXAMPLE.ORG:80//art/./b.png", None),
        ("https://example.org/artist/a.png", None),
        (None, instance_code(data, 128)),
        (None, image_code(picture(1), 64)),
        (None, text_code("words that nobody registered")),
        (None, "ISCC:NONE"),
        ("https://example.net/c.png", instance_code(encoded(picture(2)))),
    ]
    urls, codes = zip(*listed, strict=True)
    place = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"URL": pa.array(urls), "iscc": pa.array(codes)}), place)
    return place


@pytest.fixture
def ruled(world: World) -> bytes:
    """A site that is denied, and a picture with its codes under open terms."""
    work = site(world, "example.org/art", NO_AI)
    data = encoded(picture(1))
    codes: dict[str, Any] = {
        "instance": parse(instance_code(data)).digest,
        "image": parse(image_code(picture(1))).digest,
    }
    world.work(data, "tomas", OPEN, **codes)
    world.registry.publish()
    return work


def test_a_table_is_decided_by_sites_and_isccs(client: Client, ruled: bytes, table: Path, tmp_path: Path) -> None:
    done = filter_dataset(client, [table], tmp_path / "out.parquet", REQUEST, KEEP)
    assert rows(done) == [
        ("deny", "denied", "url"),
        ("deny", "denied", "url"),
        ("unknown", "not-examined", "url"),
        ("allow", "allowed", "iscc-instance"),
        ("review", "content-only", "iscc-content"),
        ("unknown", "no-match", "iscc-content"),
        ("review", "malformed", ""),
        ("unknown", "no-match", "url,iscc-instance"),
    ]
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 4
    matches = pq.read_table(done.decisions)["matches"].to_pylist()
    assert [(each["match"], each["key"], each["distance"]) for row in matches for each in row or ()] == [
        ("exact", "site", 0),
        ("exact", "site", 0),
        ("exact", "iscc-instance", 0),
        ("near", "iscc-content", 0),
    ]


def test_a_job_that_was_stopped_before_it_asked_the_index_knows_the_addresses_still(
    client: Client, ruled: bytes, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(InterruptedJobError):
        patch.setattr(Job, "keep_matches", stopped)
        filter_dataset(client, [table], tmp_path / "out.parquet", REQUEST, KEEP)
    done = filter_dataset(client, [table], tmp_path / "out.parquet", REQUEST, KEEP)
    assert [verdict for verdict, _, _ in rows(done)][:5] == ["deny", "deny", "unknown", "allow", "review"]


def test_addresses_that_no_rule_asked_for_are_read_again_for_a_snapshot_whose_rules_do(
    client: Client, world: World, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.work(encoded(picture(1)), "tomas", OPEN)
    world.registry.publish()

    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(InterruptedJobError):
        patch.setattr(Results, "write", stopped)
        filter_dataset(client, [table], tmp_path / "out.parquet", REQUEST, KEEP)
    with Job.at(tmp_path / "out.parquet") as job:
        kept = job.evidence(0, 0)
    assert kept is not None
    assert kept.blind
    assert kept.addresses is None
    site(world, "example.org/art", NO_AI)
    world.registry.publish()
    other = Wish(unknown="keep", overwrite=True)
    done = filter_dataset(client, [table], tmp_path / "out.parquet", Request(uses=["train-nongen"]), other)
    assert [verdict for verdict, _, _ in rows(done)][:3] == ["deny", "deny", "unknown"]


def test_a_rule_of_a_site_that_came_later_is_found_by_the_recheck(
    client: Client, world: World, ruled: bytes, table: Path, tmp_path: Path
) -> None:
    done = filter_dataset(client, [table], tmp_path / "out.parquet", REQUEST, KEEP)
    assert not recheck(client, done.out).drop
    site(world, "example.org", PAID)
    world.registry.publish()
    (gone,) = recheck(client, done.out).drop
    assert (gone.url, gone.verdict, gone.reason) == ("https://example.org/artist/a.png", "review", "url-only")


def test_what_is_kept_of_a_batch_holds_addresses_and_isccs() -> None:
    batch = pa.RecordBatch.from_pydict({"url": [ART, None], "iscc": [None, instance_code(b"a")]})
    with ThreadPoolExecutor(1) as pool:
        evidence = examine(batch, Path(), pool)
    again = Evidence.from_batch(evidence.to_batch())
    assert again.addresses is not None
    assert again.iscc is not None
    assert again.addresses.to_pylist() == [ART, None]
    assert again.iscc.to_pylist() == [None, instance_code(b"a")]


def test_an_iscc_and_an_address_in_a_site_are_checked_as_they_are(client: Client, ruled: bytes) -> None:
    found = check(client, [instance_code(encoded(picture(1))), ART, "ISCC:KAA"], REQUEST).results
    assert [(each.verdict, each.reason) for each in found] == [
        ("allow", "allowed"),
        ("deny", "denied"),
        ("review", "malformed"),
    ]
