"""The ``licet`` command: each module here is a group of commands; `entry` runs one of `commands`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from licet.cli.commands import told
from licet.cli.speaking import finished, prepare, say
from licet.sparing import spare

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what was typed and exit with its code; what needs no command loads none of what commands are made of."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        spare()
    prepare()
    text = told(given)
    if text is not None:
        say(text)
        sys.exit(0 if finished() else 2)
    from licet.cli.entry import main as run

    run(given)
