"""A large file that is written in stretches comes to what one process makes of it in two passes, in one file."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.client import Client
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.forms import groups, parquet
from licet.datasets.forms.files import LocalFile
from licet.datasets.forms.parquet import ParquetPart
from licet.datasets.licensing.accepting import Acceptance
from licet.datasets.licensing.budgets import Budget
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import read_manifest
from licet.datasets.workers.crew import Crew
from licet.decisions import Request
from licet.errors import InputError, InterruptedJobError
from tests.sdk.datasets.filtering.test_crew import KEEP, REQUEST, Lost, Scrambled
from tests.sdk.datasets.filtering.test_crew import results as told
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, World, encoded, picture

ROWS = 300
SCHEMA = pa.schema(
    [
        ("URL", pa.string()),
        ("text", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("few", pa.dictionary(pa.int32(), pa.string())),
    ]
).with_metadata({"pandas": "{}"})
SIZES = {
    "one": [ROWS],
    "even": [50] * 6,
    "empty": [0, 40, 0, 0, 100, 160, 0],
    "tiny": [3] * 100,
    "huge": [7, 286, 7],
    "few": [ROWS - 299],
    "none": [0],
    "no groups": [],
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of ten rows, and stretches of two batches."""
    monkeypatch.setattr(parquet, "BATCH_ROWS", 10)
    monkeypatch.setattr(parquet, "PIECE", 2)


@pytest.fixture
def known(world: World) -> None:
    """Every seventh address is some work's."""
    for number in range(0, ROWS, 7):
        terms = (OPEN, NO_AI, PAID)[number % 3]
        world.work(encoded(picture(number % 5)), "tomas", terms, urls=(f"https://x.example/{number}.jpg",))
    world.registry.publish()


def written(path: Path, sizes: Sequence[int]) -> Path:
    """A file whose row groups have so many rows."""
    first = 0
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for size in sizes:
            numbers = range(first, first + size)
            rows = {
                "URL": [f"https://x.example/{number}.jpg" for number in numbers],
                "text": [f"caption {number}" for number in numbers],
                "tags": [["a", "b"][: number % 3] for number in numbers],
                "few": [f"one of {number // 20}" for number in numbers],
            }
            writer.write_table(pa.table(rows, SCHEMA), max(1, size))
            first += size
    return path


def filtered(client: Client, given: Path, out: Path, crew: Crew | None = None, wish: Wish = KEEP) -> Filtered:
    return filter_dataset(client, [given], out, REQUEST, wish, crew=crew)


def results(done: Filtered) -> dict[str, Any]:
    """What a job came to: rows, decisions, what is signed, and what is told."""
    decisions = list(DecisionsFile.find(Path(done.out)).batches())
    kept = pq.ParquetFile(done.out)
    assert kept.schema_arrow.metadata == SCHEMA.metadata
    return {
        **told(done),
        "kept": kept.read().to_pylist(),
        "schema": kept.schema_arrow,
        "decided": pa.Table.from_batches(decisions).to_pylist() if decisions else [],
    }


