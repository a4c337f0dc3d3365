"""Whoever shows progress hears that loops are compiled, where that takes long, and that it is over."""

from __future__ import annotations

import subprocess
import sys
import threading

from licet import compiled


def test_what_takes_long_is_told_and_so_is_its_end(monkeypatch):
    monkeypatch.setattr(compiled, "_LONG", 0.0)
    heard: list[str] = []
    said = threading.Event()

    def listener(words: str) -> None:
        heard.append(words)
        said.set()

    with compiled.told(listener):
        with compiled.told_of_compiling():
            assert said.wait(60)
        assert heard == ["compiling loops, once on this machine", ""]
    with compiled.told_of_compiling():
        pass
    assert len(heard) == 2  # nobody listens any more


def test_what_is_in_the_cache_is_not_called_compiling(monkeypatch):
    monkeypatch.setattr(compiled, "_LONG", 3600.0)
    heard: list[str] = []
    with compiled.told(heard.append), compiled.told_of_compiling():
        pass
    assert heard == [""]


def test_loops_of_the_index_and_of_hashing_are_loaded_in_either_order():
    either = (
        "import licet.index.kernels, licet.compiled.compiling; from licet.compiled import hashing_of;"
        " assert hashing_of(1 << 30) is not None"
    )
    subprocess.run([sys.executable, "-c", either], check=True, timeout=120)
