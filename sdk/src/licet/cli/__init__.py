"""The ``licet`` command: each module here is a group of commands; `licet.cli.main` is the way in."""

from __future__ import annotations

from licet.cli.main import main

__all__ = ["main"]
