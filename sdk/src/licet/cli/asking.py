"""Asking before what cannot be taken back; where nobody answers, nothing happens."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from licet.cli.output import harmless
from licet.cli.speaking import say
from licet.errors import NotAllowedError


def confirm(
    told: Iterable[str], question: str, *, yes: bool, nothing: str, answers: tuple[str, ...] = ("y", "yes")
) -> None:
    """Somebody has agreed to what ``told`` says: beforehand (``yes``), or by one of ``answers`` to ``question``.

    The answer is read from stdin, a terminal or not, also under ``--json``. Raises ``NotAllowedError`` that says that
    ``nothing`` was done.
    """
    if yes:
        return
    for line in told:
        say(harmless(line), aside=True)
    say(f"{harmless(question)} ", aside=True, end="")
    answer = sys.stdin.readline() if sys.stdin is not None else ""
    if answer.strip().lower() in answers:
        return
    if not answer:  # nobody is there: what was asked is left without a line of its own
        say("", aside=True)
    beforehand = "; nobody answered, and --yes agrees beforehand" if not answer else ""
    raise NotAllowedError(f"not confirmed: {nothing}{beforehand}")
