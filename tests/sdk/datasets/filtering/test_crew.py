"""A job done by many comes to what one machine makes of it: whoever was first, lost, or at the same piece twice."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.client import Client
from licet.datasets.examining import pinned
from licet.datasets.filtering import build, worker
from licet.datasets.filtering import crew as crews
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.forms import parquet
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import read_manifest
from licet.datasets.workers.crew import Crew
from licet.decisions import Request
from licet.errors import InputError, ServiceError
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, World, encoded, picture

REQUEST = Request(uses=["train-gen"], at="2026-11-22T12:00:00.000Z")
KEEP = Wish(unknown="keep")


class Scrambled:
    """Does the pieces in another order, two at a time, every third one twice, and forgets what was opened between."""

    def __init__(self, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.done = 0

    def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterable[bytes]:
        shuffled = list(pieces)
        self.random.shuffle(shuffled)
        with ThreadPoolExecutor(2) as pool:
            again = [pool.submit(do, piece) for piece in shuffled[::3]]
            for answer in pool.map(do, shuffled):
                self.done += 1
                yield answer
            for each in again:
                each.result()
        worker._ROOMS.clear()


class Lost(Scrambled):
    """Is interrupted after so many pieces."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterator[bytes]:
        for answer in super().each(do, pieces):
            if self.done > self.after:
                raise KeyboardInterrupt
            yield answer


