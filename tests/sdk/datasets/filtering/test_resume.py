"""A job that was stopped: nothing half-written passes for whole, and the same call goes on where it stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet import times
from licet.client import Client
from licet.datasets.examining import fingerprinting
from licet.datasets.filtering import scanning
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.filtering.job import Job
from licet.datasets.forms import folder, parquet
from licet.datasets.results.manifest import read_manifest
from licet.decisions import Request
from licet.errors import InputError, InterruptedJobError
from tests.sdk.datasets.world import NO_AI, OPEN, World, encoded, picture

pytestmark = pytest.mark.fault

REQUEST = Request(uses=["train-gen"])
KEEP = Wish(unknown="keep")
ROWS = 8

# Kills itself for good once so many rows are reported as done (each counts once examined, once written).
KILLED = """
import os, signal, sys
from licet.client import Client
from licet.datasets.forms import folder
from licet.datasets.filtering.build import Wish, filter_dataset
from licet.decisions import Request
from licet.home import Home

url, home, token, source, out, limit, sign = sys.argv[1:]
folder.BATCH = 2
seen = 0

def advance(rows):
    global seen
    seen += rows
    if seen >= int(limit):
        os.kill(os.getpid(), int(sign))

with Client(url, token, home=Home(home), profile="default") as client:
    filter_dataset(client, [source], out, Request(uses=["train-gen"]), Wish(unknown="keep"), advance)
"""


@pytest.fixture
def pictures(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight pictures, in batches of two: one allowed, one denied, strangers."""
    monkeypatch.setattr(folder, "BATCH", 2)
    place = tmp_path / "in"
    place.mkdir()
    for number in range(ROWS):
        (place / f"{number}.png").write_bytes(encoded(picture(number)))
    world.work(encoded(picture(0)), "tomas", OPEN)
    world.work(encoded(picture(1)), "tomas", NO_AI)
    world.registry.publish()
    return place


def stop(client: Client, world: World, pictures: Path, out: Path, rows: int, sign: signal.Signals) -> int:
    account = client.profile.account
    assert account is not None
    given = [world.registry.url, client.home.folder, account.account, pictures, out, rows, int(sign)]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, given)], capture_output=True, timeout=60, check=False
    )
    return done.returncode


