"""Requests for licences: who says what to which, and nothing that could not be said any more.

A bundle that has a request has all that was said to it. Whether a licence rests on an offer that stood is held with the
prices of its lines (`priced`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from licet.audit.checks.opening import Audit
from licet.audit.checks.signed import Signed, Statements
from licet.audit.report import checking
from licet.counted import many
from licet.errors import VerificationError
from licet.statements.kinds import LicenceAnswer

_CHECK: Final = "requests"


def check_requests(audit: Audit, statements: Statements) -> None:
    """Hold every answer and reply to the request that it is of, in the order of the log."""
    said: dict[str, list[tuple[str, Signed]]] = defaultdict(list)
    for kind in ("licence-answer", "licence-reply"):
        for signed in statements.all[kind].values():
            said[signed.payload.request].append((f"statements/{kind}", signed))
    ended = 0
    for request, asked in statements.requests.items():
        talk = Talk(asked)
        for member, signed in sorted(said[request], key=lambda each: each[1].index):
            with checking(_CHECK, member):
                talk.take(signed)
        ended += talk.ended
    requests, back = many(len(statements.requests), "request"), many(ended, "request or offer", "requests or offers")
    audit.passed(_CHECK, f"{requests}, answered by whom they ask; {back} taken back or declined while that could be")


class Talk:
    """One request with what stands of it: the last offer that nobody took back, declined or replaced."""

    def __init__(self, asked: Signed) -> None:
        self._asked: Final = asked.payload
        self._offer: Signed | None = None
        self._withdrawn: Signed | None = None
        self.ended = 0

    def take(self, signed: Signed) -> None:
        """Return once ``signed`` is said; raises ``VerificationError`` where that could not be said any more."""
        if self._withdrawn is not None:
            raise VerificationError(
                f"expected nothing more of {self._asked.request}, which entry {self._withdrawn.index} took back, got "
                f"entry {signed.index}"
            )
        if isinstance(signed.payload, LicenceAnswer):
            self._answer(signed)
        else:
            self._reply(signed)

    def _answer(self, signed: Signed) -> None:
        if signed.payload.account != self._asked.account:
            raise VerificationError(f"expected an answer of {self._asked.account}, got one of {signed.payload.account}")
        if signed.payload.answer == "withdraw":
            self._end(signed)
        self._offer = signed if signed.payload.answer == "offer" else None

    def _reply(self, signed: Signed) -> None:
        if signed.payload.offer is None:
            self._withdrawn = signed
            self.ended += 1
        elif self._offer is None or self._offer.document != signed.payload.offer:
            raise VerificationError(f"expected entry {signed.index} to decline the last offer before it, got another")
        else:
            self._end(signed)

    def _end(self, signed: Signed) -> None:
        if self._offer is None:
            raise VerificationError(f"expected an offer that entry {signed.index} takes back, got none before it")
        self._offer = None
        self.ended += 1
