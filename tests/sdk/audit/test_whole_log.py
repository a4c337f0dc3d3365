"""The whole log is rebuilt from its entries: what is not there, not in order or not the same is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from licet.audit.whole_log import verify_log
from licet.errors import VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import entry as entries
from licet.log import merkle, note, tiles
from licet.log.checkpoint import Checkpoint

ORIGIN = "registry.example/log"
SIGNER = note.Signer(ORIGIN, bytes(range(32)))


def log_of(size: int, *, mark: str = "0", times: Callable[[int], int] = lambda index: index) -> list[bytes]:
    """Return ``size`` entries, one a second."""
    return [
        entries.encode(
            entries.Entry(1, "consent", f"2026-11-22T10:{times(at) // 60:02d}:{times(at) % 60:02d}.000Z", mark * 64)
        )
        for at in range(size)
    ]


def files(log: list[bytes], signer: note.Signer = SIGNER) -> dict[str, bytes]:
    """Return what a log publishes."""
    root = merkle.root(merkle.leaf_hash(entry) for entry in log)
    published = {"checkpoint": checkpoints.sign(Checkpoint(ORIGIN, len(log), root), signer).encode()}
    for start in range(0, len(log), tiles.WIDTH):
        some = log[start : start + tiles.WIDTH]
        published[tiles.entries_path(start // tiles.WIDTH, len(some))] = tiles.encode_bundle(some)
    return published


def state(log: list[bytes]) -> Checkpoint:
    """Return the state of a log."""
    return Checkpoint(ORIGIN, len(log), merkle.root(merkle.leaf_hash(entry) for entry in log))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 700])
def test_a_log_is_rebuilt_from_its_entries(size: int) -> None:
    log = log_of(size)
    counted: list[int] = []
    newest = verify_log(files(log).__getitem__, SIGNER.verifier, advance=counted.append)
    assert newest == state(log)
    assert sum(counted) == size


@pytest.mark.parametrize("seen", [1, 256, 299, 300])
def test_what_was_seen_before_is_still_in_it(seen: int) -> None:
    log = log_of(300)
    assert verify_log(files(log).__getitem__, SIGNER.verifier, state(log[:seen])).size == 300


@pytest.mark.parametrize("seen", [1, 256, 299])
def test_another_past_is_a_fork(seen: int) -> None:
    with pytest.raises(VerificationError, match=f"the first {seen} entries are not those that were seen before"):
        verify_log(files(log_of(300)).__getitem__, SIGNER.verifier, state(log_of(seen, mark="1")))


def test_another_tree_of_the_same_size_is_found() -> None:
    with pytest.raises(VerificationError, match="two roots for one size 300"):
        verify_log(files(log_of(300)).__getitem__, SIGNER.verifier, state(log_of(300, mark="1")))


def test_a_log_that_went_back_is_found() -> None:
    with pytest.raises(VerificationError, match="at least 301 entries as seen before, got 300"):
        verify_log(files(log_of(300)).__getitem__, SIGNER.verifier, state(log_of(301)))


def test_another_log_is_found() -> None:
    with pytest.raises(VerificationError, match=r"expected the log other.example/log"):
        verify_log(files(log_of(3)).__getitem__, SIGNER.verifier, Checkpoint("other.example/log", 1, bytes(32)))


def test_another_key_is_found() -> None:
    with pytest.raises(VerificationError):
        verify_log(files(log_of(3), note.Signer(ORIGIN, bytes(32))).__getitem__, SIGNER.verifier)


def test_time_that_runs_backwards_is_found() -> None:
    log = log_of(5, times=lambda index: 9 - index if index > 2 else index)
    with pytest.raises(VerificationError, match="entry 4: its time"):
        verify_log(files(log).__getitem__, SIGNER.verifier)


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/entries/001.p/44"])
def test_an_entry_that_is_not_the_one_under_the_root_is_found(path: str) -> None:
    honest, other = files(log_of(300)), files(log_of(300, mark="1"))
    honest[path] = other[path]
    with pytest.raises(VerificationError, match="300 entries do not give the root"):
        verify_log(honest.__getitem__, SIGNER.verifier)
