"""The whole log is rebuilt from its entries: what is not there, not in order or not the same is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.audit.misconduct import verify_log_misconduct
from licet.audit.rebuilt import START, Edge, Rebuilt
from licet.audit.seen import SeenCheckpoints, proofs_in
from licet.audit.whole_log import Seen, consistency, examine_log, verify_log
from licet.errors import InputError, MalformedError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import cosignature, merkle, note, policy, tiles, witnessing
from licet.log import entry as entries
from licet.log import proof as proofs
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
    leaves = [merkle.leaf_hash(entry) for entry in log]
    published |= {tile.path: content for tile, content in tiles.extend(0, leaves, never)}
    return published


def never(level: int, index: int, width: int) -> bytes:
    raise AssertionError(f"a new log has no tile to read, asked for {level}/{index} of {width}")


def state(log: list[bytes]) -> Checkpoint:
    """Return the state of a log."""
    return Checkpoint(ORIGIN, len(log), merkle.root(merkle.leaf_hash(entry) for entry in log))


LOG_600 = files(log_of(600))


def states() -> list[Checkpoint]:
    frontier = merkle.Frontier()
    made = [Checkpoint(ORIGIN, 0, frontier.root)]
    for entry in log_of(600):
        frontier.append(merkle.leaf_hash(entry))
        made.append(Checkpoint(ORIGIN, frontier.size, frontier.root))
    return made


STATES = states()


def cut(path: str) -> bytes:
    """Read a tile of any width from the widest that there is."""
    level, index, width = tiles.parse_path(path)
    assert level is not None
    widest = next(LOG_600[each] for at in range(256, 0, -1) if (each := tiles.tile_path(level, index, at)) in LOG_600)
    return widest[: width * 32]


ONE = log_of(1)[0]
ODD = [
    ONE,
    ONE.replace(b"consent", b"unknown"),
    ONE.replace(b'"v":1', b'"v":2'),
    ONE.replace(b'"v":1', b'"v":1.0'),
    ONE.replace(b'"v":1', b'"v":1,"v":1'),
    ONE.replace(b'"v":1', b'"v": 1'),
    ONE.replace(b'"v":1', b'"v":9007199254740993'),
    ONE.replace(b"2026", b"20x6"),
    ONE.replace(b"consent", b"\\u0063onsent"),
    ONE.replace(b"consent", b"\\ud800"),
    ONE.replace(b"000000", b"00000A", 1),
    ONE.replace(b"00", b"0", 1),
    ONE[:-1],
    ONE + b" ",
    b"[" * 3000,
    b"{}",
    b"",
]


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
    with pytest.raises(VerificationError, match=r"tile/0/00.*: hash 0 is not the one that the entries give"):
        verify_log(honest.__getitem__, SIGNER.verifier)
    honest |= {path: other[path] for path in other if path != "checkpoint"}
    with pytest.raises(VerificationError, match="300 entries do not give the root"):
        verify_log(honest.__getitem__, SIGNER.verifier)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001", "tile/1/000.p/2", "tile/0/002.p/88"])
def test_a_tile_that_is_not_what_the_entries_give_is_found(path: str) -> None:
    published = files(log_of(600))
    published[path] = published[path][:-32] + bytes(32)
    with pytest.raises(VerificationError, match=rf"{path}: hash \d+ is not the one"):
        verify_log(published.__getitem__, SIGNER.verifier)
    published[path] = published[path][:-32]
    with pytest.raises(VerificationError, match=rf"{path}: expected \d+ bytes"):
        verify_log(published.__getitem__, SIGNER.verifier)


def test_a_log_of_three_levels_is_rebuilt_in_any_number_of_steps() -> None:
    log = [ONE.replace(b"0" * 64, f"{at:064x}".encode()) for at in range(66_000)]
    published = files(log)
    edge = START
    read: set[str] = set()
    for size in (1, 255, 256, 700, 65_537, 66_000):
        part = {**published, **files(log[:size])} if size < 66_000 else published

        def reads(path: str, part: dict[str, bytes] = part) -> bytes:
            read.add(path)
            return part[path]

        verified = examine_log(reads, SIGNER.verifier, [Seen(state(log[: edge.size]))] * (edge.size > 0), start=edge)
        assert verified.newest == state(log[:size])
        assert (verified.edge.size, verified.entries) == (size, size - edge.size)
        edge = verified.edge
        assert Rebuilt(edge).root == verified.newest.root
    whole = examine_log(published.__getitem__, SIGNER.verifier, readers=4)
    assert whole.edge == edge
    assert "tile/2/000.p/1" in read


@pytest.mark.parametrize("start", [1, 255, 256, 300, 511, 512, 600])
def test_a_fork_before_what_was_verified_is_found_too(start: int) -> None:
    log, other = log_of(600), log_of(600, mark="1")
    edge = examine_log(files(log[:start]).__getitem__, SIGNER.verifier).edge
    with pytest.raises(VerificationError):
        examine_log(files(other).__getitem__, SIGNER.verifier, start=edge)
    # The part that is not read again is held to all that was seen of it by proofs from the tiles.
    seen = [Seen(state(log[:size])) for size in range(1, start, 50)]
    assert examine_log(files(log).__getitem__, SIGNER.verifier, seen, start=edge).held_to == len(seen)
    if start > 1:
        lie = [*seen, Seen(state(other[: start - 1]), signed(other[: start - 1]))]
        with pytest.raises(VerificationError, match="a fork") as found:
            examine_log(files(log).__getitem__, SIGNER.verifier, lie, start=edge)
        shown = verify_log_misconduct(found.value.details["misconduct"], SIGNER.verifier)
        assert f"does not begin with the {start - 1} it signed before" in shown


def signed(log: list[bytes]) -> str:
    return files(log)["checkpoint"].decode()


@pytest.mark.parametrize("size", [1, 2, 256, 299])
def test_a_fork_is_shown_to_others(size: int) -> None:
    newest, older = log_of(300), log_of(size, mark="1")
    seen = [Seen(state(newest[:at])) for at in range(1, 300, 7)]
    with pytest.raises(VerificationError, match=r"a fork|two roots") as found:
        examine_log(files(newest).__getitem__, SIGNER.verifier, [*seen, Seen(state(older), signed(older))])
    document = found.value.details["misconduct"]
    if document is None:  # two states of one size, of which one came without its note
        assert size % 7 == 1
        return
    assert "tree of 300 entries" in verify_log_misconduct(document, SIGNER.verifier)
    other = note.Signer(ORIGIN, bytes(32)).verifier
    with pytest.raises(VerificationError):
        verify_log_misconduct(document, other)
    honest = msgspec.structs.replace(document, older=signed(newest[:size]))
    with pytest.raises(VerificationError, match="begins otherwise"):
        verify_log_misconduct(honest, SIGNER.verifier)


def test_two_trees_of_one_size_are_shown_to_others() -> None:
    first, second = log_of(300), log_of(300, mark="1")
    with pytest.raises(VerificationError, match="two roots for one size 300") as found:
        examine_log(files(first).__getitem__, SIGNER.verifier, [Seen(state(second), signed(second))])
    document = found.value.details["misconduct"]
    assert verify_log_misconduct(document, SIGNER.verifier) == f"{ORIGIN} signed two different trees of 300 entries"
    for lie in (
        msgspec.structs.replace(document, second=document.first),
        msgspec.structs.replace(document, second=signed(second[:299])),
        msgspec.structs.replace(document, second=document.second.replace("\n300\n", "\n301\n")),
    ):
        with pytest.raises(VerificationError):
            verify_log_misconduct(lie, SIGNER.verifier)


@given(st.integers(1, 600), st.integers(1, 600))
def test_two_moments_of_one_log_are_consistent_and_of_two_logs_are_not(first: int, second: int) -> None:
    old, new = sorted((first, second))
    proof = consistency(cut, SIGNER.verifier, STATES[old], STATES[new])
    merkle.verify_consistency(old, new, STATES[old].root, STATES[new].root, proof)
    with pytest.raises(VerificationError):
        consistency(cut, SIGNER.verifier, Checkpoint(ORIGIN, old, bytes(32)), STATES[new])
    if old < new:
        with pytest.raises(VerificationError, match="older checkpoint first"):
            consistency(cut, SIGNER.verifier, STATES[new], STATES[old])


def test_every_empty_log_is_the_beginning() -> None:
    empty = Checkpoint(ORIGIN, 0, merkle.EMPTY_ROOT)
    assert consistency(cut, SIGNER.verifier, empty, STATES[5]) == []
    with pytest.raises(VerificationError, match="empty tree"):
        consistency(cut, SIGNER.verifier, Checkpoint(ORIGIN, 0, bytes(32)), STATES[5])


def test_a_policy_that_is_not_met_refuses_the_log() -> None:
    witness = cosignature.Signer("w.example", 4, b"\x09" * 32)
    rules = policy.parse(f"witness w {witness.verifier.vkey}\nquorum w\n")
    published = files(log_of(3))
    with pytest.raises(VerificationError, match="quorum w is not met"):
        examine_log(published.__getitem__, SIGNER.verifier, rules=rules)
    lines = [witness.sign(note.parse(published["checkpoint"]).text)]
    published["checkpoint"] = witnessing.with_cosignatures(published["checkpoint"].decode(), lines).encode()
    assert examine_log(published.__getitem__, SIGNER.verifier, rules=rules).newest.size == 3


@given(st.binary(max_size=200) | st.sampled_from(ODD))
def test_an_entry_passes_the_run_exactly_if_it_parses(data: bytes) -> None:
    try:
        expected = entries.parse(data).time
    except MalformedError:
        with pytest.raises(VerificationError, match="entry 7: "):
            entries.check_run([data], "", 7)
    else:
        assert entries.check_run([data], "", 7) == expected


@pytest.mark.parametrize("edge", [Edge(1, "", ()), Edge(1, "", (b"",)), Edge(256, "", (b"",)), Edge(0, "", (b"x",))])
def test_an_edge_that_no_log_ends_with_is_refused(edge: Edge) -> None:
    with pytest.raises(MalformedError):
        Rebuilt(edge)


def test_what_was_seen_is_kept_once_and_survives_a_crash(tmp_path: Path) -> None:
    seen = SeenCheckpoints(tmp_path / "deep" / "seen.jsonl")
    notes = [signed(log_of(size)) for size in (1, 2, 3)]
    assert seen.read(SIGNER.verifier) == []
    assert seen.add([*notes, *notes, "no note"], SIGNER.verifier) == 3
    assert seen.add(notes, SIGNER.verifier) == 0
    assert [each.checkpoint.size for each in seen.read(SIGNER.verifier)] == [1, 2, 3]
    seen.path.write_bytes(seen.path.read_bytes()[:-20])  # a crash while the third was written
    assert [each.checkpoint.size for each in seen.read(SIGNER.verifier)] == [1, 2]
    assert seen.add(notes, SIGNER.verifier) == 1
    assert [each.checkpoint.size for each in seen.read(SIGNER.verifier)] == [1, 2, 3]
    assert seen.read(note.Signer(ORIGIN, bytes(32)).verifier) == []
    seen.path.write_bytes(b"{}\n" + seen.path.read_bytes())
    with pytest.raises(InputError, match=r"seen\.jsonl, line 1"):
        seen.read(SIGNER.verifier)


def test_checkpoints_are_found_wherever_a_proof_is(tmp_path: Path) -> None:
    log = log_of(5)
    text = signed(log)
    found = proofs.encode(proofs.Proof(2, tuple(merkle.inclusion_proof([merkle.leaf_hash(e) for e in log], 2)), text))
    (tmp_path / "a.json").write_bytes(msgspec.json.encode({"deep": [{"proof": found, "n": 1, "x": None}]}))
    (tmp_path / "b.json").write_bytes(b"no JSON")
    assert list(proofs_in([*sorted(tmp_path.iterdir()), tmp_path / "missing"])) == [text]
