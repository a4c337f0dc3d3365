"""Statements that a log has taken twice, or in another order than they were signed in.

The consents of one account count from 1 and name the one before. A registry that wanted earlier terms back could log a
consent of the past once more: signature, account and place in the log would hold, and the newest place would speak for
the works. What gives it away is its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import Consent
from licet.wire.common import KeyEvidence


class Taken(msgspec.Struct, frozen=True):
    """A statement of the account, by the name that the registry gives it, and where the log has it."""

    index: int
    name: str
    evidence: KeyEvidence

    @property
    def envelope(self) -> Envelope:
        return self.evidence.envelope


def replays(taken: Iterable[Taken]) -> Iterator[tuple[Taken, Taken]]:
    """Yield each consent whose number is not above that of one in front of it in the log, behind that one.

    ``taken`` are statements of one account, verified, in any order, each place in the log once or more.
    """
    highest: tuple[int, Taken] | None = None
    for each in sorted({one.index: one for one in taken}.values(), key=lambda one: one.index):
        if each.envelope.kind != "consent":
            continue
        number = envelopes.read_as(Consent, each.envelope).seq
        if highest is not None and number <= highest[0]:
            yield highest[1], each
        else:
            highest = number, each
