"""The ``licet`` command: each module here is a group of commands; `licet.cli.entry` is the way in."""

from __future__ import annotations

from licet.cli.entry import main

__all__ = ["main"]
