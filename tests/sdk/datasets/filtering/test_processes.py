"""Processes of this machine as workers: what they come to, and what becomes of one that is killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.client import Client
from licet.datasets.filtering.build import Wish, filter_dataset
from licet.datasets.workers import nursery, processes
from licet.datasets.workers.processes import Processes, workers_for
from licet.decisions import Request
from licet.errors import InputError, ServiceError
from tests.sdk.datasets.filtering.test_crew import results
from tests.sdk.datasets.world import NO_AI, OPEN, World, encoded, picture

REQUEST = Request(uses=["train-gen"], at="2026-11-22T12:00:00.000Z")


def dies_once(piece: bytes) -> bytes:
    """Kill whoever does it the first time, and say who did it."""
    mark = Path(os.fsdecode(piece))
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{os.getpid()} {mark.name}".encode()


def dies(_: bytes) -> bytes:
    """Kill whoever does it."""
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


def ends_all_once(piece: bytes) -> bytes:
    """Kill whoever does it the first time, and the process that started it."""
    mark = Path(os.fsdecode(piece))
    if not mark.exists():
        mark.touch()
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return mark.name.encode()


def says_who(_: bytes) -> bytes:
    """Print something, as a library may, and say who did it."""
    print("printed by a library")
    return str(os.getpid()).encode()


def says_whose(_: bytes) -> bytes:
    """Say who did it, and who started that process."""
    return f"{os.getpid()} {os.getppid()}".encode()


@pytest.fixture
def addresses(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for part in range(3):
        urls = [f"https://x.example/{number}.jpg" for number in range(40 * part, 40 * part + 40)]
        pq.write_table(pa.table({"URL": urls, "text": urls}), folder / f"{part}.parquet")
    return folder


def test_processes_make_what_one_makes(world: World, client: Client, addresses: Path, tmp_path: Path) -> None:
    for number in range(0, 120, 9):
        terms = (OPEN, NO_AI)[number % 2]
        world.work(encoded(picture(number % 5)), "tomas", terms, urls=(f"https://x.example/{number}.jpg",))
    world.registry.publish()
    one, two = (
        filter_dataset(client, [addresses], tmp_path / str(workers), REQUEST, Wish(unknown="keep", workers=workers))
        for workers in (1, 2)
    )
    assert results(two) == results(one)
    assert one.counts["deny"]
    with pytest.raises(InputError, match=r"workers: expected 1, because --match derivative"):
        filter_dataset(client, [addresses], tmp_path / "x", REQUEST, Wish(match="derivative", workers=2))
    with pytest.raises(InputError, match=r"workers: expected 1 to 512, got 0"):
        filter_dataset(client, [addresses], tmp_path / "x", REQUEST, Wish(workers=0))


def test_only_many_rows_are_worth_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "processors", lambda: 7)
    assert (workers_for(120, None), workers_for(120, 3), workers_for(None, None)) == (1, 3, 1)
    monkeypatch.setattr(processes, "WORTH", 120)
    assert workers_for(120, None) == 7


@pytest.mark.fault
def test_a_worker_that_is_killed_is_replaced_and_its_piece_done_again(tmp_path: Path) -> None:
    pieces = [os.fsencode(tmp_path / str(number)) for number in range(3)]
    with Processes(2) as crew:
        told = [answer.decode().split() for answer in crew.each(dies_once, pieces)]
    assert sorted(name for _, name in told) == ["0", "1", "2"]
    assert str(os.getpid()) not in {who for who, _ in told}


@pytest.mark.fault
def test_what_workers_are_made_from_is_replaced_when_it_is_killed(tmp_path: Path) -> None:
    with Processes(1) as crew:
        assert list(crew.each(ends_all_once, [os.fsencode(tmp_path / "a"), os.fsencode(tmp_path / "b")])) == [
            b"a",
            b"b",
        ]


@pytest.mark.parametrize("forks", [nursery.FORKS, False])
def test_workers_stay_for_what_is_done_next(forks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nursery, "FORKS", forks)
    with Processes(1) as crew:
        first = set(crew.each(says_who, [b""] * 3))
        assert set(crew.each(says_who, [b""] * 3)) == first
        (other,) = crew.each(says_whose, [b""])
    assert len(first) == 1
    who, whose = map(int, other.split())
    assert first != {str(who).encode()}
    assert os.getpid() not in {who, whose}
    for gone in (int(next(iter(first))), who, whose):
        with pytest.raises(ProcessLookupError):
            os.kill(gone, 0)


@pytest.mark.fault
def test_a_piece_that_ends_every_worker_ends_the_job(tmp_path: Path) -> None:
    with Processes(2) as crew, pytest.raises(ServiceError, match="--workers 1 has one process do it all"):
        list(crew.each(dies, [b"1", b"2"]))


def test_whoever_stops_listening_leaves_no_process_behind() -> None:
    answers = Processes(2).each(says_who, [b""] * 5)
    who = int(next(answers))
    answers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(who, 0)