@pytest.fixture
def many(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five files of addresses, in two passes, with more batches than one worker takes at a time in either."""
    monkeypatch.setattr(build, "can_be_at_once", lambda _: False)
    monkeypatch.setattr(parquet, "BATCH_ROWS", 20)
    monkeypatch.setattr(parquet, "PIECE", 2)
    monkeypatch.setattr(crews, "SPAN", 2)
    for number in range(0, 300, 7):
        terms = (OPEN, NO_AI, PAID)[number % 3]
        world.work(encoded(picture(number % 5)), "tomas", terms, urls=(f"https://x.example/{number}.jpg",))
    world.registry.publish()
    folder = tmp_path / "in"
    (folder / "b").mkdir(parents=True)
    for place, name in enumerate(("a.parquet", "b/c.parquet", "b/d.parquet", "e.parquet", "f.parquet")):
        count = 0 if name == "e.parquet" else 60 + 7 * place
        urls = [f"https://x.example/{number}.jpg" for number in range(60 * place, 60 * place + count)]
        texts = [f"caption {number}" for number in range(count)]
        pq.write_table(pa.table({"URL": pa.array(urls, pa.string()), "text": texts}), folder / name, row_group_size=50)
    return folder


def results(done: Filtered) -> dict[str, Any]:
    """What a job came to, without what each job has for itself."""
    payload = read_manifest(Path(done.manifest)).payload
    decisions = DecisionsFile.find(Path(done.out))
    if decisions.about.rows == "all":
        decisions.verify()
    own = ("dataset", "decided_at", "nonce", "row_root", "name")
    stated = {name: value for name, value in msgspec.to_builtins(payload).items() if name not in own}
    files = {str(path.relative_to(done.out)): pq.read_table(path) for path in sorted(Path(done.out).rglob("*.parquet"))}
    told = (done.rows, done.kept, done.counts, done.notes, done.hints, done.quote)
    return {"manifest": stated, "files": files, "told": told}


def known(job: Path) -> dict[str, int]:
    """When each batch was examined."""
    return {path.name: path.stat().st_mtime_ns for path in (job / "evidence").glob("*.arrow")}


def filtered(client: Client, given: Path, out: Path, crew: Crew | None = None, wish: Wish = KEEP) -> Filtered:
    return filter_dataset(client, [given], out, REQUEST, wish, crew=crew)


def test_many_make_of_addresses_what_one_makes(client: Client, many: Path, tmp_path: Path):
    one = filtered(client, many, tmp_path / "one")
    several = filtered(client, many, tmp_path / "several", Scrambled())
    assert results(several) == results(one)
    assert one.counts["deny"]
    assert one.counts["unknown"]
    assert not (tmp_path / "several.job").exists()


def test_many_make_of_pictures_what_one_makes(world: World, client: Client, tmp_path: Path):
    folders = [tmp_path / "in" / name for name in ("x", "y")]
    for number, folder in enumerate(folders):
        folder.mkdir(parents=True)
        for each in range(4):
            (folder / f"{each}.png").write_bytes(encoded(picture(4 * number + each)))
        (folder / "torn.jpg").write_bytes(encoded(picture(5), "JPEG")[:900])
    world.work(encoded(picture(1)), "tomas", OPEN)
    world.work(encoded(picture(5)), "tomas", NO_AI)
    world.registry.publish()
    one = filter_dataset(client, folders, tmp_path / "one", REQUEST, KEEP)
    several = filter_dataset(client, folders, tmp_path / "several", REQUEST, KEEP, crew=Scrambled())
    assert results(several) == results(one)
    kept = [sorted(str(path.relative_to(out)) for path in Path(out).rglob("*.*")) for out in (one.out, several.out)]
    assert kept[0] == kept[1]
    assert several.counts["deny"] == 1


@pytest.mark.parametrize("after", [2, 12])
def test_an_interrupted_job_of_many_goes_on_where_it_stopped(client: Client, many: Path, tmp_path: Path, after: int):
    out = tmp_path / "out"
    with pytest.raises(Exception, match="interrupted"):
        filtered(client, many, out, Lost(after))
    assert not out.exists()
    before = known(tmp_path / "out.job")
    assert before

    class Later(Scrambled):
        def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterator[bytes]:
            yield from super().each(do, pieces)
            assert before.items() <= known(tmp_path / "out.job").items()

    done = filtered(client, many, out, Later(1))
    assert results(done) == results(filtered(client, many, tmp_path / "one"))


def test_one_machine_ends_what_many_began(client: Client, many: Path, tmp_path: Path):
    with pytest.raises(Exception, match="interrupted"):
        filtered(client, many, tmp_path / "out", Lost(4))
    done = filtered(client, many, tmp_path / "out")
    assert results(done) == results(filtered(client, many, tmp_path / "one"))


def test_a_worker_that_sees_other_files_refuses(client: Client, many: Path, tmp_path: Path):
    class Elsewhere(Scrambled):
        def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterable[bytes]:
            os.utime(many / "a.parquet", (1, 1))
            return super().each(do, pieces)

    with pytest.raises(InputError, match=r"expected a\.parquet as it was when the job began"):
        filtered(client, many, tmp_path / "out", Elsewhere())
    assert not (tmp_path / "out").exists()


def test_a_worker_without_the_folder_of_the_job_refuses(client: Client, many: Path, tmp_path: Path):
    class Unshared(Scrambled):
        def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterable[bytes]:
            shutil.move(tmp_path / "out.job" / "job.json", tmp_path / "away")
            return super().each(do, pieces)

    with pytest.raises(InputError, match="which every worker has to see"):
        filtered(client, many, tmp_path / "out", Unshared())


def test_a_worker_with_another_snapshot_refuses(client: Client, many: Path, tmp_path: Path):
    class Foreign(Scrambled):
        def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterable[bytes]:
            for segment in client.snapshot.store.segments.iterdir():
                data = bytearray(segment.read_bytes())
                data[-1] ^= 1
                segment.write_bytes(data)
            pinned._OPENED.clear()
            return super().each(do, pieces)

    with pytest.raises(Exception, match="digest"):
        filtered(client, many, tmp_path / "out", Foreign())


def test_pieces_that_are_lost_for_good_leave_no_result(client: Client, many: Path, tmp_path: Path):
    class Fewer(Scrambled):
        def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterable[bytes]:
            return super().each(do, pieces[:-1])

    with pytest.raises(ServiceError, match="pieces done by the workers"):
        filtered(client, many, tmp_path / "out", Fewer())
    assert not (tmp_path / "out").exists()


def test_a_second_stage_is_for_one_machine(client: Client, many: Path, tmp_path: Path):
    with pytest.raises(InputError, match="after: expected none where many"):
        filtered(client, many, tmp_path / "out", Scrambled(), Wish(after=tmp_path / "x.manifest.json"))