@pytest.mark.parametrize("layout", SIZES)
@pytest.mark.parametrize("wish", [KEEP, Wish(unknown="keep", only_matched=True)])
def test_one_file_comes_to_the_same(
    client: Client, known: None, tmp_path: Path, layout: str, wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(tmp_path / "in.parquet", SIZES[layout])
    one = results(filtered(client, source, tmp_path / "one.parquet", wish=wish))
    assert results(filtered(client, source, tmp_path / "many.parquet", Scrambled(), wish)) == one
    monkeypatch.setattr(groups, "HELD_BYTES", 0)  # as if rows held much beside their addresses
    monkeypatch.setattr(groups, "STEP_BYTES", 200)
    assert results(filtered(client, source, tmp_path / "large.parquet", Scrambled(8), wish)) == one
    assert not list(tmp_path.glob("*.job"))


def test_two_passes_are_written_in_stretches_too(
    client: Client, known: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("licet.datasets.filtering.build.can_be_at_once", lambda _: False)
    source = written(tmp_path / "in.parquet", SIZES["huge"])
    one = filtered(client, source, tmp_path / "one.parquet")
    assert results(filtered(client, source, tmp_path / "many.parquet", Scrambled())) == results(one)


def test_licences_that_are_taken_cover_rows_of_all_stretches(client: Client, world: World, tmp_path: Path) -> None:
    paid = [encoded(picture(number)) for number in range(3)]
    digests = [sha256(b"%d" % number).hexdigest() for number in range(60)]
    for place, data in zip((3, 25, 59), paid, strict=True):
        digests[place] = sha256(data).hexdigest()
        world.work(data, "tomas", PAID)
    world.registry.publish()
    pq.write_table(pa.table({"sha256": digests}), tmp_path / "in.parquet", row_group_size=20)
    request = Request(uses=["train-gen"], model="lantern/lantern@1", at=REQUEST.at)
    wish = Wish(accept=Acceptance("train", Budget("1USD")))
    many = filter_dataset(client, [tmp_path / "in.parquet"], tmp_path / "many", request, wish, crew=Scrambled())
    assert (many.kept, len(many.taken)) == (3, 1)
    one = filter_dataset(client, [tmp_path / "in.parquet"], tmp_path / "one", request, wish)
    assert (one.kept, one.taken, one.licences) == (3, [], many.licences)
    assert pq.read_table(many.out).equals(pq.read_table(one.out))
    roots = [read_manifest(Path(each.manifest)).payload.decisions_root for each in (many, one)]
    assert roots[0] == roots[1]


def test_several_large_files_are_a_file_each(client: Client, known: None, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("one", "tiny", "few"):
        written(tmp_path / "in" / f"{name}.parquet", SIZES[name])
    one = filtered(client, tmp_path / "in", tmp_path / "one")
    many = filtered(client, tmp_path / "in", tmp_path / "many", Scrambled())
    several, alone = told(many), told(one)
    for each in (several, alone):
        each["files"] = {name: table.to_pylist() for name, table in each["files"].items()}
    assert several == alone
    names = sorted(path.name for path in Path(many.out).iterdir())
    assert names == ["few.parquet", "one.parquet", "tiny.parquet"]
    assert len(list(Path(many.decisions).iterdir())) == 3


@given(st.lists(st.integers(0, 400), max_size=20), st.integers(1, 4))
def test_stretches_are_all_rows_once_and_none_is_large(tmp_path_factory: Any, sizes: list[int], piece: int) -> None:
    path = tmp_path_factory.mktemp("in") / "t.parquet"
    with pq.ParquetWriter(path, pa.schema([("url", pa.string())])) as writer:
        for size in sizes:
            writer.write_table(pa.table({"url": pa.nulls(size, pa.string())}), max(1, size))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parquet, "PIECE", piece)
        part = ParquetPart(LocalFile(path), "t.parquet")
        found = part.stretches()
    assert [each.row for each in found] == [sum(each.rows for each in found[:place]) for place in range(len(found))]
    assert [each.first for each in found] == [
        sum(each.batches for each in found[:place]) for place in range(len(found))
    ]
    assert sum(each.rows for each in found) == part.rows
    assert sum(each.batches for each in found) == part.steps
    largest = max([10 * piece, *(10 * -(-size // 80) for size in sizes)])
    assert all(0 < each.rows <= largest for each in found) or (part.rows == 0 and len(found) == 1)


def test_what_was_written_in_full_is_not_written_again(client: Client, known: None, tmp_path: Path) -> None:
    source = written(tmp_path / "in.parquet", SIZES["even"])
    with pytest.raises(InterruptedJobError):
        filtered(client, source, tmp_path / "out.parquet", Lost(7))

    def there() -> dict[str, int]:
        return {each.name: each.stat().st_mtime_ns for each in (tmp_path / "out.parquet.job").glob("out*/written/*")}

    before = there()
    assert len(before) >= 7

    class Later(Scrambled):
        def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterator[bytes]:
            yield from super().each(do, pieces)
            assert before.items() <= there().items()

    done = filtered(client, source, tmp_path / "out.parquet", Later())
    assert results(done) == results(filtered(client, source, tmp_path / "one.parquet"))


def test_parts_that_were_put_together_before_a_stop_stay(client: Client, known: None, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("even", "tiny"):
        written(tmp_path / "in" / f"{name}.parquet", SIZES[name])

    class Stopped(Scrambled):
        def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterator[bytes]:
            yield from map(do, pieces)
            raise KeyboardInterrupt

    with pytest.raises(InterruptedJobError):
        filtered(client, tmp_path / "in", tmp_path / "out", Stopped())
    job = tmp_path / "out.job"
    assert sorted(path.name for path in job.glob("out*/data/*")) == ["even.parquet", "tiny.parquet"]
    assert list(job.glob("out*/stretches/*")) == []
    done = filtered(client, tmp_path / "in", tmp_path / "out", Scrambled())
    one = filtered(client, tmp_path / "in", tmp_path / "one")
    assert done.counts == one.counts
    for name in ("even", "tiny"):
        files = [Path(each.out) / f"{name}.parquet" for each in (done, one)]
        assert pq.read_table(files[0]).to_pylist() == pq.read_table(files[1]).to_pylist()
    DecisionsFile.find(Path(done.out)).verify()


def test_a_file_that_changes_between_two_stretches_is_refused(client: Client, known: None, tmp_path: Path) -> None:
    source = written(tmp_path / "in.parquet", SIZES["even"])

    class Meddling(Scrambled):
        def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterator[bytes]:
            for place, piece in enumerate(pieces):
                if place == 3:
                    written(source, SIZES["one"])
                yield do(piece)

    with pytest.raises(InputError, match=r"expected in\.parquet as it was when the job began"):
        filtered(client, source, tmp_path / "out.parquet", Meddling())
    assert not (tmp_path / "out.parquet").exists()
    with pytest.raises(InputError, match=r"input: in\.parquet changed"):
        filtered(client, source, tmp_path / "out.parquet", Scrambled())
    again = filtered(client, source, tmp_path / "out.parquet", Scrambled(), Wish(unknown="keep", overwrite=True))
    assert results(again) == results(filtered(client, source, tmp_path / "one.parquet"))


@pytest.mark.parametrize("layout", ["one", "tiny"])
def test_a_file_with_other_row_groups_than_it_was_opened_with_is_not_read(tmp_path: Path, layout: str) -> None:
    source = written(tmp_path / "in.parquet", SIZES["even"])
    part = ParquetPart(LocalFile(source), "in.parquet")
    written(source, SIZES[layout])
    with pytest.raises(InputError, match="the input changed while the job ran"):
        next(part.copy(tmp_path / "out.parquet", part.stretches()[1]))


# Kills itself once so many rows are told of, each of which counts twice; its workers end with it.
KILLED = """
import os, signal, sys
from licet.client import Client
from licet.datasets.filtering.build import Wish, filter_dataset
from licet.decisions import Request
from licet.home import Home

url, home, token, source, out, limit = sys.argv[1:]
seen = 0

def advance(rows):
    global seen
    seen += rows
    if seen >= int(limit):
        os.kill(os.getpid(), signal.SIGKILL)

with Client(url, token, home=Home(home), profile="default") as client:
    request = Request(uses=["train-gen"], at="2026-11-22T12:00:00.000Z")
    filter_dataset(client, [source], out, request, Wish(unknown="keep", workers=2), advance)
"""


@pytest.mark.fault
def test_a_job_of_processes_that_is_killed_goes_on(
    world: World, client: Client, known: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # processes of their own cut as they are made to: by a million rows
    account = client.profile.account
    assert account is not None
    rows, source, out = 1_100_000, tmp_path / "in.parquet", tmp_path / "out.parquet"
    column = pa.array([f"https://x.example/{number}.jpg" for number in range(rows)])
    pq.write_table(pa.table({"URL": column}), source, row_group_size=600_000)
    given = [world.registry.url, client.home.folder, account.account, source, out, 1]
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, given)], timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL
    there = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out.parquet.job").glob("out*/written/*")}
    assert there
    assert not out.exists()
    went_on = filtered(client, source, out, wish=Wish(unknown="keep", workers=2))
    one = filtered(client, source, tmp_path / "one.parquet", wish=Wish(unknown="keep", workers=1))
    assert told(went_on) == told(one)
    assert pq.read_table(out).equals(pq.read_table(one.out))
    assert pq.read_metadata(out).num_rows == one.kept
