"""Paths of some leaves are those of the whole tree, however the leaves come and wherever runs end."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.decisions import roots
from licet.decisions.openings import PathBuilder
from licet.errors import InputError
from licet.log import merkle

HASHES = b"".join(sha256(bytes([number])).digest() for number in range(41))


@pytest.fixture(autouse=True)
def _short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roots, "RUN", 8)


@given(data=st.data(), size=st.integers(1, 41), step=st.integers(1, 17))
def test_every_path_leads_to_the_root(data: st.DataObject, size: int, step: int) -> None:
    wanted = data.draw(st.lists(st.integers(0, size - 1), max_size=6))
    builder = PathBuilder(wanted)
    for at in range(0, size, step):
        builder.add(HASHES[32 * at : 32 * min(at + step, size)])
    root, found = builder.finish()
    assert root == merkle.root(HASHES[: 32 * size]).hex()
    assert sorted(found) == sorted(set(wanted))
    for index, (leaf, path) in found.items():
        assert path == merkle.inclusion_proof(HASHES[: 32 * size], index)
        merkle.verify_inclusion(leaf, index, size, path, bytes.fromhex(root))


def test_no_leaf_has_the_root_of_nothing() -> None:
    assert PathBuilder([]).finish() == (sha256(b"").hexdigest(), {})


def test_a_leaf_that_never_came_is_named() -> None:
    builder = PathBuilder([2])
    builder.add(HASHES[:64])
    with pytest.raises(InputError, match="below the 2 that there are, got 2"):
        builder.finish()
    with pytest.raises(InputError, match="whole hashes"):
        builder.add(b"x")
