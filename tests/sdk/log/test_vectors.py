"""Every lie in ``vectors/lies`` is refused, each for its own reason; the one honest file is not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from licet.errors import LicetError
from licet.log import merkle, policy
from licet.log import proof as proofs
from tests.sdk.log.make_vectors import FOLDER, Vector, vectors

FILES = sorted(FOLDER.glob("*.json"))


def judge(vector: Vector) -> None:
    rules = policy.parse(vector.policy)
    proof = proofs.parse(vector.proof)
    checkpoint = rules.check(proof.checkpoint).checkpoint
    leaf = merkle.leaf_hash(vector.entry.encode())
    merkle.verify_inclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_lie_is_refused_for_its_own_reason(path: Path) -> None:
    vector = msgspec.json.decode(path.read_bytes(), type=Vector)
    if vector.refused is None:
        judge(vector)
        return
    with pytest.raises(LicetError) as refused:
        judge(vector)
    assert vector.refused in refused.value.message


def test_the_script_writes_these_files_and_no_others() -> None:
    made = dict(vectors())
    assert sorted(made) == [path.stem for path in FILES]
    for path in FILES:
        kept = msgspec.json.decode(path.read_bytes(), type=Vector)
        assert (kept.policy, kept.entry, kept.refused) == (
            made[path.stem].policy,
            made[path.stem].entry,
            made[path.stem].refused,
        )
