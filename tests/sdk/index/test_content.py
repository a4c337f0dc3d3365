"""ISCC content codes: every near pair is found, whichever way they are looked for, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from licet.index import content
from licet.index.content import ContentTable


def _naive(stored: np.ndarray, asked: np.ndarray, bits: np.ndarray) -> list[tuple[int, int, int]]:
    found = []
    for query, (code, length) in enumerate(zip(asked, bits, strict=True)):
        for place, other in enumerate(stored):
            differs = np.unpackbits(code ^ other)
            if differs[:64].sum() <= 10 and differs[:length].sum() <= 10 * length // 64:
                found.append((query, place, int(differs[:length].sum())))
    return found


def _grown(random: np.random.Generator, count: int, families: int) -> np.ndarray:
    """Codes of a few families, each some flips away from its first."""
    first = random.integers(0, 2, (families, 256), np.uint8)[random.integers(0, families, count)]
    flips = random.random((count, 256)) < random.choice([0.01, 0.06, 0.12], (count, 1))
    return np.packbits(first ^ flips, axis=1)


WAYS = {"compared": (1 << 40, 1 << 40, True), "numpy": (0, 1 << 40, False), "compiled": (0, 0, True)}


def taking(patch: pytest.MonkeyPatch, way: str) -> None:
    """Let codes be looked for in one ``way``."""
    worth, loading, loaded = WAYS[way]
    if way == "compiled":
        pytest.importorskip("numba")
    patch.setattr(content, "_WORTH", worth)
    patch.setattr(content, "_WORTH_LOADING", loading)
    patch.setattr(content, "_loaded", lambda: loaded)
    patch.setattr(content, "_ROOM", 2)  # too little for some


@pytest.mark.parametrize("way", WAYS)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 40), queries=st.integers(0, 12), families=st.integers(1, 4))
def test_every_near_pair_is_found_in_each_way(way: str, seed: int, count: int, queries: int, families: int) -> None:
    random = np.random.default_rng(seed)
    codes = _grown(random, count + queries, families)
    stored, asked = codes[:count], codes[count:]
    bits = random.choice(content.CODE_BITS, queries).astype(np.int16)
    patched = pytest.MonkeyPatch()
    with patched.context() as patch:
        taking(patch, way)
        patch.setattr(content, "_VISITED", 64)  # several steps
        patch.setattr(content, "_SCANNED", 64)
        query, place, distance = ContentTable(stored).pairs(asked, bits)
    assert [*zip(query.tolist(), place.tolist(), distance.tolist(), strict=True)] == _naive(stored, asked, bits)


@pytest.mark.parametrize("way", WAYS)
def test_ten_flips_anywhere_in_the_first_64_bits_are_met_at_some_chunk(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    taking(monkeypatch, way)
    random = np.random.default_rng(7)
    stored = random.integers(0, 256, (400, 32), np.uint8)
    bits = np.unpackbits(stored, axis=1)
    for row in bits:
        row[random.choice(64, 10, replace=False)] ^= 1
    query, place, distance = ContentTable(stored).pairs(np.packbits(bits, axis=1), np.full(400, 64, np.int16))
    assert np.array_equal(query, place)
    assert np.array_equal(query, np.arange(400))
    assert set(distance.tolist()) == {10}


def test_without_compiled_loops_the_same_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    taking(monkeypatch, "numpy")
    monkeypatch.setattr(content, "_WORTH_LOADING", 0)
    monkeypatch.setattr(content, "_kernels", lambda: None)
    stored = np.random.default_rng(8).integers(0, 256, (50, 32), np.uint8)
    query, place, distance = ContentTable(stored).pairs(stored, np.full(50, 256))
    assert query.tolist() == place.tolist() == [*range(50)]
    assert not distance.any()


@pytest.mark.parametrize("wrong", [np.zeros((1, 8), np.uint8), np.zeros(32, np.uint8), np.zeros((1, 32), np.int8)])
def test_other_shapes_are_refused_by_name(wrong: Any) -> None:
    with pytest.raises(InputError, match="stored: expected n × 32 bytes"):
        ContentTable(wrong)
