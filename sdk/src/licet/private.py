"""Folders that nobody but their owner may look into."""

from __future__ import annotations

from pathlib import Path


def make_private(folder: Path) -> None:
    """``folder`` is there; what of it and above it was not there before is open to its owner alone.

    ``Path.mkdir`` gives its mode to the last folder only, and the parents that it makes to whoever asks.
    """
    missing = [folder]
    missing += [each for each in folder.parents if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
