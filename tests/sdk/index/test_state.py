"""The state root commits to every work, and its proofs show presence or absence, never both."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import canonical
from licet.decisions import roots
from licet.errors import InputError, LicetError, VerificationError
from licet.identifiers import from_uuid
from licet.index import (
    Index,
    Snapshot,
    StateProver,
    StateRoots,
    StateTree,
    WorkRecord,
    manifest,
    state,
    state_root,
    verify_state,
    write_segments,
)
from licet.index.records import FLAGS
from licet.log import merkle
from licet.statements.kinds import RegistryRef, SegmentRef
from tests.sdk.index.world import catalogues, index_of, records, uid

REGISTRY = RegistryRef("registry.example/log", "0" * 64)


def text(number: int) -> str:
    return from_uuid("wrk", UUID(bytes=uid(1, number)))


@given(catalogues())
def test_every_work_is_provably_in_or_provably_out(catalogue: list[WorkRecord]) -> None:
    tree = StateTree.of_records(catalogue)
    stated = {record.work: record for record in catalogue}
    for number in range(10):
        proof = tree.prove(text(number))
        again = msgspec.json.decode(msgspec.json.encode(proof), type=type(proof))
        leaf = verify_state(again, tree.root, len(catalogue))
        record = stated.get(uid(1, number))
        assert (leaf is None) == (record is None)
        if leaf and record:
            assert leaf.log_index == record.log_index
            assert (leaf.terms_hash is None) == (record.terms == b"")
            assert (leaf.state.level, "withdrawn" in leaf.state.flags) == (record.level, record.withdrawn)


@given(catalogues(), catalogues(3), st.randoms())
def test_an_index_has_the_root_of_its_newest_records(
    base: list[WorkRecord], newer: list[WorkRecord], random: object
) -> None:
    merged = list({record.work: record for record in (*base, *newer)}.values())
    random.shuffle(merged)  # type: ignore[attr-defined]
    assert StateTree.of_works(index_of(base, newer).works).root == state_root(merged)


@given(st.lists(catalogues(3), min_size=1, max_size=5), st.data())
def test_roots_of_one_snapshot_after_another_are_those_of_the_whole_trees(
    layers: list[list[WorkRecord]], data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patched, TemporaryDirectory() as name:
        run = data.draw(st.sampled_from((1, 2, 4)))  # as few leaves in a row as there are here
        patched.setattr(state, "RUN", run)
        patched.setattr(roots, "RUN", run)
        kept, refs = StateRoots(), list[SegmentRef]()
        for layer in layers:
            gone = [uid(1, number) for number in data.draw(st.sets(st.integers(0, 9), max_size=2))]
            refs += write_segments(layer, Path(name), removed=gone)
            if data.draw(st.booleans()):  # a base anew
                refs = write_segments(layer, Path(name))
            draft = manifest(registry=REGISTRY, sequence=1, previous=None, consent_version=1, log_size=0, log_root="",
                             segments=refs, works=0, state_root="")  # fmt: skip
            snapshot = Snapshot.open(Path(name), draft)
            assert kept.root(snapshot) == StateTree.of_works(snapshot.works).root


@given(catalogues(), catalogues(3))
def test_proofs_at_few_bytes_a_work_are_those_of_the_whole_tree(
    base: list[WorkRecord], newer: list[WorkRecord]
) -> None:
    works = index_of(base, newer).works
    tree, prover = StateTree.of_works(works), StateProver(works)
    assert (prover.root, len(prover)) == (tree.root, len(tree))
    for number in range(10):
        assert prover.prove(text(number)) == tree.prove(text(number))


@given(records(0), records(0))
def test_whatever_decides_is_under_the_root(one: WorkRecord, other: WorkRecord) -> None:
    decisive = ("terms", "level", "log_index", *FLAGS)
    same = all(getattr(one, name) == getattr(other, name) for name in decisive)
    assert (state_root([one]) == state_root([other])) == same


@given(catalogues())
def test_leaves_are_canonical_json_under_an_rfc_6962_root(catalogue: list[WorkRecord]) -> None:
    tree = StateTree.of_records(catalogue)
    members = [tree.prove(work).member for work in sorted(work_texts_of(catalogue))]
    encoded = [canonical.encode(member.leaf) for member in members if member]
    assert tree.root == merkle.root([merkle.leaf_hash(leaf) for leaf in encoded]).hex()


def work_texts_of(catalogue: list[WorkRecord]) -> list[str]:
    return [from_uuid("wrk", UUID(bytes=record.work)) for record in catalogue]


@given(catalogues(largest=6), st.data())
def test_a_proof_about_one_work_proves_nothing_else(catalogue: list[WorkRecord], data: st.DataObject) -> None:
    tree = StateTree.of_records(catalogue)
    size, root = len(catalogue), tree.root
    present = set(work_texts_of(catalogue))
    proof = tree.prove(text(data.draw(st.integers(0, 9))))
    lie = msgspec.structs.replace(proof, work=text(data.draw(st.integers(0, 9))))
    truth = lie.work in present
    try:
        leaf = verify_state(lie, root, size)
    except VerificationError:
        # Only the honest proof for this work, or one that shares its neighbours, may pass.
        assert lie.work != proof.work
    else:
        assert (leaf is not None) == truth


@given(catalogues(largest=6), st.data())
def test_mutated_proofs_raise_or_say_the_same(catalogue: list[WorkRecord], data: st.DataObject) -> None:
    tree = StateTree.of_records(catalogue)
    proof = tree.prove(text(data.draw(st.integers(0, 9))))
    honest = verify_state(proof, tree.root, len(catalogue))
    encoded = bytearray(msgspec.json.encode(proof))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(32, 126))
    try:
        mutated = msgspec.json.decode(encoded, type=type(proof))
        leaf = verify_state(mutated, tree.root, len(catalogue))
    except (LicetError, msgspec.MsgspecError):
        return
    # What still passes can only be a claim that is true of the same tree.
    expected = next((member.leaf for member in [tree.prove(mutated.work).member] if member), None)
    assert leaf == expected
    assert mutated.work != proof.work or leaf == honest


def test_absence_needs_neighbours_that_touch() -> None:
    numbers = sorted(range(6), key=lambda number: uid(1, number))
    catalogue = [WorkRecord(work=uid(1, n), account=bytes(16), terms=b"", level=0, sha256=bytes(32)) for n in numbers]
    tree = StateTree.of_records(catalogue)
    wanted = tree.prove(text(numbers[3]))
    before, after = tree.prove(text(numbers[2])).member, tree.prove(text(numbers[4])).member
    hidden = msgspec.structs.replace(wanted, member=None, before=before, after=after)
    with pytest.raises(VerificationError, match="neighbours"):
        verify_state(hidden, tree.root, 6)
    for one_sided in (msgspec.structs.replace(hidden, before=None), msgspec.structs.replace(hidden, after=None)):
        with pytest.raises(VerificationError, match="neighbours"):
            verify_state(one_sided, tree.root, 6)
    with pytest.raises(VerificationError):
        verify_state(msgspec.structs.replace(hidden, before=None, after=None), tree.root, 6)
    with pytest.raises(VerificationError):
        verify_state(msgspec.structs.replace(hidden, before=None, after=None), tree.root, 0)
    with pytest.raises(VerificationError, match="alone"):
        verify_state(msgspec.structs.replace(wanted, before=before), tree.root, 6)


def test_the_empty_tree_has_the_empty_root() -> None:
    tree = StateTree.of_works(Index().works)
    assert tree.root == merkle.EMPTY_ROOT.hex()
    assert verify_state(tree.prove(text(0)), tree.root, 0) is None


def test_only_works_are_proven() -> None:
    with pytest.raises(InputError, match="work"):
        StateTree([]).prove("art_" + "0" * 26)