def interrupt(client: Client, pictures: Path, out: Path, rows: int) -> None:
    """Stop a job once ``rows`` rows are reported as done."""
    seen = 0

    def advance(count: int) -> None:
        nonlocal seen
        seen += count
        if seen >= rows:
            raise KeyboardInterrupt

    with pytest.raises(InterruptedJobError):
        filter_dataset(client, [pictures], out, REQUEST, KEEP, advance)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the rows that are examined from here on."""
    seen: list[int] = []
    honest = fingerprinting.examine

    def examine(rows: pa.RecordBatch, *rest: Any, **more: Any) -> Any:
        seen.append(len(rows))
        return honest(rows, *rest, **more)

    monkeypatch.setattr(scanning, "examine", examine)
    return seen


def results(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir() if path.name.startswith(out.name))


def same(done: Filtered, other: Filtered) -> bool:
    one, two = (read_manifest(Path(each.manifest)).payload for each in (done, other))
    return (one.decisions_root, one.counts, one.kept) == (two.decisions_root, two.counts, two.kept)


@pytest.mark.parametrize(("rows", "left"), [(4, 4), (12, 0)])
def test_a_killed_job_goes_on_and_comes_to_the_same(
    client: Client, world: World, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, left: int
) -> None:
    out = tmp_path / "out"
    assert stop(client, world, pictures, out, rows, signal.SIGKILL) == -signal.SIGKILL
    assert results(out) == ["out.job"]
    examined = counted(monkeypatch)
    done = filter_dataset(client, [pictures], out, REQUEST, KEEP)
    assert sum(examined) == left
    assert results(out) == ["out", "out.decisions.parquet", "out.manifest.json"]
    assert same(done, filter_dataset(client, [pictures], tmp_path / "other", REQUEST, KEEP))


@pytest.mark.parametrize(("rows", "left"), [(2, 6), (6, 2), (8, 0), (16, 0)])
def test_an_interrupted_job_goes_on(
    client: Client, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, left: int
) -> None:
    interrupt(client, pictures, tmp_path / "out", rows)
    assert results(tmp_path / "out") == ["out.job"]
    examined = counted(monkeypatch)
    assert filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP).kept == ROWS - 1
    assert sum(examined) == left


@pytest.mark.parametrize(
    ("request_", "wish", "words"),
    [
        (Request(uses=["mine"]), KEEP, r'request: .*"train-gen".* then, .*"mine".* now'),
        (REQUEST, Wish(), "unknown: keep then, exclude now"),
        (REQUEST, Wish(unknown="keep", min_claim_level=1), "min_claim_level: 0 then, 1 now"),
        (REQUEST, Wish(unknown="keep", match="exact"), "match: near then, exact now"),
    ],
)
def test_another_question_is_not_taken_for_the_same_job(
    client: Client, pictures: Path, tmp_path: Path, request_: Request, wish: Wish, words: str
) -> None:
    interrupt(client, pictures, tmp_path / "out", 4)
    with pytest.raises(InputError, match=words) as caught:
        filter_dataset(client, [pictures], tmp_path / "out", request_, wish)
    assert caught.value.exit_code == 2
    assert "--overwrite" in caught.value.message


def test_starting_anew_keeps_what_is_known_of_an_unchanged_input(
    client: Client, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(client, pictures, tmp_path / "out", 4)
    examined = counted(monkeypatch)
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, Wish(overwrite=True))
    assert sum(examined) == ROWS - 4
    assert same(done, filter_dataset(client, [pictures], tmp_path / "other", REQUEST))


def test_a_changed_input_is_another_job(
    client: Client, world: World, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(client, pictures, tmp_path / "out", 4)
    (pictures / "0.png").write_bytes(encoded(picture(50)))
    with pytest.raises(InputError, match="input: in changed"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP)
    examined = counted(monkeypatch)
    filter_dataset(client, [pictures], tmp_path / "out", REQUEST, Wish(unknown="keep", overwrite=True))
    assert sum(examined) == ROWS


def test_a_job_keeps_its_snapshot_and_moment_though_a_newer_one_came(
    client: Client, world: World, pictures: Path, tmp_path: Path
) -> None:
    interrupt(client, pictures, tmp_path / "out", 4)
    with Job.at(tmp_path / "out") as job:
        file = job.file()
        assert file is not None
    [allowed, _] = world.registry.records
    world.registry.change(allowed, terms=NO_AI.encoded)
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP)
    assert (done.snapshot, done.decided_at, done.dataset) == (file.snapshot, file.decided_at, file.dataset)
    assert done.counts["allow"] == 1
    assert done.recheck is not None
    assert done.recheck.drop == 1


def test_a_job_whose_snapshot_has_expired_starts_anew(
    client: Client, world: World, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(client, pictures, tmp_path / "out", 4)
    later = times.now() + timedelta(hours=25)
    monkeypatch.setattr(times, "now", lambda: later)
    world.registry.publish(later)
    with pytest.raises(InputError, match="snapshot: the snapshot expired"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP)
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, Wish(unknown="keep", overwrite=True))
    assert done.counts["allow"] == 1


def test_two_processes_do_not_work_on_one_output(client: Client, pictures: Path, tmp_path: Path) -> None:
    with Job.at(tmp_path / "out"), pytest.raises(InputError, match="another process"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST)


def test_a_kill_while_results_are_moved_leaves_nothing_that_counts_as_whole(
    client: Client, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filter_dataset(client, [pictures], tmp_path / "out", REQUEST)
    honest = Path.replace
    moved: list[str] = []

    def cut(self: Path, target: Any) -> Any:
        if Path(target).parent == tmp_path and Path(target).name.startswith("out"):
            moved.append(Path(target).name)
            if len(moved) == 2:
                raise KeyboardInterrupt
        return honest(self, target)

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(InterruptedJobError):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, Wish(unknown="keep", overwrite=True))
    assert results(tmp_path / "out") == ["out", "out.job"]
    monkeypatch.setattr(Path, "replace", honest)
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP)
    assert done.kept == len(list((tmp_path / "out").iterdir())) == ROWS - 1


def test_a_full_disk_is_told_and_resumable(
    client: Client, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = os.link

    def full(*given: Any, **named: Any) -> None:
        raise OSError(28, "No space left on device", "out")

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(InputError, match="No space left"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP)
    assert results(tmp_path / "out") == ["out.job"]
    monkeypatch.setattr(os, "link", honest)
    assert filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP).kept == ROWS - 1


def test_a_table_resumes_by_batches(
    client: Client, world: World, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "BATCH_FILES", 3)
    rows = {"path": [f"in/{number}.png" for number in range(ROWS)]}
    pq.write_table(pa.table(rows), tmp_path / "t.parquet", row_group_size=4)
    interrupt(client, tmp_path / "t.parquet", tmp_path / "o.parquet", 5)
    examined = counted(monkeypatch)
    done = filter_dataset(client, [tmp_path / "t.parquet"], tmp_path / "o.parquet", REQUEST, KEEP)
    assert examined == [1]
    assert pq.read_table(done.out)["path"].to_pylist() == [f"in/{number}.png" for number in range(ROWS) if number != 1]
